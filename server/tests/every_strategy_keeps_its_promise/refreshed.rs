//! Strategies with a refresh token.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn s03_device_tokens_last_until_the_device_or_the_password_goes() {
    let world = under("device-tokens", "").await;
    let device = async |name: &str| {
        let login = json!({ "username": "ann", "password": "secret", "device_name": name });
        world.post_json("/auth/login", login).await.tokens()
    };
    let (a, b) = (device("maryo's iPad").await, device("maryo's phone").await);
    assert!(!b.refresh.contains('.'), "opaque, no JWT");
    world.advance(89 * DAY);
    let b_now = granted(&refresh(&world, &b.refresh).await);
    assert_eq!(b_now.refresh, b.refresh, "it stays the same");

    let list = world.call(Method::GET, "/auth/devices", &b_now.access).await.json();
    let devices = list["devices"].as_array().unwrap();
    let pad = devices.iter().find(|device| device["name"] == "maryo's iPad").unwrap();
    let path = format!("/auth/devices/{}", pad["id"].as_str().unwrap());
    assert_eq!(world.call(Method::DELETE, &path, &b_now.access).await.status, 204);
    invalid_grant(&refresh(&world, &a.refresh).await, "");
    granted(&refresh(&world, &b.refresh).await);

    let change = json!({ "current_password": "secret", "new_password": "better" });
    let answer = world.call_json(Method::POST, "/auth/password", &b_now.access, change).await;
    assert_eq!(answer.status, 204);
    invalid_grant(&refresh(&world, &b.refresh).await, "login_required");
}

#[tokio::test]
async fn s04_reauth_flag_stops_refreshes_until_the_next_sign_in() {
    let world = under("reauth-flag", "").await;
    let tokens = world.login("ann").await;
    assert_eq!(expiry(&tokens.access), 15 * MINUTE);
    let tokens = granted(&refresh(&world, &tokens.refresh).await);
    set_user(&world, json!({ "reauth": true })).await;
    invalid_grant(&refresh(&world, &tokens.refresh).await, "login_required");
    let tokens = world.login("ann").await;
    granted(&refresh(&world, &tokens.refresh).await);
}

#[tokio::test]
async fn s05_login_age_counts_from_the_sign_in_and_not_from_the_last_refresh() {
    let world = under("login-age", "").await;
    let mut tokens = world.login("ann").await;
    for _ in 1..72 * 6 {
        world.advance(10 * MINUTE);
        tokens = granted(&refresh(&world, &tokens.refresh).await);
    }
    world.advance(10 * MINUTE - 1);
    tokens = granted(&refresh(&world, &tokens.refresh).await);
    world.advance(2);
    invalid_grant(&refresh(&world, &tokens.refresh).await, "");
}

#[tokio::test]
async fn s09_oauth_token_endpoint_takes_the_form_60_to_90_seconds_ahead() {
    let world = under("oauth-token-endpoint", "").await;
    let mut held = world.login("ann").await.refresh;
    for lead in 60..=90 {
        world.advance(300 - lead);
        let form = format!("refresh_token={held}&grant_type=refresh_token");
        let answer = world.post_form("/oauth/token", &form).await;
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
        let next = granted(&answer);
        assert_ne!(next.refresh, held, "rotated");
        held = next.refresh;
    }
    let json = json!({ "refresh_token": held, "grant_type": "refresh_token" });
    assert_eq!(world.post_json("/oauth/token", json).await.status, 415);
}

#[tokio::test]
async fn s10_deny_listable_refresh_ends_by_name_or_by_age() {
    let world = under("deny-listable-refresh", "").await;
    let (listed, other) = (world.login("ann").await, world.login("ann").await);
    granted(&refresh(&world, &listed.refresh).await);
    let form = format!("token={}", listed.refresh);
    assert_eq!(world.post_form("/oauth/revoke", &form).await.status, 200);
    invalid_grant(&refresh(&world, &listed.refresh).await, "");
    unauthorized(&world.me(&listed.access).await);
    world.advance(30 * DAY - 1);
    granted(&refresh(&world, &other.refresh).await);
    world.advance(2);
    invalid_grant(&refresh(&world, &other.refresh).await, "");
}

