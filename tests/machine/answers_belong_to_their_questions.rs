//! Answers come late and out of order: each goes to the question it was given to.

use everfresh::core::{
    clock::Now,
    effect::Outcome,
    entropy::Seeded,
    ids::{Ticket, WaiterId},
    input::{Input, Wake},
    policy::Policy,
    session::Session,
    snapshot::Status,
};

use crate::{
    rig::{EPOCH, Tab},
    wire::granted,
};

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// Has asked for a lock that it gave up, and asks for another.
fn queued_again() -> (Tab, Ticket) {
    let mut tab = Tab::signed_in(policy());
    tab.grants_locks = false;
    tab.want_refresh();
    let old = tab.ticket.expect("a lock was asked for");
    tab.feed(Input::Leaving);
    tab.feed(Input::Woken(Wake::Resumed));
    assert!(tab.ticket.is_some_and(|ticket| ticket != old));
    (tab, old)
}

#[test]
fn a_lock_that_was_given_up_is_let_go_when_it_comes() {
    let (mut tab, old) = queued_again();
    tab.locks_held = 1;
    tab.feed(Input::LockGranted(old));
    assert_eq!((tab.locks_held, tab.requests.len()), (0, 0));
    let ticket = tab.ticket.expect("still waited for");
    tab.locks_held = 1;
    tab.feed(Input::LockGranted(ticket));
    assert_eq!((tab.locks_held, tab.requests.len()), (1, 1));
}

#[test]
fn a_lock_that_cannot_be_had_is_not_waited_for_and_another_one_is() {
    let (mut tab, old) = queued_again();
    tab.feed(Input::LockUnavailable(old));
    tab.advance(5.0);
    assert_eq!(tab.requests.len(), 0);
    let ticket = tab.ticket.expect("still waited for");
    tab.feed(Input::LockUnavailable(ticket));
    tab.advance(0.5);
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn the_lock_is_waited_for_as_long_as_an_attempt_and_five_seconds() {
    let mut tab = Tab::signed_in(policy());
    tab.grants_locks = false;
    tab.want_refresh();
    tab.advance(14.999);
    assert_eq!(tab.stats().locks.timed_out, 0);
    tab.advance(0.001);
    assert_eq!(tab.stats().locks.timed_out, 1);
}

#[test]
fn an_answer_to_an_attempt_that_was_given_up_is_nothing_to_the_next_one() {
    let mut tab = Tab::signed_in(policy());
    tab.want_refresh();
    let (old, _) = tab.sent[0];
    tab.advance(10.0);
    tab.advance_to_refresh();
    let answer = granted(&tab.tokens(300));
    tab.answer_to(old, answer);
    assert_eq!((tab.snapshot().generation, tab.sent.len()), (1, 1));
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().generation, 2);
}

#[test]
fn a_refresh_waits_for_its_own_look_and_not_for_anothers() {
    let mut tab = Tab::signed_in(policy());
    tab.slow_storage = true;
    tab.want_refresh();
    tab.feed(Input::Woken(Wake::Resumed));
    assert_eq!(tab.loads.len(), 2);
    let before = tab.stats().storage.writes;
    tab.answer_load(1);
    assert_eq!(tab.stats().storage.writes, before, "the wake-up's look");
    tab.answer_load(0);
    assert_eq!(tab.stats().storage.writes, before + 1, "the key goes to storage");
}

#[test]
fn a_verdict_waits_for_its_own_look_and_not_for_anothers() {
    let mut tab = Tab::signed_in(policy());
    tab.want_refresh();
    tab.slow_storage = true;
    tab.answer_status(400, "invalid_grant", "");
    tab.feed(Input::Woken(Wake::Resumed));
    tab.answer_load(1);
    assert_eq!(tab.status(), Status::Active);
    tab.answer_load(0);
    assert_eq!(tab.status(), Status::SignedOut);
}

#[test]
fn a_request_after_waking_waits_for_its_own_look_and_not_for_anothers() {
    let mut tab = Tab::signed_in(policy());
    tab.slow_storage = true;
    tab.want_refresh();
    tab.feed(Input::Woken(Wake::Resumed));
    let waiter = tab.want_token();
    tab.answer_load(0);
    assert_eq!(tab.outcome(waiter), None);
    tab.answer_load(0);
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
}

#[test]
fn a_key_waits_for_its_own_write_and_not_for_anothers() {
    let mut tab = Tab::signed_in(Policy { idle: Some(3_600_000), ..policy() });
    tab.slow_storage = true;
    tab.pass(1_000);
    tab.feed(Input::Touch);
    tab.want_refresh();
    tab.answer_load(1);
    tab.answer_write(0);
    assert_eq!(tab.requests.len(), 0, "the touch");
    tab.answer_write(0);
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn new_tokens_wait_for_their_own_write_before_the_lock_is_let_go() {
    let mut tab = Tab::signed_in(Policy { idle: Some(3_600_000), ..policy() });
    tab.want_refresh();
    tab.slow_storage = true;
    tab.pass(1_000);
    tab.feed(Input::Touch);
    tab.answer_granted(300);
    tab.answer_write(0);
    assert_eq!(tab.locks_held, 1, "the touch");
    tab.answer_write(0);
    assert_eq!(tab.locks_held, 0);
}

#[test]
fn storage_is_waited_for_two_seconds_at_each_stage() {
    let mut tab = Tab::signed_in(policy());
    tab.slow_storage = true;
    tab.want_refresh();
    let stage = |tab: &Tab| (tab.stats().storage.writes, tab.requests.len());
    for next in [(2, 0), (2, 1)] {
        let before = stage(&tab);
        tab.advance(1.999);
        assert_eq!(stage(&tab), before);
        tab.advance(0.001);
        assert_eq!(stage(&tab), next, "the sign-in, the key, and then the request");
    }
    tab.answer_granted(300);
    tab.advance(1.999);
    assert_eq!(tab.locks_held, 1, "the tokens");
    tab.advance(0.001);
    assert_eq!(tab.locks_held, 0, "the tokens");
    assert_eq!(tab.stats().storage.failures, 3);
    assert_eq!(tab.count("storage-degraded"), 1);
}

#[test]
fn a_verdict_and_a_wake_up_wait_two_seconds_for_storage() {
    let mut tab = Tab::signed_in(policy());
    tab.slow_storage = true;
    tab.feed(Input::Woken(Wake::Resumed));
    let waiter = tab.want_token();
    tab.advance(1.999);
    assert_eq!((tab.outcome(waiter), tab.lease.clone()), (None, None));
    tab.advance(0.001);
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    tab.slow_storage = false;
    tab.want_refresh();
    tab.slow_storage = true;
    tab.answer_status(400, "invalid_grant", "");
    tab.advance(1.999);
    assert_eq!(tab.status(), Status::Active);
    tab.advance(0.001);
    assert_eq!(tab.status(), Status::SignedOut);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "poll() until None")]
fn what_is_to_be_done_is_done_before_the_next_question() {
    let now = Now { wall: EPOCH, monotonic: 0 };
    let mut session = Session::new(policy(), Seeded(1), now);
    for waiter in [WaiterId(0), WaiterId(1)] {
        session.handle(Input::Restore { waiter }, now);
    }
}
