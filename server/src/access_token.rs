//! Extractors for those who may come in.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::admission::{self, Freshness, Session};
use crate::error::ApiError;
use crate::state::AppState;

/// A valid access token of a living session, or its cookie where the policy takes that. Without
/// one the request is refused.
///
/// It works in handlers of any router whose state tells where the server's is:
///
/// ```
/// use axum::Router;
/// use axum::extract::FromRef;
/// use axum::routing::{get, post};
/// use everfresh_server::{AccessToken, AppState, MaybeAccessToken, app};
///
/// #[derive(Clone)]
/// struct Shop {
///     auth: AppState,
/// }
///
/// impl FromRef<Shop> for AppState {
///     fn from_ref(shop: &Shop) -> Self {
///         shop.auth.clone()
///     }
/// }
///
/// async fn order(AccessToken(session): AccessToken) -> String {
///     format!("order for {}", session.claims.sub)
/// }
///
/// async fn hello(MaybeAccessToken(session): MaybeAccessToken) -> String {
///     session.map_or("hello".to_owned(), |session| format!("hello {}", session.user.name))
/// }
///
/// fn router(auth: AppState) -> Router {
///     let shop = Router::new().route("/orders", post(order)).route("/hello", get(hello));
///     shop.with_state(Shop { auth: auth.clone() }).merge(app(auth))
/// }
/// ```
#[derive(Debug)]
pub struct AccessToken(pub Session);

/// As [`AccessToken`] if the request carries a token, and nothing if it carries none. A bad token
/// is refused here too: a client that sends one wants to know.
#[derive(Debug)]
pub struct MaybeAccessToken(pub Option<Session>);

impl<S: Send + Sync> FromRequestParts<S> for AccessToken
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let MaybeAccessToken(session) = MaybeAccessToken::from_request_parts(parts, state).await?;
        session.map(Self).ok_or(ApiError::MissingToken)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeAccessToken
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
            return Err(ApiError::InvalidRequest(
                "a token in the URL ends up in logs; use a header",
            ));
        }
        let app = AppState::from_ref(state);
        admission::admit(&app, parts, Freshness::Usable).await.map(Self)
    }
}

/// An access token that may be too old to be used, but not to be renewed.
pub(crate) struct RenewableToken(pub(crate) Session);

impl<S: Send + Sync> FromRequestParts<S> for RenewableToken
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = AppState::from_ref(state);
        let session = admission::admit(&app, parts, Freshness::Renewable).await?;
        session.map(Self).ok_or(ApiError::MissingToken)
    }
}
