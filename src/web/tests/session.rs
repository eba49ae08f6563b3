use core::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen, js, settle, until, within,
    world::{World, get_request, options, session, tokens},
};
use crate::{
    core::error::Error as CoreError,
    web::{AccessToken, Called, EndReason, Error, Event, Session, Status, Storage, Subscription},
};

async fn refresh(session: &Session) -> Result<(), Error> {
    let session = session.clone();
    within("a refresh", async move { session.refresh().await }).await
}

async fn token(session: &Session) -> Result<AccessToken, Error> {
    let session = session.clone();
    within("a token", async move { session.access_token(Duration::ZERO).await }).await
}

/// The status and the body of a response, or the code of an error.
async fn fetch(session: &Session, url: &str) -> Result<(u16, String), &'static str> {
    let (session, request) = (session.clone(), get_request(url));
    let fetched = within("a response", async move { session.fetch(request).await }).await;
    let response = fetched.map_err(|error| error.code())?;
    let text = wasm_bindgen_futures::JsFuture::from(response.text().expect("a body")).await;
    Ok((response.status(), text.expect("a text").as_string().expect("a text")))
}

fn events(session: &Session) -> (Seen<Event>, Subscription) {
    let seen = Seen::new();
    let heard = seen.clone();
    let subscription = session.on_event(move |event| heard.add(event.clone()));
    (seen, subscription)
}

#[wasm_bindgen_test]
async fn a_session_lives_and_ends() {
    let (world, session) = (World::new(), session("life"));
    let (seen, _subscription) = events(&session);
    assert_eq!(session.snapshot().status, Status::Unknown);
    assert_eq!(token(&session).await.expect_err("signed out").code(), "ERR_NOT_SIGNED_IN");
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!(session.snapshot().status, Status::Active);
    assert_eq!(token(&session).await.expect("a token").as_str(), "a");

    world.grant("b");
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
    assert_eq!(world.requests(), ["/token"]);

    let leaving = session.clone();
    within("the end", async move { leaving.sign_out().await }).await.expect("an end");
    let snapshot = session.snapshot();
    assert_eq!((snapshot.status, snapshot.reason), (Status::SignedOut, Some(EndReason::SignedOut)));
    assert_eq!(token(&session).await.expect_err("signed out").code(), "ERR_NOT_SIGNED_IN");
    let kinds: Vec<_> = seen.all().iter().map(Event::kind).collect();
    assert_eq!(kinds, ["started", "refreshed", "signed-out"]);
}

