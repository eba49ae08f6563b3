use everfresh::core::{
    effect::Outcome,
    error::Error,
    grant::TokenResponse,
    ids::{LeaseId, WaiterId},
    input::{Input, Wake},
    policy::Policy,
    snapshot::Status,
};

use crate::{
    rig::Tab,
    wire::{granted, jwt},
};

fn is_token(tab: &Tab, waiter: WaiterId) -> bool {
    matches!(tab.outcome(waiter), Some(Outcome::Token(_)))
}

#[test]
fn a_hundred_at_once_share_it() {
    let mut tab = Tab::signed_in(Policy::default());
    let lease = tab.lease_id();
    let waiters: Vec<_> = (0..100).map(|_| tab.unauthorized(lease)).collect();
    assert_eq!(tab.requests.len(), 1);
    tab.answer_granted(300);
    assert!(waiters.into_iter().all(|waiter| is_token(&tab, waiter)));
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn one_that_comes_late_takes_the_token_that_is_there() {
    let mut tab = Tab::signed_in(Policy::default());
    let old = tab.lease_id();
    tab.unauthorized(old);
    tab.answer_granted(300);
    let late = tab.unauthorized(old);
    assert!(is_token(&tab, late));
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn one_for_new_tokens_that_are_still_being_stored_waits_for_another_refresh() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.unauthorized(tab.lease_id());
    tab.slow_storage = true;
    tab.answer_granted(300);
    let waiter = tab.unauthorized(tab.lease_id());
    assert_eq!((tab.requests.len(), tab.outcome(waiter)), (1, None));
    tab.slow_storage = false;
    tab.answer_load(0);
    assert_eq!(tab.requests.len(), 2);
    tab.answer_granted(300);
    assert!(is_token(&tab, waiter));
}

#[test]
fn a_page_that_stood_still_meanwhile_goes_on_when_it_runs_again() {
    for seconds in [300, 0] {
        let mut tab = Tab::new(Policy::default());
        let tokens = TokenResponse {
            access_token: "opaque".to_owned(),
            refresh_token: Some("refresh".to_owned()),
            expires_in: Some(f64::from(seconds)).filter(|seconds| *seconds > 0.0),
            ..TokenResponse::default()
        };
        tab.start_with(tokens);
        tab.grants_locks = false;
        let waiter = tab.unauthorized(tab.lease_id());
        assert!(tab.ticket.is_some());
        tab.feed(Input::Leaving);
        assert_eq!((tab.ticket, tab.outcome(waiter)), (None, None));
        tab.grants_locks = true;
        tab.feed(Input::Woken(Wake::Resumed));
        assert_eq!(tab.requests.len(), 1, "{seconds}");
        tab.answer_granted(300);
        assert!(is_token(&tab, waiter));
    }
}

#[test]
fn a_page_that_stood_still_during_another_attempt_goes_on_when_it_runs_again() {
    let mut tab = Tab::new(Policy::default());
    // Nothing but the 401 says that the token is over.
    tab.start_with(TokenResponse {
        access_token: "opaque".to_owned(),
        refresh_token: Some("refresh".to_owned()),
        ..TokenResponse::default()
    });
    tab.unauthorized(tab.lease_id());
    tab.answer_status(503, "", "");
    tab.grants_locks = false;
    tab.advance(10.0);
    assert!(tab.ticket.is_some() && tab.requests.len() == 1, "it is about to try again");
    tab.feed(Input::Leaving);
    tab.grants_locks = true;
    tab.feed(Input::Woken(Wake::Resumed));
    assert_eq!(tab.requests.len(), 2);
}

#[test]
fn a_transient_failure_hands_the_401_back_and_keeps_the_session() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.unauthorized(tab.lease_id());
    tab.answer_status(503, "", "");
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Original));
    assert_eq!(tab.status(), Status::Active, "the token may still be good");
}

