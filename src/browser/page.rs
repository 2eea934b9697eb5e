//! The document: its address, its history and what happens to it. HTML standard §7.2, §6.2 (page visibility), §7.4.6
//! (`pageshow`), §8.12 (`online`, `offline`).

use super::events::Listener;
use super::reflect;
use wasm_bindgen::JsValue;
use web_sys::Event;

/// What happened to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEvent {
    /// The user looks at it again: timers may have been late.
    Visible,
    /// The user looks elsewhere.
    Hidden,
    /// The device has a network again.
    Online,
    /// The device has lost its network.
    Offline,
    /// The page is being left, and may come back as it is.
    Left,
    /// The page came back from the back/forward cache, with the memory it had when it was left.
    Restored,
}

/// Calls `callback` on every [`PageEvent`] until the listener is dropped; at once, where the page was opened out of sight.
/// Without a window there are none.
pub(super) fn listen(callback: impl Fn(PageEvent) + 'static) -> Listener {
    if is_hidden() {
        callback(PageEvent::Hidden);
    }
    let mut listener = Listener::new(Box::new(move |event| {
        if let Some(event) = meaning(&event) {
            callback(event);
        }
    }));
    if let Some(window) = web_sys::window() {
        for event in ["focus", "online", "offline", "pagehide", "pageshow"] {
            listener.add(&window, event);
        }
        if let Some(document) = window.document() {
            listener.add(&document, "visibilitychange");
        }
    }
    listener
}

fn meaning(event: &Event) -> Option<PageEvent> {
    match event.type_().as_str() {
        "focus" => Some(PageEvent::Visible),
        "online" => Some(PageEvent::Online),
        "offline" => Some(PageEvent::Offline),
        leaving @ ("pagehide" | "pageshow") => {
            let cached = reflect::property(event, "persisted").is_ok_and(|persisted| persisted.is_truthy());
            cached.then_some(if leaving == "pagehide" { PageEvent::Left } else { PageEvent::Restored })
        }
        "visibilitychange" => Some(if is_hidden() { PageEvent::Hidden } else { PageEvent::Visible }),
        _ => None,
    }
}

fn is_hidden() -> bool {
    let state = reflect::global("document").and_then(|page| reflect::property(&page, "visibilityState").ok());
    state.is_some_and(|state| state == "hidden")
}

/// The page of this realm, or of the realm that this worker serves: an object with `href()`, `replaceUrl(url)`,
/// `navigate(url)`, and what a worker cannot reach by itself: `sessionStorage` and `localStorage` as adapters, `cookies`.
#[derive(Clone, Debug, Default)]
pub struct RemotePage {
    remote: Option<JsValue>,
}

impl RemotePage {
    /// What `host.page` is; this realm's own page where it is nothing.
    #[must_use]
    pub fn of(host: &JsValue) -> Self {
        Self { remote: reflect::property(host, "page").ok().and_then(reflect::present) }
    }

    /// Whether the page is of another realm.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// What a remote page keeps under this name.
    #[must_use]
    pub fn area(&self, name: &str) -> Option<JsValue> {
        reflect::present(reflect::property(self.remote.as_ref()?, name).ok()?)
    }

    /// The address, serialised; empty where there is no window.
    #[must_use]
    pub fn href(&self) -> String {
        match &self.remote {
            Some(page) => reflect::call(page, "href", &[]).ok().and_then(|href| href.as_string()).unwrap_or_default(),
            None => web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default(),
        }
    }

    /// Whether the page is shown within another document.
    pub(super) fn framed(&self) -> bool {
        match &self.remote {
            Some(page) => reflect::property(page, "framed").is_ok_and(|framed| framed.is_truthy()),
            None => reflect::global("top") != reflect::global("self"),
        }
    }

    /// Replaces the address in the history. The state that a router keeps there stays.
    pub(super) fn replace_url(&self, url: &str) {
        if let Some(page) = &self.remote {
            // It only posts a message.
            let _ = reflect::call(page, "replaceUrl", &[url.into()]);
            return;
        }
        let Some(history) = web_sys::window().and_then(|window| window.history().ok()) else { return };
        let state = history.state().unwrap_or(JsValue::NULL);
        // A browser that refuses (too many calls, a sandboxed frame) leaves a spent code in the address bar: harmless.
        let _ = history.replace_state_with_url(&state, "", Some(url));
    }

    /// Leaves for `url`.
    ///
    /// In a later microtask: the browser may run the page's `beforeunload` listeners within the call, and these may call back
    /// into the client.
    pub(super) fn navigate(&self, url: &str) {
        let url = url.to_owned();
        let this = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if let Some(page) = &this.remote {
                // It only posts a message.
                let _ = reflect::call(page, "navigate", &[url.into()]);
            } else if let Some(window) = web_sys::window() {
                // It refuses only what is not a URL, or a frame that may not navigate; then the page simply stays.
                let _ = window.location().assign(&url);
            }
        });
    }
}
