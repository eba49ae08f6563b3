use everfresh::{
    core::{
        effect::Outcome,
        grant::TokenResponse,
        input::{Input, Wake},
        policy::{Credential, Policy},
        reason::EndReason,
        snapshot::Status,
    },
    engine::records::Storage,
};

use crate::{
    rig::{Store, Tab},
    wire::{UNREACHABLE, granted},
};

fn reload(tab: &Tab, seconds: i64) -> Tab {
    reload_with(Policy { idle: None, ..Policy::default() }, tab, seconds)
}

fn reload_with(policy: Policy, tab: &Tab, seconds: i64) -> Tab {
    let mut next = Tab::with_store(policy, 99, tab.store.clone());
    next.now = tab.now;
    next.pass(seconds * 1_000);
    next
}

#[test]
fn without_a_refresh_while_the_token_is_good() {
    let mut tab = reload(&Tab::signed_in(Policy::default()), 100);
    let waiter = tab.restore();
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.status(), tab.requests.len()), (Status::Active, 0));
    assert_eq!(tab.count("started"), 1);
}

#[test]
fn with_one_refresh_when_it_is_not() {
    let mut tab = reload(&Tab::signed_in(Policy::default()), 1_000);
    let waiter = tab.restore();
    let token = tab.want_token();
    assert_eq!(tab.requests.len(), 1);
    assert_eq!(tab.stats().refreshes.restore, 1);
    tab.answer_granted(300);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert!(matches!(tab.outcome(token), Some(Outcome::Token(_))));
}

#[test]
fn ten_times_in_a_second_in_the_middle_of_a_refresh() {
    let mut tab = Tab::signed_in(Policy { idle: None, ..Policy::default() });
    tab.advance_to_refresh();
    let key = tab.requests[0].1.rotation_key.clone();
    for _ in 0..10 {
        tab = reload(&tab, 0);
        tab.pass(100);
        tab.restore();
    }
    tab.advance_to_refresh();
    assert_eq!(tab.requests[0].1.rotation_key, key, "the same rotation, again");
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn what_other_tabs_say_while_storage_is_read_counts() {
    let mut one = Tab::signed_in(Policy { jitter: 0, idle: None, ..Policy::default() });
    let stored = one.store.borrow().clone();
    let mut two = reload(&one, 0);
    two.slow_storage = true;
    two.restore();
    // The first puts its key on record and says so, and storage still shows the second what was.
    one.want_refresh();
    let key = one.requests[0].1.rotation_key.clone();
    for said in one.said.drain(..) {
        two.hear(&said);
    }
    *two.store.borrow_mut() = stored;
    two.answer_load(0);
    two.slow_storage = false;
    assert_eq!(two.status(), Status::Active);
    two.want_refresh();
    two.advance(0.25);
    assert_eq!(two.requests[0].1.rotation_key, key, "the same rotation");
}

#[test]
fn a_sign_in_that_is_heard_of_while_storage_is_read_is_the_session() {
    let store = Store::default();
    let mut two = Tab::with_store(Policy::default(), 2, store.clone());
    two.slow_storage = true;
    let waiter = two.restore();
    let mut one = Tab::with_store(Policy::default(), 1, Store::default());
    one.start(300);
    two.hear(&one.said.pop_back().expect("a sign-in is told"));
    two.answer_load(0);
    assert_eq!((two.status(), two.outcome(waiter)), (Status::Active, Some(&Outcome::Done)));
}

#[test]
fn not_when_its_end_has_passed_meanwhile() {
    let mut tab = reload_with(Policy::default(), &Tab::signed_in(Policy::default()), 3_000);
    let waiter = tab.restore();
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.ended(), tab.requests.len()), (Some(EndReason::Idle), 0));
}

#[test]
fn not_when_there_is_none() {
    let mut tab = Tab::new(Policy::default());
    let waiter = tab.restore();
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.ended(), Some(EndReason::None));
    assert!(tab.events.is_empty());
}

#[test]
fn not_in_a_record_that_nobody_can_read() {
    let mut tab = Tab::new(Policy::default());
    *tab.store.borrow_mut() = Some("everfresh 2\nsid future".to_owned());
    tab.restore();
    assert_eq!(tab.ended(), Some(EndReason::CorruptStorage));
    tab.start(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn by_the_cookie_alone() {
    let mut tab = Tab::new(Policy { credential: Credential::Cookie, ..Policy::default() });
    let waiter = tab.restore();
    assert_eq!(tab.status(), Status::Unknown);
    assert_eq!(tab.requests.len(), 1);
    tab.answer_granted(300);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.status(), tab.count("started")), (Status::Active, 1));
}

#[test]
fn a_cookie_that_is_refused_is_simply_not_signed_in() {
    let mut tab = Tab::new(Policy { credential: Credential::Cookie, ..Policy::default() });
    let waiter = tab.restore();
    tab.answer_status(401, "", "");
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.ended(), Some(EndReason::None));
    assert!(tab.events.is_empty());
}

