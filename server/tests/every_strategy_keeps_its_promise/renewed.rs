//! Strategies that trade an access token for the next one at an endpoint, or not at all.

use super::*;

#[tokio::test]
async fn s01_renew_endpoint_gives_the_same_claims_and_a_later_end() {
    let world = under("renew-endpoint", "access_ttl = 100").await;
    let old = world.login("ann").await;
    assert_eq!(old.refresh, "");
    world.advance(90);
    let answer = renew(&world, &old.access).await;
    let new = granted(&answer);
    assert_eq!((expiry(&old.access), expiry(&new.access)), (100, 190));
    let (before, after) = (claims(&old.access), claims(&new.access));
    for same in ["sub", "sid", "name", "phone", "is_manager", "auth_time"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["jti"], after["jti"]);
    world.advance(9);
    assert_eq!(world.me(&old.access).await.status, 200, "the old one is good to its own end");
    world.advance(2);
    unauthorized(&renew(&world, &old.access).await);
    assert_eq!(world.me(&new.access).await.status, 200);
}

#[tokio::test]
async fn s02_renew_weekly_lasts_as_long_as_somebody_comes_by() {
    let world = under("renew-weekly", "").await;
    let mut tokens = world.login("ann").await;
    for _ in 0..8 * 24 {
        world.advance(HOUR);
        tokens = granted(&renew(&world, &tokens.access).await);
    }
    assert_eq!(world.me(&tokens.access).await.status, 200, "eight days of an open application");
    world.advance(WEEK + 1);
    unauthorized(&renew(&world, &tokens.access).await);
}

#[tokio::test]
async fn s06_client_timer_ends_with_the_application_that_was_closed() {
    let world = under("client-timer", "").await;
    let tokens = world.login("ann").await;
    world.advance(29 * MINUTE);
    let renewed = granted(&renew(&world, &tokens.access).await);
    assert_eq!(expiry(&renewed.access), 59 * MINUTE);

    let closed = world.login("ann").await;
    world.advance(30 * MINUTE + 1);
    unauthorized(&world.me(&closed.access).await);
}

#[tokio::test]
async fn s07_requested_expiry_is_granted_up_to_the_session_time() {
    let world = under("requested-expiry", "").await;
    let tokens = world.login("ann").await;
    for (wanted, given) in [(600, 600), (99_999, 1_800)] {
        let body = json!({ "exp": START + wanted });
        let answer = world.call_json(Method::POST, "/auth/renew", &tokens.access, body).await;
        assert_eq!(expiry(&granted(&answer).access), given);
    }
}

#[tokio::test]
async fn s13_soft_expiry_tells_renewable_from_over() {
    let world = under("soft-expiry", "client = [\"gateway:s3cret\"]").await;
    let tokens = world.login("ann").await;
    world.advance(299);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    assert_eq!(introspect(&world, &tokens.access).await["active"], true);
    world.advance(2);
    assert_eq!(introspect(&world, &tokens.access).await, json!({ "active": false }));
    let answer = world.me(&tokens.access).await;
    unauthorized(&answer);
    refused(&answer, 401, "invalid_token", "EXPIRED_TOKEN");
    let renewed = granted(&renew(&world, &tokens.access).await);
    assert_eq!(world.me(&renewed.access).await.status, 200);
    world.advance(1_500);
    let answer = world.me(&tokens.access).await;
    unauthorized(&answer);
    refused(&answer, 401, "invalid_token", "INVALID_TOKEN");
    refused(&renew(&world, &tokens.access).await, 401, "invalid_token", "INVALID_TOKEN");
}

#[tokio::test]
async fn s14_session_extension_comes_late_and_signing_out_ends_the_whole_chain() {
    let world = under("session-extension", "").await;
    let (first, other) = (world.login("ann").await, world.login("ann").await);
    world.advance(MINUTE);
    let early = granted(&renew(&world, &first.access).await);
    assert_eq!(expiry(&early.access), 4 * HOUR, "nothing is extended outside the last window");
    world.advance(4 * HOUR - 2 * MINUTE);
    let extended = granted(&renew(&world, &first.access).await);
    assert_eq!(expiry(&extended.access), 3 * HOUR + 59 * MINUTE + 2 * HOUR);

    let chain = [&first.access, &early.access, &extended.access];
    for token in chain {
        assert_eq!(world.me(token).await.status, 200);
        assert_eq!(claims(token)["sid"], claims(&first.access)["sid"]);
    }
    sign_out(&world, &early.access).await;
    for token in chain {
        unauthorized(&world.me(token).await);
    }
    assert_eq!(world.me(&other.access).await.status, 200);
}

#[tokio::test]
async fn s24_fixed_expiry_is_strict_to_the_second() {
    let world = under("fixed-expiry", "").await;
    let tokens = world.login("ann").await;
    world.advance(99);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    world.advance(1);
    unauthorized(&world.me(&tokens.access).await);
}

#[tokio::test]
async fn s27_hourly_renewal_ends_after_two_hours_of_silence() {
    let world = under("hourly-renewal", "").await;
    let mut tokens = world.login("ann").await;
    for _ in 0..5 {
        world.advance(HOUR);
        tokens = granted(&renew(&world, &tokens.access).await);
    }
    world.advance(2 * HOUR + 1);
    unauthorized(&renew(&world, &tokens.access).await);
}

#[tokio::test]
async fn s32_sign_out_at_expiry_offers_no_way_on() {
    let world = under("sign-out-at-expiry", "").await;
    let tokens = world.login("ann").await;
    assert_eq!(tokens.refresh, "");
    refused(&renew(&world, &tokens.access).await, 403, "renewal_not_allowed", "");
    world.advance(30 * MINUTE);
    unauthorized(&world.me(&tokens.access).await);
    unauthorized(&renew(&world, &tokens.access).await);
    assert_eq!(world.me(&world.login("ann").await.access).await.status, 200);
}

#[tokio::test]
async fn s36_no_renewal_lasts_a_week() {
    let world = under("no-renewal", "").await;
    let tokens = world.login("ann").await;
    world.advance(WEEK - 1);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    refused(&renew(&world, &tokens.access).await, 403, "renewal_not_allowed", "");
    world.advance(2);
    unauthorized(&world.me(&tokens.access).await);
}
