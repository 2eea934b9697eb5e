//! The device's clocks. ECMA-262 §21.4.3.1, `Date.now`; High Resolution Time §4, `performance.now`.

use crate::types::{Lifetime, UnixMillis};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now, catch)]
    fn performance_now() -> Result<f64, JsValue>;
}

/// Milliseconds since 1970. It may jump, either way.
pub(super) fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}

/// Since this realm began. Where the page took that clock away there is none, and the wall clock alone counts.
pub(super) fn running() -> Lifetime {
    Lifetime::from_millis(performance_now().unwrap_or_default() as i64)
}
