use everfresh::core::{
    clock::Millis,
    effect::Outcome,
    error::Error,
    event::Event,
    input::{Input, Wake},
    policy::{Credential, Policy},
    reason::EndReason,
    snapshot::Status,
};
use everfresh::engine::endpoint::Response;

use crate::{
    rig::{Store, Tab},
    wire::{UNREACHABLE, granted, retry_after, unusable},
};

fn due() -> Tab {
    due_with(Credential::RefreshToken)
}

fn due_with(credential: Credential) -> Tab {
    let mut tab = Tab::signed_in(Policy { credential, idle: None, ..Policy::default() });
    tab.advance_to_refresh();
    tab
}

fn retry_at(tab: &Tab) -> Millis {
    tab.events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::RefreshFailed { retry_at, .. } => *retry_at,
            _ => None,
        })
        .expect("a failure that is tried again")
}

#[test]
fn whatever_may_be_the_networks_fault_ends_nothing() {
    for status in [408, 429, 500, 502, 503, 504, 302] {
        let mut tab = due();
        tab.answer_status(status, "", "");
        assert_eq!(tab.status(), Status::Active, "{status}");
        assert!(tab.lease.is_some(), "a valid token is used, whatever the refresh does");
    }
    for (credential, answer) in [
        (Credential::RefreshToken, UNREACHABLE),
        (Credential::RefreshToken, unusable()),
        (Credential::Function, UNREACHABLE),
    ] {
        let mut tab = due_with(credential);
        tab.answer(answer);
        assert_eq!(tab.status(), Status::Active);
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_attempt_come_sooner() {
    for failures in 1..5 {
        let mut tab = due();
        let (mut answered, mut set_back) = (0, false);
        for _ in 0..600 {
            if tab.requests.len() > answered {
                answered = tab.requests.len();
                tab.answer_status(503, "", "");
            }
            if answered == failures && !set_back {
                set_back = true;
                tab.now.wall -= 3_600_000;
            }
            tab.advance(1.0);
        }
        assert!(answered < 40, "{answered} attempts, the clock was set back after {failures}");
    }
}

#[test]
fn every_attempt_of_one_rotation_carries_the_same_key() {
    let mut tab = due();
    for answer in [UNREACHABLE, unusable()] {
        tab.answer(answer);
        tab.advance_to_refresh();
    }
    tab.advance(10.0);
    tab.advance_to_refresh();
    assert!(tab.requests.len() >= 4, "a silent server is given up on after timeoutSeconds");
    let keys: std::collections::BTreeSet<_> =
        tab.requests.iter().map(|(_, request)| request.rotation_key.clone()).collect();
    assert_eq!(keys.len(), 1);
    tab.answer_granted(300);
    tab.advance_to_refresh();
    assert!(!keys.contains(&tab.requests.last().unwrap().1.rotation_key), "the next has its own");
}

#[test]
fn the_key_lies_in_storage_before_the_request_leaves() {
    let tab = due();
    let key = u128::from_str_radix(&tab.requests[0].1.rotation_key, 16).unwrap();
    // Its two halves, as numbers.
    let lines = format!("\n{}\n{}\n", (key >> 64) as i64, key as i64);
    assert!(tab.store.borrow().as_ref().unwrap().contains(&lines));
}

#[test]
fn a_crash_after_sending_costs_nothing() {
    let tab = due();
    let key = tab.requests[0].1.rotation_key.clone();
    let mut next =
        Tab::with_store(Policy { idle: None, ..Policy::default() }, 2, tab.store.clone());
    next.now = tab.now;
    next.pass(100_000);
    next.restore();
    assert_eq!(next.requests[0].1.rotation_key, key);
}

#[test]
fn the_waits_grow_up_to_three_fifths_of_a_lifetime_and_to_a_minute_at_least() {
    for (life, most) in [(40, 60_000), (150, 90_000), (300, 180_000), (3_600, 180_000)] {
        let mut tab = Tab::new(Policy { idle: None, ..Policy::default() });
        tab.start(life);
        tab.advance_to_refresh();
        let mut longest = 0;
        for _ in 0..20 {
            tab.answer(UNREACHABLE);
            let wait = retry_at(&tab) - tab.now.wall;
            longest = longest.max(wait);
            assert!(wait <= most, "{life} s: {wait}");
            tab.advance_to_refresh();
        }
        assert!(longest > most * 3 / 4, "{life} s: {longest}");
    }
}

#[test]
fn retry_after_is_honoured_to_the_second_by_everything() {
    let mut tab = due();
    tab.answer(retry_after(429, 20));
    tab.feed(Input::Online(true));
    tab.feed(Input::Woken(Wake::Visible));
    let explicit = tab.want_refresh();
    assert_eq!(tab.failed_with(explicit), Some(Error::Unavailable));
    tab.advance(19.9);
    assert_eq!(tab.requests.len(), 1);
    tab.advance(0.2);
    assert_eq!(tab.requests.len(), 2);
}

#[test]
fn waking_before_the_network_does_ends_in_a_refresh_when_it_comes() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.sleep(8 * 3_600);
    tab.feed(Input::Woken(Wake::Visible));
    for _ in 0..3 {
        tab.answer(UNREACHABLE);
        tab.advance_to_refresh();
    }
    tab.answer(UNREACHABLE);
    assert_eq!(tab.status(), Status::Stale);
    let before = tab.requests.len();
    tab.feed(Input::Online(true));
    assert_eq!(tab.requests.len(), before + 1, "at once");
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
    assert_eq!((tab.count("stale"), tab.count("signed-out")), (1, 0));
}

#[test]
fn offline_longer_than_the_token_costs_one_refresh() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.feed(Input::Online(false));
    tab.advance_to_refresh();
    assert!(tab.now.monotonic >= 270_000, "the longest backoff comes first");
    let mut tried = 0;
    while tab.now.monotonic < 700_000 {
        tab.answer(UNREACHABLE);
        tab.advance_to_refresh();
        tried += 1;
    }
    assert!(tried <= 8, "once a minute: {tried}");
    tab.answer(UNREACHABLE);
    assert_eq!(tab.status(), Status::Stale);
    let before = tab.requests.len();
    tab.feed(Input::Online(true));
    tab.answer_granted(300);
    let waiter = tab.want_token();
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    assert_eq!(tab.requests.len(), before + 1);
}

