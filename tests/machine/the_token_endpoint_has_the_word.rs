//! What a response, or an application's refresh function, comes to for the session.

use everfresh::{
    core::{
        clock::Now,
        effect::{Outcome, RefreshRequest},
        entropy::Seeded,
        error::Error,
        grant::TokenResponse,
        ids::{Attempt, WaiterId},
        input::Input,
        policy::{Credential, Policy},
        reason::{EndReason, RefreshReason},
        snapshot::Status,
    },
    engine::{
        Called, Engine, Settings,
        endpoint::Refused,
        endpoint::{Endpoint, Response, Style},
        host::Line,
        virtual_host::{VirtualHost, Want},
    },
};

use crate::{
    rig::{EPOCH, Tab},
    wire::{Answer, UNREACHABLE, called, granted, refusal, unusable},
};

fn policy(credential: Credential) -> Policy {
    Policy { credential, jitter: 0, idle: None, ..Policy::default() }
}

fn json(status: u16, body: &str) -> Answer {
    Some(Response { status, body: body.to_owned(), ..Response::default() })
}

/// What the caller of `refresh()` hears of an answer, and how the session stands then.
fn heard(answer: Answer) -> (Option<Error>, Status, Option<EndReason>) {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    let waiter = tab.want_refresh();
    tab.answer(answer);
    (tab.failed_with(waiter), tab.status(), tab.ended())
}

