//! Properties and calls by name. ECMA-262 §28.1 (`Reflect`).
//!
//! Everything here hands a JavaScript exception back as an `Err`. Typed bindings that do not catch would let an exception
//! pass through this crate's frames, and a page can make almost any property throw.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// `target[name]`, which may run a getter.
pub(super) fn property(target: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(target, &JsValue::from_str(name))
}

/// A property of the realm's global object, be it a window or a worker; `None` where it is absent or throws.
pub(super) fn global(name: &str) -> Option<JsValue> {
    present(property(&js_sys::global(), name).ok()?)
}

/// `target[name](…arguments)`.
pub(super) fn call(target: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = property(target, name)?.dyn_into()?;
    Reflect::apply(&function, target, &list(arguments))
}

/// A plain object; used for the option bags of Web APIs.
pub(super) fn record(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in members {
        // A new plain object refuses no property.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object
}

/// An array.
pub(super) fn list(items: &[JsValue]) -> Array {
    let array = Array::new();
    for item in items {
        array.push(item);
    }
    array
}

/// The value, unless it is `null` or `undefined`.
pub(super) fn present(value: JsValue) -> Option<JsValue> {
    (!value.is_null() && !value.is_undefined()).then_some(value)
}
