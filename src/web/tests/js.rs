use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Seen, js, settle, until};
use crate::web::js::{call, get, is_thenable, then};

/// What `then` gives for the value that this returns, once everything has come to rest.
async fn comes_to(body: &str) -> Vec<Result<JsValue, JsValue>> {
    let seen = Seen::new();
    let value = js(body);
    let done = {
        let seen = seen.clone();
        move |result| seen.add(result)
    };
    then(Ok(value), done);
    until(body, || seen.count() > 0).await;
    settle().await;
    seen.all()
}

#[wasm_bindgen_test]
async fn a_value_comes_later_and_once() {
    let seen = Seen::new();
    let done = seen.hears(|it| it);
    then(Ok(JsValue::from(5)), done);
    assert_eq!(seen.count(), 0);
    until("the value", || seen.count() > 0).await;
    assert_eq!(seen.all(), [Ok(JsValue::from(5))]);
}

#[wasm_bindgen_test]
async fn a_promise_gives_what_it_comes_to() {
    assert_eq!(comes_to("return Promise.resolve('a')").await, [Ok("a".into())]);
    assert_eq!(comes_to("return Promise.reject('b')").await, [Err("b".into())]);
    assert_eq!(comes_to("return { then: (kept) => kept('c') }").await, [Ok("c".into())]);
}

#[wasm_bindgen_test]
async fn a_thenable_that_throws_is_a_failure() {
    assert_eq!(comes_to("return { then() { throw 'a' } }").await, [Err("a".into())]);
    assert_eq!(comes_to("return { get then() { throw 'b' } }").await, [Err("b".into())]);
    let own = "const it = Promise.resolve(); it.then = () => { throw 'c' }; return it";
    assert_eq!(comes_to(own).await, [Err("c".into())]);
}

#[wasm_bindgen_test]
async fn a_thenable_that_calls_twice_counts_once() {
    let twice = "{ kept('a'); broken('b'); kept('c'); }";
    let thenable = format!("return {{ then(kept, broken) {twice} }}");
    assert_eq!(comes_to(&thenable).await, [Ok("a".into())]);
    let late = "const it = Promise.resolve(); it.then = (kept, broken) => {
        setTimeout(() => kept('a'));
        setTimeout(() => { try { broken('b') } catch {} });
    }; return it";
    assert_eq!(comes_to(late).await, [Ok("a".into())]);
}

#[wasm_bindgen_test]
async fn a_promise_whose_own_then_answers_at_once_is_heard() {
    let own = "const it = Promise.resolve(); it.then = (kept) => kept('a'); return it";
    assert_eq!(comes_to(own).await, [Ok("a".into())]);
    let own = "const it = Promise.resolve(); it.then = (_, broken) => { broken('b'); throw 'c' };
        return it";
    assert_eq!(comes_to(own).await, [Err("b".into())]);
}

#[wasm_bindgen_test]
fn what_cannot_be_read_is_undefined() {
    for body in ["return null", "return 5", "return undefined", "return {}"] {
        assert!(get(&js(body), "a").is_undefined(), "{body}");
    }
    assert!(get(&js("return { get a() { throw 1 } }"), "a").is_undefined());
    let proxy = js("return new Proxy({}, { get() { throw 1 } })");
    assert!(get(&proxy, "a").is_undefined());
    assert!(!is_thenable(&proxy));
    assert!(!is_thenable(&js("return { get then() { throw 1 } }")));
    assert!(!is_thenable(&js("return { then: 5 }")));
}

#[wasm_bindgen_test]
fn a_call_that_cannot_be_made_is_a_failure() {
    for body in ["return null", "return {}", "return { a: 5 }", "return { a() { throw 1 } }"] {
        assert!(call(&js(body), "a", [&JsValue::UNDEFINED; 2]).is_err(), "{body}");
    }
    let counts = js("return { by: 2, a(it) { return it * this.by } }");
    assert_eq!(call(&counts, "a", [&JsValue::from(3), &JsValue::UNDEFINED]), Ok(JsValue::from(6)));
}
