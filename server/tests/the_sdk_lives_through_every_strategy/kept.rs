//! Lives in which the server remembers: last accesses and session cookies.

use super::*;

#[tokio::test]
async fn s08_last_access_asks_nothing_of_the_page() {
    let mut life = Life::begin("last-access", "", Options::new(Refresh::OAuth2)).await;
    life.work(40, 599).await;
    life.pass(601).await;
    let sent = life.page.sent.len();
    assert_eq!(life.visit().await, 401);
    assert_eq!(life.page.sent.len(), sent + 1, "no second try, no refresh");
    life.page.sign_in(&life.world, "again").await;
    assert_eq!(life.visit().await, 200);
}

#[tokio::test]
async fn s16_stored_access_cookie_keeps_a_page_that_is_visited() {
    let mut life = Life::begin("stored-access-cookie", "", Options::new(Refresh::Cookie)).await;
    life.work(12, 20 * MINUTE).await;
    life.world.advance(29 * MINUTE);
    life.reload().await;
    assert_eq!((life.page.snapshot().status, life.visit().await), (Status::Active, 200));
    life.world.advance(30 * MINUTE + 1);
    life.reload().await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s26_cookie_roll_needs_nothing_but_the_browser() {
    let mut life = Life::begin("cookie-roll", "", Options::new(Refresh::Cookie)).await;
    let first = life.page.cookie.clone();
    for _ in 0..20 {
        life.world.advance(8 * DAY);
        life.reload().await;
        assert_eq!(life.visit().await, 200);
    }
    let rolled = life.world.send(
        http::Request::get("/api/me")
            .header("cookie", life.page.cookie.clone().unwrap())
            .body(axum::body::Body::empty())
            .unwrap(),
    );
    assert_eq!(rolled.await.status, 200, "the cookie alone is enough");
    assert_ne!(life.page.cookie, first);
    life.page.sign_out(&life.world).await;
    assert_eq!(life.page.cookie, None);
    life.is_over(EndReason::SignedOut).await;
}

#[tokio::test]
async fn s38_session_cookie_lasts_two_weeks() {
    let mut life = Life::begin("session-cookie", "", Options::new(Refresh::Cookie)).await;
    for _ in 0..13 {
        life.world.advance(DAY);
        life.reload().await;
        assert_eq!(life.visit().await, 200);
    }
    life.world.advance(DAY + 1);
    life.reload().await;
    assert_eq!(life.visit().await, 401);
    life.is_over(EndReason::MaxAge).await;
}
