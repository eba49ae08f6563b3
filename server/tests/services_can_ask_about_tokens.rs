//! Introspection after RFC 7662, and the counters for Prometheus.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::Arc;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use serde_json::json;
use tokio::task::JoinSet;
use world::{Answer, KEY, NOON_SECONDS, World, refused};

#[tokio::test]
async fn a_living_token_is_described() {
    let world = world().await;
    let tokens = world.login("ann").await;
    let access = ask(&world, "gateway:key", &tokens.access).await.json();
    assert_eq!((&access["active"], &access["username"]), (&json!(true), &json!("ann")));
    assert_eq!(access["exp"], NOON_SECONDS + 300);
    let refresh = ask(&world, "gateway:key", &tokens.refresh).await.json();
    assert_eq!((&refresh["active"], &refresh["sid"]), (&json!(true), &access["sid"]));
}

#[tokio::test]
async fn any_other_token_is_just_inactive() {
    let world = world().await;
    let old = world.login("ann").await;
    let new = world.refresh(&old.refresh, Some(KEY)).await.tokens();
    let inactive = async |token: &str| {
        let answer = ask(&world, "gateway:key", token).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"active":false}"#));
    };
    inactive("rubbish").await;
    inactive(&old.refresh).await;
    world.advance(300);
    inactive(&old.access).await;
    assert_eq!(ask(&world, "gateway:key", &new.refresh).await.json()["active"], true);
    world.call(Method::POST, "/auth/logout", &new.access).await;
    inactive(&new.access).await;
    inactive(&new.refresh).await;
}

#[tokio::test]
async fn only_known_clients_may_ask() {
    let world = world().await;
    let token = world.login("ann").await.access;
    for credentials in ["gateway:wrong", "other:key", "gateway", ":", ""] {
        let answer = ask(&world, credentials, &token).await;
        refused(&answer, 401, "invalid_client", "");
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"everfresh\""));
    }
    let bare = world.post_form("/oauth/introspect", &format!("token={token}")).await;
    refused(&bare, 401, "invalid_client", "");
    refused(&ask(&world, "gateway:key", "").await, 400, "invalid_request", "");
}

#[tokio::test]
async fn guessing_the_secret_of_a_service_is_slow() {
    let world = world().await;
    let token = world.login("ann").await.access;
    for number in 0..10 {
        let answer = ask(&world, &format!("gateway:guess {number}"), &token).await;
        refused(&answer, 401, "invalid_client", "");
    }
    let answer = ask(&world, "gateway:key", &token).await;
    refused(&answer, 429, "too_many_requests", "");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(ask(&world, "other:secret", &token).await.status, 200, "another one may go on");
    world.advance(1);
    for _ in 0..50 {
        assert_eq!(ask(&world, "gateway:key", &token).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_secrets_that_come_at_once_are_not_in_each_others_way() {
    let rates = "client = [\"gateway:key\"]\nclient_secret_rate = \"1/60\"";
    let world = Arc::new(World::with(rates).await);
    let token = world.login("ann").await.access;
    let mut services = JoinSet::new();
    for _ in 0..4 {
        let (world, token) = (Arc::clone(&world), token.clone());
        services.spawn(async move {
            for _ in 0..200 {
                assert_eq!(ask(&world, "gateway:key", &token).await.status, 200);
            }
        });
    }
    services.join_all().await;
}

#[tokio::test]
async fn the_counters_read_like_prometheus() {
    let world = world().await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    let answer = world.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = answer.text();
    let labels = "method=\"POST\",route=\"/oauth/token\",status=\"200\"";
    assert!(text.contains(&format!("everfresh_requests_total{{{labels}}} 1\n")), "{text}");
    assert!(text.contains("everfresh_refreshes_total{rule=\"rotated\"} 1\n"));
    assert!(text.contains("everfresh_refreshes_total{rule=\"reused\"} 0\n"));
    assert!(text.contains("everfresh_store_duration_seconds_count{step=\"refresh\"} 1\n"));
    assert!(text.contains("everfresh_store_errors_total{step=\"refresh\"} 0\n"));
    let route = "method=\"POST\",route=\"/oauth/token\"";
    let bucket = format!("everfresh_request_duration_seconds_bucket{{{route},le=\"+Inf\"}} 1\n");
    assert!(text.contains(&bucket), "{text}");
}

#[tokio::test]
async fn invented_methods_and_paths_do_not_fill_the_counters() {
    let world = World::new().await;
    for number in 0..50 {
        let method = Method::from_bytes(format!("METHOD{number}").as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(format!("/path/{number}"));
        world.send(request.body(Body::empty()).unwrap()).await;
    }
    let counted = world.state.stats.counted();
    assert_eq!(counted.routes.keys().collect::<Vec<_>>(), ["OTHER (other)"]);
    assert_eq!(counted.responses.len(), 1);
    let mut text = String::new();
    world.state.stats.encode(&mut text).unwrap();
    assert_eq!(text.matches("everfresh_requests_total{").count(), 1, "{text}");
    assert_eq!(text.matches("everfresh_request_duration_seconds_count{").count(), 1, "{text}");
}

async fn world() -> World {
    World::with("client = [\"gateway:key\", \"other:secret\"]").await
}

async fn ask(world: &World, credentials: &str, token: &str) -> Answer {
    let request = Request::post("/oauth/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {}", STANDARD.encode(credentials)))
        .body(Body::from(format!("token={token}")));
    world.send(request.unwrap()).await
}
