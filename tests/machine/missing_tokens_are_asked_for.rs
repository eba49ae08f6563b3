//! Another tab was faster, and its tokens are not in storage: the tabs are asked, then the server,
//! with the rotation that brought them.

use everfresh::{
    core::{
        policy::{Credential, Policy},
        reason::EndReason,
        snapshot::Status,
    },
    engine::records::Storage,
};

use crate::{rig::Tab, wire::granted};

const ASK: &str = "everfresh 1 ask";

fn policy(credential: Credential) -> Policy {
    Policy { credential, jitter: 0, idle: None, ..Policy::default() }
}

/// Two tabs that keep tokens out of storage; both have the first ones.
fn two(credential: Credential) -> (Tab, Tab) {
    let mut one = Tab::new(policy(credential));
    one.keep_tokens(Storage::Memory);
    one.start(300);
    let mut two = Tab::with_store(policy(credential), 2, one.store.clone());
    two.keep_tokens(Storage::Memory);
    two.restore();
    one.hear(ASK);
    two.hear(&one.said.pop_back().expect("the tokens"));
    one.said.clear();
    two.said.clear();
    assert_eq!(two.snapshot().generation, 1);
    (one, two)
}

/// The one refreshes, and the other hears nothing of it; then the other wants to.
fn faster(credential: Credential) -> (Tab, Tab) {
    let (mut one, mut two) = two(credential);
    one.want_refresh();
    one.answer_granted(300);
    two.want_refresh();
    (one, two)
}

fn asks(tab: &mut Tab) -> usize {
    std::mem::take(&mut tab.said).iter().filter(|text| *text == ASK).count()
}

fn keys(tab: &Tab) -> Vec<&str> {
    tab.requests.iter().map(|(_, request)| request.rotation_key.as_str()).collect()
}

#[test]
fn half_a_second_is_for_the_tabs_then_the_rotation_is_repeated() {
    let (one, mut two) = faster(Credential::RefreshToken);
    assert_eq!((asks(&mut two), two.locks_held), (1, 0), "the lock is free meanwhile");
    two.advance(0.499);
    assert_eq!(two.requests.len(), 0);
    two.advance(0.001);
    assert_eq!(keys(&two), keys(&one));
    let token = |tab: &Tab| tab.requests[0].1.refresh_token.clone();
    assert_eq!(token(&two), token(&one));
    two.answer_granted(300);
    assert_eq!(two.snapshot().generation, 2, "the rotation that was");
}

#[test]
fn a_repeated_rotation_is_on_record_as_a_send() {
    let (_, mut two) = faster(Credential::RefreshToken);
    let before = two.store.borrow().clone();
    two.advance(0.5);
    assert_ne!(*two.store.borrow(), before);
}

#[test]
fn a_token_that_came_in_a_header_leaves_the_refresh_token_the_newest() {
    let (mut one, mut two) = two(Credential::RefreshToken);
    let (tokens, lease) = (one.tokens(600), one.lease_id());
    one.adopt(tokens.access_token, lease);
    two.want_refresh();
    assert_eq!((asks(&mut two), two.requests.len()), (1, 0));
    two.advance(0.5);
    assert_eq!(two.requests[0].1.refresh_token.as_deref(), Some("refresh-1"));
    two.answer_granted(300);
    assert_eq!(two.snapshot().generation, 3);
}

#[test]
fn a_repetition_that_is_superseded_is_not_tried_again_but_asked_about() {
    let (_, mut two) = faster(Credential::RefreshToken);
    two.advance(0.5);
    asks(&mut two);
    two.answer_status(400, "invalid_grant", "superseded");
    two.advance(5.0);
    assert_eq!((two.requests.len(), two.status()), (1, Status::Active));
    assert!(asks(&mut two) > 0);
}

#[test]
fn a_verdict_on_tokens_that_another_tab_has_renewed_ends_nothing() {
    let (mut one, mut two) = two(Credential::RefreshToken);
    two.want_refresh();
    one.want_refresh();
    one.advance(0.25);
    one.answer_granted(300);
    asks(&mut two);
    two.answer_status(400, "invalid_grant", "reuse_detected");
    assert_eq!(two.status(), Status::Active);
    two.advance(3.0);
    assert_eq!(
        (asks(&mut two) > 0, two.requests.len()),
        (true, 1),
        "the tabs know, not the server"
    );
}

#[test]
fn the_schedule_asks_the_tabs_first_too() {
    let (mut one, mut two) = two(Credential::RefreshToken);
    one.want_refresh();
    one.answer_granted(300);
    two.advance(240.0);
    assert_eq!((asks(&mut two), two.requests.len()), (1, 0));
}

#[test]
fn three_times_and_while_the_token_is_good_again_and_again() {
    let (mut one, mut two) = faster(Credential::RefreshToken);
    one.want_refresh();
    one.answer_granted(300);
    two.advance(1.499);
    assert_eq!((asks(&mut two), two.count("refresh-failed")), (3, 0));
    two.advance(0.001);
    assert_eq!(two.count("refresh-failed"), 1);
    two.advance(5.0);
    assert!(asks(&mut two) > 0);
}

#[test]
fn where_no_tab_answers_and_no_rotation_can_be_repeated_the_session_ends_with_its_token() {
    let (mut one, mut two) = faster(Credential::RefreshToken);
    one.want_refresh();
    one.answer_granted(300);
    two.advance(299.0);
    assert_eq!((two.status(), two.requests.len()), (Status::Active, 0));
    two.advance(63.0);
    assert_eq!((two.ended(), two.requests.len()), (Some(EndReason::LoginRequired), 0));
    assert_eq!(two.revokes.len(), 0, "the tab that has the tokens may still be good");
}

#[test]
fn a_cookie_and_an_access_token_need_no_repetition() {
    for credential in [Credential::Cookie, Credential::AccessToken] {
        let (one, mut two) = faster(credential);
        assert_eq!((asks(&mut two), two.requests.len()), (1, 0), "{credential:?}");
        two.advance(0.5);
        assert_ne!(keys(&two), keys(&one), "{credential:?}");
        two.answer_granted(300);
        assert_eq!(two.snapshot().generation, 3, "{credential:?}");
    }
}

#[test]
fn a_function_repeats_only_where_it_uses_refresh_tokens() {
    let (one, mut two) = faster(Credential::Function);
    two.advance(0.5);
    assert_eq!(keys(&two), keys(&one));
}

#[test]
fn a_function_without_refresh_tokens_asks_the_tabs_and_then_fetches_its_own() {
    let bare = |tab: &mut Tab| {
        let mut tokens = tab.tokens(300);
        tokens.refresh_token = None;
        tokens
    };
    let (mut one, mut two) = two(Credential::Function);
    let tokens = bare(&mut one);
    one.start_with(tokens);
    two.hear(&one.said.pop_back().expect("the tokens"));
    one.want_refresh();
    let tokens = bare(&mut one);
    one.answer(granted(&tokens));
    two.want_refresh();
    assert_eq!((asks(&mut two), two.requests.len()), (1, 0));
    two.advance(0.5);
    assert_eq!((asks(&mut two), two.requests.len()), (0, 1));
    assert_ne!(keys(&two), keys(&one));
}
