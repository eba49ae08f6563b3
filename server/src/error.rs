//! Everything that a client can be told when it does not get what it asked for.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::limits::TryLater;
use crate::rotation::{Ended, Refusal, Revocation};
use crate::store::StoreError;

/// A request that failed, by cause.
#[derive(Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The request does not say what it must, or says it twice.
    InvalidRequest(&'static str),
    /// `/oauth/token` knows only `refresh_token`.
    UnsupportedGrantType,
    /// Another scope than the one granted was asked for.
    InvalidScope,
    /// The refresh token is not good, or no longer; the second says why, for machines.
    InvalidGrant(&'static str, Option<&'static str>),
    /// Wrong name or wrong password; never says which.
    InvalidCredentials,
    /// The service that asks is not known.
    InvalidClient,
    /// A protected route without any credentials.
    MissingToken,
    /// The access token is not good, or no longer.
    InvalidToken(&'static str),
    /// The access token is too old to be used, but can be renewed.
    SoftExpired,
    /// The access token is not good, and cannot be renewed either; for policies that tell the two
    /// apart.
    HardExpired(&'static str),
    /// A request with a cookie that a foreign page could have sent: it lacks the header.
    Csrf,
    /// A request with a cookie that a foreign page has sent; from this origin, if it is one that could
    /// be allowed.
    ForeignOrigin(Option<String>),
    /// The policy has no renewal.
    RenewalNotAllowed,
    /// No such route or thing.
    NotFound,
    /// The route does not know this method.
    MethodNotAllowed,
    /// The body did not come in time.
    RequestTimeout,
    /// The body is too long.
    PayloadTooLarge,
    /// The body is of another type than the route reads.
    UnsupportedMediaType,
    /// Too many requests; try again after so many seconds.
    TooManyRequests(u64),
    /// The store did not answer; try again.
    Unavailable,
    /// Too many passwords wait to be checked; try again.
    Busy,
    /// A failure of ours.
    Internal,
}

impl ApiError {
    /// The answer to a path that leads nowhere.
    pub(crate) async fn not_found() -> Self {
        Self::NotFound
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidGrant(..) => StatusCode::BAD_REQUEST,
            Self::InvalidCredentials
            | Self::InvalidClient
            | Self::MissingToken
            | Self::InvalidToken(_)
            | Self::SoftExpired
            | Self::HardExpired(_) => StatusCode::UNAUTHORIZED,
            Self::Csrf | Self::ForeignOrigin(_) | Self::RenewalNotAllowed => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> ErrorBody {
        let (error, error_description) = match self {
            Self::InvalidRequest(why) => ("invalid_request", Some(*why)),
            Self::UnsupportedGrantType => {
                ("unsupported_grant_type", Some("grant_type must be refresh_token"))
            }
            Self::InvalidScope => ("invalid_scope", Some("the session has no such scope")),
            Self::InvalidGrant(why, _) => ("invalid_grant", Some(*why)),
            Self::InvalidCredentials => {
                ("invalid_credentials", Some("wrong user name or wrong password"))
            }
            Self::InvalidClient => ("invalid_client", Some("send id and secret as HTTP Basic")),
            Self::MissingToken => ("missing_token", Some("send an access token as bearer")),
            Self::InvalidToken(why) | Self::HardExpired(why) => ("invalid_token", Some(*why)),
            Self::SoftExpired => ("invalid_token", Some(SOFT)),
            Self::Csrf => {
                ("csrf", Some("send the header X-Everfresh: 1 from a page of an allowed origin"))
            }
            Self::ForeignOrigin(_) => {
                ("csrf", Some("pages without an origin of their own may not call"))
            }
            Self::RenewalNotAllowed => {
                ("renewal_not_allowed", Some("the policy has no renewal; refresh instead"))
            }
            Self::NotFound => ("not_found", None),
            Self::MethodNotAllowed => ("method_not_allowed", None),
            Self::RequestTimeout => ("request_timeout", Some("the body did not come in time")),
            Self::PayloadTooLarge => ("payload_too_large", None),
            Self::UnsupportedMediaType => ("unsupported_media_type", None),
            Self::TooManyRequests(_) => ("too_many_requests", None),
            Self::Unavailable => ("temporarily_unavailable", Some("try again")),
            Self::Busy => (
                "temporarily_unavailable",
                Some("too many passwords are waiting to be checked; try again"),
            ),
            Self::Internal => ("server_error", None),
        };
        let error_code = match self {
            Self::InvalidGrant(_, code) => *code,
            Self::SoftExpired => Some("EXPIRED_TOKEN"),
            Self::HardExpired(_) => Some("INVALID_TOKEN"),
            _ => None,
        };
        let error_description = match self {
            Self::ForeignOrigin(Some(origin)) => Some(Cow::Owned(format!(
                "the origin {origin} is not allowed; the server's operator can allow it with \
                 --allow-origin {origin}"
            ))),
            _ => error_description.map(Cow::Borrowed),
        };
        ErrorBody { error, error_description, error_code }
    }

    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::MissingToken | Self::InvalidCredentials => {
                Some(HeaderValue::from_static("Bearer"))
            }
            Self::InvalidClient => Some(HeaderValue::from_static("Basic realm=\"everfresh\"")),
            Self::InvalidToken(_) | Self::HardExpired(_) | Self::SoftExpired => {
                let why = self.body().error_description.unwrap_or_default();
                let text = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
                HeaderValue::try_from(text).ok()
            }
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Csrf => tracing::warn!("refused for the lack of the header X-Everfresh: 1"),
            Self::ForeignOrigin(Some(origin)) => tracing::warn!(
                "refused for its origin; if its pages may call, start with --allow-origin {origin}"
            ),
            Self::ForeignOrigin(None) => tracing::warn!("refused for an origin that is none"),
            _ => {}
        }
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        match self {
            Self::TooManyRequests(seconds) => {
                headers.insert(RETRY_AFTER, seconds.into());
            }
            Self::Unavailable | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        (self.status(), headers, Json(self.body())).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::Unavailable
    }
}

impl From<TryLater> for ApiError {
    fn from(TryLater(seconds): TryLater) -> Self {
        Self::TooManyRequests(seconds)
    }
}

impl From<getrandom::Error> for ApiError {
    fn from(error: getrandom::Error) -> Self {
        tracing::error!(%error, "the operating system gives no randomness");
        Self::Internal
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed | Refusal::Unknown => {
                Self::InvalidGrant("the refresh token is not known", None)
            }
            Refusal::WrongClient => {
                Self::InvalidGrant("the refresh token belongs to another client", None)
            }
            Refusal::Ended(Ended::Expired(_)) => {
                Self::InvalidGrant("the session has expired; sign in again", None)
            }
            Refusal::Ended(Ended::Revoked(why)) => {
                Self::InvalidGrant("the session has ended; sign in again", why.code())
            }
            Refusal::LoginRequired => Self::InvalidGrant("sign in again", Some("login_required")),
            Refusal::TooManyReplays => Self::TooManyRequests(60),
            Refusal::Superseded => {
                Self::InvalidGrant("a newer refresh token is out; use that", Some("superseded"))
            }
            Refusal::Reused => Self::InvalidGrant(
                "the refresh token was used twice; the session has been ended",
                Some("reuse_detected"),
            ),
            Refusal::StoreBehind => Self::InvalidGrant(
                "the refresh token is newer than the server's records; sign in again",
                Some("store_behind"),
            ),
        }
    }
}

impl Revocation {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Reuse => Some("reuse_detected"),
            Self::Admin | Self::Password | Self::Reauth | Self::Version => Some("login_required"),
            Self::Logout | Self::Device => None,
        }
    }
}

const SOFT: &str = "the access token is too old; renew it";

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}
