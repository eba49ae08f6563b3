use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A JSON body of the given type.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if content_type(request.headers()) != Some("application/json".to_owned()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let body = read(request.into_body(), SMALL).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|_| ApiError::InvalidRequest("the body is not the JSON that this route reads"))
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

/// The media type without its parameters, in small letters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence);
    Some(essence.trim().to_ascii_lowercase())
}

pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::PayloadTooLarge
        } else {
            ApiError::InvalidRequest("the body broke off")
        }
    })?;
    Ok(body.to_bytes())
}

/// Enough for anything but `/api/echo`.
pub(super) const SMALL: usize = 64 * 1_024;
