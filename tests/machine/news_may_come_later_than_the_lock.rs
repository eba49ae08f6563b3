//! A tab that holds the lock gives the news of another's attempt a quarter of a second.

use everfresh::core::{
    clock::Now,
    effect::Outcome,
    input::{Input, Wake},
    policy::{Credential, Policy},
};

use crate::{
    rig::{EPOCH, Store, Tab},
    wire::{UNREACHABLE, refusal, retry_after},
};

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

fn cookie() -> Policy {
    Policy { credential: Credential::Cookie, ..policy() }
}

/// A tab whose refresh is under way, closed; and another that is signed in with the same record.
fn crashed() -> (Tab, Tab) {
    let mut one = Tab::signed_in(policy());
    let mut two = Tab::with_store(policy(), 2, one.store.clone());
    two.restore();
    two.grants_locks = false;
    one.want_refresh();
    (one, two)
}

#[test]
fn a_visitor_who_is_not_signed_in_waits_for_nobody() {
    let store = Store::default();
    let mut took = Vec::new();
    let mut now = Now { wall: EPOCH, monotonic: 0 };
    for page in 1..=3 {
        let mut tab = Tab::open(cookie(), page, store.clone(), now);
        let begun = now.monotonic;
        let waiter = tab.restore();
        tab.advance_to_refresh();
        tab.answer(refusal(401, "login_required", ""));
        assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
        took.push(tab.now.monotonic - begun);
        tab.pass(3_000);
        now = tab.now;
    }
    assert_eq!(took[1..], [100, 100], "each page load");
}

#[test]
fn nor_is_a_failure_waited_for_that_is_on_record() {
    let mut one = Tab::signed_in(policy());
    let mut two = Tab::with_store(policy(), 2, one.store.clone());
    two.restore();
    one.want_refresh();
    one.answer(UNREACHABLE);
    while let Some(text) = one.said.pop_front() {
        two.hear(&text);
    }
    two.want_refresh();
    assert_eq!(two.requests.len(), 1, "the other's attempt is over, and all know it");
}

#[test]
fn tokens_that_came_before_the_server_asked_for_patience_do_not_end_it() {
    let (mut one, mut two) = crashed();
    // Storage is slower than the lock: the second repeats what was answered already.
    two.store = Store::default();
    one.answer_granted(60);
    two.grants_locks = true;
    two.pass(100);
    two.want_refresh();
    two.advance_to_refresh();
    two.answer(retry_after(503, 120));
    let told = one.said.pop_back().expect("its tokens");
    two.pass(1_000);
    two.hear(&told);
    assert_eq!(two.snapshot().generation, 2);
    two.advance(118.0);
    assert_eq!(two.requests.len(), 1, "the server has asked for patience since");
    two.advance(2.0);
    assert_eq!(two.requests.len(), 2);
}

#[test]
fn a_tab_with_the_lock_and_one_without_do_not_both_send() {
    let mut both = Vec::new();
    for after in [0, 50, 100, 150, 200, 240] {
        // A third tab made the key, and crashed longer ago than an attempt can take.
        let mut crashed = Tab::signed_in(policy());
        let mut unlocked = Tab::with_store(policy(), 3, crashed.store.clone());
        unlocked.restore();
        unlocked.grants_locks = false;
        let mut locked = Tab::with_store(policy(), 2, unlocked.store.clone());
        locked.restore();
        crashed.want_refresh();
        unlocked.pass(11_000);
        locked.pass(11_000);
        locked.grants_locks = false;
        locked.want_refresh();
        unlocked.want_refresh();
        let none = unlocked.ticket.take().expect("asks");
        unlocked.feed(Input::LockUnavailable(none));
        let step = |unlocked: &mut Tab, locked: &mut Tab, millis: i64| {
            for _ in 0..millis {
                for tab in [&mut *unlocked, &mut *locked] {
                    tab.pass(1);
                    tab.feed(Input::TimerFired);
                }
                while let Some(text) = unlocked.said.pop_front() {
                    locked.hear(&text);
                }
                while let Some(text) = locked.said.pop_front() {
                    unlocked.hear(&text);
                }
            }
        };
        step(&mut unlocked, &mut locked, after);
        let ticket = locked.ticket.expect("asks");
        locked.feed(Input::LockGranted(ticket));
        // Answers take longer than all that.
        step(&mut unlocked, &mut locked, 900);
        both.push((after, unlocked.requests.len() + locked.requests.len()));
    }
    let twice: Vec<_> = both.iter().filter(|(_, sent)| *sent > 1).collect();
    assert!(twice.is_empty(), "granted so many ms after the other's key; sent: {both:?}");
}

