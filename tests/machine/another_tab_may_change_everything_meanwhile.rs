use everfresh::{
    core::{
        effect::Outcome,
        input::{Input, Wake},
        policy::{Credential, IdleMode, Policy},
        reason::EndReason,
        snapshot::Status,
    },
    engine::records::Storage,
};

use crate::{
    rig::{Store, Tab},
    wire::{granted, retry_after},
};

fn policy(credential: Credential) -> Policy {
    Policy { credential, jitter: 0, idle: None, ..Policy::default() }
}

fn pair(policy: &Policy) -> (Tab, Tab) {
    let store = Store::default();
    (Tab::with_store(policy.clone(), 1, store.clone()), Tab::with_store(policy.clone(), 2, store))
}

fn deliver(from: &mut Tab, to: &mut Tab) {
    while let Some(message) = from.said.pop_front() {
        to.hear(&message);
    }
}

fn restore(tab: &mut Tab, other: &mut Tab) {
    let waiter = tab.restore();
    deliver(tab, other);
    deliver(other, tab);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

fn sign_in_ben(tab: &mut Tab) {
    let tokens = tab.tokens_for("ben", 300);
    tab.start_with(tokens);
}

/// A tab that slept past the end of ana's session while ben signed in in another one.
fn overslept(policy: &Policy) -> Tab {
    let (mut tab, mut other) = pair(policy);
    tab.start(300);
    tab.sleep(4_000);
    other.sleep(4_000);
    sign_in_ben(&mut other);
    tab.feed(Input::Woken(Wake::Visible));
    tab
}

#[test]
fn whatever_end_is_due_a_new_user_is_noticed_first() {
    for (max_session, idle) in [(Some(3_600_000), None), (None, Some(1_800_000))] {
        let policy = Policy { max_session, idle, ..policy(Credential::RefreshToken) };
        let mut tab = overslept(&policy);
        assert_eq!(tab.ended(), Some(EndReason::SubjectChanged));
        let waiter = tab.want_token();
        assert_eq!(tab.outcome(waiter), Some(&Outcome::Anonymous), "never ben's token");
    }
}

#[test]
fn the_cookie_of_a_new_user_is_never_revoked() {
    let aged = Policy { max_session: Some(3_600_000), ..policy(Credential::Cookie) };
    assert_eq!(overslept(&aged).revokes.len(), 0);

    let (mut tab, mut other) = pair(&policy(Credential::Cookie));
    tab.start(300);
    deliver(&mut tab, &mut other);
    tab.sign_out();
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 503);
    other.pass(100);
    other.start(300);
    deliver(&mut other, &mut tab);
    assert_eq!(tab.status(), Status::Active, "the same user again");
    tab.advance(60.0);
    assert_eq!(tab.revokes.len(), 1, "what failed is not repeated with the new cookie");
}

#[test]
fn a_signed_out_page_of_one_user_does_not_turn_into_the_next_ones() {
    let (mut tab, mut other) = pair(&policy(Credential::RefreshToken));
    tab.start(300);
    other.pass(1);
    sign_in_ben(&mut other);
    tab.sign_out();
    assert_eq!(tab.status(), Status::SignedOut);
    deliver(&mut other, &mut tab);
    assert_eq!(tab.status(), Status::SignedOut);
}

/// A tab that was frozen while another one refreshed twice and was closed.
fn left_behind(credential: Credential) -> Tab {
    let (mut tab, mut other) = pair(&policy(credential));
    tab.keep_tokens(Storage::Memory);
    other.keep_tokens(Storage::Memory);
    let mut tokens = tab.tokens(300);
    tokens.refresh_token = None;
    tab.start_with(tokens);
    restore(&mut other, &mut tab);
    for _ in 0..2 {
        other.advance_to_refresh();
        let mut tokens = other.tokens(300);
        tokens.refresh_token = None;
        other.answer(granted(&tokens));
    }
    tab.sleep((other.now.wall - tab.now.wall) / 1_000);
    tab.feed(Input::Woken(Wake::Visible));
    tab.advance(5.0);
    tab
}

#[test]
fn what_cannot_be_outdated_is_used_when_nobody_has_the_newest_token() {
    for credential in [Credential::Function, Credential::Cookie] {
        let tab = left_behind(credential);
        assert_eq!((tab.ended(), tab.sent.len()), (None, 1), "{credential:?}");
    }
}

#[test]
fn a_token_that_came_in_a_header_outdates_no_refresh_token() {
    let (mut tab, mut other) = pair(&policy(Credential::RefreshToken));
    tab.keep_tokens(Storage::Memory);
    other.keep_tokens(Storage::Memory);
    tab.start(300);
    restore(&mut other, &mut tab);
    other.pass(20_000);
    tab.pass(20_000);
    let (tokens, lease) = (other.tokens(300), other.lease_id());
    other.adopt(tokens.access_token, lease);
    tab.feed(Input::Woken(Wake::Visible));
    tab.advance_to_refresh();
    assert_eq!(tab.ended(), None);
}

