//! What may befall Postgres: it is killed, stands still, loses its last writes, or holds nonsense.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;
#[path = "world/mod.rs"]
mod world;

use std::sync::Arc;

use everfresh_server::AppState;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::rotation::{Revocation, Rules, SessionId, Status, Transition};
use everfresh_server::store::{
    MarkKind, PostgresStore, SessionSelector, SharedStore as _, Store, StoreError, TokenMark,
};
use stores::postgres::{DURABLE, FAST, Postgres, database, shared};
use stores::{family, postgres_store, refresh, terms, user};
use world::{KEY, World, refused};

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let mut postgres = Postgres::start(DURABLE);
    let store = begun(&postgres.database()).await;
    let (mut token, _) = family(1, "ann", 0);
    for key in 0..5 {
        let next = refresh(&store, &token, Some(key), 1_000).await.answer.unwrap().token;
        postgres.restart();
        let again = refresh(&store, &token, Some(key), 2_000).await;
        assert_eq!(again.transition, Transition::Replayed);
        assert_eq!(again.answer.unwrap().token, next);
        token = next;
    }
}

#[tokio::test]
async fn while_postgres_is_gone_every_step_fails_and_none_panics() {
    let mut postgres = Postgres::start(DURABLE);
    let store = begun(&postgres.database()).await;
    postgres.kill();
    let failed = |error: StoreError| matches!(error, StoreError::Postgres(_));
    let (token, row) = family(2, "ann", 0);
    let note = TokenMark {
        kind: MarkKind::Denied,
        key: "a".to_owned(),
        sid: token.sid,
        text: String::new(),
        until: 9,
    };
    assert!(failed(store.probe().await.unwrap_err()));
    assert!(failed(store.open(row).await.unwrap_err()));
    assert!(failed(store.session(token.sid).await.unwrap_err()));
    assert!(failed(store.sessions(None).await.unwrap_err()));
    assert!(failed(store.note(note, 0).await.unwrap_err()));
    assert!(failed(store.notes(MarkKind::Denied, 0).await.unwrap_err()));
    assert!(failed(store.sweep(1).await.unwrap_err()));
    assert!(failed(store.audit(Vec::new(), 0).await.unwrap_err()));
    assert!(failed(store.audited(1).await.unwrap_err()));
    assert!(failed(store.keys().await.unwrap_err()));
    postgres.restart();
    store.probe().await.unwrap();
    assert!(store.session(SessionId([1; 16])).await.unwrap().is_some());
}

