use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen, call, function, in_page, js,
    stub::{Clock, Stub},
};
use crate::web::{
    js::get,
    page::{Page, PageEvent},
};

/// A page that is listened to. In Node.js, where nothing can be, something like one.
struct Listened {
    page: Option<Page>,
    seen: Seen<PageEvent>,
    _stubs: Vec<Stub>,
}

fn listen() -> Listened {
    let stubs = if in_page() { Vec::new() } else { imitation() };
    let seen = Seen::new();
    let tell = seen.hears(|it| it);
    let events = ["pointerdown".to_owned(), "keydown".to_owned()];
    let page = Page::listen(&events, "everfresh:page", tell);
    Listened { page: Some(page), seen, _stubs: stubs }
}

fn imitation() -> Vec<Stub> {
    let target = js("return new EventTarget()");
    let bound = |name| {
        let method = get(&target, name);
        Stub::global(name, &call(&method, "bind", &target).expect("a method"))
    };
    ["addEventListener", "removeEventListener", "dispatchEvent"].map(bound).into()
}

/// Dispatches an event with these members.
fn dispatch(kind: &str, members: &str) {
    let event = js(&format!("return Object.assign(new Event('{kind}'), {members})"));
    call(&js_sys::global(), "dispatchEvent", &event).expect("an event");
}

#[wasm_bindgen_test]
fn user_input_is_told_at_most_once_a_second() {
    let (clock, listened) = (Clock::new(), listen());
    for _ in 0..3 {
        dispatch("pointerdown", "{}");
        dispatch("keydown", "{}");
        dispatch("wheel", "{}");
    }
    assert_eq!(listened.seen.all(), [PageEvent::Activity]);
    clock.advance(999);
    dispatch("keydown", "{}");
    assert_eq!(listened.seen.count(), 1);
    clock.advance(1);
    dispatch("keydown", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Activity; 2]);
}

#[wasm_bindgen_test]
fn a_page_that_is_visible_again_asks_whether_there_is_a_network() {
    let listened = listen();
    {
        let _hidden = Stub::member("document", "visibilityState", &"hidden".into());
        dispatch("visibilitychange", "{}");
    }
    assert_eq!(listened.seen.all(), []);
    let _visible = Stub::member("document", "visibilityState", &"visible".into());
    let _online = Stub::member("navigator", "onLine", &JsValue::FALSE);
    dispatch("visibilitychange", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Online(false), PageEvent::Visible]);
}

#[wasm_bindgen_test]
fn a_page_that_comes_back_has_resumed() {
    let listened = listen();
    dispatch("pageshow", "{ persisted: false }");
    assert_eq!(listened.seen.all(), []);
    let _online = Stub::member("navigator", "onLine", &JsValue::TRUE);
    let resumed = [PageEvent::Online(true), PageEvent::Resumed];
    dispatch("pageshow", "{ persisted: true }");
    assert_eq!(listened.seen.all(), resumed);
    dispatch("resume", "{}");
    assert_eq!(listened.seen.all()[2..], resumed);
}

#[wasm_bindgen_test]
fn the_focus_of_a_window_counts_and_that_of_an_element_does_not() {
    if !in_page() {
        return;
    }
    let listened = listen();
    let _online = Stub::member("navigator", "onLine", &JsValue::TRUE);
    js("document.getElementById('output').dispatchEvent(new Event('focus'))");
    assert_eq!(listened.seen.all(), []);
    dispatch("focus", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Online(true), PageEvent::Resumed]);
}

#[wasm_bindgen_test]
fn a_page_that_is_hidden_or_frozen_is_leaving() {
    let listened = listen();
    dispatch("pagehide", "{}");
    dispatch("freeze", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Leaving; 2]);
}

#[wasm_bindgen_test]
fn the_network_comes_and_goes() {
    let listened = listen();
    dispatch("offline", "{}");
    dispatch("online", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Online(false), PageEvent::Online(true)]);
}