#[wasm_bindgen_test]
async fn a_timer_refreshes_before_expiry() {
    let (world, session) = (World::new(), session("timer"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.grant("b");
    world.clock.advance(239_000);
    settle().await;
    assert_eq!(world.requests().len(), 0);
    world.clock.advance(1_000);
    until("the new token", || session.snapshot().generation == 2).await;
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
}

#[wasm_bindgen_test]
async fn a_request_that_gets_401_is_sent_again_with_a_newer_token() {
    let (world, session) = (World::new(), session("healed"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('no', { status: 401 })");
    world.grant("b");
    world.answer("new Response('yes')");
    assert_eq!(fetch(&session, "https://a.test/api").await, Ok((200, "yes".to_owned())));
    assert_eq!(world.requests(), ["/api Bearer a", "/token", "/api Bearer b"]);
}

#[wasm_bindgen_test]
async fn a_401_that_cannot_be_healed_is_handed_on() {
    let (world, session) = (World::new(), session("unhealed"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('no', { status: 401 })");
    world.answer("Promise.reject(new TypeError('no network'))");
    assert_eq!(fetch(&session, "https://a.test/api").await, Ok((401, "no".to_owned())));
    assert_eq!(session.snapshot().last_error, Some(CoreError::Unavailable));
}

#[wasm_bindgen_test]
async fn a_token_goes_nowhere_else_and_over_no_other() {
    let (world, session) = (World::new(), session("elsewhere"));
    let _start = session.start(tokens("a")).expect("good tokens");
    for url in ["https://b.test/api", "http://a.test/api", "https://a.test:8443/api"] {
        world.answer("new Response('', { status: 401 })");
        assert_eq!(fetch(&session, url).await, Ok((401, String::new())), "{url}");
    }
    assert_eq!(world.requests(), ["/api"; 3]);
    let request = get_request("https://a.test/own");
    request.headers().set("Authorization", "Basic c").expect("a header");
    world.answer("new Response('')");
    let sender = session.clone();
    let response = within("a response", async move { sender.fetch(request).await }).await;
    assert!(response.is_ok_and(|response| response.ok()));
    assert_eq!(world.requests()[3..], ["/own Basic c"]);
}

#[wasm_bindgen_test]
async fn a_request_that_was_aborted_is_not_sent() {
    let (world, session) = (World::new(), session("aborted"));
    let _start = session.start(tokens("a")).expect("good tokens");
    let request = js("const controller = new AbortController(); controller.abort();
        return new Request('https://a.test/api', { signal: controller.signal })");
    let sender = session.clone();
    let request = wasm_bindgen::JsCast::unchecked_into(request);
    let response = within("a failure", async move { sender.fetch(request).await }).await;
    assert_eq!(response.expect_err("a failure").code(), "ERR_NETWORK");
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn those_who_wait_share_one_refresh() {
    let (world, session) = (World::new(), session("shared"));
    let _start = session.start(tokens("a")).expect("good tokens");
    let refused = token(&session).await.expect("a token");
    world.grant("b");
    let replaced = Seen::new();
    for _ in 0..10 {
        let (session, refused, replaced) = (session.clone(), refused.clone(), replaced.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let newer = session.replace(&refused).await.expect("a newer token");
            replaced.add(newer.as_str().to_owned());
        });
    }
    until("ten tokens", || replaced.count() == 10).await;
    assert_eq!(replaced.all(), ["b"; 10]);
    assert_eq!(world.requests(), ["/token"]);
}

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
        let subscription = session.on_event(move |_| {
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
    let _subscription = session.on_event(move |event| {
        if *event == Event::Started && first.replace(false) {
            assert_eq!(caller.snapshot().status, Status::Active);
            caller.touch();
            drop(caller.hold());
            let _nested = caller.on_event(|_| {});
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
    let _subscription = session.on_event(move |event| {
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
    wasm_bindgen_futures::spawn_local(async move {
        // The future holds no handle of its own.
        let asked = {
            let session = waiter;
            async move { session.refresh().await }
        };
        failed.add(asked.await.map_err(|error| error.code()));
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
async fn a_reload_finds_the_session_in_storage() {
    let world = World::new();
    let open = || Session::new(options("reload").storage(Storage::Local)).expect("good options");
    let session = open();
    let _ = session.start(tokens("a")).expect("good tokens");
    drop(session);
    let session = open();
    let restoring = session.clone();
    let snapshot = within("a session", async move { restoring.restore().await }).await;
    assert_eq!(snapshot.map(|snapshot| snapshot.status), Ok(Status::Active));
    assert_eq!(token(&session).await.expect("a token").as_str(), "a");
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn an_own_refresh_function_is_asked() {
    let _world = World::new();
    let calls = Seen::new();
    let called = calls.clone();
    let session = Session::with_refresh(options("function"), move |request| {
        called.add(request.refresh_token.clone());
        let first = called.count() == 1;
        async move {
            if first {
                return Called::Failed { terminal: false };
            }
            Called::Tokens(Some(tokens("b")))
        }
    })
    .expect("good options");
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!(refresh(&session).await.expect_err("a failure").code(), "ERR_REFRESH_UNAVAILABLE");
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
    assert_eq!(calls.count(), 2);
}

#[wasm_bindgen_test]
async fn another_client_is_healed_too() {
    let (world, session) = (World::new(), session("client"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.grant("b");
    let caller = session.clone();
    let answer = within("an answer", async move {
        let send = async |token: &AccessToken| token.as_str().to_owned();
        caller.call(send, |token| token == "a").await
    });
    assert_eq!(answer.await, Ok("b".to_owned()));
}
