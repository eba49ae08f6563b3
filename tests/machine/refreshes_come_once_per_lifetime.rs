use everfresh::core::{
    clock::{Millis, Now},
    error::Error,
    event::Event,
    input::{Input, Wake},
    policy::Policy,
    reason::RefreshReason,
    snapshot::Status,
};

use crate::{rig::Tab, wire::granted};

fn awake() -> Policy {
    Policy { idle: None, ..Policy::default() }
}

/// Lets a server that always answers keep the session going; gives the times of the refreshes.
fn live_through(tab: &mut Tab, seconds: u32, lifetime: u32) -> Vec<Millis> {
    let before = tab.requests.len();
    let end = tab.now.monotonic + Millis::from(seconds) * 1_000;
    while tab.now.monotonic < end {
        let wait = tab.wait().unwrap_or(Millis::MAX);
        let wait = wait.min(end - tab.now.monotonic);
        tab.pass(wait);
        tab.feed(Input::TimerFired);
        if !tab.sent.is_empty() {
            tab.answer_granted(lifetime);
        }
    }
    tab.requests[before..].iter().map(|(at, _)| *at).collect()
}

#[test]
fn each_falls_into_the_lead_and_jitter_window() {
    let mut tab = Tab::signed_in(awake());
    let mut previous = 0;
    let times = live_through(&mut tab, 3_000, 300);
    assert!(times.len() >= 12);
    for at in times {
        let after = at - previous;
        assert!((210_000..=240_000).contains(&after), "{after} ms after issue");
        previous = at;
    }
    assert_eq!(tab.count("refreshed"), tab.requests.len());
    assert_eq!(tab.stats().refreshes.scheduled as usize, tab.requests.len());
}

#[test]
fn newer_options_count_from_the_next_token_on() {
    let mut tab = Tab::signed_in(Policy { jitter: 0, ..awake() });
    tab.configure(|settings| settings.policy = Policy { jitter: 0, lead: 120_000, ..awake() });
    assert_eq!(live_through(&mut tab, 430, 300), [240_000, 420_000]);
}

#[test]
fn the_jitter_differs_from_cycle_to_cycle() {
    let mut tab = Tab::signed_in(awake());
    let times = live_through(&mut tab, 3_000, 300);
    let gaps: std::collections::BTreeSet<_> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.len() > 5, "{gaps:?}");
}

#[test]
fn short_lives_are_used_for_half_their_length_and_never_hammer_the_server() {
    for lifetime in [1, 5, 30, 60, 65] {
        let mut tab = Tab::new(awake());
        tab.start(lifetime);
        let refreshes = live_through(&mut tab, 600, lifetime).len() as f64;
        let most = 600.0 / (f64::from(lifetime) / 2.0).max(5.0);
        assert!(refreshes <= most.ceil(), "{refreshes} refreshes at a life of {lifetime} s");
    }
}

#[test]
fn a_life_of_forty_days_is_not_refreshed_early() {
    let mut tab = Tab::new(awake());
    tab.start(40 * 86_400);
    tab.advance(40.0 * 86_400.0 - 91.0);
    assert_eq!(tab.requests.len(), 0);
    tab.advance_to_refresh();
    assert!(tab.now.monotonic <= (40 * 86_400 - 60) * 1_000);
}

#[test]
fn a_clock_two_hours_fast_changes_nothing_after_the_first_refresh() {
    let mut tab = Tab::signed_in(awake());
    tab.now = Now { wall: tab.now.wall + 7_200_000, ..tab.now };
    tab.feed(Input::TimerFired);
    tab.answer_granted(300);
    assert!(live_through(&mut tab, 3_600, 300).len() <= 18);
}

#[test]
fn the_skew_is_reported_from_thirty_seconds_on_and_per_step() {
    let mut tab = Tab::signed_in(awake());
    let mut skews = Vec::new();
    for skew in [10, 40, 45, 90] {
        tab.want_refresh();
        tab.now.wall += skew * 1_000;
        let tokens = tab.tokens(300);
        tab.now.wall -= skew * 1_000;
        tab.answer(granted(&tokens));
        tab.pass(60_000);
        skews.extend(tab.events.drain(..).filter_map(|event| match event {
            Event::ClockSkew { skew } => Some(skew / 1_000),
            _ => None,
        }));
    }
    assert_eq!(skews, [40, 90]);
}