#[test]
fn a_tab_whose_timer_was_late_looks_who_has_sent_meanwhile() {
    let (one, mut two) = crashed();
    let mut three = Tab::with_store(policy(), 3, one.store.clone());
    three.restore();
    three.grants_locks = false;
    two.want_refresh();
    three.want_refresh();
    let ticket = two.ticket.expect("asks");
    two.feed(Input::LockGranted(ticket));
    let before = two.requests.len();
    // The process of the one is suspended; the other goes on without the lock after 15 s.
    three.advance(15.6);
    assert_eq!(three.requests.len(), 1);
    two.pass(15_650);
    two.feed(Input::TimerFired);
    two.advance(1.0);
    assert_eq!(two.requests.len() - before, 0, "the other's request is under way");
}

#[test]
fn a_page_that_comes_back_after_long_and_another_send_once() {
    let (one, mut two) = crashed();
    two.want_refresh();
    let ticket = two.ticket.expect("asks");
    two.feed(Input::LockGranted(ticket));
    two.advance(0.1);
    assert_eq!(two.requests.len(), 0);
    two.feed(Input::Leaving);
    two.pass(20_000);
    two.feed(Input::Woken(Wake::Resumed));
    assert!(two.requests.len() <= 1);
    // A third tab looks, with the lock or without.
    let mut three = Tab::open(policy(), 3, one.store.clone(), two.now);
    three.restore();
    three.want_refresh();
    two.advance(1.0);
    three.advance(1.0);
    let sent = two.requests.len() + three.requests.len();
    assert_eq!(sent, 1, "two: {}, three: {}", two.requests.len(), three.requests.len());
}

#[test]
fn what_a_page_sends_that_came_back_is_on_record() {
    let (one, mut two) = crashed();
    two.want_refresh();
    let ticket = two.ticket.expect("asks");
    two.feed(Input::LockGranted(ticket));
    let before = two.requests.len();
    two.feed(Input::Leaving);
    two.pass(20_000);
    let writes = two.stats().storage.writes;
    two.feed(Input::Woken(Wake::Resumed));
    two.advance(0.6);
    let sends = two.requests.len() - before;
    let noted = two.stats().storage.writes - writes;
    drop(one);
    assert!(sends == 0 || noted >= 1, "{sends} sent, {noted} written");
}

#[test]
fn a_page_that_left_for_a_moment_goes_on_at_once() {
    let (_one, mut two) = crashed();
    two.want_refresh();
    let ticket = two.ticket.expect("asks");
    two.feed(Input::LockGranted(ticket));
    two.advance(0.1);
    two.feed(Input::Leaving);
    two.pass(200);
    two.feed(Input::Woken(Wake::Resumed));
    two.grants_locks = true;
    let begun = two.now.monotonic;
    two.advance_to_refresh();
    let took = two.now.monotonic - begun;
    assert!(took <= 500, "{took} ms");
}

#[test]
fn a_caller_waits_no_longer_than_its_bound() {
    let short = Policy { wait: Some(100), ..policy() };
    let mut one = Tab::signed_in(short.clone());
    let mut two = Tab::with_store(short, 2, one.store.clone());
    two.restore();
    one.want_refresh();
    let token = two.want_token_for(400_000);
    let refresh = two.want_refresh();
    two.advance(0.1);
    assert!(two.outcome(token).is_some() && two.outcome(refresh).is_some());
}
