//! What each route takes and gives, as data.

/// One method of one route.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Who may call: names of security schemes, of which any one will do; [`NONE`] is nobody.
    pub(super) security: &'static [&'static str],
    pub(super) body: Body,
    pub(super) success: Success,
    /// The error statuses, beside 429 and 503, which any route may give.
    pub(super) errors: &'static [u16],
    /// It is there only where samples were asked for.
    pub(super) sample: bool,
}

/// What a request carries.
pub(super) enum Body {
    None,
    /// Fields in JSON; a star marks those that are required.
    Json(&'static [&'static str]),
    /// The same, and no other field.
    OnlyJson(&'static [&'static str]),
    /// Fields in a form.
    Form(&'static [&'static str]),
    /// Anything.
    Any,
}

/// What a good answer holds.
pub(super) enum Success {
    /// A schema by name, in JSON.
    Json(&'static str),
    /// JSON that is not described further.
    Object,
    /// Nothing, with 204.
    NoContent,
    /// Nothing, with 200.
    Empty,
    /// Text of this type.
    Text(&'static str),
}

pub(super) const BEARER: &[&str] = &["bearer"];
const COOKIE: &[&str] = &["cookie"];
const BASIC: &[&str] = &["basic"];
const ANY_TOKEN: &[&str] = &["bearer", "cookie"];
const ANY_TOKEN_OR_NONE: &[&str] = &[NONE, "bearer", "cookie"];
/// Stands for no credentials where they may be left out.
pub(super) const NONE: &str = "";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: "post",
        path: "/auth/login",
        summary: "Sign in: begins a session and gives its first tokens",
        security: &[],
        body: Body::Json(&["username*", "password*", "device_name?", "client_id?"]),
        success: Success::Json("TokenResponse"),
        errors: &[400, 401, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/oauth/token",
        summary: "Refresh: trades a refresh token for its successor (RFC 6749, 6)",
        security: &[],
        body: Body::Form(&["grant_type*", "refresh_token*", "rotation_key", "client_id"]),
        success: Success::Json("TokenResponse"),
        errors: &[400, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/auth/refresh",
        summary: "Refresh with the cookie; needs the header X-Everfresh: 1",
        security: COOKIE,
        body: Body::None,
        success: Success::Json("TokenResponse"),
        errors: &[400, 403],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/auth/renew",
        summary: "Trade a valid access token for a newer one, where the policy has it",
        security: BEARER,
        body: Body::Json(&["exp#?"]),
        success: Success::Json("TokenResponse"),
        errors: &[400, 401, 403, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/auth/logout",
        summary: "End this session; any of its tokens will do, expired or not",
        security: ANY_TOKEN_OR_NONE,
        body: Body::Json(&["refresh_token?"]),
        success: Success::NoContent,
        errors: &[400, 403, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/auth/logout-everywhere",
        summary: "End all sessions of the user",
        security: ANY_TOKEN_OR_NONE,
        body: Body::Json(&["refresh_token?"]),
        success: Success::NoContent,
        errors: &[400, 403, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "get",
        path: "/auth/devices",
        summary: "The user's living sessions",
        security: ANY_TOKEN,
        body: Body::None,
        success: Success::Json("Devices"),
        errors: &[400, 401, 403],
        sample: false,
    },
    Operation {
        method: "delete",
        path: "/auth/devices/{id}",
        summary: "End one of the user's sessions",
        security: ANY_TOKEN,
        body: Body::None,
        success: Success::NoContent,
        errors: &[400, 401, 403, 404],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/auth/password",
        summary: "Change the password, which ends the user's other sessions",
        security: ANY_TOKEN,
        body: Body::OnlyJson(&["current_password*", "new_password*"]),
        success: Success::NoContent,
        errors: &[400, 401, 403, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "patch",
        path: "/auth/profile",
        summary: "Change name and telephone number; null clears the number",
        security: ANY_TOKEN,
        body: Body::OnlyJson(&["name?", "phone?"]),
        success: Success::Json("Profile"),
        errors: &[400, 401, 403, 404, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/oauth/revoke",
        summary: "End the session of a token (RFC 7009)",
        security: &[],
        body: Body::Form(&["token*", "token_type_hint", "everywhere"]),
        success: Success::Empty,
        errors: &[400, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "post",
        path: "/oauth/introspect",
        summary: "Whether a token is good right now (RFC 7662)",
        security: BASIC,
        body: Body::Form(&["token*", "token_type_hint"]),
        success: Success::Json("Introspection"),
        errors: &[400, 401, 408, 413, 415],
        sample: false,
    },
    Operation {
        method: "get",
        path: "/oauth/events",
        summary: "Server-sent events: sessions that ended, for gateways that keep answers",
        security: BASIC,
        body: Body::None,
        success: Success::Text("text/event-stream"),
        errors: &[401],
        sample: false,
    },
    Operation {
        method: "get",
        path: "/api/me",
        summary: "A protected sample: the claims of the access token",
        security: ANY_TOKEN,
        body: Body::None,
        success: Success::Json("Claims"),
        errors: &[400, 401, 403],
        sample: false,
    },
    echo("get"),
    echo("post"),
    echo("put"),
    echo("patch"),
    echo("delete"),
    public("/.well-known/jwks.json", "The public keys (RFC 7517)", Success::Object),
    public("/.well-known/oauth-authorization-server", "Metadata (RFC 8414)", Success::Object),
    public("/openapi.json", "This document", Success::Object),
    public("/healthz", "The process answers", Success::Object),
    public("/readyz", "The store can be written", Success::Object),
    public("/metrics", "Counters and latencies for Prometheus", Success::Text("text/plain")),
];

const fn echo(method: &'static str) -> Operation {
    Operation {
        method,
        path: "/api/echo",
        summary: "A protected sample: what was received",
        security: ANY_TOKEN,
        body: Body::Any,
        success: Success::Object,
        errors: &[400, 401, 403, 408, 413],
        sample: true,
    }
}

const fn public(path: &'static str, summary: &'static str, success: Success) -> Operation {
    Operation {
        method: "get",
        path,
        summary,
        security: &[],
        body: Body::None,
        success,
        errors: &[],
        sample: false,
    }
}