#[test]
fn a_final_verdict_hands_the_401_back_and_ends_the_session() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.unauthorized(tab.lease_id());
    tab.answer_status(400, "invalid_grant", "");
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Original));
    assert_eq!(tab.status(), Status::SignedOut);
}

#[test]
fn ten_in_thirty_seconds_open_the_breaker() {
    let mut tab = Tab::signed_in(Policy::default());
    let mut refreshed = 0;
    for _ in 0..25 {
        let waiter = tab.unauthorized(tab.lease_id());
        if tab.sent.is_empty() {
            assert_eq!(tab.outcome(waiter), Some(&Outcome::Original));
        } else {
            refreshed += 1;
            tab.answer_granted(300);
        }
        tab.pass(1_000);
    }
    assert_eq!(refreshed, 10);
    assert_eq!(
        tab.events.iter().filter(|event| format!("{event:?}").contains("Breaker")).count(),
        1
    );
    let explicit = tab.want_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.outcome(explicit), Some(&Outcome::Done), "an explicit one is let through");
    tab.advance(31.0);
    tab.unauthorized(tab.lease_id());
    assert_eq!(tab.sent.len(), 1, "the window is free again");
}

#[test]
fn a_request_of_another_user_is_never_sent_again() {
    let mut tab = Tab::signed_in(Policy::default());
    let anas = tab.lease_id();
    let tokens = tab.tokens_for("ben", 300);
    tab.start_with(tokens);
    let waiter = tab.unauthorized(anas);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Original));
    assert_eq!(tab.requests.len(), 0);
}

#[test]
fn whoever_waits_as_one_user_gets_no_token_of_the_next() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.pass(301_000);
    let waiter = tab.want_token();
    let tokens = tab.tokens_for("ben", 300);
    tab.start_with(tokens);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Anonymous));
}

#[test]
fn a_refresh_that_returns_another_user_ends_the_session() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.unauthorized(tab.lease_id());
    let tokens = tab.tokens_for("ben", 300);
    tab.answer(granted(&tokens));
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Original));
    let kinds: Vec<_> = tab.events.iter().map(everfresh::core::event::Event::kind).collect();
    assert_eq!(kinds, ["started", "subject-changed", "signed-out"]);
}

#[test]
fn everybody_who_waits_is_settled_whatever_happens() {
    type Act = fn(&mut Tab);
    let acts: [(Act, Error); 4] = [
        (|tab| tab.answer_status(400, "invalid_grant", ""), Error::SignedOutByServer),
        (
            |tab| {
                tab.answer_status(404, "", "");
                tab.advance(31.0);
            },
            Error::Unavailable,
        ),
        (|tab| tab.advance(31.0), Error::Unavailable),
        (|tab| tab.feed(Input::Dispose), Error::Disposed),
    ];
    for (act, code) in acts {
        let mut tab = Tab::signed_in(Policy::default());
        tab.pass(301_000);
        let waiters: Vec<_> = (0..5).map(|_| tab.want_token()).collect();
        act(&mut tab);
        for waiter in waiters {
            assert_eq!(tab.failed_with(waiter), Some(code));
        }
    }
}

#[test]
fn one_that_gave_up_is_left_alone() {
    let mut tab = Tab::signed_in(Policy::default());
    let waiter = tab.unauthorized(tab.lease_id());
    tab.abandon(waiter);
    assert_eq!(tab.aborted.len(), 0, "the shared refresh goes on");
    tab.answer_granted(300);
    assert_eq!(tab.outcome(waiter), None);
}

#[test]
fn a_token_in_a_response_header_is_taken_up() {
    let mut tab = Tab::signed_in(Policy::default());
    let old = tab.lease_id();
    tab.pass(60_000);
    let tokens = tab.tokens(300);
    tab.adopt(tokens.access_token, old);
    assert_ne!(tab.lease_id(), old);
    assert_eq!(tab.snapshot().generation, 2);
    tab.advance(240.0);
    assert_eq!(tab.requests[0].1.refresh_token.as_deref(), Some("refresh-1"));
}

