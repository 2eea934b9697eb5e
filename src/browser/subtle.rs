//! Cryptography with keys that script cannot read. Web Cryptography API §14, `crypto.subtle`.

use super::promise;
use super::reflect;
use crate::ports::StoreFailure;
use crate::types::Lifetime;
use wasm_bindgen::JsValue;

/// `crypto.subtle[method](…arguments)`. Without a secure context there is no `subtle`.
pub(super) async fn call(method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    let crypto = reflect::global("crypto").ok_or(StoreFailure::Blocked)?;
    let subtle = reflect::property(&crypto, "subtle").map_err(failed)?;
    let subtle = reflect::present(subtle).ok_or(StoreFailure::Blocked)?;
    let promise = reflect::call(&subtle, method, arguments).map_err(failed)?;
    let outcome = promise::within(PATIENCE, Box::pin(promise::settled(&promise))).await;
    outcome.unwrap_or(Err(JsValue::UNDEFINED)).map_err(failed)
}

/// What it says may name a key or the data; it is not repeated.
fn failed(_: JsValue) -> StoreFailure {
    StoreFailure::Failed
}

/// How long an operation may take.
const PATIENCE: Lifetime = Lifetime::from_seconds(5);
