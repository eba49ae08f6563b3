//! Behind a proxy each client has limits of its own, and nobody chooses whose limits they use up.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::net::SocketAddr;

use axum::body::Body;
use everfresh_server::serve::Peer;
use http::Method;
use http::Request;
use serde_json::json;
use world::{Answer, World, json_request, refused};

#[tokio::test]
async fn one_client_that_guesses_locks_nobody_else_out() {
    let world = World::with("trusted_proxy = [\"10.0.0.0/8\"]").await;
    for number in 0..40 {
        let name = format!("user {number}");
        sign_in(&world, "10.0.0.1", Some("203.0.113.1"), &name, "guess").await;
    }
    let late = sign_in(&world, "10.0.0.1", Some("203.0.113.1"), "ann", "secret").await;
    refused(&late, 429, "too_many_requests", "");
    for client in ["203.0.113.2", "2001:db8::1"] {
        let other = sign_in(&world, "10.0.0.1", Some(client), "ann", "secret").await;
        assert_eq!(other.status, 200, "{client}");
    }
}

#[tokio::test]
async fn a_client_cannot_name_another_address() {
    let world = World::with("trusted_proxy = [\"10.0.0.0/8\"]").await;
    let mut answers = Vec::new();
    for number in 0..40 {
        // What it sends itself stands left of what the proxy adds.
        let chain = format!("198.51.100.{number}, 203.0.113.1");
        answers.push(sign_in(&world, "10.0.0.1", Some(&chain), "ben", "guess").await.status);
    }
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 10, "{answers:?}");
    for number in 0..40 {
        let name = format!("198.51.100.{number}");
        sign_in(&world, "192.0.2.1", Some(&name), "ben", "guess").await;
    }
    let direct = sign_in(&world, "192.0.2.1", Some("198.51.100.99"), "ben", "secret").await;
    refused(&direct, 429, "too_many_requests", "");
}

#[tokio::test]
async fn an_ipv6_customer_is_one_client() {
    let world = World::new().await;
    for number in 0..10 {
        sign_in(&world, &format!("2001:db8:0:1::{number}"), None, "ann", "guess").await;
    }
    let again = sign_in(&world, "2001:db8:0:1:ffff::1", None, "ann", "secret").await;
    refused(&again, 429, "too_many_requests", "");
    assert_eq!(sign_in(&world, "2001:db8:0:2::1", None, "ann", "secret").await.status, 200);
}

/// Two a second, as the clients of a server whose keys were lost may send them.
#[tokio::test]
async fn tokens_that_are_not_ours_delay_no_sign_in() {
    let world = World::new().await;
    let foreign = World::new().await.login("ann").await.refresh;
    for token in ["rubbish", &foreign] {
        for round in 0..20 {
            for _ in 0..20 {
                let form = format!("grant_type=refresh_token&refresh_token={token}");
                let mut request = Request::post("/oauth/token")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Body::from(form))
                    .unwrap();
                let answer = from(&world, &mut request, "192.0.2.1").await;
                assert!(matches!(answer.status.as_u16(), 400 | 429), "{}", answer.status);
            }
            let answer = sign_in(&world, "192.0.2.1", None, "ann", "secret").await;
            assert_eq!(answer.status, 200, "round {round} with {token}");
            world.advance(10);
        }
    }
}

async fn sign_in(
    world: &World,
    peer: &str,
    forwarded: Option<&str>,
    name: &str,
    password: &str,
) -> Answer {
    let body = json!({ "username": name, "password": password });
    let mut request = json_request(Method::POST, "/auth/login", &body);
    if let Some(forwarded) = forwarded {
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    }
    from(world, &mut request, peer).await
}

async fn from(world: &World, request: &mut Request<Body>, peer: &str) -> Answer {
    let mut request = std::mem::take(request);
    let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
    request.extensions_mut().insert(Peer(peer));
    world.send(request).await
}
