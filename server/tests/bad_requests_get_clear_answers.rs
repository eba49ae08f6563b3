//! Whatever is sent, the answer is JSON with a cause, and never a 5xx.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use http::{Method, Request};
use proptest::prelude::*;
use serde_json::json;
use world::{KEY, OTHER_KEY, World, json_request, refused};

#[tokio::test]
async fn unknown_routes_methods_and_types_are_named() {
    let world = World::new().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    refused(&world.send(get("/nope")).await, 404, "not_found", "");
    let answer = world.send(get("/auth/login")).await;
    refused(&answer, 405, "method_not_allowed", "");
    assert_eq!(answer.header("allow"), Some("POST"));
    for path in ["/oauth/token", "/oauth/revoke", "/auth/login"] {
        let request = Request::post(path).header("content-type", "text/plain");
        let answer = world.send(request.body(Body::from("x")).unwrap()).await;
        refused(&answer, 415, "unsupported_media_type", "");
        let huge = Body::from("x".repeat(70_000));
        let kind = if path == "/auth/login" { "json" } else { "x-www-form-urlencoded" };
        let request = Request::post(path).header("content-type", format!("application/{kind}"));
        refused(&world.send(request.body(huge).unwrap()).await, 413, "payload_too_large", "");
    }
}

#[tokio::test]
async fn a_token_request_must_say_each_thing_once() {
    let world = World::new().await;
    let token = world.login("ann").await.refresh;
    let good = format!("grant_type=refresh_token&refresh_token={token}");
    for (form, error) in [
        (format!("refresh_token={token}"), "invalid_request"),
        ("grant_type=refresh_token".to_owned(), "invalid_request"),
        ("grant_type=refresh_token&refresh_token=".to_owned(), "invalid_request"),
        (format!("{good}&grant_type=refresh_token"), "invalid_request"),
        (format!("{good}&refresh_token={token}"), "invalid_request"),
        (format!("{good}&rotation_key=short"), "invalid_request"),
        (format!("{good}&scope=admin"), "invalid_scope"),
        (format!("grant_type=password&refresh_token={token}"), "unsupported_grant_type"),
    ] {
        refused(&world.post_form("/oauth/token", &form).await, 400, error, "");
    }
    assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn header_and_field_must_carry_one_key() {
    let world = World::new().await;
    let token = world.login("ann").await.refresh;
    let send = async |header: &str, field: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={token}&rotation_key={field}");
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("idempotency-key", header)
            .body(Body::from(form));
        world.send(request.unwrap()).await
    };
    refused(&send(KEY, OTHER_KEY).await, 400, "invalid_request", "");
    assert_eq!(send(KEY, KEY).await.status, 200);
}

#[tokio::test]
async fn allowed_origins_can_read_errors_too_and_others_nothing() {
    let world = World::with("allow_origin = [\"https://app.example\"]").await;
    let ask = async |origin: &str| {
        let request = Request::get("/api/me").header("origin", origin).body(Body::empty());
        world.send(request.unwrap()).await
    };
    let answer = ask("https://app.example").await;
    assert_eq!(answer.status, 401);
    let allowed = Some("https://app.example");
    assert_eq!(answer.header("access-control-allow-origin"), allowed);
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate") && exposed.contains("retry-after"));
    for origin in ["https://evil.example", "http://app.example", "https://app.example:444"] {
        assert_eq!(ask(origin).await.header("access-control-allow-origin"), None, "{origin}");
    }

    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/auth/refresh")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-everfresh,idempotency-key")
        .body(Body::empty());
    let answer = world.send(preflight.unwrap()).await;
    assert_eq!(answer.status, 200);
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, Some("x-everfresh,idempotency-key"));
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::new().await;
    for path in ["/healthz", "/readyz", "/nope", "/api/me", "/.well-known/jwks.json"] {
        let answer = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(answer.header("strict-transport-security"), None);
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn the_metadata_leads_to_the_keys() {
    let world = World::new().await;
    let get = async |path: &str| world.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let metadata = get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["jwks_uri"], "http://127.0.0.1:8080/.well-known/jwks.json");
    let answer = get("/.well-known/jwks.json").await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let key = &answer.json()["keys"][0];
    assert_eq!((&key["alg"], &key["crv"]), (&json!("EdDSA"), &json!("Ed25519")));
    assert!(key.get("d").is_none());
}

#[tokio::test]
async fn keys_rotate_with_an_overlap() {
    let world = World::new().await;
    let old = world.login("ann").await;
    world.control("/keys/rotate", json!({ "now": true })).await;
    let new = world.login("ann").await;
    let kid = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_ne!(kid(&old.access), kid(&new.access));
    world.advance(299);
    assert_eq!(world.me(&old.access).await.status, 200);
    assert_eq!(world.me(&new.access).await.status, 200);
}

#[test]
fn no_input_makes_the_server_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::with("samples = true"));
    let tokens = runtime.block_on(world.login("ann"));
    let paths = prop::sample::select(vec![
        "/auth/login",
        "/oauth/token",
        "/auth/refresh",
        "/auth/renew",
        "/auth/logout",
        "/auth/logout-everywhere",
        "/oauth/revoke",
        "/api/me",
        "/api/echo",
        "/auth/devices",
        "/auth/devices/x",
        "/auth/password",
        "/auth/profile",
        "/healthz",
        "/%00",
        "/..%2f",
    ]);
    let kinds = prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ]);
    let bodies = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[{}\\[\\]\",:a-z0-9&=%+]{0,120}".prop_map(String::into_bytes),
        Just(b"grant_type=refresh_token&refresh_token=rt_%00".to_vec()),
        Just(br#"{"username":"ann","password":{}}"#.to_vec()),
    ];
    let headers = prop_oneof![
        "[ -~]{0,60}",
        "Bearer [a-zA-Z0-9_.-]{0,90}",
        Just(format!("Bearer {}", tokens.access)),
        Just(format!("everfresh={}", tokens.refresh)),
    ];
    let methods = prop::sample::select(vec![Method::GET, Method::POST, Method::PATCH, Method::PUT]);
    let strategy = (methods, paths, kinds, bodies, headers.clone(), headers);
    let config = ProptestConfig::with_cases(1_500);
    proptest!(config, |((method, path, kind, body, authorization, cookie) in strategy)| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in
            [("content-type", kind), ("authorization", &authorization), ("cookie", &cookie)]
        {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let request = request.header("x-everfresh", "1").body(Body::from(body)).unwrap();
        let answer = runtime.block_on(world.send(request));
        prop_assert!(answer.status.as_u16() < 500, "{} {}", answer.status, answer.text());
        if answer.status.as_u16() >= 400 {
            prop_assert!(answer.json()["error"].is_string());
        }
    });
}

#[tokio::test]
async fn json_of_the_wrong_shape_is_an_invalid_request() {
    let world = World::new().await;
    let in_order = json!(["ann", "secret", null, null]);
    for body in
        [json!([]), json!({}), json!({ "username": 1, "password": "x" }), json!(null), in_order]
    {
        let answer = world.send(json_request(Method::POST, "/auth/login", &body)).await;
        refused(&answer, 400, "invalid_request", "");
    }
    let tokens = world.login("ann").await;
    let answer =
        world.call_json(Method::PATCH, "/auth/profile", &tokens.access, json!(["Ann", null])).await;
    refused(&answer, 400, "invalid_request", "");
    let answer = world.post_json("/auth/logout", json!([tokens.refresh])).await;
    refused(&answer, 400, "invalid_request", "");
    assert_eq!(world.me(&tokens.access).await.status, 200);
}
