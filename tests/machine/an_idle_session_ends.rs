use everfresh::core::{
    event::Event,
    input::{Input, Wake},
    policy::{Credential, IdleMode, Policy},
    reason::EndReason,
    snapshot::Status,
};

use crate::{rig::Tab, wire::UNREACHABLE};

const MINUTE: f64 = 60.0;

fn policy(idle_mode: IdleMode) -> Policy {
    Policy { idle: Some(900_000), idle_mode, ..Policy::default() }
}

/// Answers refreshes while time passes.
fn serve(tab: &mut Tab, seconds: f64) {
    for _ in 0..(seconds as u32) {
        tab.advance(1.0);
        if !tab.sent.is_empty() {
            tab.answer_granted(300);
        }
    }
}

#[test]
fn lapse_lets_the_token_run_out_and_refreshes_no_more() {
    let mut tab = Tab::signed_in(policy(IdleMode::Lapse));
    serve(&mut tab, 15.0 * MINUTE);
    let requests = tab.requests.len();
    let expires_at = tab.snapshot().expires_at.unwrap();
    assert_eq!(tab.snapshot().ends_at, Some(expires_at));
    let left = (expires_at - tab.now.wall) as f64 / 1_000.0;
    serve(&mut tab, left - 1.0);
    assert!(tab.lease.is_some(), "the token is good to its end");
    serve(&mut tab, 3.0);
    assert_eq!(tab.ended(), Some(EndReason::Idle));
    assert_eq!(tab.requests.len(), requests);
    assert!(tab.revokes.is_empty(), "nothing to revoke: the server's own limit does that");
}

#[test]
fn end_ends_at_the_deadline_and_revokes() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    serve(&mut tab, 15.0 * MINUTE - 1.0);
    assert_eq!(tab.status(), Status::Warning);
    serve(&mut tab, 2.0);
    assert_eq!(tab.ended(), Some(EndReason::Idle));
    assert_eq!(tab.revokes.len(), 1);
}

#[test]
fn input_revives_a_lapsing_session_before_its_end() {
    let mut tab = Tab::signed_in(policy(IdleMode::Lapse));
    serve(&mut tab, 15.0 * MINUTE);
    let requests = tab.requests.len();
    let left = tab.snapshot().expires_at.unwrap() - tab.now.wall;
    serve(&mut tab, left as f64 / 1_000.0 - 5.0);
    assert_eq!(tab.status(), Status::Warning);
    tab.feed(Input::Activity);
    assert_eq!(tab.count("extended"), 1);
    assert_eq!(tab.requests.len(), requests + 1, "the overdue refresh is made up for");
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn input_after_the_end_revives_nothing() {
    for first in [Input::Activity, Input::Woken(Wake::Visible), Input::Touch] {
        let mut tab = Tab::signed_in(policy(IdleMode::Lapse));
        tab.sleep(8 * 3_600);
        tab.feed(first);
        tab.feed(Input::Activity);
        assert_eq!(tab.ended(), Some(EndReason::Idle));
        assert_eq!(tab.requests.len(), 0);
    }
}

#[test]
fn a_request_after_the_end_goes_without_a_token() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.sleep(8 * 3_600);
    let waiter = tab.want_token();
    assert_eq!(tab.outcome(waiter), Some(&everfresh::core::effect::Outcome::Anonymous));
}

#[test]
fn requests_and_refreshes_are_not_input() {
    let mut tab = Tab::signed_in(policy(IdleMode::Lapse));
    for _ in 0..200 {
        serve(&mut tab, 10.0);
        tab.want_token();
    }
    assert_eq!(tab.ended(), Some(EndReason::Idle));
}

#[test]
fn input_every_minute_keeps_it_alive() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    for _ in 0..120 {
        serve(&mut tab, MINUTE);
        tab.feed(Input::Activity);
    }
    assert_eq!(tab.status(), Status::Active);
    assert_eq!(tab.count("warning"), 0);
}