/// `navigator.onLine` may stay false for ever beside a network that works.
#[test]
fn a_hint_that_there_is_no_network_stops_nothing() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.feed(Input::Online(false));
    tab.advance_to_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
    let granted = tab.now.monotonic;
    tab.advance_to_refresh();
    assert!(tab.now.monotonic - granted <= 240_000, "an answer has proved it wrong");
}

#[test]
fn who_needs_a_token_is_not_made_to_wait_by_a_hint() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.feed(Input::Online(false));
    tab.advance(250.0);
    tab.pass(51_000);
    tab.want_token();
    assert_eq!(tab.requests.len(), 1, "at once");
    // Every request of a page that goes on trying fails.
    for _ in 0..60 {
        if !tab.sent.is_empty() {
            tab.answer(UNREACHABLE);
        }
        tab.want_token();
        tab.advance(1.0);
    }
    assert!((6..=14).contains(&tab.requests.len()), "{}", tab.requests.len());
    let explicit = tab.want_refresh();
    assert!(!tab.sent.is_empty(), "who asks in person too");
    tab.answer_granted(300);
    assert_eq!(tab.outcome(explicit), Some(&Outcome::Done));
}

#[test]
fn nor_does_a_caller_of_an_idle_tab_keep_it_busy() {
    let idle = Some(1_000);
    let mut tab =
        Tab::new(Policy { lead: 0, jitter: 0, min_interval: 0, idle, ..Policy::default() });
    tab.start(11);
    tab.feed(Input::Online(false));
    let waiter = tab.want_token_for(11_001);
    // The rig refuses a deadline that has passed: it would be a timer that fires again and again.
    tab.advance(20.0);
    assert_eq!(tab.requests.len(), 1, "when it was still in use");
    assert!(!tab.waiting().contains(&waiter));
}

#[test]
fn a_request_that_hangs_is_aborted_and_a_late_answer_is_nothing() {
    let mut tab = due();
    let (attempt, _) = tab.sent[0].clone();
    tab.advance(10.1);
    assert_eq!(tab.aborted, [attempt]);
    let tokens = tab.tokens(300);
    let generation = tab.snapshot().generation;
    tab.answer_to(attempt, granted(&tokens));
    assert_eq!(tab.snapshot().generation, generation);
    assert_eq!(tab.stats().outcomes.discarded, 1);
}

#[test]
fn superseded_is_tried_twice_more_and_then_final() {
    let mut tab = due();
    for _ in 0..2 {
        tab.answer_status(400, "invalid_grant", "superseded");
        assert_eq!(tab.status(), Status::Active);
        tab.advance_to_refresh();
    }
    tab.answer_status(400, "invalid_grant", "superseded");
    assert_eq!(tab.ended(), Some(EndReason::Revoked));
    assert_eq!(tab.revokes.len(), 1, "whoever holds the newer token is none of our tabs");
}

#[test]
fn after_the_servers_no_there_is_no_network_any_more() {
    let mut tab = due();
    tab.answer_status(400, "invalid_grant", "reuse_detected");
    assert_eq!(tab.ended(), Some(EndReason::Reuse));
    for _ in 0..1_000 {
        let waiter = tab.want_token();
        assert_eq!(tab.outcome(waiter), Some(&Outcome::Anonymous));
        tab.pass(3_600);
        tab.feed(Input::Woken(Wake::Visible));
    }
    assert_eq!(tab.requests.len(), 1);
    assert_eq!(tab.count("signed-out"), 1);
}

