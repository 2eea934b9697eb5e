//! Every port in memory, on virtual time: for tests that run in microseconds and always the same way.
//!
//! A [`World`] is one browser; a [`Tab`] is one page of it. Nothing here sleeps: [`World::run`] polls what can go on, and
//! [`World::advance`] moves the clock from one sleeper to the next.
#![allow(clippy::type_complexity, reason = "closures of a test rig are clearer where they stand")]

use super::{
    Change, Channel, Clock, Entropy, EntropyFailure, Http, Lock, Page, Ports, ProofKeys, Register, Spawn, Store,
    StoreFailure, Task, Timer, Verifier,
};
use crate::error::{Error, ErrorCode};
use crate::jose::check::IdTokenCheck;
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use crate::types::{Json, Lifetime, UnixMillis, WebUrl};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What a server of a test answers, and how long it takes to.
#[derive(Debug)]
pub struct Reply {
    /// Virtual time from request to answer.
    pub after: Lifetime,
    /// The answer.
    pub result: Result<HttpResponse, HttpFailure>,
    /// What the browser gets instead of the answer, which the server has given all the same.
    pub lost: Option<HttpFailure>,
}

impl Reply {
    /// A JSON answer after 50 ms.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::with(status, "application/json", body)
    }

    /// An answer of any type after 50 ms.
    #[must_use]
    pub fn with(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        let body = zeroize::Zeroizing::new(body.as_bytes().to_vec());
        let result = Ok(HttpResponse { status, headers, body, verdict: None });
        Self { after: Lifetime::from_millis(50), result, lost: None }
    }

    /// No answer.
    #[must_use]
    pub fn failure(failure: HttpFailure) -> Self {
        Self { after: Lifetime::from_millis(50), result: Err(failure), lost: None }
    }

    /// The server gives this answer, and it does not arrive.
    #[must_use]
    pub fn lost(mut self, failure: HttpFailure) -> Self {
        self.lost = Some(failure);
        self
    }

    /// Not after 50 ms, but after this.
    #[must_use]
    pub fn slow(mut self, after: Lifetime) -> Self {
        self.after = after;
        self
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.result {
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A request, and what the server made of it.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Who sent it.
    pub tab: u64,
    /// When, in running time.
    pub at: i64,
    /// When the answer came, or the browser gave up, or the tab was gone.
    pub until: i64,
    /// `GET`, `POST`, …
    pub method: String,
    /// Where to.
    pub url: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The body that was sent.
    pub body: String,
    /// What the server answered, whether or not it arrived.
    pub status: Option<u16>,
    /// The body of that answer.
    pub answer: String,
    /// It claims to be JSON.
    pub json: bool,
    /// When the tab got it, if it did.
    pub arrived: Option<i64>,
    /// Tells it from others.
    number: u64,
}

/// What becomes of a tab besides running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// Nothing in it goes on, and what it holds it goes on holding.
    Frozen,
    /// It crashed, or was killed.
    Gone,
}

/// How much there is of what must not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Futures that run.
    pub tasks: usize,
    /// Instants that somebody waits for.
    pub sleepers: usize,
    /// Tabs that hear others.
    pub listeners: usize,
    /// Locks that are held.
    pub locks: usize,
    /// Texts in the shared medium.
    pub texts: usize,
    /// Keys that are kept.
    pub keys: usize,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One browser.
