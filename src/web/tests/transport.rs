use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use super::{Seen, function, in_page, js, settle, stub::Stub, until};
use crate::{
    engine::endpoint::{Credentials, Request, Response},
    web::{js::get, transport::send},
};

fn request() -> Request {
    Request {
        url: "https://example.test/token?a=b".to_owned(),
        headers: vec![("Accept".to_owned(), "a/b".to_owned()), ("X-A".to_owned(), "c".to_owned())],
        body: Some("d=ü".to_owned()),
        credentials: Credentials::Include,
    }
}

/// What a request comes to when `fetch` is a function with this body; `it` is the address.
async fn answered(fetch: &str) -> Result<Response, JsValue> {
    let seen = Seen::new();
    let done = seen.hears(|it| it);
    send(Some(function(fetch)), &request(), None, done);
    until(fetch, || seen.count() > 0).await;
    settle().await;
    assert_eq!(seen.count(), 1, "{fetch}");
    seen.all().remove(0)
}

/// The second argument of `fetch`.
fn sent(request: &Request, controller: Option<&AbortController>) -> JsValue {
    let calls = js("return []");
    let fetch =
        function("return (...call) => { it.push(call) }").call1(&JsValue::UNDEFINED, &calls);
    let fetch: Function = fetch.expect("a function").unchecked_into();
    let signal = controller.map(AbortController::signal);
    send(Some(fetch), request, signal.as_ref(), |_| {});
    let first = get(&calls, "0");
    assert_eq!(get(&first, "0"), JsValue::from_str(&request.url));
    get(&first, "1")
}

#[wasm_bindgen_test]
fn a_request_is_sent_as_it_is() {
    let init = sent(&request(), None);
    for (name, value) in [
        ("method", "POST"),
        ("body", "d=ü"),
        ("cache", "no-store"),
        ("redirect", "manual"),
        ("credentials", "include"),
    ] {
        assert_eq!(get(&init, name), JsValue::from_str(value), "{name}");
    }
    assert_eq!(get(&get(&init, "headers"), "Accept"), JsValue::from_str("a/b"));
    let bare = Request { body: None, credentials: Credentials::Omit, ..request() };
    let init = sent(&bare, None);
    assert_eq!((get(&init, "body"), get(&init, "credentials")), (JsValue::NULL, "omit".into()));
    let same = Request { credentials: Credentials::SameOrigin, ..request() };
    assert_eq!(get(&sent(&same, None), "credentials"), JsValue::from_str("same-origin"));
}

#[wasm_bindgen_test]
fn a_request_that_can_be_aborted_does_not_outlive_the_page() {
    let controller = AbortController::new().expect("a controller");
    let init = sent(&request(), Some(&controller));
    assert_eq!(get(&init, "signal"), JsValue::from(controller.signal()));
    assert!(get(&init, "keepalive").is_undefined());
    let init = sent(&request(), None);
    assert!(get(&init, "signal").is_undefined());
    assert_eq!(get(&init, "keepalive"), JsValue::TRUE);
}

#[wasm_bindgen_test]
async fn an_abort_ends_a_request() {
    let fetch = js("return (url, { signal }) => new Promise((_, broken) => {
        signal.addEventListener('abort', () => broken('aborted'));
    })");
    let controller = AbortController::new().expect("a controller");
    let seen = Seen::new();
    let done = seen.hears(|result: Result<Response, JsValue>| result.err());
    send(Some(fetch.unchecked_into()), &request(), Some(&controller.signal()), done);
    settle().await;
    assert_eq!(seen.count(), 0);
    controller.abort();
    until("the end", || seen.count() > 0).await;
    assert_eq!(seen.all(), [Some("aborted".into())]);
}

#[wasm_bindgen_test]
async fn the_platforms_own_fetch_is_the_default() {
    let fetch = function("return Promise.resolve(new Response('a', { status: 201 }))");
    let seen = Seen::new();
    let done = seen.hears(|it| it);
    let stub = Stub::global("fetch", &fetch);
    send(None, &request(), None, done);
    drop(stub);
    until("the response", || seen.count() > 0).await;
    let response = seen.all().remove(0).expect("a response");
    assert_eq!((response.status, response.body.as_str()), (201, "a"));
}

#[wasm_bindgen_test]
async fn the_headers_that_matter_are_read() {
    let fetch = "return new Response('', { status: 429, headers: {
        'Retry-After': '5', Date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'X-Other': 'a',
    } })";
    let response = answered(fetch).await.expect("a response");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        response.headers,
        [header("date", "Sun, 06 Nov 1994 08:49:37 GMT"), header("retry-after", "5")]
    );
}

