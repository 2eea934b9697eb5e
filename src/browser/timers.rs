//! Timers. HTML standard §8.7, `setTimeout` of the realm's global object, so that a worker has them too.

use super::promise::Signal;
use super::reflect;
use crate::types::Lifetime;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// Returns after `delay` of running time; later if the device slept or the page was throttled.
pub(super) async fn sleep(delay: Lifetime) {
    let mut left = delay.millis();
    loop {
        let part = left.min(LONGEST);
        let alarm = Alarm::set(part);
        alarm.rings.wait().await;
        left -= part;
        if left <= 0 {
            return;
        }
    }
}

/// A running timer; cleared on drop.
struct Alarm {
    rings: Signal,
    handle: Option<JsValue>,
    // JavaScript calls it, so it must live as long as the timer.
    _callback: Closure<dyn Fn()>,
}

impl Alarm {
    fn set(millis: i64) -> Self {
        let rings = Signal::default();
        let bell = rings.clone();
        let callback = Closure::wrap(Box::new(move || bell.give()) as Box<dyn Fn()>);
        let arguments = [callback.as_ref().clone(), JsValue::from_f64(millis as f64)];
        // A realm without timers never rings: a timer may be late by any amount, but never early.
        let handle = reflect::call(&js_sys::global(), "setTimeout", &arguments).ok();
        Self { rings, handle, _callback: callback }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take().filter(|_| !self.rings.is_given()) {
            // Nothing is left to do for a timer that cannot be cleared; its callback is gone.
            let _ = reflect::call(&js_sys::global(), "clearTimeout", &[handle]);
        }
    }
}

/// Beyond 2³¹ − 1 milliseconds (24.8 days) browsers wrap around and fire at once.
const LONGEST: i64 = 0x7fff_ffff;
