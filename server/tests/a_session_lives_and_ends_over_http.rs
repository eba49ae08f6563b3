//! Sign-in, protected routes, renewal, cookie mode, sign-out, profile, devices, password.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use world::{KEY, NOON_SECONDS, World, claims, refused};

#[tokio::test]
async fn a_login_answers_as_rfc_6749_says() {
    let world = World::new().await;
    let login = json!({ "username": "ann", "password": "secret", "device_name": "ann's phone" });
    let answer = world.post_json("/auth/login", login).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("set-cookie"), None);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["session_expires_in"], 30 * 86_400);

    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["iss"], "http://127.0.0.1:8080");
    assert_eq!(
        (claims["iat"].as_u64(), claims["exp"].as_u64()),
        (Some(NOON_SECONDS), Some(NOON_SECONDS + 300))
    );
    assert_eq!(claims["auth_time"], NOON_SECONDS);
    assert_eq!(claims["name"], "ann");
    for name in ["sub", "aud", "client_id", "jti", "sid"] {
        assert!(claims[name].is_string(), "{name}");
    }
    let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    names.sort();
    let allowed = [
        "aud",
        "auth_time",
        "client_id",
        "exp",
        "iat",
        "is_manager",
        "iss",
        "jti",
        "name",
        "phone",
        "session_expiry",
        "sid",
        "sub",
    ];
    assert_eq!(names, allowed);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_alike() {
    let world = World::new().await;
    for (name, password) in [("ann", "wrong"), ("nobody", "secret"), ("", ""), ("ann", "")] {
        let login = json!({ "username": name, "password": password });
        let answer = world.post_json("/auth/login", login).await;
        refused(&answer, 401, "invalid_credentials", "");
    }
    world.control("/users/ann", json!({ "disabled": true })).await;
    let login = json!({ "username": "ann", "password": "secret" });
    refused(&world.post_json("/auth/login", login).await, 401, "invalid_credentials", "");
}

#[tokio::test]
async fn an_access_token_is_good_to_its_last_second() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    assert_eq!(world.me(&tokens.access).await.json()["phone"], Value::Null);
    world.advance(299);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    world.advance(1);
    let answer = world.me(&tokens.access).await;
    refused(&answer, 401, "invalid_token", "");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
}

#[tokio::test]
async fn a_protected_route_without_a_token_only_names_the_scheme() {
    let world = World::new().await;
    let answer = world.send(Request::get("/api/me").body(Body::empty()).unwrap()).await;
    refused(&answer, 401, "missing_token", "");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));

    let tokens = world.login("ann").await;
    let query = format!("/api/me?access_token={}", tokens.access);
    let answer = world.send(Request::get(query).body(Body::empty()).unwrap()).await;
    refused(&answer, 400, "invalid_request", "");
    refused(&world.me(&tokens.refresh).await, 401, "invalid_token", "");
}

#[tokio::test]
async fn the_echo_tells_what_arrived() {
    let world = World::with("samples = true").await;
    let tokens = world.login("ann").await;
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let body = json!({ "a": 1 });
        let path = "/api/echo?x=1";
        let echo = world.call_json(method.clone(), path, &tokens.access, body).await.json();
        assert_eq!(echo["method"], method.as_str());
        assert_eq!(echo["path"], path);
        assert_eq!(echo["headers"]["content-type"], "application/json");
        assert_eq!(echo["body_length"], 7);
        let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(echo["body_sha256"], hash);
    }
    let traced = world.call(Method::TRACE, "/api/echo", &tokens.access).await;
    refused(&traced, 405, "method_not_allowed", "");
    assert_eq!(traced.header("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE"));
}