#[tokio::test]
async fn s11_short_and_long_needs_both_and_extends_both() {
    let world = under("short-and-long", "").await;
    let both = async |short: &str, long: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={long}");
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Bearer {short}"))
            .body(Body::from(form));
        world.send(request.unwrap()).await
    };
    let first = world.login("ann").await;
    world.advance(301);
    unauthorized(&world.me(&first.access).await);
    let second = granted(&both(&first.access, &first.refresh).await);
    assert_eq!(expiry(&second.access), 301 + 300);

    let (message, _) = second.access.rsplit_once('.').unwrap();
    let (_, signature) = first.access.rsplit_once('.').unwrap();
    let forged = format!("{message}.{signature}");
    unauthorized(&both(&forged, &second.refresh).await);
    let other = world.login("ann").await;
    unauthorized(&both(&other.access, &second.refresh).await);
    refused(&refresh(&world, &second.refresh).await, 401, "missing_token", "");
    unauthorized(&world.me(&second.refresh).await);

    world.advance(WEEK - 1);
    let third = granted(&both(&second.access, &second.refresh).await);
    assert_ne!(third.refresh, second.refresh);
    set_user(&world, json!({ "disabled": true })).await;
    invalid_grant(&both(&third.access, &third.refresh).await, "login_required");
    world.advance(300);
    unauthorized(&world.me(&third.access).await);
}

#[tokio::test]
async fn s20_one_time_sliding_gives_48_hours_each_time() {
    let world = under("one-time-sliding", "").await;
    let first = world.login("ann").await;
    world.advance(47 * HOUR);
    let second = granted(&refresh(&world, &first.refresh).await);
    world.advance(47 * HOUR);
    let third = granted(&refresh(&world, &second.refresh).await);
    world.advance(50 * HOUR);
    invalid_grant(&refresh(&world, &third.refresh).await, "");

    let used = world.login("ann").await;
    granted(&refresh(&world, &used.refresh).await);
    invalid_grant(&refresh(&world, &used.refresh).await, "reuse_detected");

    let left = world.login("ann").await;
    sign_out(&world, &left.access).await;
    invalid_grant(&refresh(&world, &left.refresh).await, "");
    world.advance(300);
    unauthorized(&world.me(&left.access).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s22_jwt_pair_lets_overlapping_requests_share_one_refresh() {
    let world = Arc::new(under("jwt-pair", "").await);
    let tokens = world.login("ann").await;
    unauthorized(&world.me(&tokens.refresh).await);
    world.advance(300);
    unauthorized(&world.me(&tokens.access).await);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (world, held) = (Arc::clone(&world), tokens.refresh.clone());
        calls.spawn(async move {
            let (token, key) = (held, world::KEY);
            let form = format!("grant_type=refresh_token&refresh_token={token}&rotation_key={key}");
            let answer = world.post_form("/oauth/token", &form).await;
            let next = granted(&answer);
            (world.me(&next.access).await.status.as_u16(), next.refresh)
        });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200));
    assert_eq!((world.count("T5").await, world.count("T6").await), (1, 19));
}

#[tokio::test]
async fn s25_silent_refresh_signs_in_again_after_a_restart() {
    let world = under("silent-refresh", "").await;
    let tokens = world.login("ann").await;
    assert!(expiry(&tokens.access) <= 15 * MINUTE);
    let stored = tokens.refresh;
    world.advance(26 * HOUR);
    let back = granted(&refresh(&world, &stored).await);
    assert_eq!(world.me(&back.access).await.json()["name"], "ann");

    let world = under("silent-refresh", "cookie = true").await;
    let cookie = cookie_pair(&sign_in_for_cookie(&world).await);
    world.advance(26 * HOUR);
    let request =
        Request::post("/auth/refresh").header("cookie", cookie).header("x-everfresh", "1");
    let back = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(world.me(&granted(&back).access).await.status, 200);
}