#[test]
fn a_server_that_is_away_leaves_it_open_and_is_asked_again() {
    let mut tab = Tab::new(Policy { credential: Credential::Cookie, ..Policy::default() });
    let waiter = tab.restore();
    tab.answer(UNREACHABLE);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.status(), Status::Stale);
    tab.advance(2.0);
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn in_another_tab_when_storage_has_no_tokens() {
    let mut first = Tab::signed_in(Policy::default());
    let record = everfresh::core::record::Record::decode(first.store.borrow().as_ref().unwrap());
    let store = Store::default();
    *store.borrow_mut() = Some(record.unwrap().encode(false));
    let mut tab = Tab::with_store(Policy::default(), 2, store);
    let waiter = tab.restore();
    first.said.clear();
    first.hear(&tab.said.pop_back().expect("a question"));
    tab.hear(&first.said.pop_back().expect("an answer"));
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.status(), tab.requests.len()), (Status::Active, 0));
}

#[test]
fn nowhere_within_a_bounded_wait_when_no_tab_answers() {
    let first = Tab::signed_in(Policy::default());
    let record = everfresh::core::record::Record::decode(first.store.borrow().as_ref().unwrap());
    let store = Store::default();
    *store.borrow_mut() = Some(record.unwrap().encode(false));
    let mut tab = Tab::with_store(Policy::default(), 2, store);
    let waiter = tab.restore();
    tab.advance(0.6);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!(tab.ended(), Some(EndReason::None));
}

#[test]
fn a_look_that_was_asked_for_before_is_not_this_ones() {
    let mut tab = Tab::signed_in(Policy::default());
    tab.unauthorized(tab.lease_id());
    tab.answer_status(400, "invalid_grant", "");
    tab.slow_storage = true;
    tab.feed(Input::Woken(Wake::Visible));
    let waiter = tab.restore();
    tab.answer_load(0);
    assert_eq!(tab.outcome(waiter), None);
    tab.answer_load(0);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

/// A page load that finds a record without tokens, which another tab has.
fn without_tokens(policy: Policy) -> Tab {
    let mut first = Tab::new(policy.clone());
    first.keep_tokens(Storage::Memory);
    first.start(300);
    let mut tab = Tab::with_store(policy, 2, first.store.clone());
    tab.keep_tokens(Storage::Memory);
    tab
}

#[test]
fn the_tabs_have_half_a_second_to_say_that_they_have_the_tokens() {
    let mut tab = without_tokens(Policy::default());
    let waiter = tab.restore();
    tab.advance(0.499);
    assert_eq!(tab.outcome(waiter), None);
    tab.advance(0.001);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn with_a_cookie_the_tabs_are_asked_once_and_then_the_server() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let mut tab = without_tokens(policy);
    tab.restore();
    assert_eq!((tab.said.len(), tab.requests.len()), (1, 0));
    tab.advance(0.5);
    let asks = tab.said.iter().filter(|text| text.ends_with("ask")).count();
    assert_eq!((asks, tab.requests.len()), (1, 1));
}

#[test]
fn with_a_cookie_and_nothing_else_the_tabs_are_asked_and_not_waited_for() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let nameless = |access_token: &str| TokenResponse {
        access_token: access_token.to_owned(),
        expires_in: Some(300.0),
        ..TokenResponse::default()
    };
    let mut other = Tab::new(policy.clone());
    other.start_with(nameless("one"));
    // Storage does not show the sign-in yet, and the message came before there was a page to hear it.
    other.said.clear();
    let mut page = Tab::with_store(policy, 2, Store::default());
    page.restore();
    assert_eq!(page.requests.len(), 1);
    for said in page.said.drain(..) {
        other.hear(&said);
    }
    page.hear(&other.said.pop_back().expect("an answer"));
    assert_eq!((page.status(), page.snapshot().generation), (Status::Active, 1));
    page.answer(granted(&nameless("two")));
    other.hear(&page.said.pop_back().expect("new tokens"));
    assert_eq!((other.status(), other.snapshot().generation), (Status::Active, 2), "one session");
}

#[test]
fn with_a_cookie_a_sign_in_that_came_meanwhile_is_asked_about() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let mut tab = Tab::new(policy.clone());
    tab.keep_tokens(Storage::Memory);
    tab.grants_locks = false;
    tab.restore();
    let mut other = Tab::with_store(policy, 2, tab.store.clone());
    other.keep_tokens(Storage::Memory);
    other.start(300);
    tab.said.clear();
    let ticket = tab.ticket.expect("a lock was asked for");
    tab.feed(Input::LockGranted(ticket));
    assert_eq!((tab.said.len(), tab.requests.len()), (1, 0), "the other tab has the tokens");
}

