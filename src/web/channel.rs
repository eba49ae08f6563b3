//! The channel between the tabs of one session. An open one keeps pages out of the back/forward
//! cache.

use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

use super::js::{Callback, call, get, set};

/// An open channel; closed when it is dropped.
pub(super) struct Channel {
    channel: BroadcastChannel,
    _listener: Callback,
}

impl Channel {
    /// Opens the channel, or nothing where there is none: not known here, or an opaque origin.
    pub(super) fn open(name: &str, deliver: impl Fn(&str) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let listener = Callback::new(move |event: JsValue| {
            if let Some(text) = get(&event, "data").as_string() {
                deliver(&text);
            }
            JsValue::UNDEFINED
        });
        set(&channel, "onmessage", listener.as_ref());
        // In Node.js it would keep the process alive; elsewhere there is no such method.
        let _ = call(&channel, "unref", [&JsValue::UNDEFINED; 2]);
        Some(Self { channel, _listener: listener })
    }

    pub(super) fn post(&self, text: &str) {
        // A closed channel reaches no tab; no step needs an answer.
        let _ = self.channel.post_message(&JsValue::from_str(text));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        set(&self.channel, "onmessage", &JsValue::NULL);
        self.channel.close();
    }
}
