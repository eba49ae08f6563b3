//! Handles, subscriptions and futures, and what is left when they are dropped.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen,
    session::{events, refresh, token},
    settle, until, within,
    world::{World, options, session, tokens},
};
use crate::web::{Event, Session, Status, Subscription};

#[wasm_bindgen_test]
async fn a_future_that_is_abandoned_leaves_nothing() {
    let (world, session) = (World::new(), session("abandoned"));
    let _start = session.start(tokens("a")).expect("good tokens");
    {
        let mut future = pin!(session.refresh());
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
    }
    drop(session.refresh());
    until("the request", || world.requests().len() == 1).await;
    // The attempt that is under way ends at its time limit.
    world.clock.advance(10_000);
    settle().await;
    assert!(world.is_aborted());
    world.grant("b");
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
}

#[wasm_bindgen_test]
async fn a_subscription_that_is_dropped_hears_nothing() {
    let (_world, session) = (World::new(), session("dropped"));
    let seen = Seen::new();
    let heard = seen.clone();
    let subscription = session.subscribe(move |snapshot| heard.add(snapshot.status));
    let (events, listening) = events(&session);
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!((seen.all(), events.count()), (vec![Status::Active], 1));
    drop((subscription, listening));
    session.cancel();
    assert_eq!((seen.count(), events.count()), (1, 1));
}

#[wasm_bindgen_test]
async fn a_subscription_may_be_dropped_in_any_listener() {
    let (_world, session) = (World::new(), session("in a listener"));
    let seen = Seen::new();
    let subscriptions: Rc<RefCell<Vec<Subscription>>> = Rc::default();
    for number in 0..3 {
        let (heard, all) = (seen.clone(), Rc::clone(&subscriptions));
        let subscription = session.on_event(move |_, _| {
            heard.add(number);
            // The first one drops itself and all that come after it.
            all.take();
        });
        subscriptions.borrow_mut().push(subscription);
    }
    let _start = session.start(tokens("a")).expect("good tokens");
    session.cancel();
    assert_eq!(seen.all(), [0]);
}

#[wasm_bindgen_test]
async fn a_listener_may_call_anything() {
    let (_world, session) = (World::new(), session("calls"));
    let (seen, _events) = events(&session);
    let caller = session.clone();
    let first = Cell::new(true);
    let _subscription = session.on_event(move |event, _| {
        if *event == Event::Started && first.replace(false) {
            assert_eq!(caller.snapshot().status, Status::Active);
            caller.touch();
            drop(caller.hold());
            let _nested = caller.on_event(|_, _| {});
            caller.cancel();
            let _start = caller.start(tokens("b")).expect("good tokens");
        }
    });
    let caller = session.clone();
    let _observer = session.subscribe(move |_| caller.touch());
    let _start = session.start(tokens("a")).expect("good tokens");
    let kinds: Vec<_> = seen.all().iter().map(Event::kind).collect();
    assert_eq!(kinds, ["started", "signed-out", "started"]);
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
}

#[wasm_bindgen_test]
async fn the_last_handle_may_be_dropped_in_a_listener() {
    let world = World::new();
    let session = session("last");
    let seen = Seen::new();
    let last = Rc::new(RefCell::new(Some(session.clone())));
    let (heard, taken) = (seen.clone(), Rc::clone(&last));
    let _subscription = session.on_event(move |event, _| {
        heard.add(event.kind());
        taken.take();
    });
    session.clone().start(tokens("a")).map(drop).expect("good tokens");
    drop(session);
    drop(last);
    assert_eq!(seen.all(), ["started"]);
    settle().await;
    assert_eq!(world.clock.timers(), 0);
}

#[wasm_bindgen_test]
async fn the_last_handle_that_is_dropped_ends_everything() {
    let world = World::new();
    let session = session("ended");
    let _ = session.start(tokens("a")).expect("good tokens");
    let waiting = Seen::new();
    let (failed, waiter) = (waiting.clone(), session.clone());
    spawn_local(async move {
        failed.add(waiter.refresh().await.map_err(|error| error.code()));
    });
    until("the request", || world.requests().len() == 1).await;
    session.cancel();
    until("the failure", || waiting.count() == 1).await;
    assert_eq!(waiting.all(), [Err("ERR_NOT_SIGNED_IN")]);
    assert!(world.is_aborted());
    drop(session);
    assert_eq!(world.clock.timers(), 0);
    world.clock.advance(1_000_000);
    settle().await;
    assert_eq!(world.requests().len(), 1);
}

#[wasm_bindgen_test]
async fn a_session_of_the_same_name_is_the_same() {
    let _world = World::new();
    let (first, second, other) = (session("same"), session("same"), session("other"));
    assert!(first == second && first != other);
    first.start(tokens("a")).map(drop).expect("good tokens");
    drop(first);
    assert_eq!(second.snapshot().status, Status::Active);
    drop(second);
    assert_eq!(session("same").snapshot().status, Status::Unknown);
}

#[wasm_bindgen_test]
async fn the_newest_options_win() {
    let world = World::new();
    let origins = |origin: &str| Session::new(options("newest options").origins([origin]));
    let token_for = |session: &Session, url: &'static str| {
        let session = session.clone();
        within("an answer", async move { session.authorize(url).await.map(|it| it.is_some()) })
    };
    let older = origins("https://a.test").expect("good options");
    let _start = older.start(tokens("a")).expect("good tokens");
    let newer = origins("https://b.test").expect("good options");
    assert_eq!(older, newer);
    for session in [older, newer] {
        assert_eq!(token_for(&session, "https://a.test/").await, Ok(false));
        assert_eq!(token_for(&session, "https://b.test/").await, Ok(true));
    }
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn events_say_when_they_happened() {
    let (world, session) = (World::new(), session("when"));
    let seen = Seen::new();
    let heard = seen.clone();
    let _subscription = session.on_event(move |event, at| heard.add((event.kind(), at)));
    let began = js_sys::Date::now() as i64;
    let _start = session.start(tokens("a")).expect("good tokens");
    world.clock.advance(1_000);
    session.cancel();
    assert_eq!(seen.all(), [("started", began), ("signed-out", began + 1_000)]);
}
