//! What other tabs say comes late, in any order, and without the tokens that it is about.

use everfresh::{
    core::{
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
    wire::UNREACHABLE,
};

const ASK: &str = "everfresh 1 ask";

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

/// Two tabs that can only hear each other. Both have the first tokens.
fn apart() -> (Tab, Tab) {
    let mut one = Tab::signed_in(policy());
    let mut two = Tab::with_store(policy(), 2, Store::default());
    two.restore();
    one.hear(ASK);
    two.hear(&one.said.pop_back().expect("the tokens"));
    one.said.clear();
    two.said.clear();
    assert_eq!(two.snapshot().generation, 1);
    (one, two)
}

fn refresh(tab: &mut Tab) {
    tab.want_refresh();
    tab.answer_granted(300);
}

#[test]
fn a_message_from_before_a_sign_out_does_not_undo_it() {
    let (mut refused, mut other) = apart();
    refresh(&mut other);
    let late = other.said.pop_back().expect("the new tokens");
    refused.want_refresh();
    refused.answer_status(400, "invalid_grant", "");
    assert_eq!(refused.ended(), Some(EndReason::Revoked), "which a newer token would survive");
    other.sign_out();
    refused.hear(&other.said.pop_back().expect("the end"));
    refused.events.clear();
    refused.hear(&late);
    assert_eq!((refused.status(), refused.events.len()), (Status::SignedOut, 0));
}

#[test]
fn a_refusal_ends_what_was_refused_and_not_what_another_tab_has_brought() {
    let (mut refused, mut other) = apart();
    refresh(&mut other);
    let tokens = other.said.pop_back().expect("the new tokens");
    refused.want_refresh();
    refused.answer_status(400, "invalid_grant", "");
    assert_eq!(refused.ended(), Some(EndReason::Revoked));
    other.hear(&refused.said.pop_back().expect("the end"));
    assert_eq!((other.status(), other.snapshot().generation), (Status::Active, 2));
    refused.hear(&tokens);
    assert_eq!((refused.status(), refused.snapshot().generation), (Status::Active, 2));
}

#[test]
fn who_lacks_the_newest_tokens_has_nothing_to_offer() {
    let (mut behind, mut ahead) = apart();
    behind.hear(ASK);
    assert_eq!(behind.said.len(), 1);
    behind.said.clear();
    refresh(&mut ahead);
    // Input is told without tokens.
    ahead.said.clear();
    ahead.configure(|settings| settings.policy = Policy { idle: Some(600_000), ..policy() });
    ahead.feed(Input::Touch);
    behind.hear(&ahead.said.pop_back().expect("news"));
    assert_eq!(behind.snapshot().generation, 1);
    behind.hear(ASK);
    assert_eq!(behind.said.len(), 0, "old tokens help nobody");
}

/// Makes a key for its next refresh, which storage keeps waiting, and tells of it.
fn make_key(tab: &mut Tab) -> String {
    tab.slow_storage = true;
    tab.want_refresh();
    tab.answer_load(0);
    tab.said.pop_back().expect("its key")
}

#[test]
fn who_is_about_to_spend_an_old_token_again_is_told_of_the_newer_ones() {
    // Its key is older than that of the newer tokens, or was made after them.
    for (earlier, later) in [(0, 1_000), (1_000, 0)] {
        let (mut behind, mut ahead) = apart();
        behind.pass(earlier);
        ahead.pass(later);
        let before = ahead.store.borrow().clone();
        refresh(&mut ahead);
        ahead.said.clear();
        ahead.store.replace(before);
        let key = make_key(&mut behind);
        ahead.hear(&key);
        behind.hear(&ahead.said.pop_back().expect("the news that got lost"));
        while !behind.loads.is_empty() {
            behind.answer_load(0);
        }
        assert_eq!((behind.snapshot().generation, behind.requests.len()), (2, 0));
        let newest = ahead.access_token().expect("a token");
        let stored = ahead.store.borrow().clone().expect("a record");
        assert!(stored.contains(&newest), "what was stored over");
    }
}

#[test]
fn a_key_that_is_heard_of_late_is_no_question() {
    let (mut one, mut other) = apart();
    let key = make_key(&mut one);
    other.hear(&key);
    other.want_refresh();
    other.advance_to_refresh();
    other.answer_granted(300);
    other.said.clear();
    other.hear(&key);
    assert_eq!(other.said.len(), 0, "it has brought these tokens");
}

#[test]
fn old_tokens_are_not_tried_once_their_user_has_signed_in_anew() {
    for refreshes in 0..3 {
        let (mut old, mut new) = apart();
        new.pass(1_000);
        (0..refreshes).for_each(|_| refresh(&mut new));
        new.start(600);
        new.said.clear();
        new.configure(|settings| settings.policy = Policy { idle: Some(600_000), ..policy() });
        new.feed(Input::Touch);
        old.hear(&new.said.pop_back().expect("news without tokens"));
        old.advance(600.0);
        assert_eq!(old.requests.len(), 0, "nobody knows how often they were used");
        assert_eq!(old.ended(), Some(EndReason::LoginRequired));
    }
}

/// A page that has asked the server with a cookie and nothing else, and a tab where a user has
/// signed in, which the page has not heard of.
fn a_guess_and_a_sign_in() -> (Tab, Tab) {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut page = Tab::new(cookie.clone());
    page.restore();
    page.advance(1.0);
    let mut other = Tab::with_store(cookie, 2, Store::default());
    other.start(300);
    (page, other)
}

#[test]
fn a_page_with_a_cookie_alone_takes_the_tokens_of_a_tab_that_has_some() {
    let (mut page, mut other) = a_guess_and_a_sign_in();
    page.hear(&other.said.pop_back().expect("tokens"));
    assert_eq!((page.status(), page.count("started")), (Status::Active, 1));
    assert_eq!(page.aborted, [], "the browser would drop the cookie of the answer");
    assert_eq!(page.snapshot().generation, 1);
    page.answer_granted(300);
    assert_eq!((page.snapshot().generation, page.count("started")), (2, 1));
}

#[test]
fn a_cookie_that_was_asked_for_with_a_key_is_asked_for_with_the_same_key_again() {
    let (mut page, mut other) = a_guess_and_a_sign_in();
    let key = page.requests[0].1.rotation_key.clone();
    page.hear(&other.said.pop_back().expect("tokens"));
    page.answer(UNREACHABLE);
    page.advance_to_refresh();
    assert_eq!(page.requests[0].1.rotation_key, key, "the server may have set a newer cookie");
}

#[test]
fn a_key_that_others_went_beyond_is_not_used_again() {
    let (mut page, mut other) = a_guess_and_a_sign_in();
    let key = page.requests[0].1.rotation_key.clone();
    refresh(&mut other);
    page.hear(&other.said.pop_back().expect("tokens"));
    assert_eq!(page.aborted.len(), 1);
    page.requests.clear();
    page.advance_to_refresh();
    assert_ne!(page.requests[0].1.rotation_key, key);
}

#[test]
fn a_guess_takes_nobodys_place() {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut signed_in = Tab::signed_in(cookie.clone());
    signed_in.events.clear();
    let mut page = Tab::with_store(cookie, 2, Store::default());
    page.pass(1_000);
    page.restore();
    page.advance(1.0);
    signed_in.hear(&page.said.pop_back().expect("its key"));
    assert_eq!((signed_in.status(), signed_in.events.len()), (Status::Active, 0));
}

#[test]
fn pages_that_guess_share_a_key() {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut keys = Vec::new();
    let mut said: Option<String> = None;
    for seed in 1..3 {
        let mut page = Tab::with_store(cookie.clone(), seed, Store::default());
        page.grants_locks = false;
        page.restore();
        if let Some(said) = &said {
            page.hear(said);
        }
        page.feed(Input::LockGranted(page.ticket.expect("it would ask the server")));
        page.advance(0.25);
        keys.push(page.requests[0].1.rotation_key.clone());
        said = page.said.pop_back();
    }
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_page_with_a_cookie_alone_is_told_of_its_first_tokens_though_it_knew_of_the_session() {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut page = Tab::new(cookie.clone());
    page.keep_tokens(Storage::Memory);
    page.grants_locks = false;
    page.restore();
    let mut other = Tab::with_store(cookie, 2, page.store.clone());
    other.keep_tokens(Storage::Memory);
    other.start(300);
    let lock = page.ticket.expect("it would ask the server");
    page.feed(Input::LockGranted(lock));
    assert_eq!(
        (page.count("started"), page.count("stale")),
        (0, 0),
        "the tokens are not in storage"
    );
    page.hear(&other.said.pop_back().expect("tokens"));
    assert_eq!((page.status(), page.count("started")), (Status::Active, 1));
    assert_eq!(page.requests.len(), 0, "it need not ask the server");
}

#[test]
fn a_key_that_is_heard_of_before_the_tokens_is_kept() {
    let mut one = Tab::signed_in(policy());
    one.hear(ASK);
    let tokens = one.said.pop_back().expect("the tokens");
    one.want_refresh();
    let key = one.said.pop_back().expect("news of the key");
    let mut page = Tab::new(policy());
    page.storage_works = false;
    let waiter = page.restore();
    page.hear(&key);
    assert_eq!(page.outcome(waiter), None, "a key alone is no session");
    page.hear(&tokens);
    page.want_refresh();
    page.advance(0.25);
    assert_eq!(page.requests[0].1.rotation_key, one.requests[0].1.rotation_key);
}

/// Two tabs of a user whose tokens name nobody, one of which the server has refused; and a page that was
/// loaded after that, and asks the server with a cookie.
fn ended_and_guessing() -> (Tab, Tab, Tab) {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut ended = Tab::new(cookie.clone());
    let tokens = TokenResponse {
        access_token: "opaque".to_owned(),
        expires_in: Some(300.0),
        ..TokenResponse::default()
    };
    ended.start_with(tokens);
    let mut late = Tab::with_store(cookie.clone(), 2, ended.store.clone());
    late.restore();
    assert_eq!(late.status(), Status::Active);
    late.store = Store::default();
    ended.want_refresh();
    ended.answer_status(400, "invalid_grant", "");
    assert_eq!(ended.ended(), Some(EndReason::Revoked));
    let mut page = Tab::with_store(cookie, 3, ended.store.clone());
    page.restore();
    page.advance(0.25);
    assert_eq!(page.requests.len(), 1);
    for tab in [&mut ended, &mut late] {
        tab.said.clear();
    }
    (ended, late, page)
}

#[test]
fn a_page_with_a_cookie_alone_does_not_join_the_session_that_it_knows_to_be_over() {
    let (_, mut late, mut page) = ended_and_guessing();
    late.hear(ASK);
    page.hear(&late.said.pop_back().expect("tokens"));
    assert_eq!((page.status(), page.count("started")), (Status::Unknown, 0));
}

#[test]
fn a_page_with_a_cookie_alone_is_not_asked_for_tokens() {
    let (mut ended, mut late, mut page) = ended_and_guessing();
    ended.hear(&page.said.pop_back().expect("its key"));
    assert_eq!(ended.said.len(), 0);
    // What a late tab says of the session that is over meets the page load's record in storage.
    late.hear(ASK);
    ended.hear(&late.said.pop_back().expect("tokens"));
    assert_eq!(ended.said.len(), 0, "and so on for ever");
}

#[test]
fn a_page_load_does_not_hide_the_end_that_came_before_it() {
    let (_, mut late, page) = ended_and_guessing();
    late.store = page.store.clone();
    late.feed(Input::Woken(Wake::Resumed));
    assert_eq!((late.ended(), late.lease.as_ref()), (Some(EndReason::Revoked), None));
}

#[test]
fn a_page_load_that_tells_of_the_end_does_not_make_room_for_another_user() {
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut tab = Tab::signed_in(cookie.clone());
    let mut other = Tab::with_store(cookie.clone(), 2, tab.store.clone());
    other.restore();
    tab.want_refresh();
    tab.answer_status(400, "invalid_grant", "");
    let mut page = Tab::with_store(cookie.clone(), 3, tab.store.clone());
    page.restore();
    page.advance(0.25);
    // The news of the end itself got lost.
    other.hear(&page.said.pop_back().expect("its key"));
    assert_eq!(other.ended(), Some(EndReason::Revoked));
    let tokens = tab.tokens_for("ben", 300);
    tab.start_with(tokens);
    other.hear(&tab.said.pop_back().expect("ben is here"));
    assert_eq!(other.ended(), Some(EndReason::Revoked), "the page may still show ana");
}

#[test]
fn a_page_load_after_an_end_that_newer_tokens_survived_says_nothing() {
    let (_, mut late, mut page) = ended_and_guessing();
    refresh(&mut late);
    late.hear(&page.said.pop_back().expect("its key"));
    assert_eq!((late.status(), late.snapshot().generation), (Status::Active, 2));
}

#[test]
fn nor_is_a_sign_in_ended_that_is_earlier_only_because_the_clock_was_set_back() {
    let (ended, _, mut page) = ended_and_guessing();
    let cookie = Policy { credential: Credential::Cookie, ..policy() };
    let mut new = Tab::with_store(cookie, 4, ended.store.clone());
    new.sleep(-3_600);
    new.slow_storage = true;
    new.start(300);
    new.hear(&page.said.pop_back().expect("its key"));
    assert_eq!((new.status(), new.count("signed-out")), (Status::Active, 0));
}

#[test]
fn a_page_that_has_heard_of_the_session_does_not_forget_it_for_another_pages_guess() {
    let (mut page, mut other) = a_guess_and_a_sign_in();
    let guess = page.said.pop_back().expect("its key");
    let policy = Policy { max_session: Some(60_000), idle: Some(600_000), ..policy() };
    let cookie = Policy { credential: Credential::Cookie, ..policy };
    page.configure(|settings| settings.policy = cookie.clone());
    other.configure(|settings| settings.policy = cookie);
    other.start(300);
    let tokens = other.said.pop_back().expect("tokens");
    other.feed(Input::Touch);
    page.hear(&other.said.pop_back().expect("news without tokens"));
    let ends_at = page.snapshot().ends_at;
    assert_eq!(page.count("warning"), 0, "nobody was told of a session");
    page.hear(&guess);
    assert_eq!((page.snapshot().ends_at, ends_at.is_some()), (ends_at, true));
    page.hear(&tokens);
    let told: Vec<_> = page.events.iter().map(|event| event.kind()).collect();
    assert_eq!(told, ["started", "warning"]);
}
