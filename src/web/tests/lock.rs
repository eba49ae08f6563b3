use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Seen, call, function, js, settle, stub::Stub, until};
use crate::web::{
    js::{get, global},
    lock::Lock,
};

fn request(name: &str) -> (Option<Lock>, Seen<bool>) {
    let seen = Seen::new();
    let done = seen.hears(|it| it);
    (Lock::request(name, done), seen)
}

/// Node.js may have none; what follows from that has a test of its own.
fn locks() -> bool {
    get(&global("navigator"), "locks").is_object()
}

#[wasm_bindgen_test]
async fn a_lock_is_held_until_it_is_dropped() {
    if !locks() {
        return;
    }
    let (first, granted) = request("held");
    assert_eq!(granted.count(), 0);
    until("the lock", || granted.count() > 0).await;
    let (second, queued) = request("held");
    let (_elsewhere, other) = request("another");
    until("the other lock", || other.count() > 0).await;
    assert_eq!((granted.all(), queued.all()), (vec![true], vec![]));
    drop(first);
    until("the turn of the next", || queued.count() > 0).await;
    assert_eq!((granted.all(), queued.all()), (vec![true], vec![true]));
    drop(second);
}

#[wasm_bindgen_test]
async fn a_request_that_is_dropped_leaves_the_queue() {
    if !locks() {
        return;
    }
    let (first, granted) = request("queue");
    until("the lock", || granted.count() > 0).await;
    let (second, gone) = request("queue");
    let (third, last) = request("queue");
    drop(second);
    drop(first);
    until("the turn of the last", || last.count() > 0).await;
    assert_eq!((gone.all(), last.all()), (vec![], vec![true]));
    drop(third);
}

#[wasm_bindgen_test]
async fn a_request_that_is_dropped_at_once_holds_nothing() {
    if !locks() {
        return;
    }
    let (dropped, gone) = request("at once");
    drop(dropped);
    let (_next, granted) = request("at once");
    until("the lock", || granted.count() > 0).await;
    assert_eq!(gone.count(), 0);
}

#[wasm_bindgen_test]
async fn a_lock_that_is_stolen_is_said_to_be_none() {
    if !locks() {
        return;
    }
    let (_lock, seen) = request("stolen");
    until("the lock", || seen.count() > 0).await;
    js("navigator.locks.request('stolen', { steal: true }, () => {})");
    until("the loss", || seen.count() > 1).await;
    assert_eq!(seen.all(), [true, false]);
}

#[wasm_bindgen_test]
async fn where_no_lock_can_be_had_that_is_said_once() {
    for locks in [
        JsValue::UNDEFINED,
        js("return {}"),
        js("return { request() { throw new Error('no') } }"),
        js("return { request: () => Promise.reject(new Error('no')) }"),
        js("return { request: async (name, options, hold) => { throw new Error('no') } }"),
    ] {
        let _stub = Stub::member("navigator", "locks", &locks);
        let (_lock, seen) = request("none");
        until("the refusal", || seen.count() > 0).await;
        settle().await;
        assert_eq!(seen.all(), [false]);
    }
}

#[wasm_bindgen_test]
async fn a_refusal_after_the_request_was_dropped_is_not_said() {
    let refusing = js("return { request: () => Promise.reject(new Error('no')) }");
    let _stub = Stub::member("navigator", "locks", &refusing);
    let (lock, seen) = request("none");
    drop(lock);
    settle().await;
    assert_eq!(seen.count(), 0);
}

#[wasm_bindgen_test]
async fn a_grant_that_comes_too_late_is_given_back() {
    let late = js("return {
        request(name, options, hold) {
            this.signal = options.signal;
            return new Promise((end) => { this.grant = () => end(hold()) });
        },
    }");
    let _stub = Stub::member("navigator", "locks", &late);
    let (lock, seen) = request("late");
    drop(lock);
    assert_eq!(get(&get(&late, "signal"), "aborted"), JsValue::TRUE);
    assert_eq!(call(&late, "grant", &JsValue::UNDEFINED), Ok(JsValue::UNDEFINED));
    settle().await;
    assert_eq!(seen.count(), 0);
}

#[wasm_bindgen_test]
async fn a_grant_at_once_is_a_grant() {
    let eager = js("return { request: async (name, options, hold) => hold() }");
    let held = Stub::member("navigator", "locks", &eager);
    let (lock, seen) = request("eager");
    assert_eq!(seen.all(), [true]);
    drop(lock);
    settle().await;
    assert_eq!(seen.all(), [true]);
    drop(held);
}

#[wasm_bindgen_test]
async fn without_abort_controllers_a_lock_can_be_had() {
    let _stub = Stub::global("AbortController", &function("throw new Error('no')"));
    let (_lock, seen) = request("no controller");
    until("an answer", || seen.count() > 0).await;
    assert_eq!(seen.all(), [locks()]);
}
