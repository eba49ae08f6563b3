//! Strategies that can void an access token before it expires.

use super::*;

#[tokio::test]
async fn s12_user_version_voids_every_older_token_at_a_sign_out() {
    let world = under("user-version", "").await;
    let (one, two) = (world.login("ann").await, world.login("ann").await);
    assert_eq!((&claims(&one.access)["ver"], &claims(&two.access)["ver"]), (&json!(1), &json!(1)));
    sign_out(&world, &one.access).await;
    unauthorized(&world.me(&one.access).await);
    unauthorized(&world.me(&two.access).await);
    let three = world.login("ann").await;
    assert_eq!(claims(&three.access)["ver"], 2);
    assert_eq!(world.me(&three.access).await.status, 200);
    sign_out(&world, &one.access).await;
    assert_eq!(world.me(&three.access).await.status, 200, "an old token has no say any more");
    set_user(&world, json!({ "bump_version": true })).await;
    unauthorized(&world.me(&three.access).await);

    let world = under("user-version", "set = [\"bump_at_sign_in=true\"]").await;
    let (first, ben) = (world.login("ann").await, world.login("ben").await);
    let second = world.login("ann").await;
    unauthorized(&world.me(&first.access).await);
    assert_eq!(world.me(&second.access).await.status, 200);
    assert_eq!(world.me(&ben.access).await.status, 200);
}

#[tokio::test]
async fn s15_jti_deny_list_grows_with_sign_outs_and_shrinks_with_time() {
    let world = under("jti-deny-list", "").await;
    let signed_out = world.login("ann").await.access;
    assert_eq!(denied(&world).await, 0);
    sign_out(&world, &signed_out).await;
    unauthorized(&world.me(&signed_out).await);
    assert_eq!(denied(&world).await, 1);
    world.advance(15 * MINUTE);
    unauthorized(&world.me(&signed_out).await);
    assert_eq!(denied(&world).await, 0, "an expired token needs no entry");

    let old = world.login("ann").await.access;
    let new = granted(&renew(&world, &old).await).access;
    unauthorized(&world.me(&old).await);
    unauthorized(&renew(&world, &old).await);
    assert_eq!(world.me(&new).await.status, 200, "its successor is good");
    assert_eq!(denied(&world).await, 1);
}

#[tokio::test]
async fn s17_latest_only_admits_the_newest_token_of_a_user() {
    let world = under("latest-only", "").await;
    let (a, ben) = (world.login("ann").await.access, world.login("ben").await.access);
    assert_eq!(world.me(&a).await.status, 200);
    let b = world.login("ann").await.access;
    unauthorized(&world.me(&a).await);
    assert_eq!(world.me(&b).await.status, 200);
    let c = granted(&renew(&world, &b).await).access;
    unauthorized(&world.me(&b).await);
    assert_eq!(world.me(&c).await.status, 200);
    assert_eq!(world.me(&ben).await.status, 200, "everybody has a newest one");
}

#[tokio::test]
async fn s18_issue_log_has_every_token_and_spares_the_password() {
    let world = under("issue-log", "").await;
    let tokens = world.login("ann").await;
    world.advance(301);
    unauthorized(&world.me(&tokens.access).await);
    let next = granted(&refresh(&world, &tokens.refresh).await);
    for access in [&tokens.access, &next.access] {
        let claims = claims(access);
        let row = world.control_get(&format!("/issued/{}", claims["jti"].as_str().unwrap())).await;
        for field in ["jti", "sub", "iat", "exp", "sid"] {
            assert_eq!(row[field], claims[field], "{field}");
        }
    }
    assert_eq!(world.control_get("/issued/unknown").await["error"], "not_found");
}

#[tokio::test]
async fn s21_jti_allow_list_empties_at_a_sign_out() {
    let world = under("jti-allow-list", "client = [\"gateway:s3cret\"]").await;
    let tokens = world.login("ann").await;
    let next = granted(&refresh(&world, &tokens.refresh).await);
    for access in [&tokens.access, &next.access] {
        assert_eq!(world.me(access).await.status, 200);
        assert_eq!(introspect(&world, access).await["active"], true);
    }
    let mut gateway = world.state.events.subscribe().unwrap();
    sign_out(&world, &next.access).await;
    let mut heard = Vec::new();
    while let Ok(event) = gateway.try_recv() {
        assert_eq!(event.sid, claims(&next.access)["sid"].as_str().unwrap());
        assert!(event.at <= world.clock.now() + 1_000);
        heard.extend(event.jti);
    }
    for access in [&tokens.access, &next.access] {
        let jti = claims(access)["jti"].as_str().unwrap().to_owned();
        assert_eq!(heard.iter().filter(|heard| **heard == jti).count(), 1, "told once, by name");
        unauthorized(&world.me(access).await);
        assert_eq!(introspect(&world, access).await, json!({ "active": false }));
    }
}

#[tokio::test]
async fn s28_one_access_per_refresh_takes_rivals_for_thieves() {
    let world = under("one-access-per-refresh", "").await;
    let stolen = world.login("ann").await;
    assert_eq!(world.me(&stolen.access).await.status, 200);
    world.advance(MINUTE);
    let thief = granted(&refresh(&world, &stolen.refresh).await);
    assert_eq!(world.me(&thief.access).await.status, 200);
    world.advance(MINUTE);
    unauthorized(&world.me(&stolen.access).await);
    unauthorized(&world.me(&thief.access).await);
    invalid_grant(&refresh(&world, &thief.refresh).await, "reuse_detected");

    // A client that refreshes ahead of time may still have requests under way.
    let honest = world.login("ann").await;
    world.advance(15 * MINUTE - 180);
    let next = granted(&refresh(&world, &honest.refresh).await);
    assert_eq!(world.me(&next.access).await.status, 200);
    world.advance(MINUTE);
    assert_eq!(world.me(&honest.access).await.status, 200);
    assert_eq!(world.me(&next.access).await.status, 200);
}

async fn denied(world: &World) -> u64 {
    let answer = world.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = answer.text();
    let line = text.lines().find(|line| line.starts_with("everfresh_denied_tokens "));
    line.unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}
