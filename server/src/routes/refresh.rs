use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::issue::Carrier;
use super::token::{self, Presented};
use crate::error::ApiError;
use crate::extract::{Client, CookieJar, TrustedOrigin, rotation_key};
use crate::state::AppState;

pub(super) async fn refresh(
    State(app): State<AppState>,
    client: Client,
    _: TrustedOrigin,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = rotation_key(&headers, None)?;
    let token = CookieJar::of(&app.settings).read(&headers);
    let token = token.ok_or(ApiError::InvalidGrant("there is no session cookie", None))?;
    let presented = Presented { token, carrier: Carrier::Cookie, key, client_id: None };
    token::refresh(&app, client, &headers, presented).await
}
