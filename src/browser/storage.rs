//! sessionStorage and localStorage, by gloo-storage. HTML standard §12.2.
//!
//! gloo's `raw()` panics where the browser denies access, so every use of it comes after [`WebStorage::open`] has found the
//! area to be there. Its JSON functions are not used: records are texts already, and serde_json costs 11 kB.

use super::reflect;
use crate::ports::{Store, StoreFailure};
use gloo_storage::{LocalStorage, SessionStorage, Storage as _};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Storage;

/// Which of the two areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// One tab, until it is closed.
    Session,
    /// All tabs of the origin, until it is removed.
    Local,
}

/// A storage area of the browser.
pub struct WebStorage {
    area: Area,
    probed: Cell<bool>,
}

impl WebStorage {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(area: Area) -> Self {
        Self { area, probed: Cell::new(false) }
    }

    /// The area, if the browser gives access to it.
    fn open(&self) -> Result<Storage, StoreFailure> {
        let name = match self.area {
            Area::Session => "sessionStorage",
            Area::Local => "localStorage",
        };
        let found = reflect::property(&js_sys::global(), name).map_err(|thrown| failure(&thrown))?;
        // It is null in web views that have storage switched off, and undefined in a worker.
        if !found.is_instance_of::<Storage>() {
            return Err(StoreFailure::Blocked);
        }
        let storage = match self.area {
            Area::Session => SessionStorage::raw(),
            Area::Local => LocalStorage::raw(),
        };
        if !self.probed.get() {
            probe(&storage)?;
            self.probed.set(true);
        }
        Ok(storage)
    }
}

/// Finds out before the first record is entrusted to it whether the area can be written. A full one can still be read.
fn probe(storage: &Storage) -> Result<(), StoreFailure> {
    let tried = storage.set_item(PROBE, "").and_then(|()| storage.remove_item(PROBE));
    match tried.map_err(|thrown| failure(&thrown)) {
        Ok(()) | Err(StoreFailure::Full) => Ok(()),
        Err(other @ (StoreFailure::Blocked | StoreFailure::Failed)) => Err(other),
    }
}

impl Store for WebStorage {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        self.open()?.get_item(key).map_err(|thrown| failure(&thrown))
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        self.open()?.set_item(key, text).map_err(|thrown| failure(&thrown))
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        self.open()?.remove_item(key).map_err(|thrown| failure(&thrown))
    }
}

/// What an exception of a storage API means. Web IDL §2.8.1 (names of DOMException).
pub(super) fn failure(thrown: &JsValue) -> StoreFailure {
    let name = reflect::property(thrown, "name").ok().and_then(|name| name.as_string()).unwrap_or_default();
    match name.as_str() {
        // The second is Firefox's older name.
        "QuotaExceededError" | "NS_ERROR_DOM_QUOTA_REACHED" => StoreFailure::Full,
        // The second is what WebKit says of a key that it does not keep: in private windows, in lockdown mode.
        "SecurityError" | "DataCloneError" => StoreFailure::Blocked,
        _ => StoreFailure::Failed,
    }
}

const PROBE: &str = "authsafe.probe";