#[test]
fn a_token_in_a_header_is_left_alone_where_it_is_not_the_sessions() {
    type Act = fn(&mut Tab, &mut String, &mut LeaseId);
    let cases: [(&str, Act); 4] = [
        ("it is the one in use", |tab, token, _| *token = tab.access_token().unwrap_or_default()),
        ("it is another user's", |tab, token, _| *token = tab.tokens_for("ben", 600).access_token),
        ("a refresh is under way", |tab, _, _| {
            tab.unauthorized(tab.lease_id());
        }),
        ("the request was another user's", |_, _, lease| lease.0 -= 1),
    ];
    for (why, prepare) in cases {
        let mut tab = Tab::signed_in(Policy::default());
        let tokens = tab.tokens_for("ben", 300);
        tab.start_with(tokens);
        let tokens = tab.tokens_for("ana", 300);
        tab.start_with(tokens);
        tab.pass(60_000);
        let (mut token, mut lease) = (tab.tokens(600).access_token, tab.lease_id());
        let before = tab.snapshot().generation;
        prepare(&mut tab, &mut token, &mut lease);
        tab.adopt(token, lease);
        assert_eq!(tab.snapshot().generation, before, "{why}");
    }
}

#[test]
fn a_token_in_a_header_that_ends_no_later_is_not_worth_it() {
    let mut tab = Tab::signed_in(Policy::default());
    for (seconds, generation) in [(300, 1), (301, 2)] {
        let (tokens, lease) = (tab.tokens(seconds), tab.lease_id());
        tab.adopt(tokens.access_token, lease);
        assert_eq!(tab.snapshot().generation, generation, "{seconds} s");
    }
}

/// A token of the user that ran out, or seems to, this long ago.
fn dead(tab: &Tab, seconds: i64, iat: bool) -> String {
    let exp = tab.now.wall / 1_000 - seconds;
    let issued = if iat { format!(r#","iat":{}"#, exp - 300) } else { String::new() };
    jwt(&format!(r#"{{"sub":"ana","exp":{exp}{issued}}}"#))
}

#[test]
fn a_token_in_a_header_out_of_a_cache_takes_no_good_ones_place() {
    for (alone, iat) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut tab = Tab::new(Policy::default());
        let mut tokens = tab.tokens(300);
        tokens.refresh_token = tokens.refresh_token.filter(|_| !alone);
        tab.start_with(tokens);
        let (token, lease) = (dead(&tab, 600, iat), tab.lease_id());
        tab.adopt(token, lease);
        assert_eq!((tab.snapshot().generation, tab.lease_id()), (1, lease), "{alone} {iat}");
        assert_eq!(tab.count("clock-skew"), 0, "{alone} {iat}");
    }
}

#[test]
fn a_token_in_a_header_is_taken_up_where_the_clock_is_wrong_by_an_unknown_time() {
    let mut tab = Tab::new(Policy::default());
    let access_token = dead(&tab, 7_200, false);
    tab.start_with(TokenResponse { access_token, ..TokenResponse::default() });
    let (token, lease) = (dead(&tab, 7_000, false), tab.lease_id());
    tab.adopt(token, lease);
    assert_eq!(tab.snapshot().generation, 2);
}

/// A listener of `refreshed` and `refresh-failed` that asks for a refresh each time.
#[test]
fn thirty_in_thirty_seconds_stop_even_an_application_that_asks_again_and_again() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    let mut asked = 0;
    for _ in 0..250 {
        for _ in 0..3 {
            tab.want_refresh();
            asked += 1;
            if !tab.sent.is_empty() {
                tab.answer_granted(300);
            }
        }
        tab.advance(0.1);
    }
    assert_eq!((asked, tab.requests.len()), (750, 30), "in 25 s");
    assert_eq!(tab.waiting(), []);
    assert_eq!(tab.count("refresh-failed"), 1, "once, not for each");
    tab.advance(6.0);
    let later = tab.want_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.outcome(later), Some(&Outcome::Done));
}
