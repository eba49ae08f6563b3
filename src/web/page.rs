//! User input, and the life of the page.

use std::{cell::Cell, rc::Rc};

use js_sys::{Function, Object};
use wasm_bindgen::{JsCast, JsValue};

use super::{
    clock,
    js::{Callback, get, global, global_object, set},
};
use crate::core::clock::Millis;

/// Input that follows within this is not told.
const SPARINGLY: Millis = 1_000;

/// What happens to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageEvent {
    /// User input.
    Activity,
    /// It is visible again.
    Visible,
    /// It was resumed, focused, or came back from the back/forward cache.
    Resumed,
    /// It is about to be frozen, cached or closed.
    Leaving,
    /// The platform says that there is a network, or none.
    Online(bool),
    /// Another tab has changed the session's record in storage.
    RecordChanged,
}

/// Listens until it is dropped.
pub(super) struct Page {
    options: Object,
    life: Callback,
    activity: Callback,
    activity_events: Vec<String>,
}

impl Page {
    /// Listens to a page or worker; nothing where there is no such thing. `key` is where the
    /// session's record lies.
    pub(super) fn listen(
        activity_events: &[String],
        key: &str,
        tell: impl Fn(PageEvent) + 'static,
    ) -> Self {
        let tell = Rc::new(tell);
        let life = {
            let (tell, key) = (Rc::clone(&tell), JsValue::from_str(key));
            Callback::new(move |event| {
                read(&event, &key, &*tell);
                JsValue::UNDEFINED
            })
        };
        let last = Cell::new(None);
        let activity = Callback::new(move |_| {
            let now = clock::now().monotonic;
            if last.get().is_none_or(|last| now - last >= SPARINGLY) {
                last.set(Some(now));
                tell(PageEvent::Activity);
            }
            JsValue::UNDEFINED
        });
        let options = Object::new();
        if global("document").is_truthy() {
            // Captured, because most of these events neither bubble nor share a target. Elsewhere
            // they have one target, and Cloudflare's refuses both options.
            set(&options, "capture", &JsValue::TRUE);
            set(&options, "passive", &JsValue::TRUE);
        }
        let page = Self { options, life, activity, activity_events: activity_events.to_vec() };
        page.each("addEventListener");
        page
    }

    /// Not with a signal that ends them: a page in Node.js may have one that is not of its realm.
    fn each(&self, method: &str) {
        let target = global_object();
        let method: Function = get(&target, method).unchecked_into();
        let does = |event: &str, listener: &Callback| {
            // Node.js has no such method, and nothing to listen to.
            let _ =
                method.call3(&target, &JsValue::from_str(event), listener.as_ref(), &self.options);
        };
        for event in LIFE {
            does(event, &self.life);
        }
        for event in &self.activity_events {
            does(event, &self.activity);
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.each("removeEventListener");
    }
}

const LIFE: [&str; 9] = [
    "visibilitychange",
    "focus",
    "pageshow",
    "resume",
    "pagehide",
    "freeze",
    "online",
    "offline",
    "storage",
];

fn read(event: &JsValue, key: &JsValue, tell: &impl Fn(PageEvent)) {
    let wake = |woken| {
        // A page that stood still has missed whether the network went or came.
        tell(PageEvent::Online(get(&global("navigator"), "onLine") != JsValue::FALSE));
        tell(woken);
    };
    match get(event, "type").as_string().unwrap_or_default().as_str() {
        "visibilitychange" => {
            if get(&global("document"), "visibilityState") == JsValue::from_str("visible") {
                wake(PageEvent::Visible);
            }
        }
        "focus" => {
            if get(event, "target") == global_object() {
                wake(PageEvent::Resumed);
            }
        }
        "pageshow" => {
            if get(event, "persisted").is_truthy() {
                wake(PageEvent::Resumed);
            }
        }
        "resume" => wake(PageEvent::Resumed),
        "online" => tell(PageEvent::Online(true)),
        "offline" => tell(PageEvent::Online(false)),
        "storage" => {
            // No key: all of it was cleared.
            let changed = get(event, "key");
            if changed.is_null() || changed == *key {
                tell(PageEvent::RecordChanged);
            }
        }
        _ => tell(PageEvent::Leaving),
    }
}
