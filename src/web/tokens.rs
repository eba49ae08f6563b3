//! From what JavaScript holds to a grant.

use wasm_bindgen::prelude::*;

use super::face::Face;
use crate::core::{
    error::Error,
    grant::{Grant, TokenResponse},
};

/// Parses a token or a token response, and asks the application for its lead.
pub(crate) fn parse(raw: &JsValue, face: &Face) -> Result<Grant, Error> {
    let tokens = read_tokens(raw);
    let mut grant = Grant::parse(TokenResponse {
        access_token: tokens.access_token(),
        refresh_token: tokens.refresh_token(),
        expires_in: tokens.expires_in(),
        refresh_in: tokens.refresh_in(),
        session_expires_in: tokens.session_expires_in(),
    })?;
    grant.lead = face.lead_for(grant.jwt.as_ref());
    Ok(grant)
}

#[wasm_bindgen(module = "/src/web/tokens.js")]
extern "C" {
    type Tokens;

    #[wasm_bindgen(js_name = readTokens)]
    fn read_tokens(raw: &JsValue) -> Tokens;

    #[wasm_bindgen(method, getter, js_name = accessToken)]
    fn access_token(this: &Tokens) -> String;
    #[wasm_bindgen(method, getter, js_name = refreshToken)]
    fn refresh_token(this: &Tokens) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = expiresIn)]
    fn expires_in(this: &Tokens) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = refreshIn)]
    fn refresh_in(this: &Tokens) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = sessionExpiresIn)]
    fn session_expires_in(this: &Tokens) -> Option<f64>;
}
