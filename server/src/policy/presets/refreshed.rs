//! Strategies with a refresh token.

use super::{DAY, DEFAULT, HOUR, MINUTE, WEEK};
use crate::policy::{OnReuse, Policy, RefreshTokens, Revoked};

pub(super) const POLICIES: &[Policy] = &[
    DEFAULT,
    Policy {
        number: 3,
        name: "device-tokens",
        summary: "a lasting refresh token for each named device, until it is 90 days unused",
        refresh_token: RefreshTokens::Reusable,
        idle_ttl: Some(90 * DAY),
        absolute_ttl: None,
        password_ends_all: true,
        ..DEFAULT
    },
    Policy {
        number: 4,
        name: "reauth-flag",
        summary: "15-minute access tokens; a flagged user has to sign in again",
        access_ttl: 15 * MINUTE,
        ..DEFAULT
    },
    Policy {
        number: 5,
        name: "login-age",
        summary: "no refresh once the last sign-in is 72 hours ago",
        max_login_age: Some(72 * HOUR),
        ..DEFAULT
    },
    Policy {
        number: 10,
        name: "deny-listable-refresh",
        summary: "one refresh token of 30 days that can be refused by name",
        refresh_token: RefreshTokens::Reusable,
        idle_ttl: None,
        revocation: Revoked::Denied,
        ..DEFAULT
    },
    Policy {
        number: 11,
        name: "short-and-long",
        summary: "a token of 5 minutes and one of a week; a refresh takes both and extends both",
        idle_ttl: Some(WEEK),
        access_at_refresh: true,
        ..DEFAULT
    },
    Policy {
        number: 18,
        name: "issue-log",
        summary: "every access token is written down when it is issued",
        issue_log: true,
        ..DEFAULT
    },
    Policy {
        number: 19,
        name: "endless-deny-list",
        summary: "a deny list that can never shrink; refused at the start, with the reason",
        access_ttl: 20 * MINUTE,
        idle_ttl: None,
        absolute_ttl: None,
        refresh_token: RefreshTokens::Reusable,
        revocation: Revoked::Denied,
        ..DEFAULT
    },
    Policy {
        number: 21,
        name: "jti-allow-list",
        summary: "a list of admitted access tokens; gateways hear of each that leaves it",
        revocation: Revoked::NotAllowed,
        ..DEFAULT
    },
    Policy {
        number: 28,
        name: "one-access-per-refresh",
        summary: "two access tokens of one session in use at once end the session",
        access_ttl: 15 * MINUTE,
        idle_ttl: Some(30 * DAY),
        absolute_ttl: Some(90 * DAY),
        one_access: true,
        ..DEFAULT
    },
    Policy {
        number: 34,
        name: "one-time-revoke-all",
        summary: "a refresh token used twice ends all sessions of the user",
        on_reuse: OnReuse::RevokeUser,
        ..DEFAULT
    },
];
