//! Strategies in which the server remembers and the client holds a name at most.

use super::{DEFAULT, HOUR, MINUTE, WEEK, YEAR};
use crate::policy::{Policy, RefreshTokens, Renew};

pub(super) const POLICIES: &[Policy] = &[
    Policy {
        number: 8,
        name: "last-access",
        summary: "10 minutes from the last request, whatever it asked for; 12 hours in all",
        renew: Renew::Never,
        refresh_token: RefreshTokens::Never,
        access_ttl: 12 * HOUR,
        idle_ttl: Some(10 * MINUTE),
        use_counts: true,
        absolute_ttl: Some(12 * HOUR),
        ..DEFAULT
    },
    Policy {
        number: 16,
        name: "stored-access-cookie",
        summary: "a cookie for a stored token that lives on for 30 minutes with each visit",
        renew: Renew::Cookie,
        idle_ttl: Some(30 * MINUTE),
        use_counts: true,
        ..COOKIE
    },
    Policy {
        number: 26,
        name: "cookie-roll",
        summary: "a cookie of a year whose content is replaced when it is a week old",
        renew: Renew::Cookie,
        renew_after: 100,
        access_ttl: WEEK,
        absolute_ttl: Some(YEAR),
        ..COOKIE
    },
    Policy {
        number: 38,
        name: "session-cookie",
        summary: "a cookie with an opaque name of the session, for 2 weeks",
        renew: Renew::Never,
        absolute_ttl: Some(2 * WEEK),
        ..COOKIE
    },
];

const COOKIE: Policy = Policy {
    refresh_token: RefreshTokens::Reusable,
    cookie_session: true,
    idle_ttl: None,
    ..DEFAULT
};
