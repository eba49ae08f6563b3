//! The token response of a login, as it came.

use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::{error::Error, formats::WebFormats, session::Tokens};
use crate::engine::{endpoint::MAX_BODY, formats::Formats, read_tokens};

impl Tokens {
    /// Reads the response of a login: a JSON object as in RFC 6749 section 5.1, its names in snake
    /// case or in camel case. Whether the tokens can be used, [`Session::start`] says.
    ///
    /// # Errors
    /// `ERR_INVALID_TOKEN` when the body is no JSON object of at most 1 MiB, `ERR_NETWORK` when it did not arrive or
    /// was read before.
    ///
    /// [`Session::start`]: super::Session::start
    pub async fn read(response: &Response) -> Result<Self, Error> {
        let unread = |_| Error::network("the token response did not arrive, or was read before");
        let body = JsFuture::from(response.text().map_err(unread)?).await.map_err(unread)?;
        let body = body.as_string().filter(|body| body.len() <= MAX_BODY);
        let value = WebFormats::parse_json(&body.unwrap_or_default());
        let tokens = value.and_then(|value| read_tokens::<WebFormats>(&value));
        tokens.ok_or_else(|| crate::core::error::Error::AccessToken.into())
    }
}
