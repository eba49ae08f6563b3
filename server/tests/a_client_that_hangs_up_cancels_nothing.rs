//! A request that has begun is finished, and told, whether or not its client waits for the answer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;
mod world;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use axum::body::Body;
use everfresh_server::AppState;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::password::{Caller, Passwords};
use everfresh_server::rotation::Status;
use everfresh_server::store::{Change, SqliteStore};
use http::{Method, Request};
use serde_json::{Value, json};
use stores::Folder;
use world::{KEY, OTHER_KEY, World, claims, json_request, refused};

#[tokio::test]
async fn every_theft_is_told_and_revokes_what_it_has_to() {
    let (world, _folder) = world("set = [\"on_reuse=revoke_user\"]\nlimits = \"off\"").await;
    for round in 0..20 {
        let (stolen, other) = (world.login("ann").await, world.login("ann").await);
        world.refresh(&stolen.refresh, Some(KEY)).await;
        let mut told = world.state.events.subscribe().unwrap();
        hang_up(&world, refresh(&stolen.refresh, OTHER_KEY));
        let mut sids = Vec::new();
        while sids.len() < 2 {
            let event = told.recv().await.unwrap();
            assert_eq!(event.reason, "reuse");
            sids.push(Value::from(event.sid));
        }
        assert_eq!(sids, [&stolen, &other].map(|one| claims(&one.access)["sid"].clone()));
        assert_eq!(world.me(&other.access).await.status, 401, "round {round}");
    }
}

#[tokio::test]
async fn a_new_password_never_leaves_the_other_sessions_behind() {
    let (world, _folder) = world("limits = \"off\"").await;
    let (own, other) = (world.login("ann").await, world.login("ann").await);
    let body = json!({ "current_password": "secret", "new_password": "better" });
    let mut request = json_request(Method::POST, "/auth/password", &body);
    let bearer = format!("Bearer {}", own.access).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let mut told = world.state.events.subscribe().unwrap();
    hang_up(&world, request);
    assert_eq!(told.recv().await.unwrap().reason, "password");
    assert_eq!(world.me(&other.access).await.status, 401);
    let old = json!({ "username": "ann", "password": "secret" });
    refused(&world.post_json("/auth/login", old).await, 401, "invalid_credentials", "");
    assert_eq!(world.me(&own.access).await.status, 200);
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_its_clients_have_left() {
    let (world, _folder) = world("limits = \"off\"").await;
    for _ in 0..10 {
        let (stolen, mut told) =
            (world.login("ann").await, world.state.events.subscribe().unwrap());
        world.refresh(&stolen.refresh, Some(KEY)).await;
        hang_up(&world, refresh(&stolen.refresh, OTHER_KEY));
        world.state.finished().await;
        assert_eq!(told.try_recv().unwrap().reason, "reuse");
    }
}

/// The password is changed between the moment in which it was found to be right and the sign-in.
#[tokio::test]
async fn a_sign_in_that_waited_does_not_outlive_its_password() {
    for change in ["password", "disabled"] {
        let world = Arc::new(World::new().await);
        // Hashed at such a price that the rest of this test is over before the hash is.
        let dear = Passwords::with_cost(64 * 1_024, 4).unwrap();
        let password = dear.hash("secret".into(), Caller::default()).await.unwrap();
        let ann = world.state.store.user_named("ann".to_owned()).await.unwrap().unwrap();
        let stored = Change { password: Some(password), ..Change::default() };
        world.state.store.change_user(ann.id.clone(), stored).await.unwrap();
        let looked_up = |world: &World| {
            let (mut text, name) = (String::new(), "store_duration_seconds_count");
            world.state.stats.encode(&mut text).unwrap();
            let start = format!("everfresh_{name}{{step=\"user_named\"}} ");
            let count = text.lines().find_map(|line| line.strip_prefix(&start));
            count.map_or(0, |count| count.parse::<u64>().unwrap())
        };
        let before = looked_up(&world);
        let sign_in = tokio::spawn({
            let world = Arc::clone(&world);
            let body = json!({ "username": "ann", "password": "secret" });
            async move { world.post_json("/auth/login", body).await }
        });
        while looked_up(&world) == before {
            tokio::task::yield_now().await;
        }
        // From here on the sign-in knows what was stored, and only waits for the hash.
        let change = match change {
            "password" => Change { password: Some("!".into()), ..Change::default() },
            _ => Change { disabled: Some(true), ..Change::default() },
        };
        world.state.store.change_user(ann.id, change).await.unwrap();
        refused(&sign_in.await.unwrap(), 401, "invalid_credentials", "");
        let sessions = world.state.store.sessions(None).await.unwrap();
        assert!(sessions.iter().all(|row| row.status != Status::Active), "{sessions:?}");
    }
}

/// Sends a request and is gone before there can be an answer.
fn hang_up(world: &World, request: Request<Body>) {
    let sent = pin!(world.send(request));
    let mut context = Context::from_waker(Waker::noop());
    assert!(sent.poll(&mut context).is_pending(), "the answer is there already");
}

fn refresh(token: &str, key: &str) -> Request<Body> {
    let form = format!("grant_type=refresh_token&refresh_token={token}&rotation_key={key}");
    Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap()
}

/// On SQLite, whose steps take a while.
async fn world(toml: &str) -> (World, Folder) {
    let folder = Folder::new();
    let mut settings = Settings::resolve(Layer::from_toml(toml).unwrap()).unwrap();
    settings.issuer = "http://127.0.0.1:8080".to_owned();
    let keys = Keyring::ephemeral().unwrap();
    let terms = AppState::terms(&settings, &keys);
    let store = SqliteStore::open(&folder.0.join("world.db"), terms).unwrap();
    (World::around(settings, keys, Arc::new(store)).await, folder)
}