#[tokio::test]
async fn s30_claims_sync_shows_a_demotion_at_the_next_refresh() {
    let world = under("claims-sync", "").await;
    set_user(&world, json!({ "is_manager": true })).await;
    let tokens = world.login("ann").await;
    set_user(&world, json!({ "is_manager": false })).await;
    world.advance(15 * MINUTE - 1);
    assert_eq!(world.me(&tokens.access).await.json()["is_manager"], true, "until it expires");
    let next = granted(&refresh(&world, &tokens.refresh).await);
    assert_eq!(world.me(&next.access).await.json()["is_manager"], false);
    world.advance(1);
    unauthorized(&world.me(&tokens.access).await);
}

#[tokio::test]
async fn s33_no_polling_needs_one_refresh_for_each_access_token() {
    let world = under("no-polling", "").await;
    let mut tokens = world.login("ann").await;
    for _ in 0..12 {
        world.advance(299);
        assert_eq!(world.me(&tokens.access).await.status, 200, "good to its end, unasked");
        tokens = granted(&refresh(&world, &tokens.refresh).await);
    }
    let stats = world.control_get("/stats").await;
    assert_eq!(stats["routes"]["POST /oauth/token"], 12);
    assert_eq!(stats["refreshes"]["T5"], 12);
    assert_eq!(stats["routes"].as_object().unwrap().len(), 3, "sign-in, resource, refresh");
}

#[tokio::test]
async fn s34_one_time_revoke_all_takes_a_replay_for_a_break_in() {
    for (set, all) in [("", true), ("set = [\"on_reuse=revoke_family\"]", false)] {
        let world = under("one-time-revoke-all", set).await;
        let (first, other) = (world.login("ann").await, world.login("ann").await);
        let ben = world.login("ben").await;
        let second = granted(&refresh(&world, &first.refresh).await);
        invalid_grant(&refresh(&world, &first.refresh).await, "reuse_detected");
        invalid_grant(&refresh(&world, &second.refresh).await, "reuse_detected");
        let others = refresh(&world, &other.refresh).await;
        assert_eq!(others.status == 400, all, "{}", others.text());
        assert_eq!(world.me(&other.access).await.status == 401, all);
        granted(&refresh(&world, &ben.refresh).await);
    }
}

#[tokio::test]
async fn s37_rfc6749_pair_follows_the_figure() {
    let world = under("rfc6749-pair", "").await;
    let tokens = world.login("ann").await;
    assert_eq!(world.me(&tokens.access).await.status, 200);
    world.advance(300);
    unauthorized(&world.me(&tokens.access).await);
    let answer = refresh(&world, &tokens.refresh).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let next = granted(&answer);
    assert_eq!(world.me(&next.access).await.status, 200);
    assert_ne!(next.refresh, "");
}

#[tokio::test]
async fn s40_opaque_refresh_is_read_by_the_token_endpoint_alone() {
    let world = under("opaque-refresh", "").await;
    let tokens = world.login("ann").await;
    let answer = refresh(&world, &tokens.refresh).await;
    let body = answer.json();
    assert!(body["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
    assert_eq!(body["expires_in"].as_u64(), Some(300));
    let next = granted(&answer);
    for opaque in [&tokens.refresh, &next.refresh] {
        assert!(opaque.starts_with("rt_") && !opaque.contains('.'), "{opaque}");
        unauthorized(&world.me(opaque).await);
        unauthorized(&renew(&world, opaque).await);
    }
    assert!(!world::holds_refresh_token(&world.me(&next.access).await.text()));
}

#[tokio::test]
async fn s41_claims_update_keeps_the_session_and_tells_no_secret() {
    let world = under("claims-update", "").await;
    let tokens = world.login("ann").await;
    assert_eq!(claims(&tokens.access)["phone"], Value::Null);
    let phone = json!({ "phone": "+49 30 1" });
    let answer = world.call_json(Method::PATCH, "/auth/profile", &tokens.access, phone).await;
    assert_eq!(answer.status, 200);
    let next = granted(&refresh(&world, &tokens.refresh).await);
    let after = claims(&next.access);
    assert_eq!(after["phone"], "+49 30 1");
    assert_eq!(after["sid"], claims(&tokens.access)["sid"]);
    let allowed = "aud auth_time client_id exp iat is_manager iss jti name phone session_expiry \
                   sid sub";
    for name in after.as_object().unwrap().keys() {
        assert!(allowed.split(' ').any(|known| known == name), "{name}");
    }
}
