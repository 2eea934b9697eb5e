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

    async fn ask(&self, method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
        let returned = reflect::call(&self.adapter, method, arguments).map_err(|thrown| failure(&thrown))?;
        let outcome = promise::within(PATIENCE, Box::pin(promise::settled(&returned))).await;
        outcome.unwrap_or(Err(JsValue::UNDEFINED)).map_err(|thrown| failure(&thrown))
    }
}

impl Store for CustomStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        match reflect::present(self.ask("get", &[key.into()]).await?) {
            None => Ok(None),
            Some(value) => value.as_string().map(Some).ok_or(StoreFailure::Failed),
        }
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        self.ask("set", &[key.into(), text.into()]).await.map(drop)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        self.ask("remove", &[key.into()]).await.map(drop)
    }
}

/// An adapter that never settles must not keep a sign-in waiting for ever.
const PATIENCE: Lifetime = Lifetime::from_seconds(5);