#[test]
fn one_explicit_attempt_is_one_attempt() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    let waiter = tab.want_refresh();
    tab.answer(UNREACHABLE);
    assert_eq!(tab.failed_with(waiter), Some(Error::Unavailable));
    tab.advance(2.0);
    assert_eq!(tab.requests.len(), 2, "the session's own backoff goes on");
}

#[test]
fn the_last_error_is_kept_to_the_end_and_not_beyond_a_success() {
    let mut tab = due();
    tab.answer(unusable());
    assert_eq!(tab.snapshot().last_error, Some(Error::BadResponse));
    tab.advance_to_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().last_error, None);
    tab.advance_to_refresh();
    tab.answer_status(503, "", "");
    tab.sign_out();
    assert_eq!(tab.snapshot().last_error, Some(Error::Unavailable));
}
/// Fails often, so that the backoff is long, and is then told to wait by the server.
fn told_to_wait(seconds: u32) -> Tab {
    let mut tab = due();
    for _ in 0..9 {
        tab.answer(UNREACHABLE);
        tab.advance_to_refresh();
    }
    tab.answer(retry_after(429, seconds));
    tab
}

/// Another tab of the same browser, asked to refresh.
fn asked_elsewhere(tab: &Tab) -> usize {
    let policy = Policy { idle: None, ..Policy::default() };
    let mut other = Tab::with_store(policy, 2, tab.store.clone());
    other.now = tab.now;
    other.restore();
    other.want_refresh();
    other.advance(0.25);
    other.requests.len()
}

#[test]
fn a_wake_up_cuts_short_what_goes_beyond_the_servers_wish() {
    let mut tab = told_to_wait(1);
    let sent = tab.requests.len();
    assert!(retry_at(&tab) - tab.now.wall > 3_000, "our own backoff is longer");
    tab.advance(0.7);
    tab.feed(Input::Woken(Wake::Visible));
    assert_eq!((tab.requests.len(), asked_elsewhere(&tab)), (sent, 0), "the server's second");
    tab.advance(0.6);
    assert_eq!(asked_elsewhere(&tab), 1);
    tab.feed(Input::Woken(Wake::Visible));
    assert_eq!(tab.requests.len(), sent + 1);
}

#[test]
fn nobody_is_told_to_wait_for_longer_than_a_quarter_of_an_hour() {
    let wishes = ["901", "4294967295", "99999999999999999999999", "Thu, 31 Dec 2099 23:59:59 GMT"];
    for wish in wishes {
        let mut tab = due();
        let headers = vec![("retry-after".to_owned(), wish.to_owned())];
        tab.answer(Some(Response { status: 503, headers, ..Response::default() }));
        tab.advance(899.9);
        assert_eq!(tab.requests.len(), 1, "{wish}");
        tab.advance(0.2);
        assert_eq!(tab.requests.len(), 2, "{wish}");
    }
}

#[test]
fn nor_by_what_lies_in_storage() {
    let tab = due();
    let text = tab.store.borrow().clone().expect("a record");
    let mut lines: Vec<_> = text.split('\n').map(str::to_owned).collect();
    // The backoff: of this generation, until, since, until as the server wished.
    let since = tab.now.wall.to_string();
    lines[18..22]
        .clone_from_slice(&["1", "9999999999999", &since, "9999999999999"].map(str::to_owned));
    *tab.store.borrow_mut() = Some(lines.join("\n"));
    let policy = Policy { idle: None, ..Policy::default() };
    let mut page = Tab::open(policy, 2, tab.store.clone(), tab.now);
    page.restore();
    page.advance(899.9);
    assert_eq!(page.requests.len(), 0, "{:?}", page.events);
    page.advance(0.2);
    assert_eq!(page.requests.len(), 1);
}

#[test]
fn who_asks_in_person_may_probe_once_in_half_a_minute() {
    let mut tab = due();
    tab.answer(retry_after(503, 600));
    for probes in 2..5 {
        tab.advance(29.9);
        let early = tab.want_refresh();
        assert_eq!(tab.failed_with(early), Some(Error::Unavailable));
        tab.advance(0.2);
        tab.want_refresh();
        assert_eq!(tab.requests.len(), probes);
        tab.answer(retry_after(503, 600));
    }
    tab.advance(30.0);
    tab.want_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn an_attempt_that_began_before_the_sign_in_counts_for_who_asks_in_person() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let mut tab = Tab::new(policy.clone());
    tab.restore();
    let mut other = Tab::with_store(policy, 2, Store::default());
    other.start(300);
    tab.hear(&other.said.pop_back().expect("tokens"));
    tab.answer(retry_after(503, 600));
    tab.advance(29.9);
    let early = tab.want_refresh();
    assert_eq!((tab.requests.len(), tab.failed_with(early)), (1, Some(Error::Unavailable)));
    tab.advance(0.2);
    tab.want_refresh();
    assert_eq!(tab.requests.len(), 2);
}
