//! What services answer to a refresh, in the order of docs/token-services.md. Facts were read in the
//! sources named, in November 2026; what could not be confirmed there says so.

use Verdict::{Doubt, Ends, Passes};

/// What follows from an answer that brings no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The session ends there and then.
    Ends,
    /// It ends once the token is gone and nothing else was heard for a minute.
    Doubt,
    /// It is tried again for ever.
    Passes,
}

/// One service or back-end library.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// Where its behaviour was read.
    pub(crate) source: &'static str,
    /// The body of a success: `{at}` is an opaque token, `{jwt}` one that says `sub`, `iat` and `exp`
    /// of five minutes, `{rt}` a refresh token, `{s}` and `{ms}` the end in five minutes.
    pub(crate) success: &'static str,
    /// How many seconds such a token lives; 0 where nothing says so.
    pub(crate) life: i64,
    /// Whether the next refresh carries the refresh token of the answer, or the one before.
    pub(crate) rotates: bool,
    /// Whether its answers have to be mapped (`tokens`, or a preset): then `success` is what that gives.
    pub(crate) mapped: bool,
    /// Status, body, and what follows by default.
    pub(crate) refusals: &'static [(u16, &'static str, Verdict)],
    /// A header by which it says when to come back, beside 429: its name, and whether it is a time.
    pub(crate) patience: Option<(&'static str, bool)>,
    /// What could not be confirmed.
    pub(crate) unconfirmed: &'static str,
}

const STANDARD: &str =
    r#"{"access_token":"{at}","token_type":"Bearer","expires_in":300,"refresh_token":"{rt}"}"#;
const GRANT: (u16, &str, Verdict) = (400, r#"{"error":"invalid_grant"}"#, Ends);
const CLIENT: (u16, &str, Verdict) = (401, r#"{"error":"invalid_client"}"#, Doubt);

const fn service(
    name: &'static str,
    source: &'static str,
    success: &'static str,
    refusals: &'static [(u16, &'static str, Verdict)],
) -> Service {
    Service {
        name,
        source,
        success,
        life: 300,
        rotates: true,
        mapped: false,
        refusals,
        patience: None,
        unconfirmed: "",
    }
}

impl Service {
    const fn keeps(mut self) -> Self {
        self.rotates = false;
        self
    }

    const fn mapped(mut self) -> Self {
        self.mapped = true;
        self
    }

    const fn life(mut self, seconds: i64) -> Self {
        self.life = seconds;
        self
    }

    const fn patience(mut self, header: &'static str, is_time: bool) -> Self {
        self.patience = Some((header, is_time));
        self
    }

    const fn unconfirmed(mut self, what: &'static str) -> Self {
        self.unconfirmed = what;
        self
    }
}

