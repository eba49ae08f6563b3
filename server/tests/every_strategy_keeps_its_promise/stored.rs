//! Strategies in which the server remembers and the client holds a name at most.

use super::*;

#[tokio::test]
async fn s08_last_access_counts_from_the_last_request() {
    let world = under("last-access", "").await;
    let tokens = world.login("ann").await;
    for _ in 0..10 {
        world.advance(599);
        assert_eq!(world.me(&tokens.access).await.status, 200);
    }
    world.advance(601);
    unauthorized(&world.me(&tokens.access).await);
    assert_eq!(world.me(&world.login("ann").await.access).await.status, 200);
}

#[tokio::test]
async fn s16_stored_access_cookie_lives_on_with_each_visit() {
    let world = under("stored-access-cookie", "").await;
    let mut cookie = cookie_pair(&sign_in_for_cookie(&world).await);
    for _ in 0..3 {
        world.advance(30 * MINUTE - 1);
        let answer = visit(&world, &cookie).await;
        assert_eq!(answer.status, 200);
        assert!(set_cookie(&answer).unwrap().contains("; Max-Age=1800;"));
        cookie = cookie_pair(&answer);
    }
    world.advance(30 * MINUTE + 1);
    let answer = visit(&world, &cookie).await;
    unauthorized(&answer);
    assert_eq!(set_cookie(&answer), None);
}

#[tokio::test]
async fn s26_cookie_roll_replaces_what_is_inside() {
    let world = under("cookie-roll", "issuer = \"https://id.example\"").await;
    let answer = sign_in_for_cookie(&world).await;
    assert!(set_cookie(&answer).unwrap().contains("; Max-Age=31536000;"));
    let old = cookie_pair(&answer);
    assert!(old.starts_with("__Host-everfresh="));
    world.advance(WEEK - 1);
    let answer = visit(&world, &old).await;
    assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (200, None));
    world.advance(2);
    let answer = visit(&world, &old).await;
    assert_eq!(answer.status, 200);
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set_cookie(&answer).unwrap().contains(attribute), "{attribute}");
    }
    let new = cookie_pair(&answer);
    assert_ne!(old, new);
    assert_eq!(visit(&world, &old).await.status, 200, "a request under way may carry the old one");
    world.advance(WEEK - 1);
    let answer = visit(&world, &new).await;
    assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (200, None), "good for a week more");

    let request = Request::post("/auth/logout").header("cookie", &new).header("x-everfresh", "1");
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 204);
    world.advance(2);
    for cookie in [&old, &new] {
        let answer = visit(&world, cookie).await;
        unauthorized(&answer);
        assert_eq!(set_cookie(&answer), None);
    }
}

#[tokio::test]
async fn s38_session_cookie_lasts_two_weeks_out_of_reach_of_scripts() {
    let world = under("session-cookie", "issuer = \"https://id.example\"").await;
    let answer = sign_in_for_cookie(&world).await;
    assert!(set_cookie(&answer).unwrap().contains("; Max-Age=1209600;"));
    assert!(set_cookie(&answer).unwrap().contains("; HttpOnly"));
    let cookie = cookie_pair(&answer);
    let value = cookie.split_once('=').unwrap().1;
    assert!(!answer.text().contains(value) && !value.contains('.'), "opaque, and nowhere else");
    world.advance(14 * DAY - 1);
    let answer = visit(&world, &cookie).await;
    assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (200, None));
    assert_eq!(answer.json()["name"], "ann");
    world.advance(2);
    unauthorized(&visit(&world, &cookie).await);
}

#[tokio::test]
async fn s38_session_cookie_changes_nothing_for_a_foreign_page() {
    let world = under("session-cookie", "").await;
    let cookie = cookie_pair(&sign_in_for_cookie(&world).await);
    let patch = |mark: Option<&str>| {
        let mut request =
            world::json_request(Method::PATCH, "/auth/profile", &json!({ "phone": "1" }));
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        if let Some(mark) = mark {
            request.headers_mut().insert("x-everfresh", mark.parse().unwrap());
        }
        request
    };
    refused(&world.send(patch(None)).await, 403, "csrf", "");
    assert_eq!(world.send(patch(Some("1"))).await.status, 200);
    let mut foreign = patch(Some("1"));
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    refused(&world.send(foreign).await, 403, "csrf", "");
}
