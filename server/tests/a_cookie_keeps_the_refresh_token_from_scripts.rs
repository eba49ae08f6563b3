//! Cookie mode: attributes, refusals of foreign pages, sign-out.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use http::request::Builder;
use http::{HeaderValue, Method, Request};
use serde_json::json;
use world::{Answer, KEY, OTHER_KEY, World, holds_refresh_token, refused};

#[tokio::test]
async fn the_cookie_alone_carries_the_refresh_token() {
    let world = World::with("cookie = true\nissuer = \"https://id.example\"").await;
    let answer = login(&world).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-everfresh=rt_") && holds_refresh_token(cookie), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=172800; Secure; HttpOnly; SameSite=Strict"));
    assert!(!answer.text().contains("refresh_token") && !holds_refresh_token(&answer.text()));

    let next = refresh(&world, &pair(&answer), |request| request).await;
    assert_eq!(next.status, 200);
    assert_ne!(pair(&next), pair(&answer));
    assert!(!holds_refresh_token(&next.text()));
}

#[tokio::test]
async fn the_echo_gives_no_credential_back() {
    let world = World::with("cookie = true\nsamples = true").await;
    let answer = login(&world).await;
    let request = Request::get("/api/echo")
        .header("authorization", format!("Bearer {}", answer.tokens().access))
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("cookie", pair(&answer))
        .header("cookie", "other=1")
        .header("x-own", "mine");
    let echo = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(echo.status, 200, "{}", echo.text());
    assert_eq!(echo.json()["headers"], json!({ "x-own": "mine" }));
}

#[tokio::test]
async fn the_echo_is_there_only_where_it_was_asked_for() {
    let world = World::new().await;
    let access = world.login("ann").await.access;
    refused(&world.call(Method::GET, "/api/echo", &access).await, 404, "not_found", "");
}

#[tokio::test]
async fn plain_http_on_loopback_gets_a_cookie_that_survives() {
    let world = World::with("cookie = true").await;
    let cookie = login(&world).await.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("everfresh=rt_") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_lost_answer_is_repeated_by_the_idempotency_key() {
    let world = World::with("cookie = true").await;
    let cookie = pair(&login(&world).await);
    let keyed = |request: Builder| request.header("idempotency-key", KEY);
    let first = refresh(&world, &cookie, keyed).await;
    let again = refresh(&world, &cookie, keyed).await;
    assert_eq!(pair(&first), pair(&again));
    assert_eq!(again.header("refresh-replayed"), Some("1"));
}

#[tokio::test]
async fn a_new_cookie_with_the_key_that_made_it_is_a_repetition() {
    let world = World::with("cookie = true").await;
    let old = pair(&login(&world).await);
    let with = |key: &'static str| move |request: Builder| request.header("idempotency-key", key);
    let new = pair(&refresh(&world, &old, with(KEY)).await);
    // A second tab, which has not heard of the first one's refresh: the browser sends the new cookie.
    let again = refresh(&world, &new, with(KEY)).await;
    assert_eq!((again.status.as_u16(), again.header("refresh-replayed")), (200, Some("1")));
    assert_eq!(pair(&again), new);
    // Also where the first tab has its answer only now, or neither had one.
    assert_eq!(pair(&refresh(&world, &old, with(KEY)).await), new);

    let newer = pair(&refresh(&world, &new, with(OTHER_KEY)).await);
    assert_ne!(newer, new, "another key rotates");
    // What comes again by itself, and late, grants nothing and ends nothing.
    refused(&refresh(&world, &new, with(KEY)).await, 400, "invalid_grant", "superseded");
    assert_eq!(pair(&refresh(&world, &newer, with(OTHER_KEY)).await), newer);
    refused(&refresh(&world, &new, with("a third key")).await, 400, "invalid_request", "");
    let stranger = refresh(&world, &new, with("the key of an attacker")).await;
    refused(&stranger, 400, "invalid_grant", "reuse_detected");
}

#[tokio::test]
async fn a_token_in_a_body_is_rotated_whatever_made_it() {
    let world = World::new().await;
    let first = world.login("ann").await;
    let second = world.refresh(&first.refresh, Some(KEY)).await.tokens();
    let third = world.refresh(&second.refresh, Some(KEY)).await;
    assert_eq!(third.header("refresh-replayed"), None);
    assert_ne!(third.tokens().refresh, second.refresh);
}

#[tokio::test]
async fn a_foreign_page_cannot_use_the_cookie() {
    let world = World::with("cookie = true\nallow_origin = [\"https://app.example\"]").await;
    let cookie = pair(&login(&world).await);
    for path in ["/auth/refresh", "/auth/logout", "/auth/logout-everywhere"] {
        let bare = Request::post(path).header("cookie", &cookie).body(Body::empty());
        refused(&world.send(bare.unwrap()).await, 403, "csrf", "");
    }
    let from = |origin: &'static str| {
        move |request: Builder| request.header("origin", origin).header("host", "127.0.0.1:8080")
    };
    for origin in ["https://evil.example", "null", "https://app.example.evil.example"] {
        refused(&refresh(&world, &cookie, from(origin)).await, 403, "csrf", "");
    }
    let mut cookie = cookie;
    for origin in ["https://app.example", "http://127.0.0.1:8080"] {
        let answer = refresh(&world, &cookie, from(origin)).await;
        assert_eq!(answer.status, 200, "{origin}");
        cookie = pair(&answer);
    }
}

