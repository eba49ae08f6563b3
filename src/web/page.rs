//! User input, and the life of the page.

use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
};

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::{
    clock,
    js::{Callback, call, get, global, global_object, set},
};
use crate::core::clock::Millis;

/// Input that follows within this is not told.
const SPARINGLY: Millis = 1_000;

/// How often is looked whether the focus is still inside a frame, of which no event tells.
const FRAME_WATCH: f64 = 5_000.0;

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
    watch: Rc<Watch>,
    _look: Callback,
}

/// Looks whether the focus is inside a frame, from when the window loses it until it is not.
#[derive(Default)]
struct Watch(Cell<JsValue>);

impl Watch {
    fn begin(&self, look: &JsValue) {
        self.end();
        let every = JsValue::from_f64(FRAME_WATCH);
        self.0.set(call(&global_object(), "setInterval", [look, &every]).unwrap_or_default());
    }

    fn end(&self) {
        let timer = self.0.take();
        if !timer.is_undefined() {
            let _ = call(&global_object(), "clearInterval", [&timer, &JsValue::UNDEFINED]);
        }
    }
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
        let watch = Rc::new(Watch::default());
        let look = {
            let (tell, watch) = (Rc::clone(&tell), Rc::clone(&watch));
            Callback::new(move |_| {
                let document = global("document");
                if !get(&get(&document, "activeElement"), "contentWindow").is_object() {
                    watch.end();
                } else if call(&document, "hasFocus", [&JsValue::UNDEFINED; 2])
                    .is_ok_and(|has| has.is_truthy())
                {
                    tell(PageEvent::Activity);
                }
                JsValue::UNDEFINED
            })
        };
        let life = {
            let (tell, key) = (Rc::clone(&tell), JsValue::from_str(key));
            let (watch, look) = (Rc::clone(&watch), look.as_ref().clone());
            Callback::new(move |event| {
                if get(&event, "type") != JsValue::from_str("blur") {
                    read(&event, &key, &*tell);
                } else if get(&event, "target") == global_object() {
                    watch.begin(&look);
                }
                JsValue::UNDEFINED
            })
        };
        let options = Object::new();
        if global("document").is_truthy() {
            // Captured, because most of these events neither bubble nor share a target. Elsewhere
            // they have one target, and Cloudflare's refuses both options.
            set(&options, "capture", &JsValue::TRUE);
            set(&options, "passive", &JsValue::TRUE);
        }
        let own: Rc<OnceCell<JsValue>> = Rc::default();
        let last = Cell::new(None);
        let activity = {
            let (own, options) = (Rc::clone(&own), options.clone());
            let events = activity_events.to_vec();
            Callback::new(move |_| {
                let now = clock::now().monotonic;
                if last.get().is_none_or(|last| now - last >= SPARINGLY) {
                    last.set(Some(now));
                    // Frames come and go; who is heard already is not heard twice.
                    if let Some(listener) = own.get() {
                        let heard = Heard { events: &events, listener, options: &options };
                        heard.in_frames(&global_object(), "addEventListener", 0);
                    }
                    tell(PageEvent::Activity);
                }
                JsValue::UNDEFINED
            })
        };
        let _ = own.set(activity.as_ref().clone());
        let activity_events = activity_events.to_vec();
        let page = Self { options, life, activity, activity_events, watch, _look: look };
        page.each("addEventListener");
        page
    }

    /// Not with a signal that ends them: a page in Node.js may have one that is not of its realm.
    fn each(&self, method: &str) {
        let window = global_object();
        let events = &LIFE[..LIFE.len() - usize::from(!global("document").is_truthy())];
        let life = Heard { events, listener: self.life.as_ref(), options: &self.options };
        life.in_window(&window, method);
        self.heard().in_window(&window, method);
    }

    fn heard(&self) -> Heard<'_, String> {
        let Self { activity_events: events, activity, options, .. } = self;
        Heard { events, listener: activity.as_ref(), options }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.watch.end();
        self.each("removeEventListener");
        self.heard().in_frames(&global_object(), "removeEventListener", 0);
    }
}

/// One listener of some events.
struct Heard<'a, T> {
    events: &'a [T],
    listener: &'a JsValue,
    options: &'a Object,
}

impl<T: AsRef<str>> Heard<'_, T> {
    fn in_window(&self, window: &JsValue, method: &str) {
        let method: Function = get(window, method).unchecked_into();
        for event in self.events {
            // Node.js has no such method, and nothing to listen to.
            let event = JsValue::from_str(event.as_ref());
            let _ = method.call3(window, &event, self.listener, self.options);
        }
    }

    /// In the frames of a window that are of its origin, and in theirs.
    fn in_frames(&self, window: &JsValue, method: &str, depth: u32) {
        let frames = get(window, "length").as_f64().unwrap_or_default() as u32;
        for at in 0..frames.min(MOST) {
            let frame = Reflect::get_u32(window, at).unwrap_or_default();
            // Those of other origins show nothing, so no page can lead us into theirs.
            if !get(&frame, method).is_function() {
                continue;
            }
            self.in_window(&frame, method);
            if depth < DEEPEST {
                self.in_frames(&frame, method, depth + 1);
            }
        }
    }
}

/// Frames within more frames than this are not heard, nor more of them.
const DEEPEST: u32 = 3;
const MOST: u32 = 64;

/// The last one is for pages, which have frames.
const LIFE: [&str; 10] = [
    "visibilitychange",
    "focus",
    "pageshow",
    "resume",
    "pagehide",
    "freeze",
    "online",
    "offline",
    "storage",
    "blur",
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
