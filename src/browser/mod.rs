//! The ports in a browser. One file is one Web API and implements one port; nothing is decided here.
//!
//! Two rules hold throughout. Whatever the page can make throw is called so that an exception becomes an error. And nothing
//! is touched before it is needed: constructing [`BrowserPorts`] works in a worker, and on a server that has no `window`.

mod activity;
mod channel;
mod clock;
mod cookie;
mod crypto;
mod custom;
mod events;
mod fetch;
mod hooks;
mod indexed_db;
mod keys;
mod locks;
mod memory;
mod page;
mod promise;
mod reflect;
mod sealed;
#[cfg(feature = "jwt")]
mod signatures;
mod storage;
mod subtle;
mod timers;
mod vault;
mod verifier;

pub use channel::Broadcast;
pub use cookie::{CookieOptions, CookieStore, SameSite};
pub use custom::CustomStore;
pub use events::Listener;
pub use fetch::Fetch;
pub use hooks::Hooks;
pub use indexed_db::IndexedDb;
pub use keys::Keys;
pub use locks::{LockGuard, Locks};
pub use memory::MemoryStore;
pub use page::{PageEvent, RemotePage};
pub use sealed::{PlainTexts, SealedStore, Sealing};
#[cfg(feature = "jwt")]
pub use signatures::WebCrypto;
pub use storage::{Area, WebStorage};
pub use verifier::Judge;

use crate::error::Error;
use crate::jose::check::IdTokenCheck;
use crate::ports::{
    Channel, Clock, Entropy, EntropyFailure, Http, Lock, Page, Ports, Spawn, Store, StoreFailure, Task, Timer, Verifier,
};
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use crate::types::{Json, Lifetime, UnixMillis, WebUrl};
use std::pin::Pin;
use wasm_bindgen::JsValue;

/// Where the session record is kept.
#[derive(Clone, Debug, Default)]
pub enum Medium {
    /// This page's memory.
    #[default]
    Memory,
    /// The browser's storage of this tab.
    SessionStorage,
    /// The browser's storage of the origin.
    LocalStorage,
    /// The browser's database of the origin.
    IndexedDb,
    /// Cookies that script writes.
    Cookie(CookieOptions),
    /// An adapter of the application's own, with `get`, `set` and `remove`.
    Custom(JsValue),
    /// One of the others, with sealed texts.
    Sealed(Box<Medium>, Sealing),
}

/// What [`BrowserPorts`] is made of.
#[derive(Clone)]
pub struct Setup {
    /// Names the channel between the tabs.
    pub channel: String,
    /// Where the session record is kept.
    pub medium: Medium,
    /// Where pending sign-ins are kept. What is here must survive the way to the provider and back.
    pub transactions: Medium,
    /// The application's own readers of answers.
    pub hooks: Hooks,
    /// The page, where it is of another realm.
    pub page: RemotePage,
    /// Who judges ID tokens.
    pub judge: Judge,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            channel: String::new(),
            medium: Medium::Memory,
            transactions: Medium::SessionStorage,
            hooks: Hooks::default(),
            page: RemotePage::default(),
            judge: Judge::default(),
        }
    }
}

/// All ports, in a browser. Pending sign-ins are kept in sessionStorage, which survives the way to the provider and back.
pub struct BrowserPorts {
    store: BrowserStore,
    transactions: BrowserStore,
    http: Fetch,
    channel: Broadcast,
    page: RemotePage,
    judge: Judge,
}

impl BrowserPorts {
    /// Touches nothing of the page but the channel.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            store: BrowserStore::new(setup.medium),
            transactions: BrowserStore::new(setup.transactions),
            http: Fetch::new(setup.hooks),
            channel: Broadcast::open(&setup.channel),
            page: setup.page,
            judge: setup.judge,
        }
    }

    /// Calls `callback` with every message of another tab, until the listener is dropped.
    pub fn listen_tabs(&self, callback: impl Fn(&str) + 'static) -> Listener {
        self.channel.listen(callback)
    }

    /// Calls `callback` when the user does something on the page, once a second at most, until the listener is dropped.
    pub fn listen_user(&self, callback: impl Fn() + 'static) -> Listener {
        activity::listen(callback)
    }

    /// Calls `callback` when something happens to the page, until the listener is dropped.
    pub fn listen_page(&self, callback: impl Fn(PageEvent) + 'static) -> Listener {
        page::listen(callback)
    }
}

/// One of the media.
pub enum BrowserStore {
    /// See [`MemoryStore`].
    Memory(MemoryStore),
    /// See [`WebStorage`].
    Web(WebStorage),
    /// See [`IndexedDb`].
    IndexedDb(IndexedDb),
    /// See [`CookieStore`].
    Cookie(CookieStore),
    /// See [`CustomStore`].
    Custom(CustomStore),
    /// See [`SealedStore`].
    Sealed(Box<SealedStore>),
}

impl BrowserStore {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(medium: Medium) -> Self {
        match medium {
            Medium::Memory => Self::Memory(MemoryStore::default()),
            Medium::SessionStorage => Self::Web(WebStorage::new(Area::Session)),
            Medium::LocalStorage => Self::Web(WebStorage::new(Area::Local)),
            Medium::IndexedDb => Self::IndexedDb(IndexedDb),
            Medium::Cookie(options) => Self::Cookie(CookieStore::new(options)),
            Medium::Custom(adapter) => Self::Custom(CustomStore::new(adapter)),
            Medium::Sealed(medium, sealing) => Self::Sealed(Box::new(SealedStore::new(Self::new(*medium), sealing))),
        }
    }

