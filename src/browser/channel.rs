//! Messages between the tabs of one origin. HTML standard §9.5, `BroadcastChannel`.

use super::events::Listener;
use super::reflect;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

/// One end of a named channel; does nothing where the browser has no such thing. Closed on drop.
pub struct Broadcast {
    channel: Option<BroadcastChannel>,
}

impl Broadcast {
    /// Opens the channel called `name`.
    #[must_use]
    pub fn open(name: &str) -> Self {
        Self { channel: BroadcastChannel::new(name).ok() }
    }

    /// Calls `callback` with every text that another end posts, until the listener is dropped.
    pub fn listen(&self, callback: impl Fn(&str) + 'static) -> Listener {
        let mut listener = Listener::new(Box::new(move |event| {
            if let Some(text) = reflect::property(&event, "data").ok().and_then(|data| data.as_string()) {
                callback(&text);
            }
        }));
        if let Some(channel) = &self.channel {
            listener.add(channel, "message");
        }
        listener
    }
}

impl crate::ports::Channel for Broadcast {
    fn post(&self, text: &str) {
        if let Some(channel) = &self.channel {
            // Best effort by contract: a tab that misses a message finds out at its next check.
            let _ = channel.post_message(&JsValue::from_str(text));
        }
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.close();
        }
    }
}
