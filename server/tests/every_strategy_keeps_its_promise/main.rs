//! One test for each of the 41 strategies, over HTTP, with the numbers of docs/strategies.md.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod listing;
mod refreshed;
mod refused;
mod renewed;
mod revoked;
mod rolled;
mod stored;
#[path = "../world/mod.rs"]
mod world;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use world::{Answer, NOON_SECONDS, Tokens, World, claims, refused};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A world under a policy, with more settings in TOML.
async fn under(policy: &str, more: &str) -> World {
    World::with(&format!("policy = \"{policy}\"\n{more}")).await
}

/// What the refresh answers under a rotation key that nothing else uses.
async fn refresh(world: &World, token: &str) -> Answer {
    let key = u64::from_ne_bytes(everfresh_server::secret::random().unwrap());
    world.refresh(token, Some(&format!("rotation key {key:016x}"))).await
}

/// The same, which must succeed.
#[track_caller]
fn granted(answer: &Answer) -> Tokens {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.tokens()
}

async fn renew(world: &World, access: &str) -> Answer {
    world.call(Method::POST, "/auth/renew", access).await
}

async fn sign_out(world: &World, access: &str) {
    let answer = world.call(Method::POST, "/auth/logout", access).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// A refusal as RFC 6750 wants it.
#[track_caller]
fn unauthorized(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge:?}");
}

#[track_caller]
fn invalid_grant(answer: &Answer, code: &str) {
    refused(answer, 400, "invalid_grant", code);
}

/// When a token expires, in seconds from the start of the test.
#[track_caller]
fn expiry(access: &str) -> i64 {
    i64::try_from(claims(access)["exp"].as_u64().unwrap()).unwrap() - START
}

const START: i64 = NOON_SECONDS as i64;

/// A request with nothing but a cookie.
async fn visit(world: &World, cookie: &str) -> Answer {
    let request = Request::get("/api/me").header("cookie", cookie).body(Body::empty());
    world.send(request.unwrap()).await
}

async fn sign_in_for_cookie(world: &World) -> Answer {
    let login = json!({ "username": "ann", "password": "secret" });
    let answer = world.post_json("/auth/login", login).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn set_cookie(answer: &Answer) -> Option<&str> {
    answer.header("set-cookie")
}

/// Name and value of the cookie that an answer sets.
#[track_caller]
fn cookie_pair(answer: &Answer) -> String {
    let cookie = set_cookie(answer).unwrap_or_else(|| panic!("no cookie: {}", answer.text()));
    cookie.split(';').next().unwrap().to_owned()
}

async fn set_user(world: &World, change: Value) {
    let answer = world.control("/users/ann", change).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What a service that is known as `gateway` hears about a token.
async fn introspect(world: &World, token: &str) -> Value {
    use base64::Engine as _;

    let credentials = base64::engine::general_purpose::STANDARD.encode("gateway:s3cret");
    let request = Request::post("/oauth/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {credentials}"))
        .body(Body::from(format!("token={token}")));
    world.send(request.unwrap()).await.json()
}
