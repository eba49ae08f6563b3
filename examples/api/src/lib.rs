//! The requests of the examples, and their session: the same for every framework.

use std::fmt::Display;

use everfresh::web::{Endpoint, Options, Session, Snapshot, Storage, Tokens};
use gloo_net::http::{Request, Response};
use serde::{Deserialize, Serialize};

/// A session with the companion server.
///
/// # Panics
/// When the options are wrong.
pub fn session() -> Session {
    let endpoint = Endpoint {
        url: "/oauth/token".to_owned(),
        revoke_url: Some("/oauth/revoke".to_owned()),
        ..Endpoint::default()
    };
    let options = Options::default().endpoint(endpoint).storage(Storage::Session);
    Session::new(options).expect("these options are good")
}

#[derive(Serialize)]
pub struct Login<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

/// Signs in: asks for tokens and hands them over as they came.
///
/// # Errors
/// What to tell the user.
pub async fn sign_in(session: &Session, login: Login<'_>) -> Result<(), String> {
    let request = Request::post("/auth/login").json(&login).map_err(text)?;
    let response = request.send().await.map_err(text)?;
    if !response.ok() {
        return Err(format!("sign-in failed: {}", response.status()));
    }
    let tokens = Tokens::read(&response.into()).await.map_err(text)?;
    session.start(tokens).map_err(text)?;
    Ok(())
}

/// Who the server says that the user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub name: String,
    /// When the access token runs out, seconds since the Unix epoch.
    pub exp: u64,
}

/// A protected request.
///
/// # Errors
/// What to tell the user.
pub async fn me(session: &Session) -> Result<Me, String> {
    let request = Request::get("/api/me").build().map_err(text)?;
    let response: Response = session.fetch(request.into()).await.map_err(text)?.into();
    if !response.ok() {
        return Err(format!("the request failed: {}", response.status()));
    }
    response.json().await.map_err(text)
}

/// In how many seconds the access token runs out.
pub fn seconds_left(snapshot: &Snapshot) -> Option<i64> {
    Some((snapshot.expires_at? - js_sys::Date::now() as i64) / 1_000)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
