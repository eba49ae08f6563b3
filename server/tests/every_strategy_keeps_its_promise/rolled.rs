//! Strategies in which a response header brings the next access token.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use everfresh_server::{AccessToken, renewing};
use tower::ServiceExt as _;

use super::*;

const X_JWT: &str = "x-jwt";

#[tokio::test]
async fn s23_half_life_renews_late_and_never_past_the_deadline() {
    let world = under("half-life", "").await;
    let first = world.login("ann").await.access;
    world.advance(9 * MINUTE + 59);
    assert_eq!(world.me(&first).await.header(X_JWT), None);
    world.advance(2);
    let answer = world.me(&first).await;
    assert_eq!(answer.status, 200);
    let mut token = answer.header(X_JWT).unwrap().to_owned();
    assert_eq!(expiry(&token), 30 * MINUTE + 1);

    let mut elapsed = 10 * MINUTE + 1;
    while elapsed < 8 * HOUR - 20 * MINUTE {
        world.advance(10 * MINUTE);
        elapsed += 10 * MINUTE;
        token = world.me(&token).await.header(X_JWT).unwrap().to_owned();
    }
    world.advance(8 * HOUR - 5 * MINUTE - elapsed);
    let last = world.me(&token).await.header(X_JWT).unwrap().to_owned();
    assert_eq!(expiry(&last), 8 * HOUR, "the deadline, exactly");
    world.advance(5 * MINUTE + 1);
    unauthorized(&world.me(&last).await);
}

#[tokio::test]
async fn s29_response_header_roll_serves_the_expired_and_sends_the_next() {
    let world = under("response-header-roll", "allow_origin = [\"https://app.example\"]").await;
    let expired = world.login("ann").await.access;
    assert_eq!(world.me(&expired).await.header(X_JWT), None, "nothing is due while it lasts");
    world.advance(301);
    for _parallel in 0..3 {
        let request = Request::get("/api/me")
            .header("authorization", format!("Bearer {expired}"))
            .header("origin", "https://app.example");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.split(',').any(|name| name.trim() == X_JWT), "{exposed}");
        let new = answer.header(X_JWT).unwrap();
        assert_eq!(claims(new)["sub"], claims(&expired)["sub"]);
        assert_eq!(expiry(new), 601);
        assert_eq!(world.me(new).await.status, 200);
    }

    let revoked = world.login("ann").await.access;
    sign_out(&world, &revoked).await;
    let answer = world.me(&revoked).await;
    unauthorized(&answer);
    assert_eq!(answer.header(X_JWT), None);
    world.advance(WEEK);
    let answer = world.me(&expired).await;
    unauthorized(&answer);
    assert_eq!(answer.header(X_JWT), None, "the session has reached its greatest age");
}

#[tokio::test]
async fn s29_response_header_roll_may_insist_on_the_same_browser() {
    let world = under("response-header-roll", "set = [\"bind_agent=true\"]").await;
    let call = async |method: Method, path: &str, agent: &str, access: Option<&str>| {
        let body = json!({ "username": "ann", "password": "secret" });
        let mut request = world::json_request(method, path, &body);
        request.headers_mut().insert("user-agent", agent.parse().unwrap());
        if let Some(access) = access {
            let bearer = format!("Bearer {access}").parse().unwrap();
            request.headers_mut().insert("authorization", bearer);
        }
        world.send(request).await
    };
    let token = call(Method::POST, "/auth/login", "Browser/1", None).await.tokens().access;
    assert_eq!(call(Method::GET, "/api/me", "Browser/1", Some(&token)).await.status, 200);
    unauthorized(&call(Method::GET, "/api/me", "Browser/2", Some(&token)).await);
    unauthorized(&world.me(&token).await);
}

#[tokio::test]
async fn s35_reissue_every_call_rewards_success_alone() {
    let world = under("reissue-every-call", "").await;
    let first = world.login("ann").await.access;
    world.advance(MINUTE);
    let answer = world.me(&first).await;
    let second = answer.header(X_JWT).unwrap().to_owned();
    assert_eq!((answer.status.as_u16(), expiry(&second)), (200, 16 * MINUTE));

    let forbidden = renew(&world, &second).await;
    assert_eq!((forbidden.status.as_u16(), forbidden.header(X_JWT)), (403, None));
    let fault = json!({ "route": "/api/me", "kind": "status", "status": 500 });
    world.control("/faults", fault).await;
    let broken = world.me(&second).await;
    assert_eq!((broken.status.as_u16(), broken.header(X_JWT)), (500, None));

    world.advance(15 * MINUTE + 1);
    let late = world.me(&second).await;
    unauthorized(&late);
    assert_eq!(late.header(X_JWT), None);
}

#[tokio::test]
async fn s39_rolling_half_goes_on_to_the_end_of_the_session() {
    let world = under("rolling-half", "").await;
    let first = world.login("ann").await.access;
    world.advance(9 * MINUTE + 59);
    assert_eq!(world.me(&first).await.header(X_JWT), None);
    world.advance(2);
    let mut token = world.me(&first).await.header(X_JWT).unwrap().to_owned();
    assert_eq!(expiry(&token), 30 * MINUTE + 1);
    for _ in 0..60 {
        world.advance(10 * MINUTE);
        token = world.me(&token).await.header(X_JWT).unwrap().to_owned();
    }
    world.advance(20 * MINUTE);
    unauthorized(&world.me(&token).await);
    assert_eq!(claims(&token)["session_expiry"], START + 30 * DAY);
}

#[tokio::test]
async fn s29_response_header_roll_reaches_handlers_of_ones_own() {
    let world = under("response-header-roll", "").await;
    let expired = world.login("ann").await.access;
    world.advance(301);
    let bare: Router<everfresh_server::AppState> = Router::new().route(
        "/mine",
        get(async |AccessToken(session): AccessToken| session.user.username.clone()),
    );
    let renewed = bare.clone().layer(from_fn_with_state(world.state.clone(), renewing));
    for (router, status) in [(bare, 401), (renewed, 200)] {
        let request = Request::get("/mine").header("authorization", format!("Bearer {expired}"));
        let router: Router = router.with_state(world.state.clone());
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "an expired token is served only with its successor");
        assert_eq!(answer.headers().contains_key(X_JWT), status == 200);
    }
}
