use everfresh::core::{
    effect::Outcome,
    input::{Input, Wake},
    policy::{IdleMode, Policy},
    reason::EndReason,
    snapshot::Status,
};

use crate::{rig::Tab, wire::UNREACHABLE};

/// A night.
const NIGHT: i64 = 8 * 3_600;

#[test]
fn whatever_the_morning_begins_with_an_idle_session_is_over() {
    let idle =
        Policy { idle: Some(900_000), idle_mode: IdleMode::End, jitter: 0, ..Policy::default() };
    let first: [fn(&mut Tab); 5] = [
        |tab| tab.feed(Input::Woken(Wake::Visible)),
        |tab| tab.feed(Input::Woken(Wake::Resumed)),
        |tab| tab.feed(Input::Activity),
        |tab| tab.feed(Input::TimerFired),
        |tab| {
            tab.want_token();
        },
    ];
    for begin in 0..first.len() {
        for mode in [IdleMode::End, IdleMode::Lapse] {
            let mut tab = Tab::signed_in(Policy { idle_mode: mode, ..idle.clone() });
            tab.sleep(NIGHT);
            for step in 0..first.len() {
                first[(begin + step) % first.len()](&mut tab);
                assert_eq!(tab.ended(), Some(EndReason::Idle), "{mode:?}, begins with {begin}");
                assert_eq!(tab.requests.len(), 0, "no refresh");
                assert_eq!(tab.lease, None, "no token");
            }
            assert_eq!(tab.count("signed-out"), 1);
        }
    }
}

#[test]
fn a_session_without_an_idle_limit_is_refreshed_once_when_the_night_is_over() {
    let mut tab = Tab::signed_in(Policy { idle: None, jitter: 0, ..Policy::default() });
    tab.sleep(NIGHT);
    tab.feed(Input::Woken(Wake::Visible));
    let waiter = tab.want_token();
    assert_eq!(tab.requests.len(), 1);
    tab.answer_granted(300);
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    assert_eq!((tab.requests.len(), tab.status()), (1, Status::Active));
}

#[test]
fn three_failures_before_the_network_is_up_are_made_up_for_at_once() {
    let mut tab = Tab::signed_in(Policy { idle: None, jitter: 0, ..Policy::default() });
    tab.sleep(NIGHT);
    tab.feed(Input::Woken(Wake::Visible));
    for _ in 0..3 {
        tab.advance_to_refresh();
        tab.answer(UNREACHABLE);
    }
    let before = tab.now;
    tab.feed(Input::Online(true));
    assert_eq!((tab.requests.len(), tab.now), (4, before), "the fourth goes out without a wait");
    tab.answer_granted(300);
    assert_eq!((tab.status(), tab.count("signed-out")), (Status::Active, 0));
}

#[test]
fn a_wait_for_the_lock_that_sleep_cut_short_leaves_the_valid_token_in_use() {
    let mut tab = Tab::new(Policy { idle: None, jitter: 0, ..Policy::default() });
    tab.grants_locks = false;
    tab.start(3_600);
    tab.want_refresh();
    // A minute of sleep: far beyond the wait for the lock, far before the token's end.
    tab.sleep(60);
    let asker = tab.want_token();
    assert!(matches!(tab.outcome(asker), Some(Outcome::Token(_))));
    assert_eq!((tab.status(), tab.count("signed-out")), (Status::Active, 0));
    tab.advance(1.0);
    assert_eq!(tab.requests.len(), 1, "the refresh goes on without the lock");
}

#[test]
fn a_clock_ten_minutes_slow_costs_at_most_one_401() {
    let mut tab = Tab::new(Policy { idle: None, jitter: 0, ..Policy::default() });
    // The server issued the token five minutes before this clock believes that it is now.
    tab.now.wall -= 600_000;
    let mut tokens = tab.tokens_ahead(600 - 290, r#""sub":"ana""#, 300);
    tokens.expires_in = None;
    tab.start_with(tokens);
    // Ten seconds later the server takes it no more.
    tab.advance(15.0);
    let waiter = tab.unauthorized(tab.lease_id());
    assert_eq!(tab.requests.len(), 1);
    tab.answer_granted(300);
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    let healed = tab.now.monotonic;
    tab.advance_to_refresh();
    let after = tab.now.monotonic - healed;
    assert!(after < 300_000, "the next one comes before the server's expiry: {after} ms");
    assert!(after >= 239_000, "and not in a hurry: {after} ms");
}
