//! Strategies whose access token is all that the client holds.

use super::{DAY, DEFAULT, HOUR, MINUTE, WEEK};
use crate::policy::{Policy, RefreshTokens, Renew, Revoked};

pub(super) const POLICIES: &[Policy] = &[
    Policy {
        number: 1,
        name: "renew-endpoint",
        summary: "no refresh token; a valid access token is traded for a newer one",
        ..ENDPOINT
    },
    Policy {
        number: 2,
        name: "renew-weekly",
        summary: "as renew-endpoint, with access tokens of one week",
        access_ttl: WEEK,
        refresh_in: Some(HOUR),
        ..ENDPOINT
    },
    Policy {
        number: 6,
        name: "client-timer",
        summary: "as renew-endpoint, with access tokens of 30 minutes",
        access_ttl: 30 * MINUTE,
        ..ENDPOINT
    },
    Policy {
        number: 12,
        name: "user-version",
        summary: "a version of the user in every token; a sign-out raises it and voids them all",
        access_ttl: 15 * MINUTE,
        revocation: Revoked::Version,
        ..ENDPOINT
    },
    Policy {
        number: 13,
        name: "soft-expiry",
        summary: "refused after 5 minutes but renewable for 30, and two codes that tell which",
        access_ttl: 30 * MINUTE,
        soft_ttl: Some(5 * MINUTE),
        ..ENDPOINT
    },
    Policy {
        number: 14,
        name: "session-extension",
        summary: "4-hour access tokens; in the last quarter of their life extended by 2 hours",
        access_ttl: 4 * HOUR,
        renew_after: 75,
        extend_by: Some(2 * HOUR),
        ..ENDPOINT
    },
    Policy {
        number: 15,
        name: "jti-deny-list",
        summary: "a list of refused access tokens, each forgotten when it would have expired",
        access_ttl: 15 * MINUTE,
        revocation: Revoked::Denied,
        ..ENDPOINT
    },
    Policy {
        number: 17,
        name: "latest-only",
        summary: "of all access tokens of a user only the newest is good",
        access_ttl: 15 * MINUTE,
        revocation: Revoked::LatestOnly,
        ..ENDPOINT
    },
    Policy {
        number: 23,
        name: "half-life",
        summary: "20 minutes, renewed by a header after half of them, 8 hours in all",
        access_ttl: 20 * MINUTE,
        renew_after: 50,
        absolute_ttl: Some(8 * HOUR),
        ..HEADER
    },
    Policy {
        number: 24,
        name: "fixed-expiry",
        summary: "100-second access tokens and nothing to renew them with",
        access_ttl: 100,
        ..NEVER
    },
    Policy {
        number: 27,
        name: "hourly-renewal",
        summary: "as renew-endpoint, with access tokens of 2 hours",
        access_ttl: 2 * HOUR,
        refresh_in: Some(HOUR),
        ..ENDPOINT
    },
    Policy {
        number: 29,
        name: "response-header-roll",
        summary: "an expired access token is served and replaced while its session lives, 7 days",
        access_ttl: 5 * MINUTE,
        renew_after: 100,
        late_renewal: true,
        absolute_ttl: Some(WEEK),
        ..HEADER
    },
    Policy {
        number: 31,
        name: "long-access",
        summary: "access tokens of 180 days; starts only with --allow-long-access",
        access_ttl: 180 * DAY,
        absolute_ttl: Some(180 * DAY),
        ..NEVER
    },
    Policy {
        number: 32,
        name: "sign-out-at-expiry",
        summary: "30-minute access tokens, then sign in again",
        access_ttl: 30 * MINUTE,
        ..NEVER
    },
    Policy {
        number: 35,
        name: "reissue-every-call",
        summary: "15-minute access tokens, replaced by a header of every successful answer",
        access_ttl: 15 * MINUTE,
        ..HEADER
    },
    Policy {
        number: 36,
        name: "no-renewal",
        summary: "access tokens of one week, then sign in again",
        access_ttl: WEEK,
        ..NEVER
    },
    Policy {
        number: 39,
        name: "rolling-half",
        summary: "as half-life, with 30 days in all",
        access_ttl: 20 * MINUTE,
        renew_after: 50,
        ..HEADER
    },
];

const NEVER: Policy =
    Policy { renew: Renew::Never, refresh_token: RefreshTokens::Never, idle_ttl: None, ..DEFAULT };

const ENDPOINT: Policy = Policy { renew: Renew::Endpoint, ..NEVER };

const HEADER: Policy = Policy { renew: Renew::Header, ..NEVER };
