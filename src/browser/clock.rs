//! The device's clocks. ECMA-262 §21.4.3.1, `Date.now`; High Resolution Time §4, `performance.now`.

use super::reflect;
use crate::types::{Lifetime, UnixMillis};

/// Milliseconds since 1970. It may jump, either way.
pub(super) fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}

/// Since this realm began. Where the page took that clock away there is none, and the wall clock alone counts.
pub(super) fn running() -> Lifetime {
    let ran = reflect::global("performance").and_then(|clock| reflect::call(&clock, "now", &[]).ok());
    Lifetime::from_millis(ran.and_then(|ran| ran.as_f64()).unwrap_or_default() as i64)
}