#[test]
fn what_is_held_counts_as_input_until_released() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.feed(Input::Hold(true));
    serve(&mut tab, 60.0 * MINUTE);
    assert_eq!(tab.status(), Status::Active);
    tab.feed(Input::Hold(false));
    serve(&mut tab, 15.0 * MINUTE + 1.0);
    assert_eq!(tab.ended(), Some(EndReason::Idle));
}

#[test]
fn the_warning_counts_down_once_per_approach() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    serve(&mut tab, 14.0 * MINUTE);
    assert_eq!(tab.snapshot().seconds_left, Some(60));
    for left in (1..60).rev() {
        serve(&mut tab, 1.0);
        assert_eq!(tab.snapshot().seconds_left, Some(left));
    }
    assert_eq!(tab.count("warning"), 1);
    tab.feed(Input::Touch);
    assert_eq!((tab.count("extended"), tab.snapshot().seconds_left), (1, None));
    serve(&mut tab, 15.0 * MINUTE + 1.0);
    assert_eq!(tab.count("warning"), 2);
}

#[test]
fn a_short_lived_token_does_not_make_the_warning_flicker() {
    let mut tab = Tab::new(policy(IdleMode::Lapse));
    tab.start(40);
    for _ in 0..1_000 {
        tab.advance(1.0);
        if !tab.sent.is_empty() {
            tab.answer_granted(40);
        }
    }
    assert_eq!(tab.ended(), Some(EndReason::Idle));
    assert_eq!(tab.count("warning"), 1);
}

#[test]
fn the_maximum_age_is_not_moved_by_input() {
    let mut tab =
        Tab::signed_in(Policy { max_session: Some(3_600_000), ..policy(IdleMode::Lapse) });
    for _ in 0..60 {
        serve(&mut tab, MINUTE);
        tab.feed(Input::Touch);
    }
    assert_eq!(tab.ended(), Some(EndReason::MaxAge));
    assert_eq!(tab.count("extended"), 0);
    let warned: Vec<_> = tab
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(warned, [EndReason::MaxAge]);
}

#[test]
fn the_servers_limit_wins_when_it_is_sooner() {
    let mut tab = Tab::new(Policy { max_session: Some(3_600_000), ..policy(IdleMode::Lapse) });
    let mut tokens = tab.tokens(300);
    tokens.session_expires_in = Some(120.0);
    tab.start_with(tokens);
    tab.advance(121.0);
    assert_eq!(tab.ended(), Some(EndReason::MaxAge));
}

#[test]
fn a_clock_set_back_does_not_lengthen_the_wait() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.now.wall -= 86_400_000;
    serve(&mut tab, 15.0 * MINUTE + 1.0);
    assert_eq!(tab.ended(), Some(EndReason::Idle));
}

#[test]
fn a_refresh_that_is_still_to_come_keeps_the_warning_back() {
    // Refreshes fall on every fourth minute; the one at 12 minutes moves the end.
    let idle = Some(730_000);
    let mut tab =
        Tab::signed_in(Policy { idle, warn: 100_000, jitter: 0, ..policy(IdleMode::Lapse) });
    serve(&mut tab, 719.0);
    assert_eq!(tab.count("warning"), 0);
    // The token of the twelfth minute lasts to the seventeenth.
    serve(&mut tab, 200.0);
    assert_eq!(tab.count("warning"), 0);
    serve(&mut tab, 2.0);
    assert_eq!(tab.count("warning"), 1);
}

#[test]
fn a_refresh_that_falls_on_the_idle_deadline_is_not_to_come() {
    let idle = Some(240_000);
    let mut tab =
        Tab::signed_in(Policy { idle, warn: 100_000, jitter: 0, ..policy(IdleMode::Lapse) });
    tab.advance(201.0);
    assert_eq!((tab.count("warning"), tab.snapshot().seconds_left), (1, Some(99)));
    assert_eq!(tab.snapshot().refresh_at, None);
    tab.advance(50.0);
    assert_eq!(tab.requests.len(), 0);
}

