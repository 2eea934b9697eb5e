//! Listeners that are taken back on drop. DOM standard §2.7, `EventTarget`.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

/// Listens to events of one or more targets until it is dropped.
#[must_use = "dropping it ends the listening"]
pub struct Listener {
    callback: Closure<dyn Fn(Event)>,
    targets: Vec<(EventTarget, &'static str)>,
}

impl Listener {
    pub(super) fn new(handle: Box<dyn Fn(Event)>) -> Self {
        Self { callback: Closure::wrap(handle), targets: Vec::new() }
    }

    /// Also listens to `event` of `target`.
    pub(super) fn add(&mut self, target: &EventTarget, event: &'static str) {
        let callback = self.callback.as_ref().unchecked_ref();
        if target.add_event_listener_with_callback(event, callback).is_ok() {
            self.targets.push((target.clone(), event));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for (target, event) in &self.targets {
            // A target that does not let go would call a callback that is gone, which does nothing.
            let _ = target.remove_event_listener_with_callback(event, self.callback.as_ref().unchecked_ref());
        }
    }
}