pub struct World {
    /// The time that timers have seen.
    now: Cell<i64>,
    /// How much more has passed, while the machine slept.
    slept: Cell<i64>,
    /// How much of that the running clock has seen.
    ran_on: Cell<i64>,
    /// How far the wall clock is ahead of the true time.
    ahead: Cell<i64>,
    /// No timer rings.
    frozen: Cell<bool>,
    seed: Cell<u64>,
    tasks: RefCell<Vec<Task>>,
    sleepers: RefCell<Vec<i64>>,
    woken: Arc<Flag>,
    /// Who holds each, and which guard stands for that.
    locks: RefCell<BTreeMap<String, (u64, u64)>>,
    lives: RefCell<BTreeMap<u64, Life>>,
    next_id: Cell<u64>,
    next_guard: Cell<u64>,
    exchanges: Cell<u64>,
    listeners: RefCell<Vec<(u64, Rc<dyn Fn(&str)>)>>,
    server: RefCell<Box<dyn FnMut(&HttpRequest, UnixMillis) -> Reply>>,
    /// Where all tabs see when the user was last active.
    pub stamps: Rc<RefCell<BTreeMap<String, String>>>,
    /// The medium that all tabs share.
    pub shared: RefCell<BTreeMap<String, String>>,
    /// What the media answer instead of working, if set.
    pub store_failure: Cell<Option<StoreFailure>>,
    /// What writing and removing answer instead of working, if set; reading works, and removing from what is full.
    pub writes_fail: Cell<Option<StoreFailure>>,
    /// How long a write takes, in milliseconds.
    pub write_takes: Cell<i64>,
    /// How long a read takes, in milliseconds.
    pub read_takes: Cell<i64>,
    /// How often a medium was read.
    pub reads: Cell<u64>,
    /// What tabs agree on.
    pub agreed: RefCell<BTreeMap<String, String>>,
    /// What the place where tabs agree answers instead of working, if set.
    pub register_fails: Cell<Option<StoreFailure>>,
    /// The browser has locks that keep tabs apart.
    pub has_locks: Cell<bool>,
    /// The keys that are kept, by name.
    pub keys: RefCell<BTreeMap<String, u8>>,
    /// What the keeper of keys answers instead of working, if set; what is in memory signs all the same.
    pub keys_fail: Cell<Option<StoreFailure>>,
    /// How long it takes to load a key, in milliseconds.
    pub key_takes: Cell<i64>,
    /// Whether the generator of randomness fails.
    pub entropy_fails: Cell<bool>,
    /// Methods and addresses of all requests, in order.
    pub requests: RefCell<Vec<String>>,
    /// Requests under way, and the most there ever were to one address at a time.
    pub in_flight: RefCell<BTreeMap<String, (u32, u32)>>,
    /// All requests with what came of them, in order.
    pub log: RefCell<Vec<Exchange>>,
    /// All that tabs said to each other, and who said it.
    pub said: RefCell<Vec<(u64, String)>>,
    /// What tabs say is not heard by anybody.
    pub deaf: Cell<bool>,
    /// How long it takes until tabs hear each other, in milliseconds.
    pub words_take: Cell<i64>,
    /// What judges ID tokens cannot be loaded, if set.
    pub verifier_fails: Cell<Option<ErrorCode>>,
    /// How long it takes to load it, in milliseconds.
    pub verifier_takes: Cell<i64>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World(at {})", self.now.get())
    }
}

