//! Session strategies, as data.

/// How sessions are kept alive, and for how long. All lives are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What `--policy` calls it.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// A sign-in gives a refresh token.
    pub refresh_token: bool,
    /// A valid access token can be traded for a newer one at `/auth/renew`.
    pub renewal: bool,
    /// Life of an access token.
    pub access_ttl: u64,
    /// A session that is not refreshed for this long ends.
    pub idle_ttl: Option<u64>,
    /// Longest life of a session.
    pub absolute_ttl: Option<u64>,
    /// A sign-in older than this is worth nothing at a refresh.
    pub max_login_age: Option<u64>,
}

impl Policy {
    /// The policy of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        POLICIES.iter().find(|policy| policy.name == name)
    }

    /// All policies, the default first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        POLICIES
    }
}

const POLICIES: &[Policy] = &[
    SILENT_REFRESH,
    Policy {
        name: "renew-endpoint",
        summary: "no refresh token; a valid access token is traded for a newer one",
        ..RENEWAL
    },
    Policy {
        name: "renew-weekly",
        summary: "as renew-endpoint, with access tokens of one week",
        access_ttl: WEEK,
        ..RENEWAL
    },
    Policy {
        name: "client-timer",
        summary: "as renew-endpoint, with access tokens of 30 minutes",
        access_ttl: 30 * MINUTE,
        ..RENEWAL
    },
    Policy {
        name: "requested-expiry",
        summary: "as client-timer; the client may ask for an earlier expiry",
        access_ttl: 30 * MINUTE,
        ..RENEWAL
    },
    Policy {
        name: "hourly-renewal",
        summary: "as renew-endpoint, with access tokens of 2 hours",
        access_ttl: 2 * HOUR,
        ..RENEWAL
    },
    Policy {
        name: "reauth-flag",
        summary: "15-minute access tokens; a flagged user has to sign in again",
        access_ttl: 15 * MINUTE,
        ..SILENT_REFRESH
    },
    Policy {
        name: "login-age",
        summary: "no refresh once the last sign-in is 72 hours ago",
        max_login_age: Some(72 * HOUR),
        ..SILENT_REFRESH
    },
    Policy {
        name: "oauth-token-endpoint",
        summary: "rotating refresh tokens at /oauth/token, as OAuth clients expect",
        ..SILENT_REFRESH
    },
    Policy {
        name: "one-time-sliding",
        summary: "one-time refresh tokens of 48 hours, sliding",
        ..SILENT_REFRESH
    },
    Policy {
        name: "claims-sync",
        summary: "15-minute access tokens; a changed role shows at the next refresh",
        access_ttl: 15 * MINUTE,
        ..SILENT_REFRESH
    },
    Policy {
        name: "claims-update",
        summary: "a changed profile shows at the next refresh",
        ..SILENT_REFRESH
    },
    Policy {
        name: "rfc6749-pair",
        summary: "the plain pair of access and refresh token of RFC 6749",
        ..SILENT_REFRESH
    },
    Policy {
        name: "opaque-refresh",
        summary: "5-minute access tokens; an opaque refresh token that only this server reads",
        ..SILENT_REFRESH
    },
    Policy {
        name: "fixed-expiry",
        summary: "100-second access tokens and nothing to renew them with",
        access_ttl: 100,
        ..NO_RENEWAL
    },
    NO_RENEWAL,
];

const SILENT_REFRESH: Policy = Policy {
    name: "silent-refresh",
    summary: "5-minute access tokens, rotating refresh tokens: 48 hours idle, 30 days in all",
    refresh_token: true,
    renewal: false,
    access_ttl: 5 * MINUTE,
    idle_ttl: Some(48 * HOUR),
    absolute_ttl: Some(30 * DAY),
    max_login_age: None,
};

const RENEWAL: Policy =
    Policy { refresh_token: false, renewal: true, idle_ttl: None, ..SILENT_REFRESH };

const NO_RENEWAL: Policy = Policy {
    name: "no-renewal",
    summary: "access tokens of one week, then sign in again",
    refresh_token: false,
    access_ttl: WEEK,
    idle_ttl: None,
    ..SILENT_REFRESH
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for policy in Policy::all() {
            assert_eq!(Policy::named(policy.name), Some(policy));
        }
    }
}