#[wasm_bindgen_test]
fn only_the_sessions_own_record_counts_among_what_storage_tells() {
    let listened = listen();
    let storage = |key: &str| {
        let event = js(&format!(
            "return Object.defineProperty(new Event('storage'), 'key', {{ value: {key} }})"
        ));
        call(&js_sys::global(), "dispatchEvent", &event).expect("an event");
    };
    storage("'everfresh:other'");
    storage("'everfresh:page:set-aside'");
    assert_eq!(listened.seen.all(), []);
    storage("'everfresh:page'");
    storage("null");
    assert_eq!(listened.seen.all(), [PageEvent::RecordChanged; 2]);
}

#[wasm_bindgen_test]
fn a_page_that_is_dropped_hears_nothing() {
    let mut listened = listen();
    listened.page = None;
    for event in ["pointerdown", "pagehide", "online", "resume"] {
        dispatch(event, "{}");
    }
    assert_eq!(listened.seen.all(), []);
}

#[wasm_bindgen_test]
fn an_event_that_comes_while_another_one_is_told_is_told_too() {
    let stubs = if in_page() { Vec::new() } else { imitation() };
    let clock = Clock::new();
    let seen = Seen::new();
    let tell = {
        let seen = seen.clone();
        move |event| {
            seen.add(event);
            match event {
                PageEvent::Leaving => dispatch("offline", "{}"),
                PageEvent::Activity if seen.count() == 3 => {
                    clock.advance(1_000);
                    dispatch("keydown", "{}");
                }
                _ => {}
            }
        }
    };
    let page = Page::listen(&["keydown".to_owned()], "everfresh:page", tell);
    dispatch("pagehide", "{}");
    assert_eq!(seen.all(), [PageEvent::Leaving, PageEvent::Online(false)]);
    dispatch("keydown", "{}");
    assert_eq!(seen.all()[2..], [PageEvent::Activity; 2]);
    drop((page, stubs));
}

#[wasm_bindgen_test]
fn where_there_is_nothing_to_listen_to_nothing_happens() {
    let broken = function("throw new Error('no')");
    for method in [JsValue::UNDEFINED, broken.into()] {
        let _stub = Stub::global("addEventListener", &method);
        drop(Page::listen(&["keydown".to_owned()], "a", |_| {}));
    }
}

#[wasm_bindgen_test]
fn an_abort_controller_of_another_realm_is_no_matter() {
    let _stub = Stub::global("AbortController", &JsValue::UNDEFINED);
    let mut listened = listen();
    dispatch("pagehide", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Leaving]);
    listened.page = None;
    dispatch("pagehide", "{}");
    assert_eq!(listened.seen.all(), [PageEvent::Leaving]);
}

#[wasm_bindgen_test]
fn where_there_is_no_document_listeners_have_no_options() {
    if in_page() {
        return;
    }
    let target = js("return { names: [], addEventListener(name, _, options) {
        this.names.push(name, ...Object.keys(options)) } }");
    let method = call(&get(&target, "addEventListener"), "bind", &target).expect("a method");
    let stub = Stub::global("addEventListener", &method);
    let page = Page::listen(&["keydown".to_owned()], "a", |_| {});
    drop((page, stub));
    let names = get(&target, "names");
    assert_eq!(get(&names, "length"), JsValue::from(10), "nine of its life, and one");
}

#[wasm_bindgen_test]
fn input_in_a_frame_of_the_page_counts_while_it_is_listened_to() {
    if !in_page() {
        return;
    }
    let (clock, mut listened) = (Clock::new(), listen());
    let frame = js("const frame = document.createElement('iframe');
        document.documentElement.append(frame);
        return frame");
    // The way there leads over the page.
    dispatch("pointerdown", "{}");
    let type_there = || {
        clock.advance(1_000);
        let event = js("return new Event('keydown')");
        call(&get(&frame, "contentWindow"), "dispatchEvent", &event).expect("an event");
    };
    type_there();
    assert_eq!(listened.seen.all(), [PageEvent::Activity; 2]);
    listened.page.take();
    type_there();
    assert_eq!(listened.seen.count(), 2);
    call(&frame, "remove", &JsValue::UNDEFINED).expect("a frame");
}