#[wasm_bindgen_test]
async fn a_fetch_that_fails_is_told_what_it_threw() {
    assert_eq!(answered("throw 'a'").await.err(), Some("a".into()));
    assert_eq!(answered("return Promise.reject('b')").await.err(), Some("b".into()));
    assert_eq!(answered("return { then() { throw 'c' } }").await.err(), Some("c".into()));
    let missing = Stub::global("fetch", &JsValue::UNDEFINED);
    let seen = Seen::new();
    let done = seen.hears(|result: Result<Response, JsValue>| result.is_err());
    send(None, &request(), None, done);
    drop(missing);
    until("the failure", || seen.count() > 0).await;
    assert_eq!(seen.all(), [true]);
}

#[wasm_bindgen_test]
async fn a_response_of_any_shape_is_an_answer() {
    let text = "text: async () => 'a'";
    for (response, expected) in [
        ("{ status: 200, TEXT }", Some((200, "a"))),
        ("{ status: '200', TEXT }", Some((0, "a"))),
        ("{ status: NaN, TEXT }", Some((0, "a"))),
        ("{ status: -5, TEXT }", Some((0, "a"))),
        ("{ status: 1e300, TEXT }", Some((65_535, "a"))),
        ("{ status: {}, TEXT }", Some((0, "a"))),
        ("{ get status() { throw 1 }, TEXT }", Some((0, "a"))),
        ("{ status: 200, headers: null, TEXT }", Some((200, "a"))),
        ("{ status: 200, get headers() { throw 1 }, TEXT }", Some((200, "a"))),
        ("{ status: 200, headers: { get() { throw 1 } }, TEXT }", Some((200, "a"))),
        ("{ status: 200, headers: { get: () => ({}) }, TEXT }", Some((200, "a"))),
        ("{ status: 200, text: () => 'a' }", Some((200, "a"))),
        ("{ status: 200, text: async () => ({ toString: 0 }) }", Some((200, ""))),
        ("{ status: 200, text: async () => null }", Some((200, ""))),
        ("{ status: 200, text: 5 }", None),
        ("{ status: 200 }", None),
        ("{ status: 200, text() { throw 1 } }", None),
        ("{ status: 200, text: async () => { throw 1 } }", None),
        ("{ status: 200, get text() { throw 1 } }", None),
        ("new Proxy({}, { get(_, name) { if (name !== 'then') throw 1 } })", None),
        ("null", None),
        ("undefined", None),
        ("5", None),
    ] {
        let fetch = format!("return Promise.resolve({})", response.replace("TEXT", text));
        let answer = answered(&fetch).await.ok();
        let read = answer.as_ref().map(|response| (response.status, response.body.as_str()));
        assert_eq!(read, expected, "{response}");
        assert!(answer.is_none_or(|answer| answer.headers.is_empty()), "{response}");
    }
}

#[wasm_bindgen_test]
async fn a_response_of_another_realm_is_a_response() {
    if !in_page() {
        return;
    }
    let fetch = "const frame = document.body.appendChild(document.createElement('iframe'));
        const { Response, Promise } = frame.contentWindow;
        return Promise.resolve(new Response('a', { status: 202, headers: { Date: 'b' } }))";
    let response = answered(fetch).await.expect("a response");
    assert_eq!((response.status, response.body.as_str()), (202, "a"));
    assert_eq!(response.headers, [("date".to_owned(), "b".to_owned())]);
    js("document.querySelector('iframe').remove()");
}

#[wasm_bindgen_test]
async fn a_body_of_two_megabytes_is_handed_on_whole() {
    let response = answered("return new Response('ü'.repeat(1_000_000))").await;
    assert_eq!(response.expect("a response").body.len(), 2_000_000);
}

#[wasm_bindgen_test]
async fn a_body_that_never_ends_can_be_aborted() {
    let fetch = js("return async (url, { signal }) => ({
        status: 200,
        text: () => new Promise((_, broken) => signal.addEventListener('abort', broken)),
    })");
    let controller = AbortController::new().expect("a controller");
    let seen = Seen::new();
    let done = seen.hears(|result: Result<Response, JsValue>| result.is_err());
    send(Some(fetch.unchecked_into()), &request(), Some(&controller.signal()), done);
    settle().await;
    assert_eq!(seen.count(), 0);
    controller.abort();
    until("the end", || seen.count() > 0).await;
    assert_eq!(seen.all(), [true]);
}
