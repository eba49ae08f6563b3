use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, Method, Uri};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::issue;
use crate::access_token::AccessToken;
use crate::error::ApiError;
use crate::extract::Raw;

/// RFC 9110, 9.3.8: what a request carries in secret is not to be traced.
pub(super) async fn trace() -> Response {
    ([(ALLOW, "GET, HEAD, POST, PUT, PATCH, DELETE")], ApiError::MethodNotAllowed).into_response()
}

pub(super) async fn echo(
    _: AccessToken,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Raw(body): Raw<{ 16 * 1_024 * 1_024 }>,
) -> Response {
    let mut received = BTreeMap::<String, String>::new();
    // A script must not read here what the browser keeps from it, such as an HttpOnly cookie.
    for (name, value) in headers.iter().filter(|(name, _)| !CREDENTIALS.contains(name)) {
        let value = String::from_utf8_lossy(value.as_bytes());
        received
            .entry(name.to_string())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    let echo = Echo {
        method: method.to_string(),
        path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: received,
        body_sha256: hex(&Sha256::digest(&body)),
        body_length: body.len(),
    };
    (issue::no_store(HeaderMap::new()), Json(echo)).into_response()
}

const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

#[derive(Serialize)]
struct Echo {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body_sha256: String,
    body_length: usize,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
