//! What the browser tests share: a line of JavaScript, a replaced global, and waiting for something that happens.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use authsafe::browser::{BrowserPorts, Medium, Setup};
use js_sys::{Function, Promise};
use std::future::poll_fn;
use std::task::Poll;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Runs the body of a function and returns what it returns.
pub(crate) fn js(body: &str) -> JsValue {
    Function::new_no_args(body).call0(&JsValue::UNDEFINED).unwrap()
}

/// The same, for an expression that makes a text.
pub(crate) fn js_text(expression: &str) -> String {
    js(&format!("return {expression};")).as_string().unwrap()
}

/// The same, for an expression that makes a boolean.
pub(crate) fn js_is(expression: &str) -> bool {
    js(&format!("return {expression};")).as_bool().unwrap()
}

/// Waits for the promise that an expression makes.
pub(crate) async fn js_promise(expression: &str) -> JsValue {
    let promise: Promise = js(&format!("return Promise.resolve({expression});")).unchecked_into();
    JsFuture::from(promise).await.unwrap()
}

/// A property that is something else until this is dropped.
#[must_use]
pub(crate) struct Replaced {
    undo: Function,
}

/// Puts a getter with this body in the place of `target[name]`.
pub(crate) fn replace_getter(target: &str, name: &str, body: &str) -> Replaced {
    define(target, name, &format!("get() {{ {body} }}, set() {{}}"))
}

/// Puts the value of an expression in the place of `target[name]`. The expression may use what it replaces as `before`.
pub(crate) fn replace(target: &str, name: &str, value: &str) -> Replaced {
    define(target, name, &format!("writable: true, value: {value}"))
}

/// Puts a property with these descriptor members in the place of `target[name]`.
pub(crate) fn define(target: &str, name: &str, members: &str) -> Replaced {
    let undo = js(&format!(
        "const target = {target}, own = Object.getOwnPropertyDescriptor(target, '{name}'), before = target['{name}'];
         Object.defineProperty(target, '{name}', {{ configurable: true, {members} }});
         return () => {{ delete target['{name}']; if (own) Object.defineProperty(target, '{name}', own); }};"
    ));
    Replaced { undo: undo.unchecked_into() }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.undo.call0(&JsValue::UNDEFINED).unwrap();
    }
}

/// The ports with a medium and without anything else.
pub(crate) fn ports_with(medium: Medium) -> BrowserPorts {
    BrowserPorts::new(Setup { medium, ..Setup::default() })
}

/// Polls a future once, so that it has begun, and reports whether it has already ended.
pub(crate) async fn begun<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A promise, and the function that resolves it.
pub(crate) fn deferred() -> (JsFuture, Function) {
    let mut function = None;
    let promise = Promise::new(&mut |resolve, _| function = Some(resolve));
    (JsFuture::from(promise), function.unwrap())
}
