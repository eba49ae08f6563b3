//! `fetch` with the session's token, for front ends in Rust.

use core::time::Duration;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};

use super::{
    address::{page_origin, resolve},
    error::Error,
    js::global,
    session::{AccessToken, Sending, Sent, Session},
};

/// For how long the token of a request must still be good.
const VALIDITY: Duration = Duration::ZERO;

impl AccessToken {
    pub(super) fn authorize(&self, request: &Request) -> Result<(), Error> {
        let value = "Bearer ".to_owned() + self.as_str();
        request.headers().set("Authorization", &value).map_err(|_| Error::network(USED))
    }
}

impl Session {
    /// The platform's `fetch` with the session's token for its own origins: a refresh before sending
    /// when the token is used up, and one refresh and one resend after a 401. A request that brings
    /// its own `Authorization`, or goes elsewhere, is sent as it is. A 401 that a fresh token got is
    /// remembered: until there is another token, those of the same origin and path are handed on.
    ///
    /// # Errors
    /// `ERR_NETWORK` when `fetch` itself fails; else as [`access_token`](Self::access_token). The
    /// session's own trouble never hides an answer: without a newer token a 401 is handed on.
    pub async fn fetch(&self, request: Request) -> Result<Response, Error> {
        check(&request)?;
        let sent = match self.own_fetch() {
            Some(own) => Some(own(self.clone(), &request, Sending::default())),
            None => self.is_foreign(&request).then(|| send(&request)),
        };
        if let Some(sent) = sent {
            return sent.await;
        }
        let Some(lease) = self.lease(VALIDITY).await? else {
            return send(&request).await;
        };
        let token = AccessToken::of(lease);
        let copy = request.clone().map_err(|_| Error::network(USED))?;
        token.authorize(&request)?;
        let response = send(&request).await?;
        let place = place(&copy);
        if response.status() != 401 || !is_curable(&response) || self.refuses(&place, &token) {
            return Ok(response);
        }
        let Ok(newer) = self.replace(&token).await else { return Ok(response) };
        newer.authorize(&copy)?;
        let response = send(&copy).await?;
        if response.status() == 401 && is_curable(&response) {
            self.note_refusal(&place, &newer);
        }
        Ok(response)
    }

    /// Whether a request is sent as it is.
    pub(super) fn is_foreign(&self, request: &Request) -> bool {
        !self.allows(&request.url()) || request.headers().has("Authorization").unwrap_or(true)
    }

    /// For any other client: the token that a request to this address may carry, as
    /// `Authorization: Bearer`; `None` for another origin, and when no user is signed in. After a 401
    /// [`replace`](Self::replace) gives a newer one. What is relative counts from the page's base.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token), but for `ERR_NOT_SIGNED_IN`.
    pub async fn authorize(&self, url: &str) -> Result<Option<AccessToken>, Error> {
        // Without an engine there is no platform either that could say where the address leads.
        self.engine().ok_or(Error::no_browser())?;
        if !self.allows(url) || self.has_cookies() {
            return Ok(None);
        }
        Ok(self.lease(VALIDITY).await?.map(AccessToken::of))
    }

    /// Whether a request to this address may carry the token.
    pub(super) fn allows(&self, address: &str) -> bool {
        let (Some(engine), Some([url, origin])) = (self.engine(), resolve(address)) else {
            return false;
        };
        // A login would stand between.
        if !url.strip_prefix(&origin).is_some_and(|path| path.starts_with('/')) {
            return false;
        }
        match &*engine.host.face.origins.borrow() {
            // However it is written: another case, the port that goes without saying.
            Some(given) => given.iter().any(|it| resolve(it).is_some_and(|[_, it]| it == origin)),
            None => page_origin() == Some(origin),
        }
    }
}

/// Whether a request may be sent at all.
pub(super) fn check(request: &Request) -> Result<(), Error> {
    if request.signal().aborted() {
        return Err(Error::network(
            "the request was aborted before it was sent; a request that was converted from one of \
             another library may be: build it anew",
        ));
    }
    Ok(())
}

/// Where a request goes, for the memory of what it got.
pub(super) fn place(request: &Request) -> String {
    let mut url = request.url();
    url.truncate(url.bytes().position(|it| matches!(it, b'?' | b'#')).unwrap_or(url.len()));
    url
}

/// Whether a newer token may help; none does where more is wanted (RFC 6750, RFC 9470).
pub(super) fn is_curable(response: &Response) -> bool {
    let challenge = response.headers().get("WWW-Authenticate").ok().flatten().unwrap_or_default();
    let mut words = challenge.as_bytes().split(|it| !(it.is_ascii_alphanumeric() || *it == b'_'));
    !words.any(|it| it == b"insufficient_scope" || it == b"insufficient_user_authentication")
}

/// Sends a request by the platform's `fetch`.
pub(super) fn send(request: &Request) -> Sent {
    let fetch: Function = global("fetch").unchecked_into();
    let called = fetch.call1(&JsValue::UNDEFINED, request);
    Box::pin(async move {
        let failed = |_: JsValue| Error::network(FAILED);
        let promise = Promise::resolve(&called.map_err(failed)?);
        let response = JsFuture::from(promise).await.map_err(failed)?;
        Ok(response.unchecked_into())
    })
}

pub(super) const FAILED: &str = "the request failed: no network, or blocked by CORS";
pub(super) const USED: &str = "the request cannot be sent with a token: its body was read, or its mode forbids \
                    headers";