#[tokio::test]
async fn renewal_is_for_policies_that_have_it() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let answer = world.call(Method::POST, "/auth/renew", &tokens.access).await;
    refused(&answer, 403, "renewal_not_allowed", "");

    let world = World::with("policy = \"renew-endpoint\"\naccess_ttl = 100").await;
    let old = world.login("ann").await;
    assert_eq!(old.refresh, "");
    world.advance(90);
    let new = world.call(Method::POST, "/auth/renew", &old.access).await.tokens();
    let (before, after) = (claims(&old.access), claims(&new.access));
    assert_eq!(after["exp"], NOON_SECONDS + 190);
    assert_eq!((&before["sub"], &before["sid"]), (&after["sub"], &after["sid"]));
    assert_ne!(before["jti"], after["jti"]);
    world.advance(9);
    assert_eq!(world.me(&old.access).await.status, 200);
    world.advance(2);
    assert_eq!(world.call(Method::POST, "/auth/renew", &old.access).await.status, 401);
    assert_eq!(world.me(&new.access).await.status, 200);
}

#[tokio::test]
async fn a_renewal_may_ask_for_less_but_not_for_more() {
    let world = World::with("policy = \"requested-expiry\"").await;
    let tokens = world.login("ann").await;
    for (wanted, granted) in [(600, 600), (99_999, 1_800)] {
        let body = json!({ "exp": NOON_SECONDS + wanted });
        let answer = world.call_json(Method::POST, "/auth/renew", &tokens.access, body).await;
        assert_eq!(answer.json()["expires_in"], granted);
        assert_eq!(claims(&answer.tokens().access)["exp"], NOON_SECONDS + granted);
    }
    for bad in [json!({ "exp": NOON_SECONDS }), json!({ "exp": -1 }), json!({ "exp": "soon" })] {
        let answer = world.call_json(Method::POST, "/auth/renew", &tokens.access, bad).await;
        refused(&answer, 400, "invalid_request", "");
    }
}

#[tokio::test]
async fn every_way_to_sign_out_ends_the_session() {
    let world = World::new().await;
    for way in ["bearer", "expired bearer", "json", "form", "revoke refresh", "revoke access"] {
        let tokens = world.login("ann").await;
        if way == "expired bearer" {
            world.advance(400);
        }
        let answer = match way {
            "json" => {
                let body = json!({ "refresh_token": tokens.refresh });
                world.post_json("/auth/logout", body).await
            }
            "form" => {
                let form = format!("refresh_token={}", tokens.refresh);
                world.post_form("/auth/logout", &form).await
            }
            "revoke refresh" => {
                world.post_form("/oauth/revoke", &format!("token={}", tokens.refresh)).await
            }
            "revoke access" => {
                world.post_form("/oauth/revoke", &format!("token={}", tokens.access)).await
            }
            _ => world.call(Method::POST, "/auth/logout", &tokens.access).await,
        };
        let expected = if way.starts_with("revoke") { 200 } else { 204 };
        assert_eq!(answer.status, expected, "{way}");
        assert_eq!(world.refresh(&tokens.refresh, Some(KEY)).await.status, 400, "{way}");
        assert_eq!(world.me(&tokens.access).await.status, 401, "{way}");
    }
}

#[tokio::test]
async fn signing_out_twice_or_with_nothing_is_fine() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    for _ in 0..2 {
        let answer = world.call(Method::POST, "/auth/logout", &tokens.access).await;
        assert_eq!(answer.status, 204);
    }
    let bare = Request::post("/auth/logout").body(Body::empty()).unwrap();
    assert_eq!(world.send(bare).await.status, 204);
    assert_eq!(world.call(Method::POST, "/auth/logout", "rubbish").await.status, 204);
    assert_eq!(world.post_form("/oauth/revoke", "token=rubbish").await.status, 200);
    refused(&world.post_form("/oauth/revoke", "").await, 400, "invalid_request", "");
}

#[tokio::test]
async fn signing_out_everywhere_spares_other_users() {
    let world = World::new().await;
    let (one, two) = (world.login("ann").await, world.login("ann").await);
    let ben = world.login("ben").await;
    world.call(Method::POST, "/auth/logout-everywhere", &one.access).await;
    assert_eq!(world.me(&one.access).await.status, 401);
    assert_eq!(world.me(&two.access).await.status, 401);
    assert_eq!(world.me(&ben.access).await.status, 200);
}

