//! Listeners that are taken back on drop. DOM standard §2.7, `EventTarget`.

use super::reflect;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

/// Listens to events of one or more targets until it is dropped.
#[must_use = "dropping it ends the listening"]
pub struct Listener {
    callback: Closure<dyn Fn(Event)>,
    targets: Vec<(EventTarget, &'static str, bool)>,
}

impl Listener {
    pub(super) fn new(handle: Box<dyn Fn(Event)>) -> Self {
        Self { callback: Closure::wrap(handle), targets: Vec::new() }
    }

    /// Also listens to `event` of `target`.
    pub(super) fn add(&mut self, target: &EventTarget, event: &'static str) {
        let callback = self.callback.as_ref().unchecked_ref();
        if target.add_event_listener_with_callback(event, callback).is_ok() {
            self.targets.push((target.clone(), event, false));
        }
    }

    /// The same before the page itself hears of it, and without holding up what the browser does with it.
    pub(super) fn add_watching(&mut self, target: &EventTarget, event: &'static str) {
        let options = reflect::record(&[("capture", JsValue::TRUE), ("passive", JsValue::TRUE)]);
        let arguments = [event.into(), self.callback.as_ref().clone(), options.into()];
        if reflect::call(target, "addEventListener", &arguments).is_ok() {
            self.targets.push((target.clone(), event, true));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for (target, event, capture) in &self.targets {
            let callback = self.callback.as_ref().unchecked_ref();
            // A target that does not let go would call a callback that is gone, which does nothing.
            let _ = target.remove_event_listener_with_callback_and_bool(event, callback, *capture);
        }
    }
}
