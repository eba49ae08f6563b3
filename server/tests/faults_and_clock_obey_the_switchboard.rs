//! The switchboard: clock, faults, users, counters.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use everfresh_server::control::Abort;
use everfresh_server::rotation::SessionId;
use http::Request;
use serde_json::json;
use world::{KEY, World, claims, refused};

#[tokio::test]
async fn a_drop_before_commit_leaves_everything_as_it_was() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    arm(&world, json!({ "route": "/oauth/token", "kind": "drop-before-commit" })).await;
    let dropped = world.refresh(&tokens.refresh, Some(KEY)).await;
    assert!(dropped.extensions.get::<Abort>().is_some());
    assert_eq!(generation(&world, &tokens.access).await, 0);
    assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
    assert_eq!(world.count("T5").await, 1);
}

#[tokio::test]
async fn a_drop_after_commit_rotates_and_says_nothing() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let fault = json!({ "route": "POST /oauth/token", "kind": "drop-after-commit", "times": 2 });
    arm(&world, fault).await;
    for _ in 0..2 {
        let dropped = world.refresh(&tokens.refresh, Some(KEY)).await;
        assert!(dropped.extensions.get::<Abort>().is_some());
        assert!(dropped.body.is_empty());
    }
    assert_eq!(generation(&world, &tokens.access).await, 1);
    assert_eq!(
        world.refresh(&tokens.refresh, Some(KEY)).await.header("refresh-replayed"),
        Some("1")
    );
}

#[tokio::test]
async fn status_and_html_faults_have_no_effect_on_the_session() {
    let world = World::with("allow_origin = [\"https://app.example\"]").await;
    let tokens = world.login("ann").await;
    let busy = json!({
        "route": "/oauth/token", "kind": "status", "status": 503, "retry_after": 7,
    });
    arm(&world, busy).await;
    arm(&world, json!({ "route": "/oauth/token", "kind": "html" })).await;
    let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("7")));
    let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(generation(&world, &tokens.access).await, 0);

    arm(&world, json!({ "route": "/healthz", "kind": "no-cors" })).await;
    let get = || Request::get("/healthz").header("origin", "https://app.example");
    let allowed = "access-control-allow-origin";
    let answer = world.send(get().body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header(allowed)), (200, None));
    let answer = world.send(get().body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header(allowed), Some("https://app.example"));
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused() {
    let world = World::new().await;
    for bad in [
        json!({ "route": "/x", "kind": "explode" }),
        json!({ "kind": "hang" }),
        json!({ "route": "/x", "kind": "status" }),
        json!({ "route": "/x", "kind": "status", "status": 9 }),
        json!({ "route": "/x", "kind": "hang", "often": 2 }),
    ] {
        refused(&world.control("/faults", bad).await, 400, "invalid_request", "");
    }
}

#[tokio::test]
async fn the_clock_advances_freezes_and_skews() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let answer = world.control("/clock", json!({ "advance_seconds": 299.5 })).await;
    assert_eq!(answer.json()["now"], world::NOON as f64 / 1_000.0 + 299.5);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    world.control("/clock", json!({ "advance_seconds": 0.5 })).await;
    assert_eq!(world.me(&tokens.access).await.status, 401);
    let skewed = world.control("/clock", json!({ "skew_seconds": -3600 })).await.json();
    assert_eq!(skewed["frozen"], false);
    let frozen = world.control("/clock", json!({ "freeze": true })).await.json();
    assert_eq!(frozen["frozen"], true);
    refused(&world.control("/clock", json!({ "advance": 1 })).await, 400, "invalid_request", "");
}

#[tokio::test]
async fn users_can_be_made_and_changed() {
    let world = World::new().await;
    let cleo = json!({ "username": "cleo", "password": "secret", "phone": "1" });
    let made = world.control("/users", cleo.clone()).await;
    assert_eq!((made.status.as_u16(), &made.json()["phone"]), (201, &json!("1")));
    assert!(!made.text().contains("argon2"));
    refused(&world.control("/users", cleo).await, 400, "invalid_request", "");
    let tokens = world.login("cleo").await;
    assert_eq!(claims(&tokens.access)["phone"], "1");
    refused(&world.control("/users/nobody", json!({})).await, 404, "not_found", "");
    let version = world.control("/users/cleo", json!({ "version": 7 })).await.json();
    assert_eq!(version["version"], 7);
}

#[tokio::test]
async fn the_counters_count_requests_and_rules() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    world.refresh("rubbish", Some(KEY)).await;
    let stats = world.control_get("/stats").await;
    assert_eq!(stats["routes"]["POST /oauth/token"], 2);
    assert_eq!(stats["responses"]["POST /oauth/token 400"], 1);
    assert_eq!((&stats["refreshes"]["T5"], &stats["refreshes"]["T0"]), (&json!(1), &json!(1)));
    let sessions = world.control_get("/sessions").await;
    assert_eq!(sessions["sessions"][0]["generation"], 1);
    assert_eq!(sessions["sessions"][0]["status"], "active");
    assert!(!sessions.to_string().contains("digest"));
}

async fn arm(world: &World, fault: serde_json::Value) {
    assert_eq!(world.control("/faults", fault).await.status, 200);
}

#[tokio::test]
async fn a_page_that_is_served_beside_it_may_use_it_and_no_other_page_may() {
    let served = "serve = \".\"\ncontrol = \"127.0.0.1:8081\"\n";
    let allowed = async |settings: &str, origin: &str| {
        let world = World::with(settings).await;
        let asked = Request::options("/clock")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .body(Body::empty());
        let answer = world.send_control(asked.unwrap()).await;
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    let own = "http://127.0.0.1:8080";
    assert_eq!(allowed(served, own).await.as_deref(), Some(own));
    assert_eq!(allowed(served, "http://127.0.0.1:9999").await, None);
    assert_eq!(allowed("", own).await, None);

    for (settings, connect) in [
        (served, "connect-src 'self' http://127.0.0.1:8081;"),
        ("serve = \".\"\n", "connect-src 'self';"),
    ] {
        let world = World::with(settings).await;
        let page = world.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
        assert!(page.header("content-security-policy").unwrap().contains(connect), "{settings}");
    }
}

async fn generation(world: &World, access: &str) -> u32 {
    let sid = SessionId::parse(claims(access)["sid"].as_str().unwrap()).unwrap();
    world.state.store.session(sid).await.unwrap().unwrap().0.generation
}
