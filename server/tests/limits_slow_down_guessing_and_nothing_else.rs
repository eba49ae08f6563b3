//! Token buckets for sign-ins, refreshes and failures.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::Arc;

use http::Method;
use serde_json::json;
use tokio::task::JoinSet;
use world::{KEY, World, refused};

#[tokio::test]
async fn guessing_a_password_is_slow() {
    let world = World::new().await;
    let guess = |name| json!({ "username": name, "password": "wrong" });
    for _ in 0..10 {
        let answer = world.post_json("/auth/login", guess("ann")).await;
        refused(&answer, 401, "invalid_credentials", "");
    }
    let answer = world.post_json("/auth/login", guess("ann")).await;
    refused(&answer, 429, "too_many_requests", "");
    assert_eq!(answer.header("retry-after"), Some("6"));
    world.login("ben").await;
    world.advance(6);
    world.login("ann").await;
}

#[tokio::test]
async fn guessing_the_current_password_is_as_slow() {
    let world = World::new().await;
    let access = world.login("ann").await.access;
    let guess = json!({ "current_password": "wrong", "new_password": "mine" });
    let change = async |body| world.call_json(Method::POST, "/auth/password", &access, body).await;
    for _ in 0..9 {
        refused(&change(guess.clone()).await, 401, "invalid_credentials", "");
    }
    refused(&change(guess).await, 429, "too_many_requests", "");
    world.advance(6);
    let right = json!({ "current_password": "secret", "new_password": "mine" });
    assert_eq!(change(right).await.status, 204);
}

#[tokio::test]
async fn forged_tokens_are_limited_without_hurting_honest_ones() {
    let world = World::new().await;
    let token = world.login("ann").await.refresh;
    let forged = World::new().await.login("ann").await.refresh;
    for _ in 0..30 {
        refused(&world.refresh(&forged, Some(KEY)).await, 400, "invalid_grant", "");
    }
    refused(&world.refresh(&forged, Some(KEY)).await, 429, "too_many_requests", "");
    assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
    world.login("ann").await;
}

#[tokio::test]
async fn what_is_no_token_at_all_costs_nothing_but_an_answer() {
    let world = World::new().await;
    let token = world.login("ann").await.refresh;
    for _ in 0..200 {
        refused(&world.refresh("rubbish", Some(KEY)).await, 400, "invalid_grant", "");
    }
    assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
    world.login("ben").await;
}

#[tokio::test]
async fn guesses_that_come_at_once_are_not_all_looked_at() {
    let world = Arc::new(World::with("login_rate = \"1000/1\"").await);
    let mut guesses = JoinSet::new();
    for number in 0..300 {
        let world = Arc::clone(&world);
        let guess = json!({ "username": "ann", "password": format!("guess {number}") });
        guesses.spawn(async move { world.post_json("/auth/login", guess).await.status });
    }
    let answers = guesses.join_all().await;
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 30, "{looked_at} of {answers:?}");
    assert!(answers.iter().all(|status| [401, 429, 503].contains(&status.as_u16())));
}

#[tokio::test]
async fn right_passwords_cost_nothing_of_what_wrong_ones_do() {
    let world = World::with("login_rate = \"1000/1\"\nfailure_rate = \"3/60\"").await;
    for _ in 0..20 {
        world.login("ann").await;
    }
    let guess = json!({ "username": "ann", "password": "wrong" });
    for _ in 0..3 {
        let answer = world.post_json("/auth/login", guess.clone()).await;
        refused(&answer, 401, "invalid_credentials", "");
    }
    refused(&world.post_json("/auth/login", guess).await, 429, "too_many_requests", "");
}

#[tokio::test]
async fn a_wild_client_is_slowed_down_and_stays_signed_in() {
    let world = World::new().await;
    let (token, other) = (world.login("ann").await.refresh, world.login("ann").await.refresh);
    for _ in 0..100 {
        assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
    }
    refused(&world.refresh(&token, Some(KEY)).await, 429, "too_many_requests", "");
    assert_eq!(world.refresh(&other, Some(KEY)).await.status, 200);
    world.advance(1);
    assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn each_limit_has_its_own_number() {
    let rates = "login_rate = \"2/60\"\nrefresh_rate = \"1/5\"\nforgery_rate = \"3/1\"";
    let world = World::with(rates).await;
    let token = world.login("ann").await.refresh;
    world.login("ann").await;
    let body = json!({ "username": "ann", "password": "secret" });
    let answer = world.post_json("/auth/login", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("60")));
    assert_eq!(world.refresh(&token, Some(KEY)).await.status, 200);
    assert_eq!(world.refresh(&token, Some(KEY)).await.header("retry-after"), Some("5"));
    let forged = World::new().await.login("ann").await.refresh;
    for _ in 0..3 {
        refused(&world.refresh(&forged, Some(KEY)).await, 400, "invalid_grant", "");
    }
    refused(&world.refresh(&forged, Some(KEY)).await, 429, "too_many_requests", "");
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let world = World::with("limits = \"off\"").await;
    for _ in 0..40 {
        world.login("ann").await;
    }
}