#[test]
fn a_token_that_ran_out_offline_does_not_keep_the_warning_back() {
    let mut tab = Tab::signed_in(policy(IdleMode::Lapse));
    tab.feed(Input::Online(false));
    tab.advance(839.0);
    assert_eq!(tab.count("warning"), 0);
    tab.advance(2.0);
    assert_eq!(tab.count("warning"), 1);
}

#[test]
fn a_cookie_is_revoked_by_every_end_and_tokens_by_the_maximum_age() {
    let lapse = policy(IdleMode::Lapse);
    let cookie = Policy { credential: Credential::Cookie, ..lapse.clone() };
    let aged = Policy { max_session: Some(600_000), ..lapse };
    for policy in [cookie, aged] {
        let mut tab = Tab::signed_in(policy);
        serve(&mut tab, 20.0 * MINUTE);
        assert_eq!((tab.status(), tab.revokes.is_empty()), (Status::SignedOut, false));
    }
}

#[test]
fn whoever_comes_back_while_storage_is_being_read_is_there() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.advance(60.0);
    let before = tab.snapshot().idle_at;
    tab.slow_storage = true;
    tab.feed(Input::Woken(Wake::Resumed));
    tab.feed(Input::Woken(Wake::Visible));
    tab.feed(Input::Woken(Wake::Resumed));
    assert_eq!(tab.loads.len(), 1, "one look is enough");
    tab.answer_load(0);
    let after = tab.snapshot().idle_at;
    assert_eq!(after.zip(before).map(|(after, before)| after - before), Some(60_000));
}

#[test]
fn a_page_that_is_merely_resumed_has_nobody_before_it() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.advance(60.0);
    let before = tab.snapshot().idle_at;
    tab.feed(Input::Woken(Wake::Resumed));
    assert_eq!(tab.snapshot().idle_at, before);
}

#[test]
fn while_something_is_held_no_moment_is_named() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    tab.feed(Input::Hold(true));
    assert_eq!((tab.snapshot().idle_at, tab.snapshot().ends_at), (None, None));
}

#[test]
fn a_refresh_that_fails_is_no_input() {
    let mut tab = Tab::signed_in(policy(IdleMode::End));
    let idle_at = tab.snapshot().idle_at;
    tab.advance_to_refresh();
    tab.answer(UNREACHABLE);
    assert_eq!(tab.snapshot().idle_at, idle_at);
}

#[test]
fn input_after_the_clock_was_set_back_counts_in_every_tab() {
    let mut one = Tab::signed_in(policy(IdleMode::End));
    let mut two = Tab::with_store(policy(IdleMode::End), 2, one.store.clone());
    two.restore();
    for tab in [&mut one, &mut two] {
        tab.pass(30_000);
        tab.now.wall -= 60_000;
        tab.feed(Input::TimerFired);
    }
    one.feed(Input::Touch);
    two.hear(&one.said.pop_back().expect("news"));
    assert_eq!(two.snapshot().idle_at, Some(two.now.wall + 900_000));
}

#[test]
fn of_two_ends_in_one_moment_the_users_absence_is_told() {
    let end = policy(IdleMode::End);
    let mut aged = Tab::signed_in(Policy { max_session: end.idle, ..end.clone() });
    let mut spent = Tab::new(end);
    let mut tokens = spent.tokens(900);
    tokens.refresh_token = None;
    spent.start_with(tokens);
    for tab in [&mut aged, &mut spent] {
        serve(tab, 15.0 * MINUTE);
        assert_eq!(tab.ended(), Some(EndReason::Idle));
    }
}

#[test]
fn input_while_storage_is_being_read_counts_unless_an_end_is_due() {
    for (seconds, over) in [(60.0, false), (901.0, true)] {
        let mut tab = Tab::signed_in(policy(IdleMode::End));
        tab.slow_storage = true;
        tab.pass((seconds * 1_000.0) as i64);
        tab.feed(Input::Woken(Wake::Resumed));
        tab.feed(Input::Activity);
        tab.answer_load(0);
        assert_eq!(tab.ended().is_some(), over);
        let idle_at = tab.now.wall + 900_000;
        assert_eq!(tab.snapshot().idle_at, Some(idle_at).filter(|_| !over));
    }
}
