//! Strategies for which the server does what it does for another. What sets them apart is up to the
//! client, or to a service that asks.

/// A strategy with the fields of another.
pub(super) struct SameAs {
    /// Whose fields.
    pub(super) of: &'static str,
    pub(super) number: u8,
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
}

pub(super) const STRATEGIES: &[SameAs] = &[
    SameAs {
        of: "client-timer",
        number: 7,
        name: "requested-expiry",
        summary: "as client-timer; the client may ask for an earlier expiry",
    },
    SameAs {
        of: "silent-refresh",
        number: 9,
        name: "oauth-token-endpoint",
        summary: "rotating refresh tokens at /oauth/token, as OAuth clients expect",
    },
    SameAs {
        of: "silent-refresh",
        number: 20,
        name: "one-time-sliding",
        summary: "one-time refresh tokens of 48 hours, sliding",
    },
    SameAs {
        of: "silent-refresh",
        number: 22,
        name: "jwt-pair",
        summary: "a pair that overlapping refreshes may share",
    },
    SameAs {
        of: "reauth-flag",
        number: 30,
        name: "claims-sync",
        summary: "15-minute access tokens; a changed role shows at the next refresh",
    },
    SameAs {
        of: "silent-refresh",
        number: 33,
        name: "no-polling",
        summary: "one refresh for each access token and nothing to ask in between",
    },
    SameAs {
        of: "silent-refresh",
        number: 37,
        name: "rfc6749-pair",
        summary: "the plain pair of access and refresh token of RFC 6749",
    },
    SameAs {
        of: "silent-refresh",
        number: 40,
        name: "opaque-refresh",
        summary: "5-minute access tokens; an opaque refresh token that only this server reads",
    },
    SameAs {
        of: "silent-refresh",
        number: 41,
        name: "claims-update",
        summary: "a changed profile shows at the next refresh",
    },
];
