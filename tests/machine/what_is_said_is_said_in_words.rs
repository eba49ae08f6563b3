//! The words for reasons and states are those of the TypeScript types, and nothing that is printed
//! holds a token.

use everfresh::{
    core::{
        effect::{Lease, RefreshRequest, RevokeRequest},
        error::Error,
        event::FailureReason,
        policy::Policy,
        reason::{EndReason, RefreshReason},
        snapshot::Status,
    },
    engine::{
        endpoint::{Credentials, Request, Response},
        host::Loaded,
        jwt,
        native::NativeFormats,
        virtual_host::Text,
    },
};

use crate::rig::Tab;

/// The words of a union type of the package.
fn words(name: &str) -> Vec<&'static str> {
    let types = include_str!("../../pkg/src/types.ts");
    let (_, rest) = types.split_once(&format!("export type {name} =")).expect("the type");
    let (union, _) = rest.split_once(';').expect("its end");
    union.split('"').skip(1).step_by(2).collect()
}

#[test]
fn why_it_is_refreshed() {
    use RefreshReason::{Demanded, Explicit, Restore, Scheduled, Unauthorized, Wake};
    let reasons = [Scheduled, Unauthorized, Demanded, Explicit, Wake, Restore];
    assert_eq!(reasons.map(RefreshReason::as_str).to_vec(), words("RefreshReason"));
    assert_eq!(FailureReason::Attempt(Wake).as_str(), "wake");
    assert_eq!(FailureReason::Breaker.as_str(), "breaker");
}

#[test]
fn why_it_is_over() {
    use EndReason::{
        Cancelled, CorruptStorage, Idle, InvalidToken, LoginRequired, MaxAge, None, Reuse, Revoked,
        SignedOut, SubjectChanged,
    };
    let reasons = [
        None,
        Cancelled,
        SignedOut,
        Idle,
        MaxAge,
        Revoked,
        Reuse,
        LoginRequired,
        SubjectChanged,
        InvalidToken,
        CorruptStorage,
    ];
    assert_eq!(reasons.map(EndReason::as_str).to_vec(), words("EndReason"));
}

#[test]
fn how_it_stands() {
    use Status::{Active, SignedOut, Stale, Unknown, Warning};
    let states = [Unknown, Active, Stale, Warning, SignedOut];
    assert_eq!(states.map(Status::as_str).to_vec(), words("Status"));
}

#[test]
fn a_failure_prints_its_code_and_its_cause() {
    let said = Error::Timeout.to_string();
    assert!(said.starts_with("ERR_REFRESH_TIMEOUT: the token endpoint did not answer"), "{said}");
}

#[test]
fn without_the_tokens_that_it_is_about() {
    let mut tab = Tab::signed_in(Policy::default());
    let lease = tab.lease.clone().expect("a lease");
    let secret = lease.access_token.clone();
    tab.unauthorized(lease.id);
    let sent = tab.requests[0].1.clone();
    let request = RefreshRequest {
        access_token: Some(secret.clone()),
        refresh_token: sent.refresh_token,
        rotation_key: sent.rotation_key.clone(),
        reason: RefreshReason::Unauthorized,
        last_activity_at: 0,
    };
    let posted = Request {
        url: "https://auth.test/token".to_owned(),
        headers: vec![("Authorization".to_owned(), format!("Bearer {secret}"))],
        body: Some(format!("refresh_token=refresh-1&rotation_key={}", sent.rotation_key)),
        credentials: Credentials::Omit,
    };
    let answer = Response { status: 200, body: secret.clone(), ..Response::default() };
    let revoke = RevokeRequest {
        access_token: Some(secret.clone()),
        refresh_token: Some("refresh-1".to_owned()),
        everywhere: true,
    };
    let Lease { id, from, until, .. } = lease;
    let printed = [
        (format!("{lease:?}"), format!("Lease({}, {from}..{until})", id.0)),
        (format!("{request:?}"), "RefreshRequest(unauthorized)".to_owned()),
        (format!("{revoke:?}"), "RevokeRequest(everywhere: true)".to_owned()),
        (
            format!("{:?}", jwt::read::<NativeFormats>(&secret).expect("a JWT").0),
            "Jwt(..)".to_owned(),
        ),
        (format!("{posted:?}"), "Request(https://auth.test/token)".to_owned()),
        (format!("{answer:?}"), "Response(200)".to_owned()),
        (format!("{:?}", Loaded::Text(secret.clone())), "Text(..)".to_owned()),
        (format!("{:?}", Text(secret.clone())), "Text(..)".to_owned()),
        (format!("{:?}", tab.engine), "Engine(..)".to_owned()),
    ];
    for (said, expected) in printed {
        assert_eq!(said, expected);
        for token in [secret.as_str(), "refresh-1", sent.rotation_key.as_str()] {
            assert!(!said.contains(token), "{said}");
        }
    }
}
