use std::{cell::OnceCell, rc::Rc};

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Seen, call, function, js, stub::Stub, until};
use crate::web::{channel::Channel, js::get};

/// A channel and what it hears.
fn open(name: &str) -> (Channel, Seen<String>) {
    let seen = Seen::new();
    let heard = seen.clone();
    let channel = Channel::open(name, move |text| heard.add(text.to_owned()));
    (channel.expect("a channel"), seen)
}

#[wasm_bindgen_test]
async fn what_one_end_posts_the_others_hear() {
    let ((first, own), (second, heard)) = (open("ends"), open("ends"));
    let (_other, elsewhere) = open("other ends");
    first.post("a");
    first.post("\u{0}ü");
    until("two texts", || heard.count() == 2).await;
    assert_eq!(heard.all(), ["a", "\u{0}ü"]);
    second.post("b");
    until("the answer", || own.count() > 0).await;
    assert_eq!(own.all(), ["b"]);
    assert_eq!(elsewhere.all(), [""; 0]);
}

#[wasm_bindgen_test]
async fn what_is_no_text_is_not_heard() {
    let (_channel, heard) = open("texts");
    let raw = js("return new BroadcastChannel('texts')");
    for value in [JsValue::NULL, 5.into(), js("return { a: 1 }"), "a".into()] {
        call(&raw, "postMessage", &value).expect("a message");
    }
    until("the text", || heard.count() > 0).await;
    call(&raw, "close", &JsValue::UNDEFINED).expect("an end");
    assert_eq!(heard.all(), ["a"]);
}

#[wasm_bindgen_test]
async fn a_channel_that_is_dropped_is_closed() {
    let ((first, _), (dropped, gone), (_third, heard)) = (open("drop"), open("drop"), open("drop"));
    drop(dropped);
    first.post("a");
    until("the text", || heard.count() > 0).await;
    assert_eq!(gone.count(), 0);

    let fake = js("return class {
        static closed = 0;
        close() { this.constructor.closed += 1 }
    }");
    let stub = Stub::global("BroadcastChannel", &fake);
    drop(open("fake"));
    drop(stub);
    assert_eq!(get(&fake, "closed"), JsValue::from(1));
}

#[wasm_bindgen_test]
fn where_there_are_no_channels_none_is_opened() {
    for missing in [JsValue::UNDEFINED, function("throw new Error('opaque origin')").into()] {
        let _stub = Stub::global("BroadcastChannel", &missing);
        assert!(Channel::open("none", |_| {}).is_none());
    }
}

#[wasm_bindgen_test]
fn a_channel_that_answers_at_once_is_heard() {
    let echo = js("return class {
        postMessage(data) { this.onmessage({ data }) }
        close() {}
    }");
    let _stub = Stub::global("BroadcastChannel", &echo);
    let channel = Rc::new(OnceCell::<Channel>::new());
    let seen = Seen::new();
    let deliver = {
        let (channel, seen) = (Rc::downgrade(&channel), seen.clone());
        move |text: &str| {
            seen.add(text.to_owned());
            if text == "a" {
                let channel = channel.upgrade().expect("a channel");
                channel.get().expect("a channel").post("b");
            }
        }
    };
    channel.set(Channel::open("echo", deliver).expect("a channel")).ok();
    channel.get().expect("a channel").post("a");
    assert_eq!(seen.all(), ["a", "b"]);
}