impl World {
    /// A browser whose clock shows `now`, on the network of `server`.
    pub fn new(now: UnixMillis, server: impl FnMut(&HttpRequest, UnixMillis) -> Reply + 'static) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(now.0),
            slept: Cell::default(),
            ran_on: Cell::default(),
            ahead: Cell::default(),
            frozen: Cell::default(),
            seed: Cell::new(1),
            tasks: RefCell::default(),
            sleepers: RefCell::default(),
            woken: Arc::new(Flag(AtomicBool::new(false))),
            locks: RefCell::default(),
            lives: RefCell::default(),
            next_id: Cell::new(1),
            next_guard: Cell::default(),
            exchanges: Cell::default(),
            listeners: RefCell::default(),
            server: RefCell::new(Box::new(server)),
            stamps: Rc::default(),
            shared: RefCell::default(),
            store_failure: Cell::default(),
            writes_fail: Cell::default(),
            write_takes: Cell::default(),
            read_takes: Cell::default(),
            reads: Cell::default(),
            agreed: RefCell::default(),
            register_fails: Cell::default(),
            has_locks: Cell::new(true),
            keys: RefCell::default(),
            keys_fail: Cell::default(),
            key_takes: Cell::default(),
            entropy_fails: Cell::default(),
            requests: RefCell::default(),
            in_flight: RefCell::default(),
            log: RefCell::default(),
            said: RefCell::default(),
            deaf: Cell::default(),
            words_take: Cell::default(),
            verifier_fails: Cell::default(),
            verifier_takes: Cell::default(),
        })
    }

    /// A new page of this browser at `href`. With `shares`, its record is kept where all tabs see it.
    pub fn tab(self: &Rc<Self>, href: &str, shares: bool) -> Tab {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let own = Rc::default();
        Tab {
            id,
            world: Rc::clone(self),
            store: Medium { world: Rc::clone(self), own: (!shares).then(Rc::default) },
            transactions: Medium { world: Rc::clone(self), own: Some(own) },
            traces: Medium { world: Rc::clone(self), own: Some(Rc::default()) },
            stamps: Medium { world: Rc::clone(self), own: Some(Rc::clone(&self.stamps)) },
            keys: KeyRing { world: Rc::clone(self) },
            agreement: Agreement { world: Rc::clone(self) },
            href: Rc::new(RefCell::new(href.to_owned())),
            navigations: Rc::default(),
            framed: Rc::default(),
            isolated: Rc::new(Cell::new(true)),
            cookies: Rc::default(),
            #[cfg(feature = "jwt-native")]
            notary: Rc::default(),
        }
    }

    /// The server of this network is from now on this one.
    pub fn serve(&self, server: impl FnMut(&HttpRequest, UnixMillis) -> Reply + 'static) {
        *self.server.borrow_mut() = Box::new(server);
    }

    /// `hear` is called with what other tabs than `tab` say.
    pub fn listen(&self, tab: u64, hear: impl Fn(&str) + 'static) {
        self.listeners.borrow_mut().push((tab, Rc::new(hear)));
    }

    /// What other tabs say does not reach `tab` any more.
    pub fn mute(&self, tab: u64) {
        self.listeners.borrow_mut().retain(|(id, _)| *id != tab);
    }

    /// Nothing goes on in `tab` from now on: it is in the background of a phone, or a debugger stopped it.
    pub fn freeze(&self, tab: u64) {
        self.lives.borrow_mut().insert(tab, Life::Frozen);
    }

    /// It goes on.
    pub fn thaw(&self, tab: u64) {
        self.lives.borrow_mut().remove(&tab);
        self.wake_all();
    }

    /// `tab` is gone without a word: what it held is free, and what it was doing is not done.
    pub fn crash(&self, tab: u64) {
        self.lives.borrow_mut().insert(tab, Life::Gone);
        self.mute(tab);
        self.locks.borrow_mut().retain(|_, (holder, _)| *holder != tab);
        for exchange in self.log.borrow_mut().iter_mut().filter(|each| each.tab == tab && each.until > self.now.get()) {
            exchange.until = self.now.get();
        }
        self.wake_all();
    }

    /// Whether `tab` crashed.
    #[must_use]
    pub fn crashed(&self, tab: u64) -> bool {
        self.lives.borrow().get(&tab) == Some(&Life::Gone)
    }

    /// Whether `tab` is frozen.
    #[must_use]
    pub fn is_frozen(&self, tab: u64) -> bool {
        self.lives.borrow().get(&tab) == Some(&Life::Frozen)
    }

    /// Whether `tab` listens to what others say, if it is said.
    #[must_use]
    pub fn listens(&self, tab: u64) -> bool {
        self.listeners.borrow().iter().any(|(id, _)| *id == tab)
    }

    /// Whether `tab` hears what others say.
    #[must_use]
    pub fn hears(&self, tab: u64) -> bool {
        !self.deaf.get() && !self.lives.borrow().contains_key(&tab) && self.listens(tab)
    }

    /// The locks that are held.
    #[must_use]
    pub fn lock_names(&self) -> Vec<String> {
        self.locks.borrow().keys().cloned().collect()
    }

    /// Running time, in milliseconds.
    #[must_use]
    pub fn running(&self) -> i64 {
        self.now.get()
    }

    /// How much there is of everything.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            tasks: self.tasks.borrow().len(),
            sleepers: self.sleepers.borrow().len(),
            listeners: self.listeners.borrow().len(),
            locks: self.locks.borrow().len(),
            texts: self.shared.borrow().len(),
            keys: self.keys.borrow().len(),
        }
    }

    /// Starts a future that is part of `tab`, and shares its fate.
    fn start_in(self: &Rc<Self>, tab: u64, task: Task) {
        let (world, mut task) = (Rc::clone(self), Some(task));
        self.start(poll_fn(move |context| {
            let life = world.lives.borrow().get(&tab).copied();
            match (life, &mut task) {
                (Some(Life::Frozen), _) => Poll::Pending,
                (None, Some(task)) => task.as_mut().poll(context),
                (Some(Life::Gone), _) | (None, None) => {
                    task = None;
                    Poll::Ready(())
                }
            }
        }));
    }

    /// Starts a future.
    pub fn start(&self, future: impl Future<Output = ()> + 'static) {
        self.tasks.borrow_mut().push(Box::pin(future));
        self.woken.0.store(true, Ordering::Relaxed);
    }

    /// Runs a future to its end, letting time pass as far as it needs: at most a day.
    ///
    /// # Panics
    /// When it does not end: then a promise hangs, and that is what the test is about.
    #[allow(clippy::expect_used, reason = "a hanging promise is a failed test")]
    pub fn block_on<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        self.start(async move { *slot.borrow_mut() = Some(future.await) });
        let end = self.now.get() + 86_400_000;
        self.run();
        while result.borrow().is_none() && self.step_time(end) {}
        let done = result.borrow_mut().take();
        done.expect("a promise hangs")
    }

    /// Runs everything that can go on without time passing.
    pub fn run(&self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        while self.woken.0.swap(false, Ordering::Relaxed) {
            let mut tasks = std::mem::take(&mut *self.tasks.borrow_mut());
            tasks.retain_mut(|task| task.as_mut().poll(&mut context) == Poll::Pending);
            self.tasks.borrow_mut().splice(0..0, tasks);
        }
    }

    /// Lets time pass, stopping at each sleeper on the way.
    pub fn advance(&self, by: Lifetime) {
        let end = self.now.get() + by.millis();
        self.run();
        while self.step_time(end) {}
        self.now.set(end);
        self.wake_all();
    }

    /// Moves the time of this browser and of its servers without a timer or the running clock noticing: as a sleep does.
    pub fn jump(&self, by_millis: i64) {
        self.slept.set(self.slept.get() + by_millis);
    }

    /// The machine sleeps so long: timers stand still, and so does the running clock unless it `runs`, which differs among
    /// systems.
    pub fn sleep(&self, time: Lifetime, runs: bool) {
        self.jump(time.millis());
        if runs {
            self.ran_on.set(self.ran_on.get() + time.millis());
        }
    }

    /// Somebody sets the wall clock of this browser; the servers keep theirs.
    pub fn set_clock(&self, by_millis: i64) {
        self.ahead.set(self.ahead.get() + by_millis);
    }

    /// From now on no timer rings, or those that are due ring again.
    pub fn freeze_timers(&self, frozen: bool) {
        self.frozen.set(frozen);
        self.wake_all();
    }

    /// The true time, by which servers live.
    pub fn true_time(&self) -> UnixMillis {
        UnixMillis(self.now.get() + self.slept.get())
    }

    /// What the wall clock shows.
    fn wall(&self) -> UnixMillis {
        self.true_time().shifted(self.ahead.get())
    }

    fn step_time(&self, end: i64) -> bool {
        let next = {
            let mut sleepers = self.sleepers.borrow_mut();
            sleepers.sort_unstable();
            let at = sleepers.first().copied().filter(|at| *at <= end);
            if at.is_some() {
                sleepers.remove(0);
            }
            at
        };
        let Some(next) = next else { return false };
        self.now.set(self.now.get().max(next));
        self.wake_all();
        true
    }

    fn wake_all(&self) {
        self.woken.0.store(true, Ordering::Relaxed);
        self.run();
    }

    async fn sleep_until(&self, at: i64) {
        self.sleepers.borrow_mut().push(at);
        poll_fn(|_| if self.now.get() >= at { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// A place for texts: shared by all tabs, or one tab's own.
#[derive(Clone, Debug)]
pub struct Medium {
    world: Rc<World>,
    own: Option<Rc<RefCell<BTreeMap<String, String>>>>,
}

impl Medium {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> Result<T, StoreFailure> {
        match (self.world.store_failure.get(), &self.own) {
            (Some(failure), _) => Err(failure),
            (None, Some(own)) => Ok(act(&mut own.borrow_mut())),
            (None, None) => Ok(act(&mut self.world.shared.borrow_mut())),
        }
    }

    /// Another place that begins with the same texts: what a browser makes when a tab is duplicated.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let texts = self.own.as_ref().map(|own| Rc::new(RefCell::new(own.borrow().clone())));
        Self { world: Rc::clone(&self.world), own: texts }
    }

    /// Whether other tabs see it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.own.is_none()
    }

    /// Every text in it is from now on this one.
    pub fn replace_all(&self, text: &str) {
        // A test rig that fails on purpose is not asked to keep anything.
        let _ = self.with(|map| map.values_mut().for_each(|value| *value = text.to_owned()));
    }

    /// Everything in it.
    #[must_use]
    pub fn dump(&self) -> String {
        self.with(|map| map.values().cloned().collect::<Vec<_>>().join("\n")).unwrap_or_default()
    }
}

impl Store for Medium {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let found = self.with(|map| map.get(key).cloned());
        self.world.reads.set(self.world.reads.get() + 1);
        let takes = self.world.read_takes.get();
        if takes > 0 {
            self.world.sleep_until(self.world.now.get() + takes).await;
        }
        found
    }
    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        let takes = self.world.write_takes.get();
        if takes > 0 {
            self.world.sleep_until(self.world.now.get() + takes).await;
        }
        self.world.writes_fail.get().map_or(Ok(()), Err)?;
        self.with(|map| drop(map.insert(key.to_owned(), text.to_owned())))
    }
    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        // A medium that is full gives away what it has.
        self.world.writes_fail.get().filter(|failure| *failure != StoreFailure::Full).map_or(Ok(()), Err)?;
        self.with(|map| drop(map.remove(key)))
    }
}