#[test]
fn a_timer_that_never_fires_is_made_up_for_on_waking() {
    let mut tab = Tab::signed_in(awake());
    tab.pass(250_000);
    tab.feed(Input::Woken(Wake::Visible));
    assert_eq!(tab.requests.len(), 1);
    assert_eq!(tab.stats().refreshes.wake, 1);
}

#[test]
fn a_token_is_refreshed_before_use_when_it_has_expired_unnoticed() {
    let mut tab = Tab::signed_in(awake());
    tab.pass(301_000);
    let waiter = tab.want_token();
    assert_eq!(tab.outcome(waiter), None, "an expired token is never handed out");
    tab.answer_granted(300);
    assert!(tab.outcome(waiter).is_some());
}

#[test]
fn fifty_looks_at_the_page_cost_nothing() {
    let mut tab = Tab::signed_in(awake());
    tab.events.clear();
    for _ in 0..50 {
        tab.pass(1_000);
        tab.feed(Input::Woken(Wake::Visible));
    }
    assert_eq!((tab.requests.len(), tab.events.len()), (0, 0));
}

#[test]
fn a_thousand_looks_at_a_valid_token_take_no_lock_and_read_no_storage() {
    let mut tab = Tab::signed_in(awake());
    let before = tab.stats().clone();
    for _ in 0..1_000 {
        tab.want_token();
    }
    assert_eq!(tab.stats(), before);
}

#[test]
fn a_longer_validity_than_is_left_asks_for_a_new_token_once() {
    let mut tab = Tab::signed_in(awake());
    tab.advance(100.0);
    let waiter = tab.want_token_for(250_000);
    tab.answer_granted(200);
    assert!(tab.outcome(waiter).is_some(), "the newest there is, though it is shorter");
    assert_eq!(tab.requests.len(), 1);
}

#[test]
fn the_picture_stays_the_same_while_nothing_changes() {
    let mut tab = Tab::signed_in(Policy::default());
    let first = tab.snapshot();
    for _ in 0..20 {
        tab.pass(937);
        tab.now.wall += if tab.now.wall % 2 == 0 { 3 } else { -3 };
        tab.feed(Input::TimerFired);
        assert_eq!(tab.snapshot(), first);
    }
    assert_eq!(first.status, Status::Active);
    assert_eq!(first.subject.as_deref(), Some("ana"));
}