#[tokio::test]
async fn a_changed_profile_shows_at_the_next_refresh() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let phone = json!({ "phone": "+49 30 1" });
    let answer = world.call_json(Method::PATCH, "/auth/profile", &tokens.access, phone).await;
    assert_eq!(answer.json()["phone"], "+49 30 1");
    world.control("/users/ann", json!({ "is_manager": true })).await;
    assert_eq!(world.me(&tokens.access).await.json()["phone"], Value::Null);

    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    let me = world.me(&next.access).await.json();
    assert_eq!((&me["phone"], &me["is_manager"]), (&json!("+49 30 1"), &json!(true)));
    assert_eq!(me["sid"], claims(&tokens.access)["sid"]);
    let none = json!({ "phone": null });
    let answer = world.call_json(Method::PATCH, "/auth/profile", &next.access, none).await;
    assert_eq!(answer.json()["phone"], Value::Null);
    let more = json!({ "is_manager": true });
    let answer = world.call_json(Method::PATCH, "/auth/profile", &next.access, more).await;
    refused(&answer, 400, "invalid_request", "");
}

#[tokio::test]
async fn a_revocation_may_ask_for_all_sessions_of_the_user() {
    let world = World::new().await;
    let (own, other) = (world.login("ann").await, world.login("ann").await);
    let ben = world.login("ben").await;
    let body = format!("token={}&everywhere=true", own.refresh);
    assert_eq!(world.post_form("/oauth/revoke", &body).await.status, 200);
    assert_eq!(world.refresh(&other.refresh, Some(KEY)).await.status, 400);
    assert_eq!(world.refresh(&ben.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn a_device_can_be_removed_by_its_owner_alone() {
    let world = World::new().await;
    let login = json!({ "username": "ann", "password": "secret", "device_name": "ann's iPad" });
    let pad = world.post_json("/auth/login", login).await.tokens();
    world.advance(1);
    let (own, ben) = (world.login("ann").await, world.login("ben").await);
    let list = world.call(Method::GET, "/auth/devices", &own.access).await.json();
    let devices = list["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2);
    assert_eq!(devices[0]["name"], "ann's iPad");
    assert_eq!((&devices[0]["current"], &devices[1]["current"]), (&json!(false), &json!(true)));

    let path = format!("/auth/devices/{}", devices[0]["id"].as_str().unwrap());
    assert_eq!(world.call(Method::DELETE, &path, &ben.access).await.status, 404);
    assert_eq!(world.call(Method::DELETE, &path, &own.access).await.status, 204);
    assert_eq!(world.call(Method::DELETE, &path, &own.access).await.status, 404);
    assert_eq!(world.refresh(&pad.refresh, Some(KEY)).await.status, 400);
    assert_eq!(world.refresh(&own.refresh, Some(KEY)).await.status, 200);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let world = World::new().await;
    let (own, other) = (world.login("ann").await, world.login("ann").await);
    let wrong = json!({ "current_password": "x", "new_password": "better" });
    let answer = world.call_json(Method::POST, "/auth/password", &own.access, wrong).await;
    refused(&answer, 401, "invalid_credentials", "");
    let right = json!({ "current_password": "secret", "new_password": "better" });
    let answer = world.call_json(Method::POST, "/auth/password", &own.access, right).await;
    assert_eq!(answer.status, 204);
    let refused_refresh = world.refresh(&other.refresh, Some(KEY)).await;
    refused(&refused_refresh, 400, "invalid_grant", "login_required");
    assert_eq!(world.refresh(&own.refresh, Some(KEY)).await.status, 200);
    let login = json!({ "username": "ann", "password": "better" });
    assert_eq!(world.post_json("/auth/login", login).await.status, 200);
}
