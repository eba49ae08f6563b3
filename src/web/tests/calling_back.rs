//! Whatever the platform is asked for may call the session back at once. A borrow that is held across
//! such a call panics, which fails the run even where the platform swallows it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use js_sys::Function;
use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    in_page, js, settle, within,
    world::{World, options, tokens},
};
use crate::web::{Session, Status, Storage};

/// What calls back in the life of a session.
const ALL: [&str; 11] = [
    "BroadcastChannel",
    "abort",
    "clearTimeout",
    "close",
    "fetch",
    "getItem",
    "postMessage",
    "removeItem",
    "request",
    "setItem",
    "setTimeout",
];

/// Lives the life of a session whose platform calls `back` at every opportunity, and then another one
/// to see that nothing is left of the first.
async fn live(name: &str, back: impl Fn(&Session) + 'static) -> Vec<String> {
    let last: Rc<RefCell<Option<Session>>> = Rc::default();
    let called: Rc<RefCell<BTreeMap<String, u32>>> = Rc::default();
    let busy = Cell::new(false);
    let hook = {
        let (last, called) = (Rc::clone(&last), Rc::clone(&called));
        Closure::<dyn Fn(String)>::new(move |name: String| {
            let session = last.borrow().clone();
            let Some(session) = session else { return };
            // What is called by what calls back calls back no more; and a timer that always called
            // back would be set again for ever.
            *called.borrow_mut().entry(name.clone()).or_default() += 1;
            if called.borrow()[&name] <= 10 && !busy.replace(true) {
                back(&session);
                busy.set(false);
            }
        })
    };
    let world = World::with_hook(hook.as_ref().unchecked_ref::<Function>());
    let open = || Session::new(options(name).storage(Storage::Session)).expect("good options");
    let session = open();
    *last.borrow_mut() = Some(session.clone());
    let restoring = session.clone();
    let _ = within("no session", async move { restoring.restore().await }).await;
    let _ = session.start(tokens("a")).map(drop);
    world.grant("b");
    let refreshing = session.clone();
    let _ = within("a refresh", async move { refreshing.refresh().await }).await;
    // One that is aborted, by its time limit.
    let refreshing = session.clone();
    spawn_local(async move { drop(refreshing.refresh().await) });
    settle().await;
    world.clock.advance(10_000);
    settle().await;
    for event in ["pagehide", "resume"] {
        js(&format!("globalThis.dispatchEvent?.(new Event('{event}'))"));
    }
    session.cancel();
    let _ = session.start(tokens("b")).map(drop);
    let leaving = session.clone();
    let _ = within("an end", async move { leaving.sign_out().await }).await;
    last.take();

    let _ = session.start(tokens("c")).map(drop);
    assert_eq!(session.snapshot().status, Status::Active, "{name}");
    world.clock.advance(240_000);
    settle().await;
    drop(session);
    assert_eq!(world.clock.timers(), 0, "{name}");
    drop(world);
    drop(hook);
    called.take().into_keys().collect()
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_touch_the_session() {
    let called = live("touch", |session| {
        session.touch();
        drop(session.hold());
        let _ = session.snapshot();
    })
    .await;
    // Node.js has no page that could be left.
    let expected: Vec<_> = ALL.into_iter().filter(|name| in_page() || *name != "close").collect();
    assert_eq!(called, expected);
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_cancel_the_session() {
    live("cancel", Session::cancel).await;
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_start_the_session() {
    live("start", |session| drop(session.start(tokens("d")))).await;
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_refresh_the_session() {
    live("refresh", |session| {
        let session = session.clone();
        spawn_local(async move { drop(session.refresh().await) });
    })
    .await;
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_sign_out() {
    live("sign out", |session| {
        let session = session.clone();
        spawn_local(async move { drop(session.sign_out().await) });
    })
    .await;
}

#[wasm_bindgen_test]
async fn every_part_of_the_platform_may_open_and_drop_sessions() {
    live("open", |session| {
        let other = Session::new(options("open another")).expect("good options");
        let _ = other.start(tokens("e")).map(drop);
        let same = Session::new(options("open").storage(Storage::Local)).expect("good options");
        assert!(same == *session);
        drop(session.subscribe(|_| {}));
        drop(session.on_event(|_, _| {}));
    })
    .await;
}
