//! A medium of the application's own: an object with `get`, `set` and `remove`, each returning a value or a promise.

use super::storage::failure;
use super::{promise, reflect};
use crate::ports::{Store, StoreFailure};
use crate::types::Lifetime;
use wasm_bindgen::JsValue;

/// The application's adapter. What goes wrong in it is told apart by the names that the browser's own media use; its messages
/// are not kept.
pub struct CustomStore {
    adapter: JsValue,
}

impl CustomStore {
    /// Takes the adapter as it is; what it lacks shows at the first use.
    #[must_use]
    pub fn new(adapter: JsValue) -> Self {
        Self { adapter }
    }
}

/// What a method of an object outside this module returns, be it a value or a promise.
pub(super) async fn ask(target: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    let returned = reflect::call(target, method, arguments).map_err(|thrown| failure(&thrown))?;
    let outcome = promise::within(PATIENCE, Box::pin(promise::settled(&returned))).await;
    outcome.unwrap_or(Err(JsValue::UNDEFINED)).map_err(|thrown| failure(&thrown))
}

impl Store for CustomStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        match reflect::present(ask(&self.adapter, "get", &[key.into()]).await?) {
            None => Ok(None),
            Some(value) => value.as_string().map(Some).ok_or(StoreFailure::Failed),
        }
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        ask(&self.adapter, "set", &[key.into(), text.into()]).await.map(drop)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        ask(&self.adapter, "remove", &[key.into()]).await.map(drop)
    }
}

/// An adapter that never settles, or a page that is frozen, must not keep a sign-in waiting for ever.
const PATIENCE: Lifetime = Lifetime::from_seconds(5);
