//! What the user does. Pointer Events §4, UI Events §5 (`keydown`, `wheel`), Touch Events §5.6, HTML standard §6.2 (page visibility).
//!
//! Only what the browser itself reports: script can make an event, and not one that is trusted. `scroll` is none of these, as
//! script can cause a trusted one.

use super::events::Listener;
use super::{clock, reflect};
use crate::types::{Lifetime, UnixMillis};
use std::cell::Cell;
use web_sys::Event;

/// Calls `callback` when the user does something, until the listener is dropped. Without a window there is no user.
pub(super) fn listen(callback: impl Fn() + 'static) -> Listener {
    let told = Cell::new(UnixMillis(0));
    let mut listener = Listener::new(Box::new(move |event| {
        let now = clock::now();
        let before = told.get();
        // Also where the clock was set back.
        let recent = before.until(now).max(now.until(before)) < PAUSE;
        if !recent && is_the_users(&event) {
            told.set(now);
            callback();
        }
    }));
    if let Some(window) = web_sys::window() {
        for event in EVENTS {
            listener.add_watching(&window, event);
        }
    }
    listener
}

fn is_the_users(event: &Event) -> bool {
    let moved = |axis| reflect::property(event, axis).is_ok_and(|by| by.is_truthy());
    let hidden = || reflect::global("document").and_then(|document| reflect::property(&document, "hidden").ok());
    // A browser may report a pointer that stands still, because the page below it has moved.
    event.is_trusted()
        && hidden().is_none_or(|hidden| hidden.is_falsy())
        && (event.type_() != MOVE || moved("movementX") || moved("movementY"))
}

const MOVE: &str = "pointermove";
const EVENTS: [&str; 6] = ["pointerdown", MOVE, "keydown", "wheel", "touchmove", "visibilitychange"];

/// More often than this nobody needs to know.
const PAUSE: Lifetime = Lifetime::from_seconds(1);
