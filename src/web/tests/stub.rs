//! What stands in the place of something of the platform's, while a test runs.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::{LATER, js};
use crate::web::js::{get, global, set};

/// A property with another value; it has its own again when this is dropped.
pub(super) struct Stub {
    object: Object,
    name: JsValue,
    before: JsValue,
}

impl Stub {
    pub(super) fn new(object: &JsValue, name: &str, value: &JsValue) -> Self {
        let descriptor = js("return { configurable: true, writable: true, enumerable: true }");
        set(&descriptor, "value", value);
        Self::define(object, name, descriptor)
    }

    pub(super) fn global(name: &str, value: &JsValue) -> Self {
        Self::new(&js_sys::global(), name, value)
    }

    /// A global that cannot be read.
    pub(super) fn unreadable(name: &str) -> Self {
        let descriptor = js("return { configurable: true, get() { throw new Error('no') } }");
        Self::define(&js_sys::global(), name, descriptor)
    }

    /// A property of a global object, which is made where there is none.
    pub(super) fn member(owner: &str, name: &str, value: &JsValue) -> Vec<Self> {
        let missing = !global(owner).is_object();
        let mut stubs: Vec<_> =
            missing.then(|| Self::global(owner, &Object::new())).into_iter().collect();
        // The last one goes first.
        stubs.insert(0, Self::new(&global(owner), name, value));
        stubs
    }

    fn define(object: &JsValue, name: &str, descriptor: JsValue) -> Self {
        let (object, name) = (object.clone().unchecked_into::<Object>(), JsValue::from_str(name));
        let before = Reflect::get_own_property_descriptor(&object, &name).expect("an object");
        Reflect::define_property(&object, &name, descriptor.unchecked_ref()).expect("an object");
        Self { object, name, before }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let restored = if self.before.is_undefined() {
            Reflect::delete_property(&self.object, &self.name)
        } else {
            Reflect::define_property(&self.object, &self.name, self.before.unchecked_ref())
        };
        assert_eq!(restored, Ok(true));
    }
}

/// Clocks and timers that move when a test says so.
pub(super) struct Clock {
    clock: JsValue,
    _stubs: Vec<Stub>,
}

impl Clock {
    pub(super) fn new() -> Self {
        LATER.with(|_| ());
        let clock = js(CLOCK);
        let date = global("Date");
        let stubs = vec![
            Stub::new(&date, "now", &get(&clock, "wall")),
            Stub::new(&global("performance"), "now", &get(&clock, "now")),
            Stub::global("setTimeout", &get(&clock, "set")),
            Stub::global("clearTimeout", &get(&clock, "clear")),
        ];
        Self { clock, _stubs: stubs }
    }

    /// Moves both clocks; the timers that are due fire, each at its time.
    pub(super) fn advance(&self, millis: u32) {
        let advance: Function = get(&self.clock, "advance").unchecked_into();
        advance.call1(&JsValue::UNDEFINED, &millis.into()).expect("timers that do not throw");
    }

    /// How many timers are set.
    pub(super) fn timers(&self) -> u32 {
        let timers = get(&get(&self.clock, "timers"), "size");
        timers.as_f64().expect("a number") as u32
    }
}

const CLOCK: &str = "
    const timers = new Map();
    let [now, last] = [5_000, 0];
    return {
        timers,
        now: () => now,
        wall: () => 1_767_225_600_000 + now,
        set(act, delay) {
            timers.set(++last, { at: now + Math.max(delay ?? 0, 1), act });
            return last;
        },
        clear: (id) => void timers.delete(id),
        advance(by) {
            const end = now + by;
            for (;;) {
                const due = [...timers].filter(([, { at }]) => at <= end);
                if (due.length === 0) break;
                const [id, { at, act }] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
                timers.delete(id);
                now = at;
                act();
            }
            now = end;
        },
    };
";