/// The keys of a browser. A key is a number here, and signs with it.
#[derive(Clone, Debug)]
pub struct KeyRing {
    world: Rc<World>,
}

impl KeyRing {
    fn kept(&self) -> Result<std::cell::RefMut<'_, BTreeMap<String, u8>>, StoreFailure> {
        self.world.keys_fail.get().map_or_else(|| Ok(self.world.keys.borrow_mut()), Err)
    }
}

impl ProofKeys for KeyRing {
    type Key = u8;
    async fn make(&self) -> Result<u8, StoreFailure> {
        let id = self.world.next_id.get();
        self.world.next_id.set(id + 1);
        Ok(id as u8)
    }
    fn public(&self, key: &u8) -> Option<[u8; 64]> {
        Some([*key; 64])
    }
    async fn sign(&self, key: &u8, _: &[u8]) -> Result<[u8; 64], StoreFailure> {
        Ok([*key; 64])
    }
    async fn keep(&self, name: &str, key: &u8) -> Result<(), StoreFailure> {
        self.kept().map(|mut kept| {
            kept.insert(name.to_owned(), *key);
        })
    }
    async fn load(&self, name: &str) -> Result<Option<u8>, StoreFailure> {
        let takes = self.world.key_takes.get();
        if takes > 0 {
            self.world.sleep_until(self.world.now.get() + takes).await;
        }
        self.kept().map(|kept| kept.get(name).copied())
    }
    async fn forget(&self, first: &str, last: &str) -> Result<(), StoreFailure> {
        self.kept().map(|mut kept| kept.retain(|name, _| name.as_str() < first || name.as_str() > last))
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct Tab {
    /// Names it in [`World::listen`].
    pub id: u64,
    /// Its browser.
    pub world: Rc<World>,
    /// Where its record is kept.
    pub store: Medium,
    /// Where its pending sign-ins are kept.
    pub transactions: Medium,
    /// Where it leaves its traces.
    pub traces: Medium,
    /// Where all tabs see when the user was last active.
    pub stamps: Medium,
    /// The keys that its tokens are bound to.
    pub keys: KeyRing,
    /// Where it agrees with the others.
    pub agreement: Agreement,
    /// Its address.
    pub href: Rc<RefCell<String>>,
    /// Where it was told to go.
    pub navigations: Rc<RefCell<Vec<String>>>,
    /// It is shown within another document.
    pub framed: Rc<Cell<bool>>,
    /// Its script is in another realm.
    pub isolated: Rc<Cell<bool>>,
    /// Cookies that script may read.
    pub cookies: Rc<RefCell<BTreeMap<String, String>>>,
    /// Judges its ID tokens.
    #[cfg(feature = "jwt-native")]
    pub notary: Rc<super::notary::Notary>,
}

/// A lock that is held.
#[derive(Debug)]
pub struct Guard {
    world: Rc<World>,
    name: String,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Not one that was taken away.
        self.world.locks.borrow_mut().retain(|name, (_, number)| *name != self.name || *number != self.number);
        self.world.woken.0.store(true, Ordering::Relaxed);
    }
}

/// Where the tabs of a browser agree.
#[derive(Clone, Debug)]
pub struct Agreement {
    world: Rc<World>,
}

impl Agreement {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> Result<T, StoreFailure> {
        self.world.register_fails.get().map_or_else(|| Ok(act(&mut self.world.agreed.borrow_mut())), Err)
    }
}

impl Store for Agreement {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        self.with(|map| map.get(key).cloned())
    }
    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        self.with(|map| drop(map.insert(key.to_owned(), text.to_owned())))
    }
    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        self.with(|map| drop(map.remove(key)))
    }
}