    /// What lies under the seal, if there is one.
    fn unsealed(&self) -> &Self {
        if let Self::Sealed(store) = self { store.inner() } else { self }
    }
}

/// One type for the work of every medium: its code is there once, and not in each place that waits for it.
type Access<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFailure>> + 'a>>;

impl Store for BrowserStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let work: Access<'_, Option<String>> = match self {
            Self::Memory(store) => Box::pin(store.read(key)),
            Self::Web(store) => Box::pin(store.read(key)),
            Self::IndexedDb(store) => Box::pin(store.read(key)),
            Self::Cookie(store) => Box::pin(store.read(key)),
            Self::Custom(store) => Box::pin(store.read(key)),
            Self::Sealed(store) => Box::pin(store.read(key)),
        };
        work.await
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        let work: Access<'_, ()> = match self {
            Self::Memory(store) => Box::pin(store.write(key, text)),
            Self::Web(store) => Box::pin(store.write(key, text)),
            Self::IndexedDb(store) => Box::pin(store.write(key, text)),
            Self::Cookie(store) => Box::pin(store.write(key, text)),
            Self::Custom(store) => Box::pin(store.write(key, text)),
            Self::Sealed(store) => Box::pin(store.write(key, text)),
        };
        work.await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        let work: Access<'_, ()> = match self {
            Self::Memory(store) => Box::pin(store.remove(key)),
            Self::Web(store) => Box::pin(store.remove(key)),
            Self::IndexedDb(store) => Box::pin(store.remove(key)),
            Self::Cookie(store) => Box::pin(store.remove(key)),
            Self::Custom(store) => Box::pin(store.remove(key)),
            Self::Sealed(store) => Box::pin(store.remove(key)),
        };
        work.await
    }
}

impl Clock for BrowserPorts {
    fn now(&self) -> UnixMillis {
        clock::now()
    }

    fn running(&self) -> Lifetime {
        clock::running()
    }
}

impl Entropy for BrowserPorts {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyFailure> {
        crypto::fill(bytes)
    }
}

impl Http for BrowserPorts {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.http.send(request).await
    }
}

impl Lock for BrowserPorts {
    type Guard = LockGuard;

    async fn acquire(&self, name: &str, patience: Lifetime) -> Option<LockGuard> {
        Locks.acquire(name, patience).await
    }

    async fn seize(&self, name: &str) -> Option<LockGuard> {
        Locks.seize(name).await
    }

    fn is_lost(guard: &LockGuard) -> bool {
        Locks::is_lost(guard)
    }

    fn spans_tabs(guard: &LockGuard) -> bool {
        Locks::spans_tabs(guard)
    }
}

impl Channel for BrowserPorts {
    fn post(&self, text: &str) {
        self.channel.post(text);
    }
}

impl Timer for BrowserPorts {
    async fn sleep(&self, delay: Lifetime) {
        timers::sleep(delay).await;
    }
}

impl Page for BrowserPorts {
    fn href(&self) -> String {
        self.page.href()
    }

    fn replace_url(&self, url: &str) {
        self.page.replace_url(url);
    }

    fn navigate(&self, url: &str) {
        self.page.navigate(url);
    }

    fn framed(&self) -> bool {
        self.page.framed()
    }

    fn isolated(&self) -> bool {
        self.page.is_remote()
    }

    fn features(&self) -> Vec<(&'static str, bool)> {
        let there = |name| reflect::global(name).is_some_and(|value| value.is_truthy());
        let names = [
            ("secure_context", "isSecureContext"),
            ("broadcast_channel", "BroadcastChannel"),
            ("indexed_db", "indexedDB"),
        ];
        names.map(|(id, name)| (id, there(name))).into()
    }

    fn cookie(&self, name: &str) -> Option<String> {
        cookie::readable(name)
    }
}

impl Spawn for BrowserPorts {
    fn spawn(&self, task: Task) {
        wasm_bindgen_futures::spawn_local(task);
    }
}

impl Verifier for BrowserPorts {
    fn prepare(&self, jwks_uri: Option<&WebUrl>) {
        self.judge.prepare(jwks_uri);
    }

    async fn verify(&self, check: &IdTokenCheck) -> Result<Json, Error> {
        self.judge.verify(check).await
    }
}

impl Ports for BrowserPorts {
    type Store = BrowserStore;
    type Transactions = BrowserStore;
    type Stamps = IndexedDb;
    type Keys = Keys;
    type Register = IndexedDb;

    fn store(&self) -> &BrowserStore {
        &self.store
    }

    fn transactions(&self) -> &BrowserStore {
        &self.transactions
    }

    fn traces(&self) -> &BrowserStore {
        self.transactions.unsealed()
    }

    fn stamps(&self) -> &IndexedDb {
        &IndexedDb
    }

    fn keys(&self) -> &Keys {
        &Keys
    }

    fn register(&self) -> &IndexedDb {
        &IndexedDb
    }
}
