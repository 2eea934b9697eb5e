//! Web Cryptography API §14, `crypto.subtle`.

use super::custom::ask;
use super::reflect;
use crate::ports::StoreFailure;
use wasm_bindgen::JsValue;

/// `crypto.subtle[method](…arguments)`. It is missing outside of secure contexts.
pub(super) async fn call(method: &str, arguments: &[JsValue]) -> Result<JsValue, StoreFailure> {
    let subtle = reflect::global("crypto").and_then(|crypto| reflect::property(&crypto, "subtle").ok());
    ask(&subtle.and_then(reflect::present).ok_or(StoreFailure::Blocked)?, method, arguments).await
}
