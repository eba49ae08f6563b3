//! What may befall Redis: it is killed, loses its scripts or its last writes, or holds nonsense.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;
#[path = "world/mod.rs"]
mod world;

use std::sync::Arc;

use everfresh_server::AppState;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::rotation::{Refusal, Rules, SessionId, Status, Transition};
use everfresh_server::store::{
    MarkKind, RedisStore, SharedStore as _, Store, StoreError, TokenMark,
};
use stores::{ALWAYS, NEVER, Redis, family, redis_store, refresh, user};
use world::{KEY, NOON, World, refused};

#[tokio::test]
async fn a_lost_script_is_loaded_again() {
    let redis = Redis::start(NEVER);
    let store = begun(&redis).await;
    let (mut token, _) = family(1, "ann", 0);
    for key in 0..5 {
        assert_eq!(redis.say(&["SCRIPT", "FLUSH"]), "OK");
        let outcome = refresh(&store, &token, Some(key), 1_000).await;
        assert_eq!(outcome.transition, Transition::Rotated);
        token = outcome.answer.unwrap().token;
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let mut redis = Redis::start(ALWAYS);
    let store = begun(&redis).await;
    let (mut token, _) = family(1, "ann", 0);
    for key in 0..5 {
        let next = refresh(&store, &token, Some(key), 1_000).await.answer.unwrap().token;
        redis.restart();
        let again = refresh(&store, &token, Some(key), 2_000).await;
        assert_eq!(again.transition, Transition::Replayed);
        assert_eq!(again.answer.unwrap().token, next);
        token = next;
    }
}

#[tokio::test]
async fn while_redis_is_gone_every_step_fails_and_none_panics() {
    let mut redis = Redis::start(ALWAYS);
    let store = begun(&redis).await;
    redis.kill();
    let failed = |error: StoreError| matches!(error, StoreError::Redis(_));
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
    redis.restart();
    store.probe().await.unwrap();
    assert!(store.session(SessionId([1; 16])).await.unwrap().is_some());
}

#[tokio::test]
async fn clients_are_told_to_come_back_and_then_go_on() {
    let mut redis = Redis::start(ALWAYS);
    let mut settings = Settings::resolve(Layer::from_toml("").unwrap()).unwrap();
    settings.issuer = "http://127.0.0.1:8080".to_owned();
    let keys = Keyring::ephemeral().unwrap();
    let store = RedisStore::at(&redis.url(), AppState::terms(&settings, &keys)).unwrap();
    let world = World::around(settings, keys, Arc::new(store)).await;
    let tokens = world.login("ann").await;

    redis.kill();
    for _ in 0..3 {
        let answer = world.refresh(&tokens.refresh, Some(KEY)).await;
        refused(&answer, 503, "temporarily_unavailable", "");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(world.me(&tokens.access).await.status, 503);
    assert_eq!(get(&world, "/readyz").await, 503);
    assert_eq!(get(&world, "/healthz").await, 200);

    redis.restart();
    assert_eq!(get(&world, "/readyz").await, 200);
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    assert_eq!(world.me(&next.access).await.status, 200);
}

#[tokio::test]
async fn a_write_lost_in_a_failover_is_an_alarm_and_no_theft() {
    let mut redis = Redis::start(ALWAYS);
    let store = begun(&redis).await;
    let (first, _) = family(1, "ann", 0);
    let second = refresh(&store, &first, Some(1), 1_000).await.answer.unwrap().token;
    let before = redis.files();
    let third = refresh(&store, &second, Some(2), 2_000).await.answer.unwrap().token;

    // The replica that takes over has not seen the last rotation.
    redis.kill();
    redis.put_back(&before);
    redis.restart();
    let behind = refresh(&store, &third, Some(3), 3_000).await;
    assert_eq!(behind.transition, Transition::StoreBehind);
    assert_eq!(behind.answer.unwrap_err(), Refusal::StoreBehind);
    let (row, _) = store.session(first.sid).await.unwrap().unwrap();
    assert_eq!((row.status, row.generation), (Status::Active, 1), "nothing has changed");

    // A server that is told to believe in lost writes lets the family go on with its newest token.
    let rules = Rules { resync: true, ..Rules::default() };
    let believing: Arc<dyn Store> = Arc::new(redis_store(&redis, rules));
    let (other, row) = family(2, "ann", 0);
    believing.open(row).await.unwrap();
    let before = redis.files();
    let ahead = refresh(&believing, &other, Some(4), 3_000).await.answer.unwrap().token;
    redis.kill();
    redis.put_back(&before);
    redis.restart();
    let believed = refresh(&believing, &ahead, Some(5), 4_000).await;
    assert_eq!(believed.transition, Transition::StoreBehind);
    assert_eq!(believed.answer.unwrap().token.generation, 2);

    // Whose answer was lost with the write has the old token and its key, and just goes on.
    let again = refresh(&store, &second, Some(2), 4_000).await;
    assert_eq!(again.transition, Transition::Rotated);
}

#[tokio::test]
async fn every_key_is_in_one_slot_and_what_ends_goes_away_by_itself() {
    let redis = Redis::start(NEVER);
    let store = begun(&redis).await;
    let (token, mut row) = family(2, "ann", NOON);
    row.idle_expires_at = Some(NOON + 60_000);
    store.open(row).await.unwrap();
    let note = TokenMark {
        kind: MarkKind::Denied,
        key: "a".to_owned(),
        sid: token.sid,
        text: String::new(),
        until: NOON + 60_000,
    };
    store.note(note, NOON).await.unwrap();
    let keys = redis.say(&["KEYS", "*"]);
    assert!(keys.lines().count() > 5 && keys.lines().all(|key| key.starts_with("{everfresh}:")));

    let left = |key: &str| -> i64 { redis.say(&["PTTL", key]).parse().unwrap() };
    for key in [format!("{{everfresh}}:session:{}", token.sid), "{everfresh}:note:denied:a".into()]
    {
        let left = left(&key);
        assert!((2 * 86_400_000..=2 * 86_400_000 + 60_000).contains(&left), "{key}: {left}");
    }
    let without_limits = format!("{{everfresh}}:session:{}", SessionId([1; 16]));
    assert_eq!(left(&without_limits), -1);

    // A family that Redis has cleared away leaves nothing in the way.
    redis.say(&["DEL", &format!("{{everfresh}}:session:{}", token.sid)]);
    assert_eq!(store.sessions(Some("u_ann".to_owned())).await.unwrap().len(), 1);
    assert_eq!(store.sweep(NOON + 60_001).await.unwrap(), 1);
    assert_eq!(redis.say(&["SCARD", "{everfresh}:sessions-of:u_ann"]), "1");
}

#[tokio::test]
async fn nonsense_in_redis_is_an_error_and_no_panic() {
    let redis = Redis::start(NEVER);
    let store = begun(&redis).await;
    let (token, _) = family(1, "ann", 0);
    let key = format!("{{everfresh}}:session:{}", token.sid);
    for value in
        ["", "short", "0123456789abcdef{}", "0123456789abcdefno json", "\u{1f4f1}\u{1f4f1}"]
    {
        redis.say(&["SET", &key, value]);
        assert!(store.session(token.sid).await.is_err(), "{value:?}");
    }
    redis.say(&["DEL", &key]);
    redis.say(&["HSET", &key, "a", "b"]);
    assert!(store.session(token.sid).await.is_err());
    redis.say(&["DEL", &key]);
    assert!(store.session(token.sid).await.unwrap().is_none());
}

#[tokio::test]
async fn settings_that_lose_sessions_are_named() {
    let terms = || stores::terms(Rules::default());
    let good = Redis::start(&[ALWAYS, &["--maxmemory-policy", "noeviction"]].concat());
    let found = RedisStore::at(&good.url(), terms()).unwrap().config_warnings().await.unwrap();
    assert_eq!(found, Vec::<&str>::new());
    let bad = Redis::start(&["--appendfsync", "no", "--maxmemory-policy", "allkeys-lru"]);
    let found = RedisStore::at(&bad.url(), terms()).unwrap().config_warnings().await.unwrap();
    for (found, remedy) in found.iter().zip(["noeviction", "appendonly yes", "appendfsync always"])
    {
        assert!(found.contains(remedy), "{found}");
    }
    assert_eq!(found.len(), 3);
    let silent = Redis::start(&["--rename-command", "CONFIG", ""]);
    let found = RedisStore::at(&silent.url(), terms()).unwrap().config_warnings().await.unwrap();
    assert_eq!(found, Vec::<&str>::new(), "what it does not tell is taken to be right");
}

#[tokio::test]
async fn a_full_redis_refuses_and_keeps_what_it_has() {
    let redis = Redis::start(&[ALWAYS, &["--maxmemory-policy", "noeviction"]].concat());
    let store = begun(&redis).await;
    let (token, _) = family(1, "ann", 0);
    redis.say(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = store.add_user(user("ben")).await.unwrap_err();
    assert!(full.to_string().contains("maxmemory"), "{full}");
    assert!(store.probe().await.is_err(), "it reads as before, but it is not ready");
    let (row, _) = store.session(token.sid).await.unwrap().unwrap();
    assert_eq!((row.status, row.generation), (Status::Active, 0));
    redis.say(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(refresh(&store, &token, Some(1), 1_000).await.transition, Transition::Rotated);
}

#[tokio::test]
async fn a_password_is_used_and_shown_to_nobody() {
    let redis = Redis::start(&["--requirepass", "a-secret-of-redis"]);
    let with = redis.url().replace("//", "//:a-secret-of-redis@");
    let store = RedisStore::at(&with, stores::terms(Rules::default())).unwrap();
    store.probe().await.unwrap();
    let wrong = redis.url().replace("//", "//:another-secret@");
    let other = RedisStore::at(&wrong, stores::terms(Rules::default())).unwrap();
    let refused = other.probe().await.unwrap_err().to_string();
    for said in [format!("{store:?} {other:?}"), store.address(), refused] {
        assert!(!said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn a_bad_address_is_refused_at_once() {
    for url in ["redis://", "redis://:6379:1", "http://127.0.0.1", "redis://127.0.0.1/x"] {
        let store = RedisStore::at(url, stores::terms(Rules::default()));
        assert!(store.is_err(), "{url}");
    }
}

async fn begun(redis: &Redis) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(redis_store(redis, Rules::default()));
    assert!(store.add_user(user("ann")).await.unwrap());
    store.open(family(1, "ann", 0).1).await.unwrap();
    store
}

async fn get(world: &World, path: &str) -> u16 {
    let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    world.send(request).await.status.as_u16()
}