impl Register for Agreement {
    async fn update(&self, key: &str, change: Change) -> Result<Option<String>, StoreFailure> {
        self.with(|map| {
            let put = change(map.get(key).cloned())?;
            map.insert(key.to_owned(), put.clone());
            Some(put)
        })
    }
}

impl Clock for Tab {
    fn now(&self) -> UnixMillis {
        self.world.wall()
    }
    fn running(&self) -> Lifetime {
        Lifetime::from_millis(self.world.now.get() + self.world.ran_on.get())
    }
}

impl Entropy for Tab {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyFailure> {
        if self.world.entropy_fails.get() {
            return Err(EntropyFailure);
        }
        for byte in bytes {
            // A linear congruential generator: repeatable, and as random as a test needs.
            let next =
                self.world.seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.world.seed.set(next);
            *byte = (next >> 56) as u8;
        }
        Ok(())
    }
}

impl Http for Tab {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let url = request.url.as_str().to_owned();
        self.world.requests.borrow_mut().push([request.method.as_str(), " ", &url].concat());
        {
            let mut in_flight = self.world.in_flight.borrow_mut();
            let (now, most) = in_flight.entry(url.clone()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        let reply = (self.world.server.borrow_mut())(request, self.world.true_time());
        let patience = request.deadline;
        let until = self.world.now.get() + reply.after.min(patience).millis();
        let number = self.world.exchanges.get();
        self.world.exchanges.set(number + 1);
        self.world.log.borrow_mut().push(Exchange {
            tab: self.id,
            at: self.world.now.get(),
            until,
            method: request.method.clone(),
            url: url.clone(),
            authorization: request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, v)| v.clone()),
            body: request.body.as_ref().map(|(_, text)| text.to_string()).unwrap_or_default(),
            status: reply.result.as_ref().ok().map(|response| response.status),
            answer: match &reply.result {
                Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
                Err(_) => String::new(),
            },
            json: matches!(&reply.result, Ok(answer) if answer.header("content-type").is_some_and(|t| t.contains("json"))),
            arrived: None,
            number,
        });
        self.world.sleep_until(until).await;
        if reply.result.is_ok() && reply.lost.is_none() && reply.after <= patience {
            let mut log = self.world.log.borrow_mut();
            if let Some(exchange) = log.iter_mut().rev().find(|each| each.number == number) {
                exchange.arrived = Some(self.world.now.get());
            }
        }
        if let Some((now, _)) = self.world.in_flight.borrow_mut().get_mut(&url) {
            *now -= 1;
        }
        if reply.after > patience { Err(HttpFailure::Timeout) } else { reply.lost.map_or(reply.result, Err) }
    }
}

