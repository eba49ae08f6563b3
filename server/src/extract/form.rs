use std::collections::HashMap;

use axum::extract::{FromRequest, Request};

use super::body::{self, SMALL};
use crate::error::ApiError;
use crate::secret::Secret;

/// A form body in which no field occurs twice; empty fields count as absent.
#[derive(Debug, Default)]
pub(crate) struct Form(HashMap<String, Secret>);

impl Form {
    /// A field, once.
    pub(crate) fn take(&mut self, name: &str) -> Option<Secret> {
        self.0.remove(name)
    }

    /// Reads the fields of a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            let secret = Secret::from(value.into_owned());
            if fields.insert(name.into_owned(), secret).is_some() {
                return Err(ApiError::InvalidRequest("a field occurs twice"));
            }
        }
        fields.retain(|_, value| !value.expose().is_empty());
        Ok(Self(fields))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let form = Some("application/x-www-form-urlencoded".to_owned());
        if body::content_type(request.headers()) != form {
            return Err(ApiError::UnsupportedMediaType);
        }
        Self::parse(&body::read(request.into_body(), SMALL).await?)
    }
}
