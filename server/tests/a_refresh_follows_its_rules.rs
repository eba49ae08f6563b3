//! Each rule of a refresh, T0 to T10, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use everfresh_server::rotation::{RefreshToken, SessionId};
use serde_json::json;
use world::{KEY, OTHER_KEY, World, claims, refused};

#[tokio::test]
async fn t0_garbage_and_forgeries_change_nothing() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let mut forged = tokens.refresh.clone().into_bytes();
    forged[60] = if forged[60] == b'A' { b'B' } else { b'A' };
    for bad in ["x", "rt_", "rt_AAAA", &String::from_utf8(forged).unwrap(), &tokens.access] {
        refused(&world.refresh(bad, Some(KEY)).await, 400, "invalid_grant", "");
    }
    assert_eq!(world.count("T0").await, 5);
    assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn t0_an_authentic_tag_over_a_wrong_secret_changes_nothing() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let sid = SessionId::parse(claims(&tokens.access)["sid"].as_str().unwrap()).unwrap();
    let forged = RefreshToken::first(sid, 0, [0; 32]).encode(&world.state.pepper);
    refused(&world.refresh(&forged, Some(KEY)).await, 400, "invalid_grant", "");
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    refused(&world.refresh(&forged, Some(KEY)).await, 400, "invalid_grant", "");
    assert_eq!(world.refresh(&next.refresh, Some(OTHER_KEY)).await.status, 200);
}

#[tokio::test]
async fn t1_an_ended_session_says_why() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    world.call(http::Method::POST, "/auth/logout", &tokens.access).await;
    refused(&world.refresh(&tokens.refresh, Some(KEY)).await, 400, "invalid_grant", "");

    let stranger = RefreshToken::first(SessionId([9; 16]), 0, [9; 32]);
    let stranger = stranger.encode(&world.state.pepper);
    refused(&world.refresh(&stranger, Some(KEY)).await, 400, "invalid_grant", "");
    assert_eq!(world.count("T1").await, 2);
}

#[tokio::test]
async fn t2_another_client_cannot_use_the_token_nor_end_the_session() {
    let world = World::new().await;
    let login = json!({ "username": "ann", "password": "secret", "client_id": "app" });
    let tokens = world.post_json("/auth/login", login).await.tokens();
    let form = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    let foreign = world.post_form("/oauth/token", &format!("{form}&client_id=other")).await;
    refused(&foreign, 400, "invalid_grant", "");
    assert_eq!(world.count("T2").await, 1);
    let own = world.post_form("/oauth/token", &format!("{form}&client_id=app")).await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn t3_idle_and_absolute_limits_end_a_session() {
    let world = World::with("idle_ttl = 100\nabsolute_ttl = 250").await;
    let mut token = world.login("ann").await.refresh;
    for step in 0..2 {
        world.advance(99);
        let answer = world.refresh(&token, Some(KEY)).await;
        assert_eq!(answer.status, 200, "step {step}");
        token = answer.tokens().refresh;
    }
    world.advance(52);
    refused(&world.refresh(&token, Some(KEY)).await, 400, "invalid_grant", "");
    assert_eq!(world.count("T3").await, 1);
    refused(&world.refresh(&token, Some(KEY)).await, 400, "invalid_grant", "");
    assert_eq!(world.count("T1").await, 1);
}

#[tokio::test]
async fn t3_the_age_of_the_login_counts_and_not_the_last_refresh() {
    let world = World::with("policy = \"login-age\"").await;
    let mut token = world.login("ann").await.refresh;
    for _ in 0..6 {
        world.advance(12 * 3_600 - 1);
        token = world.refresh(&token, Some(KEY)).await.tokens().refresh;
    }
    world.advance(6);
    refused(&world.refresh(&token, Some(KEY)).await, 400, "invalid_grant", "");
}

#[tokio::test]
async fn t4_a_user_who_may_not_go_on_has_to_sign_in_again() {
    for change in
        [json!({"reauth": true}), json!({"disabled": true}), json!({"bump_version": true})]
    {
        let world = World::new().await;
        let tokens = world.login("ann").await;
        world.control("/users/ann", change).await;
        let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
        refused(&answer, 400, "invalid_grant", "login_required");
        assert_eq!(world.count("T4").await, 1);
        assert_eq!(world.me(&tokens.access).await.status, 401);
    }
}

#[tokio::test]
async fn t4_a_login_clears_the_duty_to_sign_in() {
    let world = World::new().await;
    world.control("/users/ann", json!({ "reauth": true })).await;
    let tokens = world.login("ann").await;
    assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn t5_rotates_and_t6_repeats_the_same_answer() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let first = world.refresh(&tokens.refresh, Some(KEY)).await;
    world.advance(3_600);
    let again = world.refresh(&tokens.refresh, Some(KEY)).await;
    assert_eq!(first.header("refresh-replayed"), None);
    assert_eq!(again.header("refresh-replayed"), Some("1"));
    assert_eq!(first.tokens().refresh, again.tokens().refresh);
    assert_ne!(first.tokens().access, again.tokens().access);
    assert_eq!((world.count("T5").await, world.count("T6").await), (1, 1));
}

#[tokio::test]
async fn t6_late_replays_are_capped_and_never_revoke() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    for _ in 0..50 {
        assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
    }
    world.advance(61);
    for _ in 0..16 {
        assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
    }
    let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
    refused(&answer, 429, "too_many_requests", "");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(world.refresh(&next.refresh, Some(OTHER_KEY)).await.status, 200);
}

