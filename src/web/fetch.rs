//! `fetch` with the session's token, for front ends in Rust.

use core::time::Duration;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response, Url};

use super::{
    error::Error,
    js::{get, global},
    session::{AccessToken, Session},
};

/// For how long the token of a request must still be good.
const VALIDITY: Duration = Duration::ZERO;

impl Session {
    /// The platform's `fetch` with the session's token for its own origins: a refresh before sending
    /// when the token is used up, and one refresh and one resend after a 401. A request that brings
    /// its own `Authorization`, or goes elsewhere, is sent as it is.
    ///
    /// # Errors
    /// `ERR_NETWORK` when `fetch` itself fails; else as [`access_token`](Self::access_token). The
    /// session's own trouble never hides an answer: without a newer token a 401 is handed on.
    pub async fn fetch(&self, request: Request) -> Result<Response, Error> {
        if request.signal().aborted() {
            return Err(Error::network(
                "the request was aborted before it was sent; a request that was converted from one \
                 of another library may be: build it anew",
            ));
        }
        let foreign = !self.allows(&request.url());
        if foreign || request.headers().has("Authorization").unwrap_or(true) {
            return send(&request).await;
        }
        let Some(lease) = self.lease(VALIDITY).await? else {
            return send(&request).await;
        };
        let token = AccessToken::of(lease);
        let copy = request.clone().map_err(|_| Error::network(USED))?;
        authorize(&request, &token)?;
        let response = send(&request).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        let Ok(newer) = self.replace(&token).await else { return Ok(response) };
        authorize(&copy, &newer)?;
        send(&copy).await
    }

    /// Whether a request to this address may carry the token.
    fn allows(&self, address: &str) -> bool {
        let Ok(url) = Url::new(address) else { return false };
        let web = matches!(url.protocol().as_str(), "http:" | "https:");
        if !web || !url.username().is_empty() || !url.password().is_empty() {
            return false;
        }
        let origin = url.origin();
        match self.origins() {
            Some(given) => given.iter().any(|given| given.trim_end_matches('/') == origin),
            None => get(&global("location"), "origin").as_string() == Some(origin),
        }
    }
}

fn authorize(request: &Request, token: &AccessToken) -> Result<(), Error> {
    let value = format!("Bearer {}", token.as_str());
    request.headers().set("Authorization", &value).map_err(|_| Error::network(USED))
}

async fn send(request: &Request) -> Result<Response, Error> {
    let fetch: Function = global("fetch").unchecked_into();
    let failed = |_: JsValue| Error::network("the request failed: no network, or blocked by CORS");
    let promise = fetch.call1(&JsValue::UNDEFINED, request).map_err(failed)?;
    let response = JsFuture::from(Promise::resolve(&promise)).await.map_err(failed)?;
    Ok(response.unchecked_into())
}

const USED: &str = "the request cannot be sent with a token: its body was read, or its mode forbids \
                    headers";
