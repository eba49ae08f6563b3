//! Lives with a refresh token.

use everfresh::core::ids::StartId;

use super::*;

fn plain() -> Options {
    Options::new(Refresh::OAuth2)
}

#[tokio::test]
async fn s03_device_tokens_outlast_the_page_until_the_device_is_removed() {
    let mut life = Life::begin("device-tokens", "", plain()).await;
    life.world.advance(80 * DAY);
    life.reload().await;
    assert_eq!(life.visit().await, 200);
    let other = life.world.login("ann").await;
    let list = life.world.call(Method::GET, "/auth/devices", &other.access).await.json();
    let device = &list["devices"][0];
    assert_eq!(device["name"], "ann's browser");
    let path = format!("/auth/devices/{}", device["id"].as_str().unwrap());
    assert_eq!(life.world.call(Method::DELETE, &path, &other.access).await.status, 204);
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s04_reauth_flag_asks_for_a_sign_in() {
    let mut life = Life::begin("reauth-flag", "", plain()).await;
    life.pass(HOUR).await;
    life.world.control("/users/ann", json!({ "reauth": true })).await;
    life.pass(15 * MINUTE).await;
    assert_eq!(life.page.ended(), Some(EndReason::LoginRequired));
    life.page.sign_in(&life.world, "again").await;
    life.pass(HOUR).await;
    assert_eq!(life.visit().await, 200);
}

#[tokio::test]
async fn s05_login_age_ends_a_page_that_never_rests() {
    let mut life = Life::begin("login-age", "", plain()).await;
    life.pass(72 * HOUR - 1).await;
    assert_eq!(life.visit().await, 200);
    life.pass(5 * MINUTE).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s09_oauth_token_endpoint_is_called_60_to_90_seconds_ahead_by_all_of_1000() {
    let world = World::with("policy = \"oauth-token-endpoint\"\nlimits = \"off\"").await;
    let mut pages = Vec::new();
    for seed in 0..1_000 {
        let mut page = Page::open(&world, Options { seed, ..plain() });
        page.sign_in(&world, "one of many").await;
        pages.push(page);
    }
    for page in &mut pages[..100] {
        page.feed(&world, Input::Cancel(Some(StartId(1)))).await;
    }
    pass(&world, &mut pages, 300).await;
    assert!(pages[..100].iter().all(|page| page.renewals() == 0), "cancelled");
    let mut times = Vec::new();
    for page in &pages[100..] {
        assert_eq!(page.renewals(), 1);
        let (at, sent) = page.sent.last().unwrap();
        assert!(sent.contains("grant_type=refresh_token&refresh_token=rt_"), "a form");
        assert!((210_000..=240_000).contains(at), "{at}");
        times.push(*at);
    }
    let spread = times.iter().max().unwrap() - times.iter().min().unwrap();
    assert!(spread > 25_000, "spread out over the jitter: {spread} ms");
}

#[tokio::test]
async fn s10_deny_listable_refresh_ends_when_it_is_listed() {
    let mut life = Life::begin("deny-listable-refresh", "", plain()).await;
    life.pass(HOUR).await;
    assert_eq!(life.visit().await, 200);
    let form = format!("token={}", life.access());
    life.world.post_form("/oauth/revoke", &form).await;
    life.pass(5 * MINUTE).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s11_short_and_long_travel_together_once() {
    let mut life = Life::begin("short-and-long", "", Options::new(Refresh::Both)).await;
    life.work(12, 5 * MINUTE).await;
    life.world.advance(6 * DAY);
    assert_eq!(life.visit().await, 200, "one refresh, one resend at most");
    let before = life.page.renewals();
    life.world.control("/users/ann", json!({ "disabled": true })).await;
    assert_eq!(life.visit().await, 401);
    assert_eq!(life.page.renewals(), before + 1, "no loop");
    // A function can say that there is no point in trying again, and not why.
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s18_issue_log_sees_whoever_comes_back() {
    let mut life = Life::begin("issue-log", "", plain()).await;
    life.world.advance(HOUR);
    life.reload().await;
    assert_eq!(life.visit().await, 200, "without credentials");
    let jti = claims(&life.access())["jti"].as_str().unwrap().to_owned();
    let row = life.world.control_get(&format!("/issued/{jti}")).await;
    assert_eq!(row["sub"], claims(&life.access())["sub"]);
}

#[tokio::test]
async fn s19_endless_deny_list_lives_once_it_has_an_end() {
    let mut life = Life::begin("endless-deny-list", "idle_ttl = \"2h\"", plain()).await;
    life.pass(DAY).await;
    assert_eq!(life.visit().await, 200);
    life.sleep(2 * HOUR + 1).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s20_one_time_sliding_survives_47_hours_and_not_50() {
    let mut life = Life::begin("one-time-sliding", "", plain()).await;
    for _ in 0..3 {
        life.world.advance(47 * HOUR);
        life.reload().await;
        assert_eq!(life.visit().await, 200);
    }
    life.world.advance(50 * HOUR);
    life.reload().await;
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s21_jti_allow_list_ends_the_page_from_elsewhere() {
    let mut life = Life::begin("jti-allow-list", "", plain()).await;
    life.work(24, 5 * MINUTE).await;
    let mut gateway = life.world.state.events.subscribe().unwrap();
    let form = format!("token={}", life.access());
    life.world.post_form("/oauth/revoke", &form).await;
    assert!(gateway.try_recv().is_ok(), "gateways hear of it");
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s22_jwt_pair_is_refreshed_once_for_20_requests() {
    let mut life = Life::begin("jwt-pair", "", plain()).await;
    life.world.advance(301);
    let statuses = life.page.visit_at_once(&life.world, 20).await;
    assert_eq!(statuses, [200; 20]);
    assert_eq!(life.page.renewals(), 1);
    assert_eq!(life.world.count("T5").await, 1);
}

#[tokio::test]
async fn s25_silent_refresh_brings_the_user_back() {
    let mut life = Life::begin("silent-refresh", "", plain()).await;
    life.pass(HOUR).await;
    life.world.advance(26 * HOUR);
    life.reload().await;
    assert_eq!((life.page.snapshot().status, life.visit().await), (Status::Active, 200));
    assert_eq!(life.page.sent.iter().filter(|(_, sent)| sent.contains("/auth/login")).count(), 1);
}

#[tokio::test]
async fn s28_one_access_per_refresh_trusts_the_lead_window_and_finds_the_thief() {
    let mut life = Life::begin("one-access-per-refresh", "", plain()).await;
    life.work(24 * 20, 3 * MINUTE).await;
    assert!(life.page.refresh(&life.world).await);
    life.work(20, MINUTE).await;

    let stolen = life.page.last_refresh_token();
    let thief = life.world.refresh(&stolen, Some(world::KEY)).await;
    world::refused(&thief, 400, "invalid_grant", "reuse_detected");
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::Reuse).await;
}

#[tokio::test]
async fn s30_claims_sync_tells_of_a_demotion() {
    let mut life = Life::begin("claims-sync", "", plain()).await;
    life.world.control("/users/ann", json!({ "is_manager": true })).await;
    life.pass(15 * MINUTE).await;
    assert_eq!(claims(&life.access())["is_manager"], true);
    life.world.control("/users/ann", json!({ "is_manager": false })).await;
    assert_eq!(claims(&life.access())["is_manager"], true, "until the next refresh");
    life.pass(15 * MINUTE).await;
    assert_eq!(claims(&life.access())["is_manager"], false);
    assert_eq!(life.page.count("claims-changed"), 2);
}

#[tokio::test]
async fn s33_no_polling_while_nobody_looks() {
    let mut life = Life::begin("no-polling", "", plain()).await;
    life.pass(HOUR).await;
    let sent = life.page.sent.len() - 1;
    assert_eq!(sent, life.page.renewals(), "nothing but refreshes");
    assert!((15..=18).contains(&sent), "one for each 210 to 240 seconds: {sent}");

    let options = Options { idle_seconds: Some(30 * MINUTE), ..plain() };
    let mut life = Life::begin("no-polling", "", options).await;
    life.pass(36 * MINUTE).await;
    life.is_over(EndReason::Idle).await;
    assert!(life.page.renewals() <= 9);
}

#[tokio::test]
async fn s34_one_time_revoke_all_ends_every_page_of_the_user() {
    let mut life = Life::begin("one-time-revoke-all", "", plain()).await;
    life.pass(5 * MINUTE).await;
    let mut other = Page::open(&life.world, Options { seed: 8, ..plain() });
    other.sign_in(&life.world, "another").await;
    let used = life.page.last_refresh_token();
    let replayed = life.world.refresh(&used, Some(world::OTHER_KEY)).await;
    world::refused(&replayed, 400, "invalid_grant", "reuse_detected");
    assert_eq!(life.visit().await, 401);
    assert_eq!(other.visit(&life.world).await, 401);
    assert_eq!(other.ended(), Some(EndReason::Reuse));
    life.is_over(EndReason::Reuse).await;
}

#[tokio::test]
async fn s37_rfc6749_pair_heals_an_expired_token_unseen() {
    let mut life = Life::begin("rfc6749-pair", "", plain()).await;
    for _ in 0..10 {
        life.world.advance(301);
        assert_eq!(life.visit().await, 200);
    }
    assert_eq!(life.page.renewals(), 10);
}

#[tokio::test]
async fn s40_opaque_refresh_travels_to_the_token_endpoint_alone() {
    let mut life = Life::begin("opaque-refresh", "", plain()).await;
    life.work(60, MINUTE).await;
    life.page.sign_out(&life.world).await;
    let mut seen = 0;
    for (_, sent) in &life.page.sent {
        let allowed =
            sent.starts_with("POST /oauth/token ") || sent.starts_with("POST /oauth/revoke ");
        let holds = world::holds_refresh_token(sent);
        assert!(allowed || !holds, "{sent}");
        seen += usize::from(holds);
    }
    assert!(seen > 12, "{seen}");
}

#[tokio::test]
async fn s41_claims_update_shows_after_a_refresh_on_demand() {
    let mut life = Life::begin("claims-update", "", plain()).await;
    let before = claims(&life.access());
    assert!(before["phone"].is_null());
    let phone = json!({ "phone": "+49 30 1" });
    let access = life.access();
    life.world.call_json(Method::PATCH, "/auth/profile", &access, phone).await;
    assert!(life.page.refresh(&life.world).await);
    let after = claims(&life.access());
    assert_eq!((&after["phone"], &after["sid"]), (&json!("+49 30 1"), &before["sid"]));
    assert_eq!((life.page.count("claims-changed"), life.page.renewals()), (1, 1));
}