#[tokio::test]
async fn t6_an_honest_client_whose_answers_get_lost_for_long_is_not_locked_out() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    world.advance(61);
    for _ in 0..16 {
        assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
    }
    // One a minute since the rotation, and the first sixteen minutes' are used up.
    for (seconds, status) in
        [(0, 429), (17 * 60 - 62, 429), (1, 200), (0, 429), (60, 200), (0, 429)]
    {
        world.advance(seconds);
        assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn t7_grace_forgives_another_key_for_ten_seconds() {
    let world = World::with("rotation = \"keyed+grace\"").await;
    let tokens = world.login("ann").await;
    let first = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    world.advance(10);
    let other = world.refresh(&tokens.refresh, Some(OTHER_KEY)).await;
    assert_eq!(other.tokens().refresh, first.refresh);
    assert_eq!(world.count("T7").await, 1);
    world.advance(1);
    let late = world.refresh(&tokens.refresh, Some(OTHER_KEY)).await;
    refused(&late, 400, "invalid_grant", "reuse_detected");
}

#[tokio::test]
async fn t7_grace_ends_when_the_answer_is_known_to_have_arrived() {
    let world = World::with("rotation = \"keyed+grace\"").await;
    let tokens = world.login("ann").await;
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    assert_eq!(world.me(&next.access).await.status, 200);
    let other = world.refresh(&tokens.refresh, Some(OTHER_KEY)).await;
    refused(&other, 400, "invalid_grant", "reuse_detected");
}

#[tokio::test]
async fn t7_a_keyed_family_is_never_repeated_without_a_key() {
    for profile in ["keyed", "keyed+grace"] {
        let world = World::with(&format!("rotation = {profile:?}")).await;
        let tokens = world.login("ann").await;
        world.refresh(&tokens.refresh, Some(KEY)).await;
        let bare = world.refresh(&tokens.refresh, None).await;
        refused(&bare, 400, "invalid_grant", "reuse_detected");
    }
}

#[tokio::test]
async fn t8_a_late_duplicate_is_superseded_and_nobody_is_signed_out() {
    let world = World::new().await;
    let first = world.login("ann").await.refresh;
    let mut token = first.clone();
    for step in 0..8 {
        token = world.refresh(&token, Some(&format!("{KEY}{step}"))).await.tokens().refresh;
    }
    let late = world.refresh(&first, Some(&format!("{KEY}0"))).await;
    refused(&late, 400, "invalid_grant", "superseded");
    token = world.refresh(&token, Some(OTHER_KEY)).await.tokens().refresh;
    assert_eq!(world.count("T8").await, 1);
    let forgotten = world.refresh(&first, Some(&format!("{KEY}0"))).await;
    refused(&forgotten, 400, "invalid_grant", "reuse_detected");
    refused(&world.refresh(&token, Some(KEY)).await, 400, "invalid_grant", "reuse_detected");
}

#[tokio::test]
async fn t9_two_parties_with_one_token_end_the_session() {
    let world = World::new().await;
    let stolen = world.login("ann").await;
    let thief = world.refresh(&stolen.refresh, Some(OTHER_KEY)).await.tokens();
    let victim = world.refresh(&stolen.refresh, Some(KEY)).await;
    refused(&victim, 400, "invalid_grant", "reuse_detected");
    refused(
        &world.refresh(&thief.refresh, Some(KEY)).await,
        400,
        "invalid_grant",
        "reuse_detected",
    );
    assert_eq!(world.me(&thief.access).await.status, 401);
    assert_eq!(world.count("T9").await, 1);
}

#[tokio::test]
async fn t9_leaves_the_users_other_sessions_alone() {
    let world = World::new().await;
    let (stolen, other) = (world.login("ann").await, world.login("ann").await);
    world.refresh(&stolen.refresh, Some(KEY)).await;
    world.refresh(&stolen.refresh, Some(OTHER_KEY)).await;
    assert_eq!(world.refresh(&other.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn t10_a_store_that_lost_a_write_says_so() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let token = RefreshToken::parse(&tokens.refresh, &world.state.pepper).unwrap();
    let ahead = token.successor(&world.state.pepper, &[1; 32], world::NOON);
    let answer = world.refresh(&ahead.encode(&world.state.pepper), Some(KEY)).await;
    refused(&answer, 400, "invalid_grant", "store_behind");
    assert_eq!(world.count("T10").await, 1);
    assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn t10_a_token_one_ahead_of_a_store_that_lost_a_write_may_be_believed() {
    let world = World::with("set = [\"resync=true\"]").await;
    let (tokens, other) = (world.login("ann").await, world.login("ann").await);
    let pepper = &world.state.pepper;
    let token = RefreshToken::parse(&tokens.refresh, pepper).unwrap();
    let lost = |steps: usize, millis: u64| {
        let salt = [1; 32];
        let next = |token: RefreshToken, _| token.successor(pepper, &salt, world::NOON + millis);
        (0..steps).fold(token.clone(), next).encode(pepper)
    };
    world.advance(10);
    for (steps, millis) in [(2, 5_000), (1, 0)] {
        let answer = world.refresh(&lost(steps, millis), Some(KEY)).await;
        refused(&answer, 400, "invalid_grant", "store_behind");
    }
    let believed = lost(1, 5_000);
    let answer = world.refresh(&believed, Some(KEY)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let again = world.refresh(&believed, Some(KEY)).await;
    assert_eq!(again.tokens().refresh, answer.tokens().refresh, "a retry gets the same");
    let next = world.refresh(&answer.tokens().refresh, Some(OTHER_KEY)).await;
    assert_eq!(next.status, 200);
    assert_eq!(world.count("T10").await, 3);
    let early = world.refresh(&tokens.refresh, Some(KEY)).await;
    refused(&early, 400, "invalid_grant", "reuse_detected");
    assert_eq!(world.refresh(&other.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn a_rotated_session_never_outlives_its_first_limit() {
    let world = World::with("idle_ttl = 200\nabsolute_ttl = 300\naccess_ttl = 100").await;
    let tokens = world.login("ann").await;
    world.advance(199);
    let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
    assert_eq!(answer.json()["session_expires_in"], 101);
    world.advance(50);
    let answer = world.refresh(&answer.tokens().refresh, Some(KEY)).await;
    assert_eq!(answer.json()["expires_in"], 51);
}
