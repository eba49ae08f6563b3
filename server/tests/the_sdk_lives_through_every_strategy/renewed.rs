//! Lives without a refresh token.

use super::*;

#[tokio::test]
async fn s01_renew_endpoint_is_called_near_the_end_of_each_token() {
    let options = Options { lead_seconds: 10, jitter_seconds: 0, ..Options::new(Refresh::Renew) };
    let mut life = Life::begin("renew-endpoint", "access_ttl = 100", options).await;
    life.work(120, 30).await;
    assert_eq!(life.page.renewals(), 40, "one each 90 seconds of an hour");
    life.sleep(101).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s02_renew_weekly_renews_each_hour_and_at_each_start() {
    let options = Options { jitter_seconds: 0, ..Options::new(Refresh::Renew) };
    let mut life = Life::begin("renew-weekly", "", options).await;
    life.pass(8 * DAY).await;
    assert_eq!(life.page.renewals(), 8 * 24);
    assert_eq!(life.visit().await, 200);
    life.world.advance(6 * DAY);
    life.reload().await;
    assert_eq!(life.visit().await, 200);
    assert_eq!(life.page.renewals(), 8 * 24 + 1, "the overdue one");
    life.world.advance(WEEK + 1);
    life.reload().await;
    assert_eq!(life.visit().await, 401, "away for too long");
}

#[tokio::test]
async fn s06_client_timer_stops_with_the_page() {
    let options = Options { lead_seconds: 60, jitter_seconds: 0, ..Options::new(Refresh::Renew) };
    let mut life = Life::begin("client-timer", "", options).await;
    life.pass(29 * MINUTE).await;
    let ends = life.page.snapshot().expires_at.unwrap() - world::NOON as i64;
    assert_eq!(ends, 59 * MINUTE * 1_000);
    life.pass(10 * HOUR).await;
    assert_eq!(life.visit().await, 200);
    let old = life.access();
    life.world.advance(30 * MINUTE + 1);
    assert_eq!(life.world.me(&old).await.status, 401, "nobody renews for a closed page");
}

#[tokio::test]
async fn s07_requested_expiry_follows_the_user() {
    let idle = 10 * MINUTE;
    let options = Options {
        idle_seconds: Some(idle),
        jitter_seconds: 0,
        ..Options::new(Refresh::WhileActive(30 * MINUTE))
    };
    let mut life = Life::begin("requested-expiry", "", options).await;
    for _ in 0..6 {
        life.pass(9 * MINUTE).await;
        life.page.feed(&life.world, Input::Activity).await;
        assert_eq!(life.visit().await, 200);
    }
    let last_input = 54 * MINUTE;
    let token_ends = claims(&life.access())["exp"].as_i64().unwrap() - world::NOON_SECONDS as i64;
    assert!(token_ends <= last_input + 30 * MINUTE, "{token_ends}");
    life.pass(idle).await;
    let renewals = life.page.renewals();
    life.pass(HOUR).await;
    assert_eq!(life.page.renewals(), renewals, "an idle page renews nothing");
    life.is_over(EndReason::Idle).await;
}

#[tokio::test]
async fn s12_user_version_ends_the_other_devices_too() {
    let mut life = Life::begin("user-version", "", Options::new(Refresh::Renew)).await;
    life.work(4, 10 * MINUTE).await;
    let other = life.world.login("ann").await;
    life.world.call(Method::POST, "/auth/logout", &other.access).await;
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s13_soft_expiry_is_renewed_and_the_request_sent_again() {
    let mut life = Life::begin("soft-expiry", "", Options::new(Refresh::Renew)).await;
    life.pass(HOUR).await;
    let renewals = life.page.renewals();
    assert!((12..=13).contains(&renewals), "before each soft expiry: {renewals}");
    assert_eq!(life.visit().await, 200);

    let sent = life.page.sent.len();
    life.world.advance(400);
    assert_eq!(life.visit().await, 200);
    let sent = life.page.sent[sent..].iter().map(|(_, sent)| sent.split(" {").next().unwrap());
    let mut sent: Vec<&str> = sent.collect();
    sent.sort_unstable();
    assert_eq!(sent, ["GET /api/me", "GET /api/me", "POST /auth/renew"]);
    life.sleep(1_801).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s14_session_extension_comes_in_the_last_minute_and_signing_out_ends_all() {
    let options = Options { jitter_seconds: 0, ..Options::new(Refresh::Renew) };
    let mut life = Life::begin("session-extension", "", options).await;
    let first = life.access();
    life.pass(4 * HOUR - MINUTE - 1).await;
    assert_eq!(life.page.renewals(), 0, "not on every request, and not early");
    life.pass(2).await;
    let second = life.access();
    let ends = claims(&second)["exp"].as_i64().unwrap() - world::NOON_SECONDS as i64;
    assert_eq!((life.page.renewals(), ends), (1, 3 * HOUR + 59 * MINUTE + 2 * HOUR));
    life.page.sign_out(&life.world).await;
    for token in [&first, &second] {
        assert_eq!(life.world.me(token).await.status, 401);
    }
    life.is_over(EndReason::SignedOut).await;
}

#[tokio::test]
async fn s15_jti_deny_list_never_meets_the_page() {
    let mut life = Life::begin("jti-deny-list", "", Options::new(Refresh::Renew)).await;
    let first = life.access();
    life.work(24, 5 * MINUTE).await;
    assert_eq!(life.world.me(&first).await.status, 401);
    let last = life.access();
    life.page.sign_out(&life.world).await;
    assert_eq!(life.world.me(&last).await.status, 401);
    life.is_over(EndReason::SignedOut).await;
}

#[tokio::test]
async fn s17_latest_only_goes_to_the_newest_device() {
    let mut life = Life::begin("latest-only", "", Options::new(Refresh::Renew)).await;
    life.work(24, 5 * MINUTE).await;
    let other = life.world.login("ann").await;
    assert_eq!(life.visit().await, 401);
    assert_eq!(life.world.me(&other.access).await.status, 200);
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s24_fixed_expiry_ends_on_the_second() {
    let mut life = Life::begin("fixed-expiry", "", Options::new(Refresh::OAuth2)).await;
    life.pass(99).await;
    assert_eq!(life.visit().await, 200);
    life.pass(1).await;
    assert_eq!(life.page.renewals(), 0);
    life.is_over(EndReason::LoginRequired).await;
}

#[tokio::test]
async fn s27_hourly_renewal_needs_no_refresh_token() {
    let options = Options { jitter_seconds: 0, ..Options::new(Refresh::Renew) };
    let mut life = Life::begin("hourly-renewal", "", options).await;
    life.pass(5 * HOUR).await;
    assert_eq!((life.page.renewals(), life.visit().await), (5, 200));
    life.sleep(2 * HOUR + 1).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s31_long_access_needs_no_attention_for_half_a_year() {
    let insisting = "allow_long_access = true";
    let mut life = Life::begin("long-access", insisting, Options::new(Refresh::OAuth2)).await;
    life.pass(180 * DAY - 1).await;
    assert_eq!((life.visit().await, life.page.renewals()), (200, 0));
    life.pass(1).await;
    let over = life.page.ended();
    assert!(matches!(over, Some(EndReason::LoginRequired | EndReason::MaxAge)), "{over:?}");
    life.is_over(over.unwrap()).await;
}

#[tokio::test]
async fn s32_sign_out_at_expiry_is_told_once_without_a_storm() {
    let mut life = Life::begin("sign-out-at-expiry", "", Options::new(Refresh::OAuth2)).await;
    life.work(29, MINUTE).await;
    life.pass(MINUTE).await;
    let sent = life.page.sent.len();
    for _ in 0..100 {
        assert_eq!(life.visit().await, 401, "the server decides; the page signs in anew");
    }
    assert_eq!(life.page.sent.len(), sent + 100, "one request for each call");
    life.is_over(EndReason::LoginRequired).await;
}

#[tokio::test]
async fn s36_no_renewal_ends_after_a_week() {
    let mut life = Life::begin("no-renewal", "", Options::new(Refresh::OAuth2)).await;
    life.work(7 * 24 - 1, HOUR).await;
    life.pass(HOUR).await;
    assert_eq!(life.page.renewals(), 0);
    life.is_over(EndReason::LoginRequired).await;
}