#[tokio::test]
async fn clients_are_told_to_come_back_and_then_go_on() {
    let mut postgres = Postgres::start(DURABLE);
    let mut settings = Settings::resolve(Layer::from_toml("").unwrap()).unwrap();
    settings.issuer = "http://127.0.0.1:8080".to_owned();
    let keys = Keyring::ephemeral().unwrap();
    let terms = AppState::terms(&settings, &keys);
    let store = PostgresStore::open(&postgres.database(), None, terms).await.unwrap();
    let world = World::around(settings, keys, Arc::new(store)).await;
    let tokens = world.login("ann").await;

    postgres.kill();
    for _ in 0..3 {
        let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
        refused(&answer, 503, "temporarily_unavailable", "");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(world.me(&tokens.access).await.status, 503);
    assert_eq!(get(&world, "/readyz").await, 503);
    assert_eq!(get(&world, "/healthz").await, 200);

    postgres.restart();
    assert_eq!(get(&world, "/readyz").await, 200);
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    assert_eq!(world.me(&next.access).await.status, 200);
}

#[tokio::test]
async fn a_postgres_that_stands_still_is_given_up_and_found_again() {
    let postgres = Postgres::start(FAST);
    let store = begun(&postgres.database()).await;
    let (token, _) = family(1, "ann", 0);
    postgres.signal("-STOP");
    let began = std::time::Instant::now();
    let stopped = store.session(token.sid).await.unwrap_err();
    assert!(stopped.to_string().contains("does not answer"), "{stopped}");
    assert!(began.elapsed().as_secs() < 8, "it took {:?}", began.elapsed());
    postgres.signal("-CONT");
    assert_eq!(refresh(&store, &token, Some(1), 1_000).await.transition, Transition::Rotated);
}

#[tokio::test]
async fn a_step_whose_client_hangs_up_leaves_nothing_open() {
    let store = begun(&database()).await;
    let (mut token, _) = family(1, "ann", 0);
    for key in 0..40 {
        let step = refresh(&store, &token, Some(key), 1_000);
        // Somewhere between its first word and its last, the request is gone.
        let _ =
            tokio::time::timeout(std::time::Duration::from_micros(u64::from(key) * 50), step).await;
        let outcome = refresh(&store, &token, Some(key), 1_000).await;
        assert!(
            [Transition::Rotated, Transition::Replayed].contains(&outcome.transition),
            "{outcome:?}"
        );
        token = outcome.answer.unwrap().token;
    }
    let ended = store.end(SessionSelector::Session(token.sid), Revocation::Logout).await.unwrap();
    assert_eq!(ended.len(), 1);
}

#[tokio::test]
async fn nonsense_in_a_row_is_an_error_and_no_panic() {
    let url = database();
    let store = begun(&url).await;
    let (token, _) = family(1, "ann", 0);
    let set = |change: &str| shared().say(&url, &format!("UPDATE everfresh.sessions SET {change}"));
    for change in ["status = 'x'", "generation = -1", "digest = ''", "ring = '{'"] {
        set(change);
        let wrong = store.session(token.sid).await.unwrap_err();
        assert!(matches!(wrong, StoreError::Corrupt(_)), "{change}: {wrong}");
        let good = "status = '\"active\"', generation = 0, ring = '[]'";
        set(&format!("{good}, digest = decode(repeat('00', 32), 'hex')"));
    }
    let (row, _) = store.session(token.sid).await.unwrap().unwrap();
    assert_eq!(row.status, Status::Active);
}

#[tokio::test]
async fn servers_that_start_at_once_make_the_tables_once() {
    let url = database();
    let start = || {
        tokio::spawn({
            let url = url.clone();
            async move { PostgresStore::open(&url, None, terms(Rules::default())).await }
        })
    };
    for store in [(); 8].map(|()| start()) {
        store.await.unwrap().unwrap().probe().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_server_is_refused() {
    let url = database();
    drop(begun(&url).await);
    shared().say(&url, "UPDATE everfresh.schema SET version = 1000");
    let error = PostgresStore::open(&url, None, terms(Rules::default())).await.unwrap_err();
    assert!(error.to_string().contains("which a newer server wrote"), "{error}");
}

#[tokio::test]
async fn a_command_makes_no_tables() {
    let url = database();
    let store = PostgresStore::at(&url, None, terms(Rules::default())).unwrap();
    let missing = store.is_up_to_date().await.unwrap_err();
    assert!(missing.to_string().contains("start this one once"), "{missing}");
    store.migrate().await.unwrap();
    store.is_up_to_date().await.unwrap();
}

#[tokio::test]
async fn settings_that_lose_sessions_are_named() {
    let open = async |postgres: &Postgres| {
        let store = postgres_store(&postgres.database(), Rules::default()).await;
        store.config_warnings().await.unwrap()
    };
    assert_eq!(open(&Postgres::start(&[])).await, Vec::<&str>::new());
    let found = open(shared()).await;
    for (found, remedy) in found.iter().zip(["fsync", "full_page_writes", "synchronous_commit"]) {
        assert!(found.contains(remedy), "{found}");
    }
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn a_password_is_used_and_shown_to_nobody() {
    let store = postgres_store(&database(), Rules::default()).await;
    let nowhere = "postgres://ann:a-secret-of-ann@127.0.0.1:1/x";
    let refused = PostgresStore::open(nowhere, None, terms(Rules::default())).await.unwrap_err();
    for said in [format!("{store:?}"), store.address().to_owned(), refused.to_string()] {
        assert!(!said.contains("secret") && !said.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn a_bad_address_is_refused_at_once() {
    for url in ["postgres://", "postgres:///x", "postgres://h:x/x", "postgres://h/x?what=1"] {
        let store = PostgresStore::open(url, None, terms(Rules::default())).await;
        assert!(store.is_err(), "{url}");
    }
}

async fn begun(url: &str) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(postgres_store(url, Rules::default()).await);
    assert!(store.add_user(user("ann")).await.unwrap());
    store.open(family(1, "ann", 0).1).await.unwrap();
    store
}

async fn get(world: &World, path: &str) -> u16 {
    let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    world.send(request).await.status.as_u16()
}