#[test]
fn news_without_tokens_does_not_cut_the_look_short() {
    let mut other = Tab::signed_in(Policy::default());
    other.said.clear();
    other.feed(Input::Touch);
    let mut tab = Tab::with_store(Policy::default(), 2, other.store.clone());
    tab.slow_storage = true;
    tab.restore();
    tab.hear(&other.said.pop_back().expect("news"));
    assert_eq!(tab.said.len(), 0, "storage may have them");
    tab.answer_load(0);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn a_refresh_that_is_wanted_meanwhile_is_made_when_it_is_found() {
    let first = Tab::signed_in(Policy::default());
    let mut tab = Tab::with_store(Policy::default(), 2, first.store.clone());
    tab.slow_storage = true;
    tab.restore();
    let waiter = tab.want_refresh();
    assert_eq!(tab.outcome(waiter), None);
    tab.slow_storage = false;
    tab.answer_load(0);
    assert_eq!((tab.requests.len(), tab.stats().refreshes.explicit), (1, 1));
    tab.answer_granted(300);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn with_a_cookie_a_record_without_tokens_is_still_the_same_session() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let mut tab = without_tokens(policy);
    tab.restore();
    tab.advance(0.5);
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().generation, 2);
}

#[test]
fn nothing_is_no_reason_to_forget_why_the_last_one_ended() {
    type End = fn(&mut Tab);
    let revoked: End = |tab| {
        tab.unauthorized(tab.lease_id());
        tab.answer_status(400, "invalid_grant", "");
    };
    let cancelled: End = |tab| tab.feed(Input::Cancel(None));
    for (end, reason) in [(revoked, EndReason::Revoked), (cancelled, EndReason::None)] {
        let mut tab = Tab::signed_in(Policy::default());
        end(&mut tab);
        *tab.store.borrow_mut() = None;
        tab.restore();
        assert_eq!(tab.ended(), Some(reason));
        *tab.store.borrow_mut() = Some("?".to_owned());
        tab.restore();
        assert_eq!(tab.ended(), Some(EndReason::CorruptStorage));
    }
}

#[test]
fn with_a_cookie_the_maximum_age_counts_from_the_sign_in() {
    let credential = Credential::Cookie;
    let policy = Policy { credential, idle: None, max_session: Some(600_000), ..Policy::default() };
    let mut tab = without_tokens(policy);
    let end = tab.now.wall + 600_000;
    tab.pass(100_000);
    tab.restore();
    tab.advance(0.5);
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().ends_at, Some(end));
}

#[test]
fn a_visitor_without_a_session_who_leaves_meanwhile_is_told_nothing() {
    let mut tab = Tab::new(Policy { credential: Credential::Cookie, ..Policy::default() });
    tab.grants_locks = false;
    tab.restore();
    tab.feed(Input::Leaving);
    assert_eq!((tab.events.len(), tab.status()), (0, Status::Unknown));
    tab.grants_locks = true;
    tab.feed(Input::Woken(Wake::Resumed));
    tab.answer_status(401, "", "");
    assert_eq!((tab.events.len(), tab.ended()), (0, Some(EndReason::None)));
}

#[test]
fn a_refresh_that_is_wanted_meanwhile_is_another_tabs_if_that_is_faster() {
    let policy = Policy { credential: Credential::Cookie, idle: None, ..Policy::default() };
    let mut tab = Tab::new(policy.clone());
    tab.restore();
    let waiter = tab.want_refresh();
    let mut other = Tab::with_store(policy, 2, Store::default());
    other.start(300);
    tab.hear(&other.said.pop_back().expect("tokens"));
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
    assert_eq!((tab.requests.len(), tab.aborted.len()), (1, 0), "the browser keeps its cookie");
}

#[test]
fn with_a_cookie_it_does_not_matter_how_long_ago_nobody_was_found() {
    for (idle, max_session) in [(Some(600_000), None), (None, Some(600_000))] {
        let credential = Credential::Cookie;
        let policy = Policy { credential, idle, max_session, ..Policy::default() };
        let mut tab = Tab::new(policy.clone());
        tab.restore();
        tab.advance(0.5);
        let key = tab.requests[0].1.rotation_key.clone();
        tab.answer_status(401, "", "");
        assert_eq!(tab.ended(), Some(EndReason::None));

        let mut next = reload_with(policy, &tab, 7_200);
        next.restore();
        next.advance(0.5);
        assert_eq!(next.requests[0].1.rotation_key, key);
        next.answer_granted(300);
        assert_eq!((next.status(), next.count("started")), (Status::Active, 1));
    }
}

#[test]
fn with_a_cookie_an_end_that_is_found_on_the_way_is_no_news_to_a_page_that_knew_no_session() {
    let policy = Policy { credential: Credential::Cookie, ..Policy::default() };
    let mut tab = Tab::new(policy.clone());
    tab.keep_tokens(Storage::Memory);
    tab.start(300);
    let mut next = reload_with(policy, &tab, 7_200);
    next.keep_tokens(Storage::Memory);
    next.restore();
    next.advance(0.5);
    assert_eq!(next.ended(), Some(EndReason::Idle));
    assert_eq!((next.count("started"), next.count("signed-out")), (0, 0));
}
