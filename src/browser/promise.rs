//! Waiting: for promises, for a signal from a callback, and never longer than agreed.

use super::timers;
use crate::types::Lifetime;
use js_sys::Promise;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Waits for whatever a foreign function returned: a promise, a thenable or a plain value.
///
/// A promise of our own adopts it, so that a thenable that throws, or calls back twice or at once, does no harm.
pub(super) fn settled(value: &JsValue) -> JsFuture {
    JsFuture::from(Promise::new(&mut |resolve, _| {
        // `resolve` never throws: an exception of the thenable rejects the promise (ECMA-262 §27.2.1.3.2).
        let _ = resolve.call1(&JsValue::UNDEFINED, value);
    }))
}

/// The outcome of `work`, or `None` when `patience` has passed first; `work` is dropped then.
///
/// Boxed, because the state machines of those who wait would otherwise hold this one and that of the work.
pub(super) async fn within<T>(patience: Lifetime, mut work: Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
    let mut end = pin!(timers::sleep(patience));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Something that happens once. Clones are handles to the same signal; one of them may wait.
#[derive(Clone, Default)]
pub(super) struct Signal(Rc<Waiting>);

#[derive(Default)]
struct Waiting {
    given: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Signal {
    /// Wakes who waits, and whoever will.
    pub(super) fn give(&self) {
        self.0.given.set(true);
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }

    /// Whether it was given.
    pub(super) fn is_given(&self) -> bool {
        self.0.given.get()
    }

    /// Returns once it is given.
    pub(super) async fn wait(&self) {
        poll_fn(|context| {
            if self.is_given() {
                return Poll::Ready(());
            }
            self.0.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}
