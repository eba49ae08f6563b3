//! The calls of an engine that its hosts make, and the rig does not.

use everfresh::core::{
    error::Error, event::Event, grant::TokenResponse, ids::StartId, input::Input, policy::Policy,
    reason::EndReason, snapshot::Status,
};

use crate::rig::Tab;

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

#[test]
fn a_late_start_begins_a_session() {
    let mut tab = Tab::new(policy());
    let tokens = tab.tokens(300);
    let first = tab.run(|engine| engine.start_late(tokens));
    assert_eq!(tab.snapshot().status, Status::Active);
    let tokens = tab.tokens(300);
    assert_ne!(tab.run(|engine| engine.start_late(tokens)), first, "each has a number of its own");
}

#[test]
fn a_late_start_with_bad_tokens_ends_the_session_that_it_was_to_replace() {
    let mut tab = Tab::signed_in(policy());
    let bad = TokenResponse { access_token: "\"quoted\"".to_owned(), ..TokenResponse::default() };
    assert_eq!(tab.try_start(bad.clone()), Err(Error::AccessToken));
    assert_eq!(tab.snapshot().status, Status::Active, "a caller who can be told loses nothing");
    let start = tab.run(|engine| engine.start_late(bad));
    assert_ne!(start, StartId(0));
    assert_eq!(tab.snapshot().reason, Some(EndReason::InvalidToken));
    let ended = Event::SignedOut { reason: EndReason::InvalidToken };
    assert!(tab.events.contains(&ended), "{:?}", tab.events);
}

#[test]
fn a_timer_that_fires_wakes_the_engine() {
    let mut tab = Tab::signed_in(policy());
    tab.pass(240_000);
    assert!(tab.sent.is_empty());
    tab.run(|engine| engine.wake());
    assert_eq!(tab.sent.len(), 1, "its refresh is due");
}

#[test]
fn an_engine_reads_until_storage_has_answered() {
    let mut tab = Tab::new(policy());
    assert!(!tab.engine.is_reading());
    tab.slow_storage = true;
    tab.restore();
    assert!(tab.engine.is_reading());
    tab.answer_load(0);
    assert!(!tab.engine.is_reading());
}

#[test]
fn a_host_is_let_go_of_once() {
    let mut tab = Tab::signed_in(policy());
    assert!(!tab.engine.is_closed());
    for _ in 0..2 {
        tab.feed(Input::Dispose);
        assert!(tab.engine.is_closed());
    }
    assert_eq!(tab.closed, 1);
}
