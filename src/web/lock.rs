//! The lock around a refresh. Bound by hand: in web-sys it needs a flag of every dependant.

use std::{cell::Cell, rc::Rc};

use js_sys::{Function, Object};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::AbortController;

use super::js::{Callback, get, global, set, then};

/// A request for the lock, or the lock; dropped, it is given back.
pub(super) struct Lock {
    state: Rc<State>,
    controller: Option<AbortController>,
}

#[derive(Default)]
struct State {
    released: Cell<bool>,
    /// Lets the lock go.
    release: Cell<Option<Function>>,
    hold: Cell<Option<Callback>>,
}

impl Lock {
    /// Asks for the lock. `done(true)` says that it is held until this is dropped, `done(false)` that
    /// there are no locks here; where there never are any, nothing is left behind.
    pub(super) fn request(name: &str, done: impl Fn(bool) + 'static) -> Option<Self> {
        let locks = get(&global("navigator"), "locks");
        if !locks.is_object() {
            done(false);
            return None;
        }
        let state = Rc::new(State::default());
        let done = Rc::new(done);
        let controller = AbortController::new().ok();
        let hold = {
            let (state, done) = (Rc::clone(&state), Rc::clone(&done));
            Callback::new(move |_| {
                if state.released.get() {
                    return JsValue::UNDEFINED;
                }
                let executor = {
                    let state = Rc::clone(&state);
                    Callback::new(move |release: JsValue| {
                        state.release.set(Some(release.unchecked_into()));
                        JsValue::UNDEFINED
                    })
                };
                let held = Held::new(executor.as_ref());
                done(true);
                held.into()
            })
        };
        let options = Object::new();
        if let Some(controller) = &controller {
            set(&options, "signal", &controller.signal());
        }
        let requested = locks.unchecked_ref::<Locks>().request(name, &options, hold.as_ref());
        state.hold.set(Some(hold));
        let ended = Rc::clone(&state);
        let end = move |result: Result<JsValue, JsValue>| {
            if result.is_err() && !ended.released.get() {
                done(false);
            }
            ended.hold.take();
        };
        then(requested, end);
        Some(Self { state, controller })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.state.released.set(true);
        if let Some(controller) = &self.controller {
            controller.abort();
        }
        if let Some(release) = self.state.release.take() {
            let _ = release.call2(&JsValue::UNDEFINED, &JsValue::UNDEFINED, &JsValue::UNDEFINED);
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type Locks;
    /// A promise; resolved, it gives the lock back.
    type Held;
    #[wasm_bindgen(constructor, js_class = "Promise")]
    fn new(executor: &JsValue) -> Held;
    #[wasm_bindgen(method, catch, structural)]
    fn request(
        this: &Locks,
        name: &str,
        options: &JsValue,
        hold: &JsValue,
    ) -> Result<JsValue, JsValue>;
}