#[tokio::test]
async fn signing_out_removes_the_cookie_and_ends_the_session() {
    let world = World::with("cookie = true").await;
    let cookie = pair(&login(&world).await);
    let request =
        Request::post("/auth/logout").header("cookie", &cookie).header("x-everfresh", "1");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().starts_with("everfresh=; Path=/; Max-Age=0;"));
    let late = refresh(&world, &cookie, |request| request).await;
    refused(&late, 400, "invalid_grant", "");
}

#[tokio::test]
async fn a_bearer_that_signs_out_leaves_the_cookie_of_another_session() {
    let world = World::with("cookie = true").await;
    let (ours, other) = (login(&world).await, login(&world).await);
    let sign_out = async |path: &str, bearer: &str, cookie: &str| {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {bearer}"))
            .header("cookie", cookie);
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let answer = sign_out("/auth/logout", &other.tokens().access, &pair(&ours)).await;
    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (204, None));
    let ours = refresh(&world, &pair(&ours), |request| request).await;
    assert_eq!(ours.status, 200, "the session of the cookie lives");

    let garbage = sign_out("/auth/logout", "rubbish", &pair(&ours)).await;
    assert_eq!((garbage.status.as_u16(), garbage.header("set-cookie")), (204, None));
    let all = login(&world).await;
    let answer = sign_out("/auth/logout-everywhere", &all.tokens().access, &pair(&ours)).await;
    assert!(answer.header("set-cookie").unwrap().starts_with("everfresh=; Path=/; Max-Age=0;"));
    let own = login(&world).await;
    let answer = sign_out("/auth/logout", &own.tokens().access, &pair(&own)).await;
    assert!(answer.header("set-cookie").unwrap().starts_with("everfresh=; Path=/; Max-Age=0;"));
}

/// The form of a foreign page, sent from a browser that keeps the cookie to itself.
#[tokio::test]
async fn a_foreign_page_cannot_empty_the_jar() {
    let world = World::with("cookie = true").await;
    let other = World::new().await.login("ann").await;
    for path in ["/auth/logout", "/auth/logout-everywhere"] {
        for body in [String::new(), format!("refresh_token={}", other.refresh)] {
            let form = Request::post(path)
                .header("origin", "https://evil.example")
                .header("content-type", "application/x-www-form-urlencoded");
            let answer = world.send(form.body(Body::from(body)).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (204, None));
            assert_eq!(answer.header("clear-site-data"), None);
        }
    }
    let bearer = Request::post("/auth/logout").header("authorization", "Bearer rubbish");
    let own = Request::post("/auth/logout").header("x-everfresh", "1");
    for request in [bearer, own] {
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert!(answer.header("set-cookie").unwrap().starts_with("everfresh=; "));
    }
}

#[tokio::test]
async fn other_cookies_need_not_be_ascii() {
    let world = World::with("cookie = true").await;
    let mut cookie = pair(&login(&world).await).into_bytes();
    let own = cookie.clone();
    for (before, after) in [(&b"name=Zo\xc3\xab; "[..], &b"; x=\xff"[..]), (b"\xff; ", b"; =")] {
        let line = [before, &cookie, after].concat();
        let value = HeaderValue::from_bytes(&line).unwrap();
        let answer = refresh(&world, "", |request| request.header("cookie", &value)).await;
        assert_eq!(answer.status, 200, "{}", line.escape_ascii());
        cookie = pair(&answer).into_bytes();
    }
    assert_ne!(cookie, own);
}

#[tokio::test]
async fn a_refusal_names_the_origin_and_the_flag() {
    let world = World::with("cookie = true\nissuer = \"https://id.example/auth\"").await;
    let cookie = pair(&login(&world).await);
    let from = |origin: &'static str| move |request: Builder| request.header("origin", origin);
    let answer = refresh(&world, &cookie, from("https://app.example:8443")).await;
    refused(&answer, 403, "csrf", "");
    assert!(answer.text().contains("--allow-origin https://app.example:8443"), "{}", answer.text());
    for odd in ["null", "https://<script>", "data:x"] {
        let answer = refresh(&world, &cookie, from(odd)).await;
        refused(&answer, 403, "csrf", "");
        assert!(!answer.text().contains(odd) && !answer.text().contains("--allow"));
    }
    let answer = refresh(&world, &cookie, from("https://id.example")).await;
    assert_eq!(answer.status, 200, "the issuer's own, whatever the proxy makes of Host");
}

#[tokio::test]
async fn no_cookie_or_two_are_not_signed_in() {
    let world = World::with("cookie = true").await;
    let cookie = pair(&login(&world).await);
    for cookies in ["", "other=1", &format!("{cookie}; {cookie}"), "everfresh=rubbish"] {
        let answer = refresh(&world, cookies, |request| request).await;
        refused(&answer, 400, "invalid_grant", "");
    }
}

async fn login(world: &World) -> Answer {
    let login = json!({ "username": "ann", "password": "secret" });
    world.post_json("/auth/login", login).await
}

async fn refresh(world: &World, cookie: &str, more: impl Fn(Builder) -> Builder) -> Answer {
    let request = Request::post("/auth/refresh").header("x-everfresh", "1");
    let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
    world.send(more(request).body(Body::empty()).unwrap()).await
}

fn pair(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}
