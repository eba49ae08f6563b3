//! The adapters in the real thing: `cargo xtask adapters` runs these in Node.js and in browsers.

mod calling_back;
mod channel;
mod formats;
mod guards;
mod handles;
mod hooks;
mod js;
mod lock;
mod page;
mod session;
mod shapes;
mod storage;
mod stub;
mod transport;
mod world;

use core::future::Future;
use std::{cell::RefCell, rc::Rc};

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::web::js::{get, global};

/// What the body of a function in JavaScript returns.
fn js(body: &str) -> JsValue {
    Function::new_no_args(body).call0(&JsValue::UNDEFINED).expect("a body that does not throw")
}

/// Calls a method with one argument.
fn call(object: &JsValue, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
    get(object, name).unchecked_into::<Function>().call1(object, argument)
}

/// A function of one argument, named `it`.
fn function(body: &str) -> Function {
    Function::new_with_args("it", body)
}

/// Whether there is a page, rather than Node.js.
fn in_page() -> bool {
    global("document").is_object()
}

/// What happened, in order; clones share it.
struct Seen<T>(Rc<RefCell<Vec<T>>>);

impl<T: Clone> Seen<T> {
    fn new() -> Self {
        Self(Rc::default())
    }

    fn add(&self, what: T) {
        self.0.borrow_mut().push(what);
    }

    /// Adds what a call brings.
    fn hears<A, F: Fn(A) -> T>(&self, what: F) -> impl Fn(A) + use<A, T, F> {
        let seen = self.clone();
        move |argument| seen.add(what(argument))
    }

    fn all(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

/// Lets the platform do what it has to do.
async fn turn() {
    let promise = LATER.with(|later| later.call0(&JsValue::UNDEFINED)).expect("a timer");
    JsFuture::from(promise.unchecked_into::<Promise>()).await.expect("a timer that fires");
}

/// Waits until something has happened, with a limit.
async fn until(what: &str, happened: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if happened() {
            return;
        }
        turn().await;
    }
    panic!("waited in vain: {what}");
}

/// What a future comes to, with a limit.
async fn within<T: 'static>(what: &str, future: impl Future<Output = T> + 'static) -> T {
    let slot: Rc<RefCell<Option<T>>> = Rc::default();
    let filled = Rc::clone(&slot);
    spawn_local(async move {
        let output = future.await;
        *filled.borrow_mut() = Some(output);
    });
    until(what, || slot.borrow().is_some()).await;
    slot.take().expect("it is there")
}

/// Lets everything happen that is under way and takes no time.
async fn settle() {
    for _ in 0..5 {
        turn().await;
    }
}

thread_local! {
    // The platform's own timer, also while a test has put another one in its place.
    static LATER: Function =
        js("const set = setTimeout; return () => new Promise((done) => set(done, 1));").unchecked_into();
}
