//! What is done with values of JavaScript: everything may throw, and is caught.

use std::{cell::Cell, rc::Rc};

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, prelude::*};

/// A property; undefined where there is none or it cannot be read.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// A global; undefined where there is none or it cannot be read.
pub(crate) fn global(name: &str) -> JsValue {
    get(&global_object(), name)
}

/// Sets a property of an object of ours.
pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A plain object takes every property.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// Calls a method; what it does not take is undefined.
///
/// # Errors
/// What it throws, or that there is no such method.
pub(crate) fn call(
    object: &JsValue,
    name: &str,
    arguments: [&JsValue; 2],
) -> Result<JsValue, JsValue> {
    let [first, second] = arguments;
    get(object, name).unchecked_into::<Function>().call2(object, first, second)
}

/// Whether a value is a promise, of this realm or any other.
pub(crate) fn is_thenable(value: &JsValue) -> bool {
    value.is_object() && get(value, "then").is_function()
}

/// What JavaScript may call: one type of them all, because each type costs bytes. Not `FnMut`: an
/// event may come while another one is told, as a focus that is set does.
pub(crate) type Callback = Closure<dyn Fn(JsValue) -> JsValue>;

type Done = Box<dyn FnOnce(Result<JsValue, JsValue>)>;
type Waiting = Rc<Cell<Option<(Done, [Callback; 2])>>>;

/// Calls `done` once with what a call came to, later when that is a promise.
pub(crate) fn then(
    called: Result<JsValue, JsValue>,
    done: impl FnOnce(Result<JsValue, JsValue>) + 'static,
) {
    chain(called, Box::new(done));
}

fn chain(called: Result<JsValue, JsValue>, done: Done) {
    // Whichever of the two is called drops both.
    let waiting = Waiting::default();
    let callback = |wrap: fn(JsValue) -> Result<JsValue, JsValue>| {
        let waiting = Rc::clone(&waiting);
        Callback::new(move |value| {
            settle(&waiting, wrap(value));
            JsValue::UNDEFINED
        })
    };
    let (kept, broken) = (callback(Ok), callback(Err));
    let [on_kept, on_broken] = [&kept, &broken].map(|closure| closure.as_ref().clone());
    // Before anything is called: a promise of a class of its own may answer at once.
    waiting.set(Some((done, [kept, broken])));
    let chained = called
        .and_then(|value| resolve(&value))
        .and_then(|promise| promise.then(&on_kept, &on_broken));
    if let Err(error) = chained {
        // It threw at once, or is not a promise of the platform's own.
        settle(&waiting, Err(error));
    }
}

fn settle(waiting: &Waiting, result: Result<JsValue, JsValue>) {
    if let Some((done, _callbacks)) = waiting.take() {
        done(result);
    }
}

#[wasm_bindgen]
extern "C" {
    /// What an object is worth is itself.
    #[wasm_bindgen(js_namespace = globalThis, js_name = valueOf)]
    pub(crate) fn global_object() -> JsValue;
    type Thenable;
    #[wasm_bindgen(catch, js_namespace = Promise)]
    fn resolve(value: &JsValue) -> Result<Thenable, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn then(this: &Thenable, kept: &JsValue, broken: &JsValue) -> Result<JsValue, JsValue>;
}
