use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::jwt::seconds;
use crate::state::AppState;

pub(super) async fn jwks(State(app): State<AppState>) -> Response {
    let keys = app.issuer.keys.jwks(seconds(app.clock.now()));
    ([(CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response()
}

/// RFC 8414.
pub(super) async fn metadata(State(app): State<AppState>) -> Json<Value> {
    let issuer = &app.issuer.issuer;
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    }))
}