impl Tab {
    /// Locks of a browser without locks are of this page only.
    fn lock_name(&self, name: &str) -> String {
        if self.world.has_locks.get() { name.to_owned() } else { [name, "@", &self.id.to_string()].concat() }
    }

    fn lock(&self, name: &str) -> Guard {
        let number = self.world.next_guard.get();
        self.world.next_guard.set(number + 1);
        self.world.locks.borrow_mut().insert(name.to_owned(), (self.id, number));
        Guard { world: Rc::clone(&self.world), name: name.to_owned(), number }
    }
}

impl Lock for Tab {
    type Guard = Guard;
    async fn acquire(&self, name: &str, patience: Lifetime) -> Option<Guard> {
        let name = self.lock_name(name);
        let give_up = self.world.now.get() + patience.millis();
        self.world.sleepers.borrow_mut().push(give_up);
        poll_fn(|_| {
            if !self.world.locks.borrow().contains_key(&name) {
                return Poll::Ready(Some(self.lock(&name)));
            }
            if self.world.now.get() >= give_up { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }
    async fn seize(&self, name: &str) -> Option<Guard> {
        Some(self.lock(&self.lock_name(name)))
    }
    fn spans_tabs(guard: &Guard) -> bool {
        guard.world.has_locks.get()
    }
    fn is_lost(guard: &Guard) -> bool {
        guard.world.locks.borrow().get(&guard.name).is_none_or(|(_, number)| *number != guard.number)
    }
}

impl Channel for Tab {
    fn post(&self, text: &str) {
        self.world.said.borrow_mut().push((self.id, text.to_owned()));
        if self.world.deaf.get() {
            return;
        }
        for (id, hear) in self.world.listeners.borrow().iter().filter(|(id, _)| *id != self.id) {
            let (world, hear, text) = (Rc::clone(&self.world), Rc::clone(hear), text.to_owned());
            let at = world.now.get() + world.words_take.get();
            let told = async move {
                if at > world.now.get() {
                    world.sleep_until(at).await;
                }
                hear(&text);
            };
            self.world.start_in(*id, Box::pin(told));
        }
    }
}

impl Timer for Tab {
    async fn sleep(&self, delay: Lifetime) {
        self.world.sleep_until(self.world.now.get() + delay.millis()).await;
        poll_fn(|_| if self.world.frozen.get() { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

impl Page for Tab {
    fn href(&self) -> String {
        self.href.borrow().clone()
    }
    fn replace_url(&self, url: &str) {
        *self.href.borrow_mut() = url.to_owned();
    }
    fn navigate(&self, url: &str) {
        self.navigations.borrow_mut().push(url.to_owned());
    }
    fn framed(&self) -> bool {
        self.framed.get()
    }
    fn isolated(&self) -> bool {
        self.isolated.get()
    }
    fn features(&self) -> Vec<(&'static str, bool)> {
        ["secure_context", "broadcast_channel", "indexed_db"].map(|name| (name, true)).into()
    }
    fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }
}

impl Spawn for Tab {
    fn spawn(&self, task: Task) {
        self.world.start_in(self.id, task);
    }
}

#[cfg(feature = "jwt-native")]
impl super::notary::Signatures for Tab {
    async fn vouch(
        &self,
        prepared: &crate::jose::verify::Prepared,
    ) -> Result<crate::jose::verify::VerifiedBytes, crate::jose::error::JwtError> {
        crate::jose::native::verify(prepared)
    }
}

impl Verifier for Tab {
    fn prepare(&self, jwks_uri: Option<&WebUrl>) {
        #[cfg(feature = "jwt-native")]
        if let (Some(jwks_uri), None) = (jwks_uri.cloned(), self.world.verifier_fails.get()) {
            let tab = self.clone();
            self.spawn(Box::pin(async move { tab.notary.prepare(&tab, &jwks_uri).await }));
        }
        #[cfg(not(feature = "jwt-native"))]
        let _ = jwks_uri;
    }
    async fn verify(&self, check: &IdTokenCheck) -> Result<Json, Error> {
        let takes = self.world.verifier_takes.get();
        if takes > 0 {
            self.world.sleep_until(self.world.now.get() + takes).await;
        }
        if let Some(code) = self.world.verifier_fails.get() {
            return Err(code.into());
        }
        #[cfg(feature = "jwt-native")]
        return self.notary.verify(self, check, None).await;
        // Without the feature there is nothing to verify with.
        #[cfg(not(feature = "jwt-native"))]
        Err(Error::new(ErrorCode::WasmLoadFailed, check.issuer.as_str()))
    }
}

impl Ports for Tab {
    type Store = Medium;
    type Transactions = Medium;
    type Stamps = Medium;
    type Keys = KeyRing;
    type Register = Agreement;
    fn stamps(&self) -> &Medium {
        &self.stamps
    }
    fn register(&self) -> &Agreement {
        &self.agreement
    }
    fn keys(&self) -> &KeyRing {
        &self.keys
    }
    fn store(&self) -> &Medium {
        &self.store
    }
    fn transactions(&self) -> &Medium {
        &self.transactions
    }
    fn traces(&self) -> &Medium {
        &self.traces
    }
}
