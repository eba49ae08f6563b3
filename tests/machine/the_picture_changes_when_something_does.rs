//! What observers see, what the shell may send, and when the machine wants to be called.

use everfresh::core::{
    clock::Millis,
    input::Input,
    policy::{IdleMode, Policy},
    timer::Timer,
};

use crate::{browser::Browser, rig::Tab};

fn policy(idle: Millis, idle_mode: IdleMode) -> Policy {
    Policy { idle: Some(idle), idle_mode, jitter: 0, warn: 0, ..Policy::default() }
}

fn timer(tab: &Tab) -> Option<(Timer, Millis)> {
    tab.deadline().map(|deadline| (deadline.timer, deadline.at.0))
}

#[test]
fn input_moves_the_end_in_the_steps_in_which_the_other_tabs_see_it() {
    let mut tab = Tab::signed_in(policy(600_000, IdleMode::End));
    let start = tab.now.wall;
    let ends = |tab: &Tab| (tab.snapshot().idle_at, tab.snapshot().ends_at);
    assert_eq!(ends(&tab), (Some(start + 600_000), Some(start + 600_000)));
    tab.advance(6.0);
    tab.feed(Input::Activity);
    assert_eq!(ends(&tab), (Some(start + 600_000), Some(start + 600_000)));
    tab.advance(4.0);
    assert_eq!(ends(&tab), (Some(start + 606_000), Some(start + 606_000)));
}

#[test]
fn input_does_not_move_an_end_that_is_not_its_own() {
    // The token outlives the idle deadline, and the maximum age comes before it.
    let lapsing = policy(200_000, IdleMode::Lapse);
    let aged = Policy { max_session: Some(300_000), ..policy(600_000, IdleMode::End) };
    for policy in [lapsing, aged] {
        let mut tab = Tab::signed_in(policy);
        let end = tab.now.wall + 300_000;
        tab.advance(2.0);
        tab.feed(Input::Activity);
        assert_eq!(tab.snapshot().ends_at, Some(end));
    }
}

/// How often a page was shown something, and how often its observers were told of that.
fn shows(tab: &Tab) -> (u32, u32) {
    let shown = tab.engine.host.shown();
    (shown.times, shown.told)
}

/// The number of the token that a page is shown the claims of.
fn shown_token(tab: &Tab) -> Option<String> {
    let claims = tab.engine.host.shown().claims;
    claims.map(|claims| claims["jti"].as_str().expect("tokens are numbered").to_owned())
}

#[test]
fn a_page_is_shown_what_changes_and_nothing_else() {
    let mut tab = Tab::new(policy(600_000, IdleMode::End));
    tab.feed(Input::TimerFired);
    assert_eq!(shows(&tab), (0, 0));
    tab.start(300);
    let (times, told) = shows(&tab);
    assert!(times > 0 && told > 0 && told <= times);
    tab.pass(100);
    tab.feed(Input::TimerFired);
    assert_eq!(shows(&tab), (times, told));
    tab.advance_to_refresh();
    let (times, told) = shows(&tab);
    tab.answer_granted(300);
    assert!(shows(&tab).0 > times && shows(&tab).1 > told);
}

#[test]
fn a_new_token_is_shown_where_nothing_else_has_changed() {
    let policy = Policy { jitter: 0, idle: None, ..Policy::default() };
    let mut tab = Tab::signed_in(policy.clone());
    let (snapshot, token) = (tab.snapshot(), shown_token(&tab));
    // Elsewhere the same user signs in anew, within the second that tokens count in.
    let mut other = Tab::new(policy);
    other.pass(1);
    let _ = other.tokens(300);
    other.start(300);
    tab.pass(1);
    while let Some(text) = other.said.pop_front() {
        tab.hear(&text);
    }
    assert_eq!(tab.snapshot(), snapshot);
    assert_ne!(shown_token(&tab), token);
}

#[test]
fn the_claims_shown_are_those_of_the_token_in_use() {
    let mut browser = Browser::new(2, &Policy { jitter: 0, idle: None, ..Policy::default() });
    let tokens = |browser: &Browser| browser.tabs.iter().map(shown_token).collect::<Vec<_>>();
    let first = tokens(&browser);
    assert!(first[0].is_some() && first[0] == first[1]);
    browser.advance(245.0);
    let second = tokens(&browser);
    assert!(second[0] != first[0] && second[0] == second[1], "one refreshed, the other adopts");
    browser.act(0, Tab::sign_out);
    assert_eq!(tokens(&browser), [None, None]);
}

#[test]
fn the_shell_hears_of_a_lease_once() {
    let mut tab = Tab::signed_in(policy(600_000, IdleMode::End));
    assert_eq!(tab.leases, 1);
    for _ in 0..20 {
        tab.pass(100);
        tab.feed(Input::TimerFired);
    }
    assert_eq!(tab.leases, 1);
    tab.advance_to_refresh();
    assert_eq!(tab.leases, 2, "it no longer ends at the refresh");
    tab.answer_granted(300);
    assert_eq!(tab.leases, 4, "the new one, which ends at its own refresh once it is stored");
    tab.sign_out();
    assert_eq!((tab.leases, tab.lease.clone()), (5, None));
    tab.advance(60.0);
    assert_eq!(tab.leases, 5);
}

#[test]
fn a_lease_is_given_anew_when_the_clock_goes_back() {
    let mut tab = Tab::signed_in(policy(600_000, IdleMode::End));
    tab.now.wall -= 60_000;
    tab.feed(Input::TimerFired);
    let lease = tab.lease.clone().expect("a lease");
    assert!(lease.from <= tab.now.wall && tab.now.wall < lease.until);
}

#[test]
fn the_token_in_use_can_be_seen() {
    let mut tab = Tab::new(Policy::default());
    assert_eq!(tab.access_token(), None);
    let tokens = tab.tokens(300);
    let token = tokens.access_token.clone();
    tab.start_with(tokens);
    assert_eq!(tab.access_token(), Some(token));
    tab.feed(Input::Cancel(None));
    assert_eq!(tab.access_token(), None);
}

#[test]
fn a_refresh_that_will_not_be_made_is_neither_shown_nor_waited_for() {
    let tab = Tab::signed_in(policy(300_000, IdleMode::Lapse));
    assert_eq!(tab.snapshot().refresh_at, Some(tab.now.wall + 240_000));
    assert_eq!(timer(&tab), Some((Timer::Refresh, 240_000)));
    let mut idle = Tab::signed_in(policy(200_000, IdleMode::Lapse));
    assert_eq!(idle.snapshot().refresh_at, None);
    assert_eq!(timer(&idle), Some((Timer::Expiry, 300_000)));
    idle.advance(1.0);
    let mut bare = Tab::new(policy(600_000, IdleMode::Lapse));
    let mut tokens = bare.tokens(300);
    tokens.refresh_token = None;
    bare.start_with(tokens);
    assert_eq!(bare.snapshot().refresh_at, None);
    assert_eq!(timer(&bare), Some((Timer::Expiry, 300_000)));
}

#[test]
fn the_countdown_wakes_once_a_second_on_the_second() {
    let policy = Policy { warn: 10_000, ..policy(100_000, IdleMode::End) };
    let mut tab = Tab::new(policy);
    tab.start(3_600);
    assert_eq!(timer(&tab), Some((Timer::Warning, 90_000)));
    tab.advance(90.5);
    for left in (0..10).rev() {
        assert_eq!(timer(&tab), Some((Timer::Countdown, 100_000 - 1_000 * left)));
        assert_eq!(tab.snapshot().seconds_left, u32::try_from(left + 1).ok());
        tab.advance(1.0);
    }
}
