//! What is done with values of JavaScript: everything may throw, and is caught.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, prelude::*};

/// A property; undefined where there is none or it cannot be read.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// A global; undefined where there is none or it cannot be read.
pub(crate) fn global(name: &str) -> JsValue {
    get(&js_sys::global(), name)
}

/// Sets a property of an object of ours.
pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A plain object takes every property.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// Calls a method.
///
/// # Errors
/// What it throws, or that there is no such method.
pub(crate) fn call(object: &JsValue, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
    get(object, name).unchecked_into::<Function>().call1(object, argument)
}

/// Whether a value is a promise, of this realm or any other.
pub(crate) fn is_thenable(value: &JsValue) -> bool {
    value.is_object() && get(value, "then").is_function()
}

/// What JavaScript may call: one type of them all, because each type costs bytes. Not `FnMut`: an
/// event may come while another one is told, as a focus that is set does.
pub(crate) type Callback = Closure<dyn Fn(JsValue) -> JsValue>;

type Done = Box<dyn FnOnce(Result<JsValue, JsValue>)>;
type Waiting = Rc<RefCell<Option<(Done, Vec<Callback>)>>>;

/// Calls `done` once, later, with what a value comes to when it is a promise.
pub(crate) fn then(value: &JsValue, done: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
    // Whichever of the two is called drops both.
    let waiting = Waiting::default();
    let settle = |wrap: fn(JsValue) -> Result<JsValue, JsValue>| {
        let waiting = Rc::clone(&waiting);
        Callback::new(move |value| {
            let taken = waiting.borrow_mut().take();
            if let Some((done, _closures)) = taken {
                done(wrap(value));
            }
            JsValue::UNDEFINED
        })
    };
    let (kept, broken) = (settle(Ok), settle(Err));
    let [on_kept, on_broken] = [&kept, &broken].map(|closure| closure.as_ref().clone());
    // Before anything is called: a promise of a class of its own may answer at once.
    *waiting.borrow_mut() = Some((Box::new(done), vec![kept, broken]));
    let chained = resolve(value).and_then(|promise| promise.then(&on_kept, &on_broken));
    if let Err(error) = chained {
        // Not a promise of the platform's own.
        let taken = waiting.borrow_mut().take();
        if let Some((done, _closures)) = taken {
            done(Err(error));
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type Thenable;
    #[wasm_bindgen(catch, js_namespace = Promise)]
    fn resolve(value: &JsValue) -> Result<Thenable, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn then(this: &Thenable, kept: &JsValue, broken: &JsValue) -> Result<JsValue, JsValue>;
}
