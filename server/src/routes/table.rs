//! All routes: who may call, what they take and give, and who answers. The router and its description
//! are both made of this.

use axum::Json;
use axum::extract::State;
use axum::routing::any;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::{OpenApi, ServerBuilder};
use utoipa_axum::router::OpenApiRouter;

use super::openapi::{Body, NONE, Operation, Success, on, undescribed};
use super::{
    devices, echo, events, health, introspect, login, logout, me, metrics, password, profile,
    refresh, renew, revoke, token, well_known,
};
use crate::state::AppState;

pub(super) fn routes(samples: bool) -> OpenApiRouter<AppState> {
    let routes = OpenApiRouter::with_openapi(undescribed())
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/login",
                summary: "Sign in: begins a session and gives its first tokens",
                security: &[],
                body: Body::Json(&["username*", "password*", "device_name?", "client_id?"]),
                success: Success::Json("TokenResponse"),
                errors: &[400, 401, 408, 413, 415],
            },
            login::login,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/oauth/token",
                summary: "Refresh: trades a refresh token for its successor (RFC 6749, 6)",
                security: &[],
                body: Body::Form(&["grant_type*", "refresh_token*", "rotation_key", "client_id"]),
                success: Success::Json("TokenResponse"),
                errors: &[400, 408, 413, 415],
            },
            token::token,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/refresh",
                summary: "Refresh with the cookie; needs the header X-Everfresh: 1",
                security: COOKIE,
                body: Body::None,
                success: Success::Json("TokenResponse"),
                errors: &[400, 403],
            },
            refresh::refresh,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/renew",
                summary: "Trade a valid access token for a newer one, where the policy has it",
                security: BEARER,
                body: Body::Json(&["exp#?"]),
                success: Success::Json("TokenResponse"),
                errors: &[400, 401, 403, 408, 413, 415],
            },
            renew::renew,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/logout",
                summary: "End this session; any of its tokens will do, expired or not",
                security: ANY_TOKEN_OR_NONE,
                body: Body::Json(&["refresh_token?"]),
                success: Success::NoContent,
                errors: &[400, 403, 408, 413, 415],
            },
            logout::logout,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/logout-everywhere",
                summary: "End all sessions of the user",
                security: ANY_TOKEN_OR_NONE,
                body: Body::Json(&["refresh_token?"]),
                success: Success::NoContent,
                errors: &[400, 403, 408, 413, 415],
            },
            logout::logout_everywhere,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Get,
                path: "/auth/devices",
                summary: "The user's living sessions",
                security: ANY_TOKEN,
                body: Body::None,
                success: Success::Json("Devices"),
                errors: &[400, 401, 403],
            },
            devices::devices,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Delete,
                path: "/auth/devices/{id}",
                summary: "End one of the user's sessions",
                security: ANY_TOKEN,
                body: Body::None,
                success: Success::NoContent,
                errors: &[400, 401, 403, 404],
            },
            devices::remove,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/auth/password",
                summary: "Change the password, which ends the user's other sessions",
                security: ANY_TOKEN,
                body: Body::OnlyJson(&["current_password*", "new_password*"]),
                success: Success::NoContent,
                errors: &[400, 401, 403, 408, 413, 415],
            },
            password::change,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Patch,
                path: "/auth/profile",
                summary: "Change name and telephone number; null clears the number",
                security: ANY_TOKEN,
                body: Body::OnlyJson(&["name?", "phone?"]),
                success: Success::Json("Profile"),
                errors: &[400, 401, 403, 404, 408, 413, 415],
            },
            profile::change,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/oauth/revoke",
                summary: "End the session of a token (RFC 7009)",
                security: &[],
                body: Body::Form(&["token*", "token_type_hint", "everywhere"]),
                success: Success::Empty,
                errors: &[400, 408, 413, 415],
            },
            revoke::revoke,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Post,
                path: "/oauth/introspect",
                summary: "Whether a token is good right now (RFC 7662)",
                security: BASIC,
                body: Body::Form(&["token*", "token_type_hint"]),
                success: Success::Json("Introspection"),
                errors: &[400, 401, 408, 413, 415],
            },
            introspect::introspect,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Get,
                path: "/oauth/events",
                summary: "Server-sent events: sessions that ended, for gateways that keep answers",
                security: BASIC,
                body: Body::None,
                success: Success::Text("text/event-stream"),
                errors: &[401],
            },
            events::events,
        ))
        .routes(on(
            &Operation {
                method: HttpMethod::Get,
                path: "/api/me",
                summary: "A protected sample: the claims of the access token",
                security: ANY_TOKEN,
                body: Body::None,
                success: Success::Json("Claims"),
                errors: &[400, 401, 403],
            },
            me::me,
        ))
        .routes(on(
            &public("/.well-known/jwks.json", "The public keys (RFC 7517)", Success::Object),
            well_known::jwks,
        ))
        .routes(on(
            &public(
                "/.well-known/oauth-authorization-server",
                "Metadata (RFC 8414)",
                Success::Object,
            ),
            well_known::metadata,
        ))
        .routes(on(&public("/openapi.json", "This document", Success::Object), openapi))
        .routes(on(&public("/healthz", "The process answers", Success::Object), health::healthz))
        .routes(on(&public("/readyz", "The store can be written", Success::Object), health::readyz))
        .routes(on(
            &public(
                "/metrics",
                "Counters and latencies for Prometheus",
                Success::Text("text/plain"),
            ),
            metrics::metrics,
        ));
    if samples { with_samples(routes) } else { routes }
}

async fn openapi(State(app): State<AppState>) -> Json<OpenApi> {
    Json(document(&app.issuer.issuer, app.settings.samples))
}

pub(super) fn document(issuer: &str, samples: bool) -> OpenApi {
    let mut document = routes(samples).into_openapi();
    document.servers = Some(vec![ServerBuilder::new().url(issuer).build()]);
    document
}

fn with_samples(routes: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    let methods =
        [HttpMethod::Get, HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch, HttpMethod::Delete];
    let routes = routes.route("/api/echo", any(echo::echo).trace(echo::trace));
    methods.into_iter().fold(routes, |routes, method| {
        let operation = Operation {
            method,
            path: "/api/echo",
            summary: "A protected sample: what was received",
            security: ANY_TOKEN,
            body: Body::Any,
            success: Success::Object,
            errors: &[400, 401, 403, 408, 413],
        };
        routes.routes(on(&operation, echo::echo))
    })
}

const fn public(path: &'static str, summary: &'static str, success: Success) -> Operation {
    Operation {
        method: HttpMethod::Get,
        path,
        summary,
        security: &[],
        body: Body::None,
        success,
        errors: &[],
    }
}

const BEARER: &[&str] = &["bearer"];
const COOKIE: &[&str] = &["cookie"];
const BASIC: &[&str] = &["basic"];
const ANY_TOKEN: &[&str] = &["bearer", "cookie"];
const ANY_TOKEN_OR_NONE: &[&str] = &[NONE, "bearer", "cookie"];
