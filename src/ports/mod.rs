//! What the outside must provide. The driver is generic over [`Ports`]; `browser` implements them with Web APIs, and
//! [`fake`] with virtual time for tests.
//!
//! Futures are not `Send`: a browser realm has one thread.
#![allow(async_fn_in_trait, reason = "no caller needs Send futures: a realm has one thread")]

#[cfg(not(target_arch = "wasm32"))]
pub mod fake;
#[cfg(feature = "jwt")]
pub mod notary;

use crate::error::Error;
use crate::jose::check::IdTokenCheck;
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use crate::types::{Json, Lifetime, Reading, UnixMillis, WebUrl};
use std::pin::Pin;

/// Why a storage medium refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// The browser denies access, or the medium does not exist.
    Blocked,
    /// No room left.
    Full,
    /// Anything else: the medium or the application's adapter failed.
    Failed,
}

impl StoreFailure {
    /// A word for `storageDegraded.cause`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}

/// A medium that keeps texts by key.
pub trait Store {
    /// The text, or `None` where there is none.
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure>;
    /// Replaces the text. Durable when it returns.
    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure>;
    /// Removes the text; no error where there is none.
    async fn remove(&self, key: &str) -> Result<(), StoreFailure>;
}

/// What to put in the place of a text, if anything.
pub type Change = Box<dyn Fn(Option<String>) -> Option<String>>;

/// A store that all tabs of the origin share, and that changes a text in one step.
pub trait Register: Store {
    /// Puts what `change` makes of the text, with no access of another tab in between; what was put. Durable when it
    /// returns.
    async fn update(&self, key: &str, change: Change) -> Result<Option<String>, StoreFailure>;
}

/// Keys on P-256 that sign and cannot be read. RFC 9449 §11.4: whoever holds tokens only cannot use them.
pub trait ProofKeys {
    /// Stands for a key pair; copies stand for the same.
    type Key: Clone + 'static;
    /// A new key pair, kept nowhere yet.
    async fn make(&self) -> Result<Self::Key, StoreFailure>;
    /// The coordinates x and y of the public key; `None` where what was kept is no key.
    fn public(&self, key: &Self::Key) -> Option<[u8; 64]>;
    /// Signs by ECDSA with SHA-256: r and s.
    async fn sign(&self, key: &Self::Key, bytes: &[u8]) -> Result<[u8; 64], StoreFailure>;
    /// Keeps a key pair under a name, beyond the life of this page.
    async fn keep(&self, name: &str, key: &Self::Key) -> Result<(), StoreFailure>;
    /// What is kept under a name.
    async fn load(&self, name: &str) -> Result<Option<Self::Key>, StoreFailure>;
    /// Forgets every key pair whose name is one of these two or stands between them.
    async fn forget(&self, first: &str, last: &str) -> Result<(), StoreFailure>;
}

/// Time.
pub trait Clock {
    /// The device's wall clock. It may jump.
    fn now(&self) -> UnixMillis;
    /// How long this page or worker has run, by a clock that nobody sets; it may stand still while the machine sleeps.
    fn running(&self) -> Lifetime;
    /// Both, at one moment.
    fn read(&self) -> Reading {
        Reading { wall: self.now(), ran: self.running() }
    }
}

/// Randomness of cryptographic quality.
pub trait Entropy {
    /// Fills `bytes`, or says that it cannot; there is no fallback.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyFailure>;
}

/// The generator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntropyFailure;

/// HTTP.
pub trait Http {
    /// Sends, and reads the answer to its end. Never follows a redirect.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure>;
}

/// Mutual exclusion between tabs of one origin.
pub trait Lock {
    /// Held until dropped.
    type Guard: 'static;
    /// Waits for the lock called `name`, at most `patience`; `None` when that has passed.
    async fn acquire(&self, name: &str, patience: Lifetime) -> Option<Self::Guard>;
    /// Takes the lock from whoever holds it; `None` where that is not possible.
    async fn seize(&self, name: &str) -> Option<Self::Guard>;
    /// Whether this lock keeps other tabs away, and not only other clients of this page.
    fn spans_tabs(guard: &Self::Guard) -> bool;
    /// Whether another tab has taken this lock away.
    fn is_lost(guard: &Self::Guard) -> bool;
}

/// Messages to the other tabs of this origin. They carry no secrets.
pub trait Channel {
    /// Sends `text` to every other tab that listens. Best effort: a tab that misses it finds out at its next check.
    fn post(&self, text: &str);
}

/// Timers.
pub trait Timer {
    /// Resolves after `delay` of running time; may be late by any amount (sleep, throttling).
    async fn sleep(&self, delay: Lifetime);
}

/// The document.
pub trait Page {
    /// The address, serialised.
    fn href(&self) -> String;
    /// Replaces the address in the history without a navigation.
    fn replace_url(&self, url: &str);
    /// Leaves for `url`. Returns at once.
    fn navigate(&self, url: &str);
    /// Whether it is shown within another document, which is not to be led elsewhere.
    fn framed(&self) -> bool;
    /// Whether its script is in another realm than this one.
    fn isolated(&self) -> bool;
    /// What is wanted of a browser, and whether it is there.
    fn features(&self) -> Vec<(&'static str, bool)>;
    /// A cookie that script may read, decoded.
    fn cookie(&self, name: &str) -> Option<String>;
}

/// Judges ID tokens. What it needs for that may have to be loaded first.
pub trait Verifier {
    /// A token comes soon. `jwks_uri` is where its provider's keys are, unless signatures are not verified.
    fn prepare(&self, jwks_uri: Option<&WebUrl>);
    /// The claims of a token that passes every rule.
    async fn verify(&self, check: &IdTokenCheck) -> Result<Json, Error>;
}

/// A future of one type for all, so that the code that runs it exists once.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs a future to its end in the background.
pub trait Spawn {
    /// Starts it; it is not waited for.
    fn spawn(&self, task: Task);
}

/// Everything together. `Store` is the medium of the session record, `Transactions` that of pending sign-ins.
pub trait Ports: Clock + Entropy + Http + Lock + Channel + Timer + Page + Spawn + Verifier + 'static {
    /// The medium of the session record.
    type Store: Store;
    /// The medium of pending sign-ins: survives the navigation to the provider and back.
    type Transactions: Store;
    /// A medium that all tabs share.
    type Stamps: Store;
    /// The keys that tokens are bound to.
    type Keys: ProofKeys;
    /// Where tabs agree on who renews.
    type Register: Register;
    /// The configured medium.
    fn store(&self) -> &Self::Store;
    /// Where pending sign-ins are kept.
    fn transactions(&self) -> &Self::Transactions;
    /// The same place for what is no secret: a seal is not needed, and could be lost.
    fn traces(&self) -> &Self::Transactions;
    /// Where all tabs see when the user was last active, whichever medium the record is in. No secret is kept there.
    fn stamps(&self) -> &Self::Stamps;
    /// Where the keys are.
    fn keys(&self) -> &Self::Keys;
    /// Where the tabs agree.
    fn register(&self) -> &Self::Register;
}