#[test]
fn a_valid_token_is_used_to_its_end_even_if_it_is_the_last() {
    let (mut tab, mut other) = pair(&policy(Credential::RefreshToken));
    tab.keep_tokens(Storage::Memory);
    other.keep_tokens(Storage::Memory);
    tab.start(300);
    restore(&mut other, &mut tab);
    for _ in 0..2 {
        other.pass(10_000);
        tab.pass(10_000);
        other.want_refresh();
        other.answer_granted(300);
    }
    tab.feed(Input::Woken(Wake::Visible));
    while tab.ended().is_none() {
        tab.advance(1.0);
    }
    assert!(tab.now.monotonic >= 300_000, "ended at {} ms", tab.now.monotonic);
}

#[test]
fn sign_out_after_cancel_signs_out() {
    let (mut tab, mut next) = pair(&Policy::default());
    tab.start(300);
    tab.feed(Input::Cancel(None));
    tab.sign_out();
    assert_eq!(tab.revokes.len(), 1);
    next.restore();
    assert_eq!(next.ended(), Some(EndReason::SignedOut));
}

#[test]
fn every_sign_out_settles_though_the_session_is_still_looked_for() {
    type Act = fn(&mut Tab);
    let acts: [Act; 4] = [
        |tab| {
            tab.sign_out_from(true);
        },
        |tab| tab.start(300),
        |tab| tab.feed(Input::Cancel(None)),
        |tab| tab.feed(Input::Dispose),
    ];
    for act in acts {
        let mut tab = Tab::new(Policy::default());
        tab.storage_works = false;
        let waiter = tab.sign_out();
        act(&mut tab);
        tab.advance(1.0);
        assert!(tab.outcome(waiter).is_some());
    }
}

#[test]
fn a_sooner_limit_of_the_server_is_kept_over_refreshes() {
    let max_session = Some(86_400_000);
    let mut tab = Tab::new(Policy { max_session, ..policy(Credential::RefreshToken) });
    let mut tokens = tab.tokens(300);
    tokens.session_expires_in = Some(600.0);
    tab.start_with(tokens);
    let ends_at = tab.snapshot().ends_at;
    tab.advance_to_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.snapshot().ends_at, ends_at);
}

#[test]
fn what_is_held_outlives_a_sign_in_and_revives_nothing() {
    let idle = Policy { idle: Some(60_000), idle_mode: IdleMode::End, ..Policy::default() };
    for begins in [true, false] {
        let mut tab = Tab::signed_in(idle.clone());
        tab.sleep(7_200);
        tab.feed(Input::Hold(begins));
        assert_eq!(tab.ended(), Some(EndReason::Idle));
    }
    let mut tab = Tab::new(idle);
    tab.feed(Input::Hold(true));
    tab.start(300);
    tab.feed(Input::Hold(true));
    tab.feed(Input::Hold(false));
    tab.advance(100.0);
    assert_eq!(tab.ended(), None, "one of two is still held");
}

#[test]
fn a_server_that_asks_for_no_patience_gets_some() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.advance_to_refresh();
    for _ in 0..3 {
        let before = tab.now.monotonic;
        tab.answer(retry_after(503, 0));
        assert!(tab.sent.is_empty(), "no loop");
        tab.advance_to_refresh();
        assert!(tab.now.monotonic - before >= 100);
    }
}

#[test]
fn a_refresh_that_is_asked_for_is_tried_though_the_platform_says_offline() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.feed(Input::Online(false));
    tab.advance(400.0);
    let waiter = tab.want_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.outcome(waiter), Some(&Outcome::Done));
}

#[test]
fn a_page_load_that_finds_nothing_asks_the_other_tabs_all_the_same() {
    let (mut tab, mut other) = pair(&Policy::default());
    other.start(300);
    *tab.store.borrow_mut() = None;
    restore(&mut tab, &mut other);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn a_newer_sign_in_of_the_same_user_takes_the_refresh_token_out_of_use() {
    let (mut tab, mut other) = pair(&policy(Credential::RefreshToken));
    tab.keep_tokens(Storage::Memory);
    other.keep_tokens(Storage::Memory);
    tab.start(300);
    other.pass(10_000);
    tab.pass(10_000);
    other.start(300);
    tab.feed(Input::Woken(Wake::Visible));
    assert_eq!(tab.status(), Status::Active, "the access token is still good");
    tab.advance(200.0);
    assert_eq!(tab.requests.len(), 0, "its family may have moved on unseen");
    tab.sign_out();
    deliver(&mut tab, &mut other);
    assert_eq!(other.ended(), Some(EndReason::SignedOut));
}
