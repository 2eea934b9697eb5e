//! The device's wall clock. ECMA-262 §21.4.3.1, `Date.now`.

use crate::types::UnixMillis;

/// Milliseconds since 1970. It may jump, either way.
pub(super) fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}
