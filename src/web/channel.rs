//! The channel between the tabs of one session.

use wasm_bindgen::prelude::*;
use web_sys::BroadcastChannel;

use super::handle::Callback;

/// An open channel; closed when dropped, because an open one keeps pages out of the back/forward
/// cache.
pub(super) struct Channel(BroadcastChannel);

impl Channel {
    /// Opens the channel where there are channels.
    pub(super) fn open(name: &str, deliver: &Callback) -> Option<Self> {
        open(name, deliver).map(Self)
    }

    pub(super) fn post(&self, text: &str) {
        // Fails on a closed channel only.
        let _ = self.0.post_message(&text.into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[wasm_bindgen(module = "/src/web/channel.js")]
extern "C" {
    #[wasm_bindgen(js_name = openChannel)]
    fn open(name: &str, deliver: &Callback) -> Option<BroadcastChannel>;
}