pub(crate) const SERVICES: &[Service] = &[
    service("Auth0", "auth0/auth0-spa-js", STANDARD, &[
        (403, r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#, Ends),
        (401, r#"{"error":"invalid_client"}"#, Doubt),
    ])
    .patience("retry-after", false),
    service("Okta", "okta/okta-developer-docs", STANDARD, &[GRANT, CLIENT])
        .patience("x-rate-limit-reset", true)
        .unconfirmed("the header is shown for other routes than the token endpoint"),
    service(
        "Entra ID",
        "MicrosoftDocs/azure-docs",
        r#"{"token_type":"Bearer","scope":"a","expires_in":300,"ext_expires_in":300,"access_token":"{jwt}","refresh_token":"{rt}","id_token":"{jwt}"}"#,
        &[
            (400, r#"{"error":"invalid_grant","error_codes":[70008],"suberror":"token_expired","trace_id":"t"}"#, Ends),
            (400, r#"{"error":"interaction_required","error_codes":[50076]}"#, Ends),
            (400, r#"{"error":"consent_required"}"#, Ends),
            (400, r#"{"error":"temporarily_unavailable"}"#, Passes),
        ],
    )
    .patience("retry-after", false),
    service("Cognito, OAuth", "awsdocs/amazon-cognito-developer-guide",
        r#"{"id_token":"{jwt}","access_token":"{jwt}","expires_in":300,"token_type":"Bearer"}"#,
        &[GRANT, (400, r#"{"error":"unauthorized_client"}"#, Doubt)]).keeps(),
    service("Cognito, API", "aws-amplify/amplify-js",
        r#"{"accessToken":"{jwt}","expiresIn":300,"refreshToken":null}"#,
        &[
            (400, r#"{"__type":"NotAuthorizedException","message":"Refresh Token has expired"}"#, Doubt),
            (400, r#"{"__type":"TooManyRequestsException"}"#, Doubt),
        ])
    .keeps()
    .mapped()
    .unconfirmed("the status beside TooManyRequestsException"),
    service("Google", "nextauthjs/next-auth",
        r#"{"access_token":"{at}","expires_in":300,"scope":"openid","token_type":"Bearer"}"#,
        &[(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, Ends), CLIENT]).keeps(),
    service("Firebase", "firebase/firebase-js-sdk",
        r#"{"access_token":"{jwt}","expires_in":"300","token_type":"Bearer","refresh_token":"{rt}","id_token":"{jwt}","user_id":"u","project_id":"1"}"#,
        &[
            (400, r#"{"error":{"code":400,"message":"TOKEN_EXPIRED","status":"INVALID_ARGUMENT"}}"#, Ends),
            (400, r#"{"error":{"code":400,"message":"USER_DISABLED"}}"#, Ends),
            (400, r#"{"error":{"code":400,"message":"USER_NOT_FOUND"}}"#, Ends),
            (400, r#"{"error":{"code":400,"message":"INVALID_REFRESH_TOKEN"}}"#, Ends),
            (400, r#"{"error":{"code":400,"message":"API key not valid."}}"#, Doubt),
        ]),
    service("Supabase", "supabase/auth",
        r#"{"access_token":"{jwt}","token_type":"bearer","expires_in":300,"expires_at":{s},"refresh_token":"{rt}","user":{"id":"u"}}"#,
        &[
            (400, r#"{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token"}"#, Ends),
            (400, r#"{"code":400,"error_code":"refresh_token_already_used","msg":"x"}"#, Ends),
            (400, r#"{"code":400,"error_code":"session_not_found"}"#, Ends),
            (400, r#"{"code":"session_expired","message":"x"}"#, Ends),
            (400, r#"{"code":400,"error_code":"user_banned"}"#, Ends),
            (400, r#"{"code":400,"error_code":"validation_failed"}"#, Doubt),
            (409, r#"{"code":409,"error_code":"conflict"}"#, Passes),
            (429, r#"{"code":429,"error_code":"over_request_rate_limit"}"#, Passes),
        ]),
    service("GitHub Apps", "github/docs",
        r#"{"access_token":"{at}","expires_in":300,"refresh_token":"{rt}","refresh_token_expires_in":15811200,"scope":"","token_type":"bearer"}"#,
        &[
            (200, r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#, Ends),
            (200, r#"{"error":"incorrect_client_credentials"}"#, Doubt),
        ]),
    service("GitLab", "gitlabhq/gitlabhq",
        r#"{"access_token":"{at}","token_type":"Bearer","expires_in":300,"refresh_token":"{rt}","created_at":1767225600}"#,
        &[GRANT, CLIENT]),
    service("Salesforce", "developer.salesforce.com",
        r#"{"access_token":"{at}","signature":"s","instance_url":"https://x","id":"i","token_type":"Bearer","issued_at":"1767225600000"}"#,
        &[
            (400, r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#, Ends),
            (400, r#"{"error":"inactive_user"}"#, Doubt),
        ]).keeps().life(0).unconfirmed("inactive_user was seen in clients only"),
    service("Slack", "slackapi/python-slack-sdk",
        r#"{"accessToken":"{at}","expiresIn":300,"refreshToken":"{rt}"}"#,
        &[
            (200, r#"{"ok":false,"error":"invalid_refresh_token"}"#, Ends),
            (200, r#"{"ok":false,"error":"internal_error"}"#, Doubt),
        ]).mapped().unconfirmed("the words of its errors were seen in clients only"),
    service("Strava", "developers.strava.com",
        r#"{"token_type":"Bearer","access_token":"{at}","expires_at":{s},"expires_in":300,"refresh_token":"{rt}"}"#,
        &[(400, r#"{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"code","code":"invalid"}]}"#, Doubt)])
        .unconfirmed("its errors were seen in clients only"),
    service("Spotify", "docs.rs/rspotify", STANDARD, &[GRANT, CLIENT]).unconfirmed("its refusals"),
    service("Discord", "discord/discord-api-docs", STANDARD, &[GRANT, CLIENT]),
    service("Zoom", "developers.zoom.us", STANDARD, &[
        (400, r#"{"reason":"Invalid Token!","error":"invalid_request"}"#, Doubt),
        (401, r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#, Ends),
    ]).unconfirmed("its refusals were seen in clients only"),
    service("HubSpot", "HubSpot/oauth-quickstart-nodejs", STANDARD, &[
        (400, r#"{"status":"BAD_REFRESH_TOKEN","error":"invalid_request","message":"missing or unknown refresh token"}"#, Doubt),
    ]).unconfirmed("its refusals were seen in issues only"),
    service("Shopify", "Shopify/shopify-app-js",
        r#"{"access_token":"{at}","expires_in":300,"refresh_token":"{rt}","refresh_token_expires_in":7776000,"scope":"a"}"#,
        &[GRANT]).unconfirmed("its refusals"),
    service("Clerk", "clerk/javascript", r#"{"accessToken":"{jwt}"}"#, &[
        (401, r#"{"errors":[{"code":"authentication_invalid","message":"x"}]}"#, Ends),
        (422, r#"{"errors":[{"code":"x","message":"x"}]}"#, Doubt),
        (403, r#"{"errors":[{"code":"user_banned","message":"x"}]}"#, Ends),
        (404, r#"{"errors":[{"code":"resource_not_found"}]}"#, Doubt),
    ]).keeps().mapped().patience("retry-after", false),
    service("Keycloak", "keycloak/keycloak",
        r#"{"access_token":"{jwt}","expires_in":300,"refresh_expires_in":1800,"refresh_token":"{rt}","token_type":"Bearer","not-before-policy":0,"session_state":"s","scope":"openid"}"#,
        &[
            (400, r#"{"error":"invalid_grant","error_description":"Token is not active"}"#, Ends),
            (400, r#"{"error":"invalid_grant","error_description":"Session not active"}"#, Ends),
            CLIENT,
            (401, r#"{"error":"unauthorized_client"}"#, Doubt),
        ]),
    service("node oidc-provider", "panva/node-oidc-provider", STANDARD, &[
        GRANT, CLIENT, (500, r#"{"error":"server_error"}"#, Passes),
    ]),
    service("Logto", "logto-io/logto", STANDARD, &[GRANT, CLIENT]),
    service("Hydra", "ory/hydra", STANDARD, &[
        GRANT,
        (400, r#"{"error":"invalid_request","error_description":"Please retry the request."}"#, Doubt),
    ]),
    service("ZITADEL", "zitadel/oidc", STANDARD, &[
        GRANT, CLIENT, (500, r#"{"error":"server_error","error_description":"x"}"#, Passes),
    ]).unconfirmed("the path of its token endpoint"),
    service("authentik", "goauthentik/authentik",
        r#"{"access_token":"{jwt}","token_type":"Bearer","expires_in":300,"id_token":"{jwt}"}"#,
        &[GRANT, (400, r#"{"error":"invalid_client"}"#, Doubt), (400, r#"{"error":"invalid_scope"}"#, Doubt)]).keeps(),
    service("OpenIddict", "openiddict/openiddict-core",
        r#"{"access_token":"e30.a.b.c.d{at}","token_type":"Bearer","expires_in":300,"refresh_token":"{rt}"}"#,
        &[GRANT, CLIENT, (500, r#"{"error":"server_error"}"#, Passes)]),
    service("Duende IdentityServer", "DuendeSoftware/products", STANDARD, &[
        GRANT, (400, r#"{"error":"invalid_client"}"#, Doubt),
    ]),
    service("Spring Authorization Server", "spring-projects/spring-authorization-server", STANDARD, &[GRANT, CLIENT]),
    service("Kanidm", "kanidm/kanidm", STANDARD, &[
        GRANT,
        (400, r#"{"error":"invalid_request"}"#, Doubt),
        (401, "", Ends),
    ]),
    service("Rauthy", "sebadob/rauthy", STANDARD, &[
        (404, r#"{"timestamp":1,"error":"NotFound","message":"x"}"#, Doubt),
        (401, r#"{"timestamp":1,"error":"Unauthorized"}"#, Ends),
        (403, "<html><h1>Your IP has been blocked", Doubt),
        (429, "<html>", Passes),
    ]).patience("x-retry-not-before", true),
    service("Casdoor", "casdoor/casdoor", STANDARD, &[
        GRANT, CLIENT, (200, r#"{"status":"error","msg":"the user doesn't exist"}"#, Passes),
    ]),
    service("FusionAuth, OAuth", "docs.rs/fusionauth-rust-client",
        r#"{"access_token":"{jwt}","expires_in":300,"refresh_token":"{rt}","refresh_token_id":"i","token_type":"Bearer","userId":"u"}"#,
        &[(400, r#"{"error":"invalid_grant","error_description":"x","error_reason":"refresh_token_not_found"}"#, Ends)])
        .unconfirmed("the status of its refusals"),
    service("SuperTokens", "supertokens/supertokens-node", r#"{"accessToken":"{jwt}","refreshToken":"{rt}"}"#, &[
        (401, r#"{"message":"unauthorised"}"#, Ends),
        (401, r#"{"message":"token theft detected"}"#, Ends),
    ]).mapped(),
    service("Directus", "directus/directus",
        r#"{"accessToken":"{jwt}","refreshToken":"{rt}","expiresIn":300}"#,
        &[
            (401, r#"{"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}"#, Ends),
            (400, r#"{"errors":[{"message":"x","extensions":{"code":"INVALID_PAYLOAD"}}]}"#, Doubt),
        ]).mapped(),
    service("Strapi", "strapi/strapi", r#"{"accessToken":"{jwt}","refreshToken":"{rt}"}"#, &[
        (401, r#"{"data":null,"error":{"status":401,"name":"UnauthorizedError","message":"Invalid refresh token"}}"#, Ends),
        (404, r#"{"data":null,"error":{"status":404,"name":"NotFoundError","message":"Not Found"}}"#, Doubt),
    ]).mapped().unconfirmed("the status 401"),
    service("PocketBase", "pocketbase/pocketbase", r#"{"accessToken":"{jwt}"}"#, &[
        (401, r#"{"status":401,"message":"x","data":{}}"#, Ends),
        (403, r#"{"status":403,"message":"x","data":{}}"#, Ends),
        (404, r#"{"status":404,"message":"x","data":{}}"#, Doubt),
        (429, r#"{"status":429,"message":"x","data":{}}"#, Passes),
    ]).keeps().mapped(),
    service("Appwrite", "appwrite/appwrite", r#"{"accessToken":"{jwt}"}"#, &[
        (401, r#"{"message":"x","code":401,"type":"general_unauthorized_scope"}"#, Ends),
        (404, r#"{"message":"x","code":404,"type":"user_session_not_found"}"#, Doubt),
    ]).keeps().mapped().patience("x-ratelimit-reset", true),
    service("Nhost", "nhost/hasura-auth",
        r#"{"accessToken":"{jwt}","expiresIn":300,"refreshToken":"{rt}","refreshTokenId":"i"}"#,
        &[
            (401, r#"{"status":401,"message":"x","error":"invalid-refresh-token"}"#, Ends),
            (401, r#"{"status":401,"message":"x","error":"disabled-user"}"#, Ends),
            (400, r#"{"status":400,"message":"x","error":"invalid-request"}"#, Doubt),
            (429, "", Passes),
        ]).mapped(),
    service("simplejwt", "jazzband/djangorestframework-simplejwt", r#"{"accessToken":"{jwt}","refreshToken":"{rt}"}"#, &[
        (401, r#"{"detail":"Token is invalid or expired","code":"token_not_valid"}"#, Ends),
        (401, r#"{"detail":"x","code":"no_active_account"}"#, Ends),
        (400, r#"{"refresh":["This field is required."]}"#, Doubt),
    ]).mapped().patience("retry-after", false),
    service("dj-rest-auth", "iMerica/dj-rest-auth", r#"{"accessToken":"{jwt}","expiresAt":{s},"refreshToken":""}"#, &[
        (401, r#"{"detail":"Token is blacklisted","code":"token_not_valid"}"#, Ends),
    ]).keeps().mapped(),
    service("django-oauth-toolkit", "jazzband/django-oauth-toolkit", STANDARD, &[GRANT, CLIENT]),
    service("Laravel Passport", "thephpleague/oauth2-server", STANDARD, &[
        (400, r#"{"error":"invalid_grant","error_description":"x","hint":"Token has been revoked"}"#, Ends),
        (401, r#"{"error":"invalid_request","hint":"Token has expired"}"#, Ends),
        (429, "Too Many Attempts.", Passes),
    ]).patience("retry-after", false),
    service("jwt-auth", "PHP-Open-Source-Saver/jwt-auth",
        r#"{"access_token":"{jwt}","token_type":"bearer","expires_in":300}"#,
        &[(401, r#"{"message":"The token has been blacklisted"}"#, Ends)]).keeps(),
    service("ASP.NET Core Identity", "dotnet/aspnetcore",
        r#"{"tokenType":"Bearer","accessToken":"{at}","expiresIn":300,"refreshToken":"{rt}"}"#,
        &[(401, "", Ends)]),
    service("Doorkeeper", "doorkeeper-gem/doorkeeper",
        r#"{"access_token":"{at}","token_type":"Bearer","expires_in":300,"refresh_token":"{rt}","created_at":1767225600}"#,
        &[GRANT, CLIENT]),
    service("rodauth", "jeremyevans/rodauth", r#"{"access_token":"{jwt}","refresh_token":"{rt}"}"#, &[
        (400, r#"{"error":"invalid JWT refresh token"}"#, Doubt),
        (400, r#"{"error":"expired JWT access token"}"#, Doubt),
        (401, r#"{"error":"Please login to continue"}"#, Ends),
    ]),
    service("flask-jwt-extended", "vimalloc/flask-jwt-extended", r#"{"access_token":"{jwt}"}"#, &[
        (401, r#"{"msg":"Token has expired"}"#, Ends),
        (422, r#"{"msg":"Signature verification failed"}"#, Doubt),
    ]).keeps(),
    service("Lexik", "markitosgv/JWTRefreshTokenBundle", r#"{"accessToken":"{jwt}","refreshToken":"{rt}"}"#, &[
        (401, r#"{"code":401,"message":"Invalid JWT Refresh Token"}"#, Ends),
    ]).mapped().patience("retry-after", false),
    service("better-auth", "better-auth/better-auth", r#"{"accessToken":"{jwt}"}"#, &[
        (200, "null", Passes),
        (401, r#"{"message":"Unauthorized"}"#, Ends),
    ]).keeps().mapped().patience("x-retry-after", false),
    service("better-auth, provider", "better-auth/better-auth",
        r#"{"access_token":"{at}","expires_in":300,"expires_at":{s},"token_type":"Bearer","refresh_token":"{rt}"}"#,
        &[GRANT, (400, r#"{"error":"invalid_request","error_description":"user not found"}"#, Doubt)]),
    service("Auth.js", "nextauthjs/next-auth", r#"{"accessToken":"{at}","expiresAt":{s}}"#, &[(200, "null", Passes)])
        .keeps().mapped(),
    service("node-oauth2-server", "node-oauth/node-oauth2-server", STANDARD, &[
        GRANT, (400, r#"{"error":"invalid_client"}"#, Doubt),
    ]),
    service("Authlib", "authlib/authlib", STANDARD, &[
        GRANT, (400, r#"{"error":"invalid_request"}"#, Doubt),
    ]),
    service("LoopBack 4", "loopbackio/loopback-next", r#"{"accessToken":"{jwt}"}"#, &[
        (401, r#"{"error":{"statusCode":401,"name":"UnauthorizedError","message":"Error verifying token"}}"#, Ends),
    ]).keeps().unconfirmed("its path; an outage of its store looks like a refusal: use classify"),
    service("Express tutorials", "gitdagray/refresh_token_rotation", r#"{"accessToken":"{jwt}"}"#, &[
        (401, "Unauthorized", Ends),
        (403, "Forbidden", Ends),
    ]).keeps().unconfirmed("their method, GET"),
    service("node-express-boilerplate", "hagopj13/node-express-boilerplate",
        r#"{"accessToken":"{jwt}","refreshToken":"{rt}"}"#,
        &[(401, r#"{"code":401,"message":"Please authenticate"}"#, Ends)]).mapped(),
];
