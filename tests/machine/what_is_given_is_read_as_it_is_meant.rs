//! Tokens as services give them: absent in many ways, without a lifetime, with a prefix.

use everfresh::core::{
    effect::Outcome,
    grant::TokenResponse,
    input::Input,
    policy::{Credential, Policy},
    reason::EndReason,
    snapshot::Status,
};
use everfresh::engine::{endpoint::Response, host::Line};

use crate::{
    rig::{EPOCH, Tab},
    wire::{Answer, UNREACHABLE, granted, jwt, refusal},
};

fn policy() -> Policy {
    Policy { jitter: 0, idle: None, ..Policy::default() }
}

fn json(body: &str) -> Answer {
    Some(Response { status: 200, body: body.to_owned(), ..Response::default() })
}

fn opaque() -> TokenResponse {
    TokenResponse {
        access_token: "opaque".to_owned(),
        refresh_token: Some("refresh".to_owned()),
        ..TokenResponse::default()
    }
}

/// What a first refresh carries and the next one does, when the answer between them says this.
fn next_refresh_token(refresh_token: &str) -> Option<String> {
    let mut tab = Tab::signed_in(policy());
    tab.advance_to_refresh();
    let member =
        format!(r#"{{"access_token":"a","expires_in":300,"refresh_token":{refresh_token}}}"#);
    tab.answer(json(&member));
    tab.advance_to_refresh();
    tab.requests[1].1.refresh_token.clone()
}

#[test]
fn what_stands_for_nothing_keeps_the_refresh_token() {
    for nothing in ["\"\"", "null", "false"] {
        assert_eq!(next_refresh_token(nothing).as_deref(), Some("refresh-1"), "{nothing}");
    }
    assert_eq!(next_refresh_token("\"new\"").as_deref(), Some("new"));
}

#[test]
fn a_prefix_is_no_part_of_the_token() {
    let mut tab = Tab::new(policy());
    let mut tokens = tab.tokens(300);
    let bare = tokens.access_token.clone();
    tokens.access_token = format!("Bearer {bare}");
    tokens.expires_in = None;
    tab.start_with(tokens);
    assert_eq!(tab.access_token(), Some(bare));
    assert_eq!(tab.snapshot().expires_at, Some(EPOCH + 300_000), "and its claims are read");
}

#[test]
fn a_token_whose_end_nobody_knows_is_used_until_a_401() {
    let mut tab = Tab::new(policy());
    tab.start_with(opaque());
    tab.advance(86_400.0 * 100.0);
    let snapshot = tab.snapshot();
    assert_eq!(
        (snapshot.status, snapshot.expires_at, snapshot.refresh_at),
        (Status::Active, None, None)
    );
    assert_eq!((tab.requests.len(), tab.wait()), (0, None));
    let healed = tab.unauthorized(tab.lease_id());
    assert_eq!(tab.requests.len(), 1);
    let tokens = TokenResponse { access_token: "newer".to_owned(), ..opaque() };
    tab.answer(granted(&tokens));
    assert!(
        matches!(tab.outcome(healed), Some(Outcome::Token(lease)) if lease.access_token == "newer")
    );
    assert_eq!((tab.status(), tab.snapshot().expires_at), (Status::Active, None));
}

#[test]
fn it_is_gone_when_the_401_cannot_be_healed_at_once() {
    let mut tab = Tab::new(policy());
    tab.start_with(opaque());
    tab.unauthorized(tab.lease_id());
    tab.answer(UNREACHABLE);
    assert_eq!(tab.status(), Status::Stale);
    tab.advance_to_refresh();
    tab.answer(refusal(400, "invalid_grant", ""));
    assert_eq!(tab.ended(), Some(EndReason::Revoked));
}

#[test]
fn it_does_not_outlive_its_user() {
    let mut tab = Tab::new(Policy { idle: Some(1_800_000), ..policy() });
    tab.start_with(opaque());
    assert_eq!(tab.snapshot().ends_at, Some(EPOCH + 1_800_000));
    tab.advance(1_801.0);
    assert_eq!(tab.ended(), Some(EndReason::Idle));
}

#[test]
fn only_where_nothing_heals_the_401_a_lifetime_is_needed() {
    let alone = || TokenResponse { refresh_token: None, ..opaque() };
    for (credential, code) in [
        (Credential::RefreshToken, Some("ERR_NO_EXPIRY")),
        (Credential::Cookie, None),
        (Credential::AccessToken, None),
        (Credential::Function, None),
    ] {
        let mut tab = Tab::new(Policy { credential, ..policy() });
        assert_eq!(tab.try_start(alone()).err().map(|error| error.code()), code, "{credential:?}");
    }
}

#[test]
fn a_page_load_finds_a_token_without_an_end() {
    let mut tab = Tab::new(policy());
    tab.start_with(opaque());
    let mut page = Tab::open(policy(), 2, tab.store.clone(), tab.now);
    page.restore();
    assert_eq!((page.status(), page.snapshot().expires_at), (Status::Active, None));
    assert_eq!(page.requests.len(), 0);
}

#[test]
fn a_refresh_token_alone_starts_with_one_refresh() {
    let mut tab = Tab::new(policy());
    tab.start_with(TokenResponse { access_token: String::new(), ..opaque() });
    let waiter = tab.want_token();
    assert_eq!((tab.requests.len(), tab.access_token()), (1, None));
    assert_eq!(tab.requests[0].1.refresh_token.as_deref(), Some("refresh"));
    let tokens = tab.tokens(300);
    tab.answer(granted(&tokens));
    assert!(matches!(tab.outcome(waiter), Some(Outcome::Token(_))));
    assert_eq!((tab.status(), tab.requests.len()), (Status::Active, 1));
    let mut cookie = Tab::new(Policy { credential: Credential::Cookie, ..policy() });
    let alone = TokenResponse { access_token: String::new(), ..opaque() };
    assert_eq!(cookie.try_start(alone).err().map(|error| error.code()), Some("ERR_INVALID_TOKEN"));
}

#[test]
fn times_in_milliseconds_are_taken_for_that_and_told() {
    let mut tab = Tab::new(policy());
    let claims = format!(r#"{{"sub":"ana","exp":{}}}"#, EPOCH + 300_000);
    tab.start_with(TokenResponse { access_token: jwt(&claims), ..opaque() });
    assert_eq!(tab.snapshot().expires_at, Some(EPOCH + 300_000));
    assert_eq!(tab.lines, [Line::OddTimes]);
}

#[test]
fn of_two_lifetimes_the_shorter_counts() {
    let mut tab = Tab::new(policy());
    let tokens = TokenResponse { expires_in: Some(300_000.0), ..tab.tokens(300) };
    tab.start_with(tokens);
    assert_eq!(tab.snapshot().expires_at, Some(EPOCH + 300_000));
    let at = (EPOCH / 1_000 + 60) as f64;
    tab.start_with(TokenResponse { expires_at: Some(at), expires_in: Some(300.0), ..opaque() });
    assert_eq!(tab.snapshot().expires_at, Some(EPOCH + 60_000));
}

#[test]
fn that_they_disagree_is_told_once() {
    let mut tab = Tab::new(policy());
    let tokens = TokenResponse { expires_in: Some(300_000.0), ..tab.tokens(300) };
    tab.start_with(tokens);
    for _ in 0..3 {
        assert_eq!(tab.lines, [Line::OddTimes]);
        tab.advance_to_refresh();
        let tokens = TokenResponse { expires_in: Some(300_000.0), ..tab.tokens(300) };
        tab.answer(granted(&tokens));
    }
    // Rounded, or out of a cache.
    for expires_in in [0.5, 299.0, 301.0, 359.0] {
        let mut tab = Tab::new(policy());
        let tokens = TokenResponse { expires_in: Some(expires_in), ..tab.tokens(300) };
        tab.start_with(tokens);
        assert_eq!(tab.lines, [], "{expires_in}");
    }
}

#[test]
fn a_number_names_a_user_and_another_number_another_one() {
    let mut tab = Tab::new(policy());
    let tokens = tab.tokens_saying(r#""sub":42"#, 300);
    tab.start_with(tokens);
    assert_eq!(tab.snapshot().subject.as_deref(), Some("42"));
    tab.advance_to_refresh();
    let tokens = tab.tokens_saying(r#""sub":43"#, 300);
    tab.answer(granted(&tokens));
    assert_eq!(tab.ended(), Some(EndReason::SubjectChanged));
    for (one, other) in [("true", "[]"), (r#"{"id":1}"#, r#"{"id":2}"#), ("1.5", "2.5")] {
        let mut tab = Tab::new(policy());
        let tokens = tab.tokens_saying(&format!(r#""sub":{one}"#), 300);
        tab.start_with(tokens);
        tab.want_refresh();
        let tokens = tab.tokens_saying(&format!(r#""sub":{other}"#), 300);
        tab.answer(granted(&tokens));
        assert_eq!(tab.ended(), Some(EndReason::SubjectChanged), "{one} {other}");
    }
}

#[test]
fn an_answer_that_cannot_be_used_is_tried_again() {
    let answers = [
        r#"{"access_token":"opaque","expires_in":{"toString":0}}"#,
        r#"{"access_token":"opaque","expires_in":"5m"}"#,
        r#"{"access_token":"\"opaque\"","expires_in":300}"#,
        r#"{"access_token":"opaque","token_type":"mac","expires_in":300}"#,
        r#"{"access_token":"opaque","refresh_token":{},"expires_in":300}"#,
        r#"{"access_token":{},"expires_in":300}"#,
    ];
    for answer in answers {
        let mut tab = Tab::signed_in(policy());
        let waiter = tab.want_refresh();
        tab.answer(json(answer));
        let code = tab.failed_with(waiter).map(|error| error.code());
        assert_eq!(
            (code, tab.status()),
            (Some("ERR_BAD_REFRESH_RESPONSE"), Status::Active),
            "{answer}"
        );
        tab.feed(Input::Dispose);
        assert_eq!(tab.waiting(), []);
    }
}
