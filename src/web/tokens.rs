//! From what JavaScript holds to a grant.

use wasm_bindgen::prelude::*;

use super::{
    face::Face,
    fields::{seconds, text},
};
use crate::core::{
    error::Error,
    grant::{Grant, TokenResponse},
};

/// Parses a token or a token response, and asks the application for its lead.
pub(crate) fn parse(raw: &JsValue, face: &Face) -> Result<Grant, Error> {
    let tokens = read_tokens(raw);
    let mut grant = Grant::parse(TokenResponse {
        access_token: text(&tokens, "accessToken").unwrap_or_default(),
        refresh_token: text(&tokens, "refreshToken"),
        expires_in: seconds(&tokens, "expiresIn"),
        refresh_in: seconds(&tokens, "refreshIn"),
        session_expires_in: seconds(&tokens, "sessionExpiresIn"),
    })?;
    grant.lead = face.lead_for(grant.jwt.as_ref());
    Ok(grant)
}

#[wasm_bindgen(module = "/src/web/tokens.js")]
extern "C" {
    #[wasm_bindgen(js_name = readTokens)]
    fn read_tokens(raw: &JsValue) -> JsValue;
}