#[test]
fn what_may_be_the_fault_of_the_way_to_it_is_passing() {
    for (answer, error) in [
        (refusal(503, "", ""), Error::Unavailable),
        (refusal(408, "", ""), Error::Unavailable),
        (UNREACHABLE, Error::Unavailable),
        (unusable(), Error::BadResponse),
        (json(200, r#"{"ok":true}"#), Error::BadResponse),
        (json(200, r#"{"access_token":"no life"}"#), Error::BadResponse),
        (json(200, r#"{"access_token":{"toString":0},"expires_in":300}"#), Error::BadResponse),
        (refusal(409, "conflict", ""), Error::Unavailable),
        (refusal(421, "", ""), Error::Unavailable),
        (refusal(425, "", ""), Error::Unavailable),
        (json(400, r#"{"error":"temporarily_unavailable"}"#), Error::Unavailable),
        (json(200, r#"{"error":"server_error"}"#), Error::BadResponse),
        (json(200, "null"), Error::BadResponse),
        (json(204, ""), Error::BadResponse),
        (json(302, r#"{"access_token":"a","expires_in":300}"#), Error::BadResponse),
        (json(0, ""), Error::BadResponse),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(heard(answer), (Some(error), Status::Active, None), "{told}");
    }
}

#[test]
fn its_no_is_final() {
    let server = Error::SignedOutByServer;
    for (answer, error, reason) in [
        (refusal(401, "", ""), server, EndReason::Revoked),
        (json(403, "Forbidden"), server, EndReason::Revoked),
        (json(401, ""), server, EndReason::Revoked),
        (json(200, r#"{"error":"bad_refresh_token"}"#), server, EndReason::Revoked),
        (json(200, r#"{"ok":false,"error":"invalid_refresh_token"}"#), server, EndReason::Revoked),
        (
            json(400, r#"{"error":{"code":400,"message":"TOKEN_EXPIRED"}}"#),
            server,
            EndReason::Revoked,
        ),
        (json(400, r#"{"code":400,"error_code":"user_banned"}"#), server, EndReason::Revoked),
        (
            json(422, r#"{"errors":[{"extensions":{"code":"session_not_found"}}]}"#),
            server,
            EndReason::Revoked,
        ),
        (json(503, r#"{"error":"invalid_grant"}"#), server, EndReason::Revoked),
        (refusal(400, "invalid_grant", "reuse_detected"), server, EndReason::Reuse),
        (refusal(400, "invalid_grant", "login_required"), server, EndReason::LoginRequired),
    ] {
        assert_eq!(heard(answer), (Some(error), Status::SignedOut, Some(reason)));
    }
    let mut eve = Tab::new(Policy::default());
    let tokens = eve.tokens_for("eve", 300);
    assert_eq!(heard(granted(&tokens)).2, Some(EndReason::SubjectChanged));
}

/// What may be the service's no, or a proxy's in its way.
fn doubtful() -> Vec<Answer> {
    let page = "<!doctype html><title>Blocked</title>";
    let mut answers: Vec<_> =
        [401, 403, 404, 407, 411, 413, 431].map(|status| json(status, page)).into();
    answers.extend([404, 405, 415, 422, 300, 302, 0].map(|status| json(status, "")));
    answers.extend([
        json(400, r#"{"error":"invalid_request"}"#),
        json(401, r#"{"error":"invalid_client"}"#),
        json(400, r#"{"error":"unauthorized_client"}"#),
        json(200, r#"{"error":"incorrect_client_credentials"}"#),
        json(400, r#"{"error":"a sentence that says something"}"#),
    ]);
    answers
}

#[test]
fn what_something_in_between_may_have_said_signs_nobody_out_who_has_a_token() {
    for answer in doubtful() {
        let told = format!("{answer:?}");
        let mut tab = Tab::new(policy(Credential::RefreshToken));
        tab.start(3_600);
        tab.want_refresh();
        for _ in 0..20 {
            tab.answer(answer.clone());
            assert_eq!(tab.status(), Status::Active, "{told}");
            tab.advance_to_refresh();
        }
        tab.answer_granted(300);
        assert_eq!(tab.ended(), None);
    }
}

#[test]
fn without_a_token_three_doubtful_answers_over_a_minute_are_a_no() {
    for answer in doubtful() {
        let told = format!("{answer:?}");
        let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
        tab.pass(301_000);
        let (mut count, mut first) = (0, 0);
        tab.want_token();
        while tab.ended().is_none() {
            tab.advance_to_refresh();
            tab.answer(answer.clone());
            count += 1;
            first = if count == 1 { tab.now.monotonic } else { first };
            assert!(count < 30, "{told}");
            let over = tab.now.monotonic - first >= 60_000 && count >= 3;
            assert_eq!(tab.ended(), over.then_some(EndReason::Revoked), "{told}");
        }
        assert_eq!(tab.snapshot().last_error, Some(Error::Rejected), "{told}");
    }
}

#[test]
fn any_other_answer_between_doubtful_ones_says_that_the_service_is_not_heard() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.pass(301_000);
    for turn in 0..60 {
        tab.advance_to_refresh();
        tab.answer(if turn % 3 == 2 { refusal(503, "", "") } else { json(404, "<html>") });
        assert_eq!((tab.status(), tab.ended()), (Status::Stale, None), "{turn}");
    }
    tab.advance_to_refresh();
    tab.answer_granted(300);
    assert_eq!(tab.status(), Status::Active);
}

#[test]
fn doubts_outlive_a_silence_and_a_page_load() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.pass(301_000);
    for answer in [json(404, ""), UNREACHABLE, json(404, "")] {
        tab.advance_to_refresh();
        tab.answer(answer);
    }
    let mut page = Tab::open(policy(Credential::RefreshToken), 2, tab.store.clone(), tab.now);
    page.pass(120_000);
    page.restore();
    page.advance_to_refresh();
    page.answer(json(404, ""));
    assert_eq!(page.ended(), Some(EndReason::Revoked));
}

#[test]
fn a_page_load_does_not_wait_until_it_is_sure() {
    let mut tab = Tab::new(policy(Credential::Cookie));
    let restored = tab.restore();
    tab.advance(1.0);
    tab.answer(json(404, "<html>"));
    assert_eq!(tab.outcome(restored), Some(&Outcome::Done));
    let snapshot = tab.snapshot();
    assert_eq!((snapshot.status, snapshot.last_error), (Status::Stale, Some(Error::Unavailable)));
}

#[test]
fn the_log_hears_what_it_said_and_no_token() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.want_refresh();
    let said = |error: &str, description: &str| {
        json(400, &format!(r#"{{"error":"{error}","error_description":"{description}"}}"#))
    };
    tab.answer(said("invalid_scope", "no such scope"));
    let line = |error: &str, description: &str| {
        let (error, description) = (error.to_owned(), description.to_owned());
        Line::Refused(Refused { status: 400, error, description })
    };
    assert_eq!(tab.lines, [line("invalid_scope", "no such scope")]);
    tab.advance_to_refresh();
    tab.answer(said("invalid_scope", "unknown token refresh-1"));
    assert_eq!(tab.lines.last(), Some(&line("invalid_scope", "")));
}

#[test]
fn tokens_of_another_spelling_or_with_times_in_quotes_are_tokens() {
    let body = r#"{"accessToken":"opaque","expiresIn":"300","refreshToken":null}"#;
    assert_eq!(heard(json(200, body)), (None, Status::Active, None));
}

#[test]
fn a_date_to_retry_after_is_honoured_to_the_second() {
    let mut tab = Tab::signed_in(policy(Credential::RefreshToken));
    tab.want_refresh();
    let headers = [
        ("date", "Thu, 01 Jan 2026 05:00:00 GMT"),
        ("retry-after", "Thu, 01 Jan 2026 05:00:20 GMT"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    tab.answer(Some(Response { status: 429, headers, ..Response::default() }));
    tab.advance(19.999);
    assert_eq!(tab.requests.len(), 1);
    tab.advance(0.001);
    assert_eq!(tab.requests.len(), 2);
}

#[test]
fn a_function_is_passing_unless_it_says_that_there_is_no_point() {
    for (answer, status) in
        [(UNREACHABLE, Status::Active), (refusal(401, "", ""), Status::SignedOut)]
    {
        let mut tab = Tab::signed_in(policy(Credential::Function));
        tab.want_refresh();
        tab.answer(answer);
        assert_eq!(tab.status(), status);
    }
}

/// A signed-in engine whose function is asked for new tokens.
fn asked() -> (Engine<VirtualHost<Seeded>>, Attempt, RefreshRequest) {
    let endpoint = Endpoint { style: Style::Function, ..Endpoint::default() };
    let settings = Settings { endpoint, ..Settings::default() };
    let host = VirtualHost::new(Now { wall: EPOCH, monotonic: 0 });
    let engine = Engine::new(host, Seeded(3), settings);
    let tokens = TokenResponse {
        access_token: "opaque".to_owned(),
        refresh_token: Some("refresh".to_owned()),
        expires_in: Some(300.0),
        ..TokenResponse::default()
    };
    engine.start(tokens).expect("good tokens");
    engine.ask(WaiterId(7), |waiter| Input::RefreshWanted { waiter });
    while let Some(want) = engine.host.next() {
        match want {
            Want::RequestLock(ticket) => engine.feed(Input::LockGranted(ticket)),
            Want::Load(load) => engine.loaded(load, everfresh::engine::host::Loaded::Nothing),
            Want::Store(store, _) => engine.stored(store, true),
            Want::Call(attempt, request) => return (engine, attempt, request),
            _ => {}
        }
    }
    panic!("the function is called");
}

#[test]
fn a_function_gets_what_it_needs_and_answers_with_what_it_has() {
    let (engine, attempt, request) = asked();
    assert_eq!(request.access_token.as_deref(), Some("opaque"));
    assert_eq!(request.refresh_token.as_deref(), Some("refresh"));
    assert_eq!((request.reason, request.last_activity_at), (RefreshReason::Explicit, EPOCH));
    assert_eq!(request.rotation_key.len(), 32);
    engine.called(attempt, called(json(200, r#"{"accessToken":"newer","expiresIn":60}"#)));
    let token = engine.session(|session| session.access_token().map(str::to_owned));
    assert_eq!(token.as_deref(), Some("newer"));
}

#[test]
fn a_function_that_answers_with_something_else_is_tried_again() {
    let answers = [
        Called::Tokens(None),
        called(json(200, "[]")),
        called(json(200, r#"{"accessToken":""}"#)),
        called(json(200, r#"{"accessToken":"a","expiresIn":{}}"#)),
        called(json(200, r#"{"accessToken":"a","expiresIn":"5m"}"#)),
        called(json(200, r#"{"accessToken":"a","tokenType":"mac"}"#)),
        called(json(200, r#"{"accessToken":["a"],"expiresIn":300}"#)),
    ];
    for answer in answers {
        let (engine, attempt, _) = asked();
        engine.called(attempt, answer);
        let settled = Want::Settle(WaiterId(7), Outcome::Failed(Error::BadResponse));
        assert!(engine.host.take().contains(&settled));
        assert_eq!(engine.snapshot().status, Status::Active);
    }
}

#[test]
fn two_sign_outs_are_revoked_side_by_side_and_dispose_stops_neither() {
    let mut tab = Tab::new(policy(Credential::RefreshToken));
    for _ in 0..2 {
        tab.start(300);
        tab.sign_out();
    }
    tab.feed(Input::Dispose);
    assert_eq!((tab.revokes.len(), tab.aborted.len()), (2, 0));
    let revoke = tab.revokes[0];
    tab.answer_revoke(revoke, 200);
    assert_eq!(tab.waiting(), Vec::<WaiterId>::new());
}
