//! One process has one clock; where several share a store, each forgives the others two seconds.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::Arc;

use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::store::MemoryStore;
use everfresh_server::{AppState, app};
use http::Request;
use tower::ServiceExt as _;
use world::{NOON, World};

fn settings(toml: &str) -> Settings {
    let layer = Layer::from_toml(&format!("issuer = \"https://id.example\"\n{toml}")).unwrap();
    Settings::resolve(layer).unwrap()
}

#[test]
fn the_leeway_goes_by_the_store_unless_it_is_given() {
    for (toml, leeway) in [
        ("store = \"memory:\"", 0),
        ("", 0),
        ("store = \"redis://127.0.0.1:1\"", 2),
        ("store = \"redis://127.0.0.1:1\"\nleeway = 0", 0),
        ("leeway = 7", 7),
    ] {
        assert_eq!(settings(toml).leeway, leeway, "{toml}");
    }
}

/// Half a second apart, as machines are.
#[tokio::test]
async fn a_fresh_token_is_good_on_a_machine_whose_clock_is_behind() {
    let settings = settings("store = \"redis://127.0.0.1:1\"");
    let keys = Keyring::ephemeral().unwrap();
    let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
    let same = Keyring::from_bytes(&keys.to_bytes().unwrap(), None).unwrap();
    let ahead = World::around(settings.clone(), keys, store.clone()).await;
    let clock = everfresh_server::clock::Clock::frozen_at(NOON);
    let passwords = everfresh_server::password::Passwords::with_cost(8, 1).unwrap();
    let behind = app(AppState::new(settings, clock.clone(), store, same, passwords));
    for round in 0..30 {
        clock.advance(137);
        ahead.clock.advance(if round == 0 { 637 } else { 137 });
        let access = ahead.login("ann").await.access;
        let request = Request::get("/api/me").header("authorization", format!("Bearer {access}"));
        let answer = behind.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.unwrap().status(), 200, "round {round}");
        ahead.advance(6);
        clock.advance(6_000);
    }
}
