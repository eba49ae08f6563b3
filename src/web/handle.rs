//! What the adapters share: a callback for JavaScript, and a way to take an operation back.

use std::rc::Weak;

use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal};

use super::shell::Shell;

/// Called by an adapter's JavaScript with the name or kind of what happened and what came with it.
/// One type for all adapters, because each costs bytes.
pub(super) type Callback = Closure<dyn Fn(u32, JsValue)>;

/// A callback that does nothing once the shell is gone.
pub(super) fn callback(shell: &Weak<Shell>, act: fn(&Shell, u32, JsValue)) -> Callback {
    let shell = shell.clone();
    Closure::new(move |id, value| {
        if let Some(shell) = shell.upgrade() {
            act(&shell, id, value);
        }
    })
}

/// Something under way that is aborted when dropped.
#[must_use = "dropping it aborts what it stands for"]
pub(super) struct Running(pub(super) AbortController);

impl Running {
    /// Aborted when this is dropped.
    pub(super) fn signal(&self) -> AbortSignal {
        self.0.signal()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
