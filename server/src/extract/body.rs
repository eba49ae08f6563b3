use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::ApiError;

/// A JSON body of the given type.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if content_type(request.headers()) != Some("application/json".to_owned()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        object(&read(request.into_body(), SMALL).await?).map(Self)
    }
}

/// A body of any type, as it came, up to `LIMIT` bytes.
pub(crate) struct Raw<const LIMIT: usize>(pub(crate) Bytes);

impl<const LIMIT: usize, S: Send + Sync> FromRequest<S> for Raw<LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request.into_body(), LIMIT).await.map(Self)
    }
}

/// Reads an object, and nothing but an object: serde would take the fields from a list as well, by
/// their order.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let wrong = ApiError::InvalidRequest("the body is not the JSON that this route reads");
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(wrong);
    }
    serde_json::from_slice(body).map_err(|_| wrong)
}

/// The media type without its parameters, in small letters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence);
    Some(essence.trim().to_ascii_lowercase())
}

/// Whether a text has more than so many characters, as JSON Schema counts them.
pub(crate) fn is_longer(text: &str, characters: usize) -> bool {
    text.chars().nth(characters).is_some()
}

pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let patience = if limit > SMALL { LARGE_BODY } else { SMALL_BODY };
    let body = timeout(patience, Limited::new(body, limit).collect()).await;
    let body = body.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::PayloadTooLarge
        } else {
            ApiError::InvalidRequest("the body broke off")
        }
    })?;
    Ok(body.to_bytes())
}

/// Of names, and of telephone numbers; in characters.
pub(crate) const LONGEST_NAME: usize = 200;
/// In characters.
pub(crate) const LONGEST_PASSWORD: usize = 1_024;
/// Enough for anything but `/api/echo`.
pub(crate) const SMALL: usize = 64 * 1_024;
/// How long a body of at most [`SMALL`] may take.
const SMALL_BODY: Duration = Duration::from_secs(10);
/// How long any other may take.
const LARGE_BODY: Duration = Duration::from_secs(60);