#[test]
fn changed_claims_are_told_and_times_are_not_claims() {
    let mut tab = Tab::signed_in(awake());
    tab.advance_to_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.count("claims-changed"), 0);
    for (claims, changed) in [
        (r#""sub":"ana","role":"editor""#, true),
        (r#""role":"editor","sub":"ana""#, false),
        (r#""sub":"ana","role":"reader""#, true),
    ] {
        tab.events.clear();
        tab.advance_to_refresh();
        let tokens = tab.tokens_saying(claims, 300);
        tab.answer(granted(&tokens));
        let told = Event::Refreshed { reason: Some(RefreshReason::Scheduled) };
        let news = changed.then_some(Event::ClaimsChanged);
        assert_eq!(tab.events, [told].into_iter().chain(news).collect::<Vec<_>>(), "{claims}");
    }
}

#[test]
fn without_a_refresh_token_the_session_ends_with_the_access_token() {
    let mut tab = Tab::new(awake());
    let mut tokens = tab.tokens(300);
    tokens.refresh_token = None;
    tab.start_with(tokens);
    tab.advance(299.0);
    assert_eq!(tab.status(), Status::Active);
    tab.advance(2.0);
    assert_eq!(tab.ended(), Some(everfresh::core::reason::EndReason::LoginRequired));
    assert_eq!(tab.requests.len(), 0);
}

/// World 15456: sends from before the clock was set back stand beside one from after.
#[test]
fn a_clock_that_is_set_back_does_not_open_the_breaker() {
    let mut tab = Tab::new(Policy { idle: None, ..Policy::default() });
    tab.start(20);
    for cycle in 0..12 {
        if cycle == 9 {
            tab.now.wall -= 40_000_000;
        }
        tab.advance_to_refresh();
        tab.answer_granted(20);
    }
    assert_eq!(tab.count("refresh-failed"), 0, "{:?}", tab.events);
    assert_eq!(tab.count("stale"), 0);
}

#[test]
fn a_token_counts_from_the_middle_of_the_request_that_brought_it() {
    let mut tab = Tab::signed_in(Policy { jitter: 0, ..awake() });
    tab.advance_to_refresh();
    let sent = tab.now.wall;
    tab.advance(4.0);
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().expires_at, Some(sent + 2_000 + 300_000));
}

#[test]
fn what_is_known_of_the_servers_clock_tells_when_a_foreign_token_ends() {
    let mut tab = Tab::signed_in(Policy { jitter: 0, ..awake() });
    tab.advance_to_refresh();
    // The server's clock is an hour ahead.
    let ahead = |tab: &mut Tab| tab.tokens_ahead(3_600, r#""sub":"ana""#, 300);
    let tokens = ahead(&mut tab);
    tab.answer(granted(&tokens));
    let mut tokens = ahead(&mut tab);
    tokens.expires_in = None;
    tab.advance(100.0);
    tab.start_with(tokens);
    assert_eq!(tab.snapshot().expires_at, Some(tab.now.wall + 200_000));
}

/// The server's clock is an hour ahead, and the tab knows. Its tokens live for this long and claim
/// this time, in seconds after they were issued.
fn an_hour_ahead(life: u32, claim: &str, after: i64) -> Tab {
    let mut tab = Tab::signed_in(Policy { jitter: 0, wait: None, ..awake() });
    for _ in 0..2 {
        tab.advance_to_refresh();
        let time = tab.now.wall / 1_000 + 3_600 + after;
        let claims = format!(r#""sub":"ana","{claim}":{time}"#);
        let tokens = tab.tokens_ahead(3_600, &claims, life);
        tab.answer(granted(&tokens));
    }
    tab
}

#[test]
fn a_token_that_is_not_valid_yet_is_kept_until_it_is_but_not_for_hours() {
    for (not_yet, waits) in [(5, 5_000), (7_200, 60_000)] {
        let mut tab = an_hour_ahead(10_000, "nbf", not_yet);
        let waiter = tab.want_token();
        tab.advance((waits - 1) as f64 / 1_000.0);
        assert_eq!(tab.outcome(waiter), None, "{not_yet} s");
        tab.advance(0.001);
        assert!(tab.outcome(waiter).is_some(), "{not_yet} s");
    }
}

#[test]
fn the_end_that_a_token_names_is_read_by_the_servers_clock() {
    let tab = an_hour_ahead(300, "session_expiry", 600);
    assert_eq!(tab.snapshot().ends_at, Some(tab.now.wall + 600_000));
}

#[test]
fn a_token_is_not_used_in_the_millisecond_in_which_it_expires() {
    let mut tab = Tab::signed_in(awake());
    tab.grants_locks = false;
    tab.pass(299_999);
    let in_time = tab.want_token();
    assert!(tab.outcome(in_time).is_some());
    tab.pass(1);
    let too_late = tab.want_token();
    assert_eq!(tab.outcome(too_late), None);
}

#[test]
fn five_seconds_lie_between_two_however_short_the_tokens_live() {
    let mut tab = Tab::new(Policy { jitter: 0, ..awake() });
    tab.start(6);
    assert_eq!(live_through(&mut tab, 20, 6), [3_000, 8_000, 13_000, 18_000]);
}

#[test]
fn one_that_cannot_be_made_or_that_nobody_is_there_for_takes_no_lock() {
    let mut bare = Tab::new(awake());
    let mut tokens = bare.tokens(300);
    tokens.refresh_token = None;
    bare.start_with(tokens);
    let mut idle = Tab::signed_in(Policy { idle: Some(200_000), ..Policy::default() });
    idle.advance(250.0);
    for tab in [&mut bare, &mut idle] {
        let waiter = tab.want_refresh();
        assert_eq!(tab.failed_with(waiter), Some(Error::Unavailable));
        assert_eq!(tab.stats().locks.requested, 0);
    }
}
