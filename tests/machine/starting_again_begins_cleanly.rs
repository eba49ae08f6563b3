//! Sign-ins that follow others, and `cancel`s that belong to one of them.

use everfresh::core::{
    effect::Outcome, error::Error, ids::StartId, input::Input, policy::Policy, reason::EndReason,
    snapshot::Status,
};

use crate::rig::Tab;

#[test]
fn an_old_cancel_does_not_stop_a_newer_start() {
    let mut tab = Tab::signed_in(Policy::default());
    let tokens = tab.tokens(300);
    tab.start_with(tokens);
    tab.feed(Input::Cancel(Some(StartId(1))));
    assert_eq!(tab.status(), Status::Active);
    tab.feed(Input::Cancel(Some(StartId(2))));
    assert_eq!(tab.status(), Status::SignedOut);
}

#[test]
fn starting_twice_with_one_token_is_starting_once() {
    let mut tab = Tab::new(Policy::default());
    let tokens = tab.tokens(300);
    for start in [StartId(1), StartId(2)] {
        assert_eq!(tab.start_with(tokens.clone()), start);
    }
    assert_eq!(tab.count("started"), 1);
    tab.feed(Input::Cancel(Some(StartId(1))));
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn a_clock_set_back_since_the_last_session_does_not_hide_the_new_one() {
    let mut first = Tab::signed_in(Policy::default());
    first.sign_out();
    let mut tab = Tab::with_store(Policy::default(), 2, first.store.clone());
    tab.now.wall -= 86_400_000;
    tab.start(300);
    assert_eq!(tab.status(), Status::Active);
    let mut reloaded = Tab::with_store(Policy::default(), 3, first.store.clone());
    reloaded.now = tab.now;
    reloaded.restore();
    assert_eq!(reloaded.status(), Status::Active);
}

#[test]
fn a_cancel_of_one_start_says_nothing_about_a_session_that_is_over_and_any_other_does() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.sign_out();
    tab.feed(Input::Cancel(Some(StartId(1))));
    assert_eq!(tab.ended(), Some(EndReason::SignedOut));
    tab.feed(Input::Cancel(None));
    assert_eq!((tab.ended(), tab.count("signed-out")), (Some(EndReason::Cancelled), 1));
    let mut tab = Tab::new(Policy::default());
    tab.feed(Input::Cancel(Some(StartId(1))));
    assert_eq!(tab.status(), Status::Unknown);
    tab.feed(Input::Cancel(None));
    assert_eq!((tab.ended(), tab.count("signed-out")), (Some(EndReason::Cancelled), 1));
}

#[test]
fn a_token_that_cannot_be_read_signs_nobody_in_and_says_why() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.want_refresh();
    for _ in 0..2 {
        tab.feed(Input::StartFailed(Error::Json));
        assert_eq!(tab.ended(), Some(EndReason::InvalidToken));
        assert_eq!(tab.snapshot().last_error, Some(Error::Json));
    }
    assert_eq!(tab.failed_with(waiter), Some(Error::Json));
    assert_eq!(tab.count("signed-out"), 2);
    assert!(tab.revokes.is_empty() && tab.store.borrow().as_ref().unwrap().contains("refresh-1"));
}

#[test]
fn the_same_user_signing_in_anew_serves_whoever_waits() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.pass(301_000);
    let waiter = tab.want_token();
    tab.start(300);
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
}

#[test]
fn a_sign_in_after_a_sign_out_in_the_same_page_is_stored_once() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.sign_out();
    let before = tab.stats().storage.writes;
    tab.now.wall -= 86_400_000;
    tab.start(300);
    assert_eq!(tab.stats().storage.writes, before + 1, "it knows what it has to outlast");
}

#[test]
fn a_sign_in_settles_the_refresh_that_it_cuts_short() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.want_refresh();
    tab.start(600);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.requests.len(), tab.aborted.len()), (1, 1), "these tokens are new");
}
