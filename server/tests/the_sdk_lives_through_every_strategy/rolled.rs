//! Lives in which a response header brings the next token.

use super::*;

fn options() -> Options {
    Options { renewal_header: true, ..Options::new(Refresh::OAuth2) }
}

#[tokio::test]
async fn s23_half_life_is_adopted_up_to_the_deadline() {
    let mut life = Life::begin("half-life", "", options()).await;
    let first = life.access();
    life.work(9, MINUTE).await;
    assert_eq!(life.access(), first);
    life.work(1, MINUTE).await;
    assert_ne!(life.access(), first, "adopted at half the life");
    life.work(8 * 60 - 11, MINUTE).await;
    let ends = claims(&life.access())["exp"].as_i64().unwrap() - world::NOON_SECONDS as i64;
    assert_eq!((ends, life.page.renewals()), (8 * HOUR, 0));
    life.pass(MINUTE).await;
    let over = life.page.ended();
    assert!(matches!(over, Some(EndReason::MaxAge | EndReason::LoginRequired)), "{over:?}");
    life.is_over(over.unwrap()).await;
}

#[tokio::test]
async fn s29_response_header_roll_is_adopted_when_the_token_has_expired() {
    let options = Options { lead_seconds: 0, jitter_seconds: 0, ..Options::new(Refresh::Resource) };
    let mut life = Life::begin("response-header-roll", "", options).await;
    let first = life.access();
    life.work(4, MINUTE).await;
    assert_eq!(life.access(), first);
    life.work(60, MINUTE).await;
    assert_ne!(life.access(), first);
    life.sleep(DAY).await;
    assert_eq!(life.visit().await, 200, "an expired token and a living session");
    let token = life.access();
    life.world.call(Method::POST, "/auth/logout", &token).await;
    assert_eq!(life.visit().await, 401);
    life.pass(10 * MINUTE).await;
    life.is_over(EndReason::Revoked).await;
}

#[tokio::test]
async fn s35_reissue_every_call_is_adopted_each_time() {
    let mut life = Life::begin("reissue-every-call", "", options()).await;
    let mut token = life.access();
    for _ in 0..20 {
        life.pass(14 * MINUTE).await;
        assert_eq!(life.visit().await, 200);
        assert_ne!(life.access(), token);
        token = life.access();
    }
    life.pass(15 * MINUTE + 1).await;
    assert_eq!(life.page.renewals(), 0);
    life.is_over(EndReason::LoginRequired).await;
}

#[tokio::test]
async fn s39_rolling_half_rolls_on_while_somebody_works() {
    let mut life = Life::begin("rolling-half", "", options()).await;
    life.work(24 * 12, 5 * MINUTE).await;
    life.pass(20 * MINUTE).await;
    assert_eq!(life.page.renewals(), 0);
    life.is_over(EndReason::LoginRequired).await;
}
