//! Mutual exclusion between tabs. Web Locks API §4, `navigator.locks`.
//!
//! Where the browser has no Web Locks, a queue within this realm takes their place: it keeps two calls of one page apart,
//! but not two tabs. That is what the turns of `client::turn` do.

use super::promise::{Signal, settled, within};
use super::reflect;
use crate::ports::Lock;
use crate::types::Lifetime;
use js_sys::{Function, Promise};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

/// Named locks, shared by all tabs of the origin.
pub struct Locks;

/// A held lock; released on drop.
pub struct LockGuard {
    held: Held,
}

/// Each variant is there for its `Drop`.
enum Held {
    Web { request: WebRequest },
    Realm { _ticket: Ticket },
    Nothing,
}

impl Lock for Locks {
    type Guard = LockGuard;

    async fn acquire(&self, name: &str, patience: Lifetime) -> Option<LockGuard> {
        let lock = async {
            let held = match web_lock(name, false).await {
                Some(request) => Held::Web { request },
                None => Held::Realm { _ticket: realm_lock(name).await },
            };
            LockGuard { held }
        };
        within(patience, Box::pin(lock)).await
    }

    async fn seize(&self, name: &str) -> Option<LockGuard> {
        let lock = async {
            let held = match web_lock(name, true).await {
                Some(request) => Held::Web { request },
                // Its holder in this realm keeps its place in the queue, and has lost its turn.
                None => Held::Nothing,
            };
            LockGuard { held }
        };
        within(SEIZURE, Box::pin(lock)).await
    }

    fn spans_tabs(guard: &LockGuard) -> bool {
        matches!(guard.held, Held::Web { .. })
    }

    fn is_lost(guard: &LockGuard) -> bool {
        matches!(&guard.held, Held::Web { request } if request.ended.is_given())
    }
}

/// A lock that is taken away is granted at once.
const SEIZURE: Lifetime = Lifetime::from_seconds(2);

/// Waits for a Web Lock. `None` where there are none, or where the browser denies them (an opaque origin).
async fn web_lock(name: &str, steal: bool) -> Option<WebRequest> {
    let (request, mut ended) = WebRequest::start(name, steal)?;
    let signal = request.granted.clone();
    let mut granted = pin!(signal.wait());
    let is_granted = poll_fn(|context| match granted.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(true),
        // The request ends before it is granted only where it was refused.
        Poll::Pending => Pin::new(&mut ended).poll(context).map(|_| false),
    })
    .await;
    let end = request.ended.clone();
    // Before it is released, a lock ends only where another tab takes it away.
    wasm_bindgen_futures::spawn_local(async move {
        let _ = ended.await;
        end.give();
    });
    is_granted.then_some(request)
}

/// A request for a Web Lock, and the lock once it is granted.
struct WebRequest {
    granted: Signal,
    ended: Signal,
    /// Resolves the promise for whose duration the browser holds the lock.
    release: Option<Function>,
    withdraw: AbortController,
    // JavaScript calls it at the grant.
    callback: Closure<dyn Fn() -> Promise>,
}

impl WebRequest {
    /// Asks for the lock. What comes with it settles when the request has ended.
    fn start(name: &str, steal: bool) -> Option<(Self, JsFuture)> {
        let locks = reflect::property(&reflect::global("navigator")?, "locks").ok().and_then(reflect::present)?;
        let withdraw = AbortController::new().ok()?;
        let granted = Signal::default();
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let on_grant = granted.clone();
        let callback = Closure::wrap(Box::new(move || {
            on_grant.give();
            held.clone()
        }) as Box<dyn Fn() -> Promise>);
        let request = Self { granted, ended: Signal::default(), release, withdraw, callback };
        // The two exclude each other.
        let options = if steal { ("steal", true.into()) } else { ("signal", request.withdraw.signal().into()) };
        let options = reflect::record(&[options]);
        let arguments = [name.into(), options.into(), request.callback.as_ref().clone()];
        let ended = settled(&reflect::call(&locks, "request", &arguments).ok()?);
        Some((request, ended))
    }
}

impl Drop for WebRequest {
    /// Releases the lock, or withdraws the request. A grant that crosses with the withdrawal holds nothing: it finds its
    /// promise resolved, or its callback gone, and either ends it.
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // The resolving function of a promise never throws.
            let _ = release.call0(&wasm_bindgen::JsValue::UNDEFINED);
        }
        if !self.granted.is_given() {
            self.withdraw.abort();
        }
    }
}

/// Waits for the turn in this realm.
async fn realm_lock(name: &str) -> Ticket {
    let number = NEXT.replace(NEXT.get().wrapping_add(1));
    let turn = Signal::default();
    QUEUE.with_borrow_mut(|queue| queue.push((name.to_owned(), number, turn.clone())));
    let ticket = Ticket { name: name.to_owned(), number };
    call_next(name);
    turn.wait().await;
    ticket
}

/// A place in the queue, given up on drop. The first place of a name has the lock.
struct Ticket {
    name: String,
    number: u32,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        QUEUE.with_borrow_mut(|queue| queue.retain(|(_, number, _)| *number != self.number));
        call_next(&self.name);
    }
}

/// Tells the first in the queue that it is its turn.
fn call_next(name: &str) {
    let first =
        QUEUE.with_borrow(|queue| queue.iter().find_map(|(waiting, _, turn)| (waiting == name).then(|| turn.clone())));
    if let Some(turn) = first {
        turn.give();
    }
}

thread_local! {
    static QUEUE: RefCell<Vec<(String, u32, Signal)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
}
