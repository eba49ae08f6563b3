//! Every store, and what is needed to drive them without HTTP.
#![allow(dead_code, reason = "each test file uses its own part")]

mod folder;
pub(crate) mod postgres;
mod redis;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use everfresh_server::rotation::{
    Attempt, KeyDigest, Millis, Pepper, RefreshToken, RotationKey, Rules, SessionFamily, SessionId,
};
use everfresh_server::store::{
    MemoryStore, Outcome, PostgresStore, RedisStore, RotationContext, SqliteStore, Store,
    StoreError, User,
};
pub(crate) use folder::Folder;
use postgres::database;
pub(crate) use redis::{ALWAYS, NEVER, Redis};

/// A store under test, and what has to outlive it.
pub(crate) struct Tested {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn Store>,
    folder: Option<Folder>,
    redis: Option<Redis>,
}

/// One of each kind.
pub(crate) async fn all(rules: Rules) -> Vec<Tested> {
    let folder = Folder::new();
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new(terms(rules)));
    let sqlite: Arc<dyn Store> = Arc::new(sqlite(&folder, rules));
    let tested = vec![
        Tested { name: "memory", store: memory, folder: None, redis: None },
        Tested { name: "sqlite", store: sqlite, folder: Some(folder), redis: None },
        on_postgres(rules).await,
        on_redis("redis", NEVER, rules),
        on_redis("redis, appendfsync always", ALWAYS, rules),
    ];
    for Tested { store, .. } in &tested {
        for name in ["ann", "ben"] {
            assert!(store.add_user(user(name)).await.unwrap());
        }
    }
    tested
}

async fn on_postgres(rules: Rules) -> Tested {
    let store = Arc::new(postgres_store(&database(), rules).await);
    Tested { name: "postgres", store, folder: None, redis: None }
}

pub(crate) async fn postgres_store(url: &str, rules: Rules) -> PostgresStore {
    PostgresStore::open(url, None, terms(rules)).await.unwrap()
}

fn on_redis(name: &'static str, options: &[&str], rules: Rules) -> Tested {
    let redis = Redis::start(options);
    let store = Arc::new(redis_store(&redis, rules));
    Tested { name, store, folder: None, redis: Some(redis) }
}

pub(crate) fn redis_store(redis: &Redis, rules: Rules) -> RedisStore {
    RedisStore::at(&redis.url(), terms(rules)).unwrap()
}

pub(crate) fn sqlite(folder: &Folder, rules: Rules) -> SqliteStore {
    open_sqlite(&folder.0.join("test.db"), rules).unwrap()
}

/// A program that another test starts has this one's open files, and with them its locks, for a moment
/// between fork and exec: a store that was closed just now may seem to be in use.
pub(crate) fn open_sqlite(file: &Path, rules: Rules) -> Result<SqliteStore, StoreError> {
    let begun = Instant::now();
    loop {
        match SqliteStore::open(file, terms(rules)) {
            Err(StoreError::Sqlite(why))
                if why.contains("in use") && begun.elapsed() < Duration::from_secs(10) =>
            {
                thread::yield_now();
            }
            opened => return opened,
        }
    }
}

pub(crate) fn terms(rules: Rules) -> RotationContext {
    RotationContext { pepper: pepper(), rules }
}

pub(crate) fn pepper() -> Pepper {
    Pepper::new(1, [7; 32])
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: format!("u_{name}"),
        username: name.to_owned(),
        password: "!".into(),
        version: 1,
        disabled: false,
        reauth: false,
        name: name.to_owned(),
        phone: None,
        is_manager: false,
        created_at: 0,
    }
}

/// The first token of a family and its row.
pub(crate) fn family(number: u8, user: &str, now: Millis) -> (RefreshToken, SessionFamily) {
    let token = RefreshToken::first(SessionId([number; 16]), now, [number; 32]);
    let row = SessionFamily::opened(&token, format!("u_{user}"), "default".to_owned());
    (token, row)
}

pub(crate) async fn refresh(
    store: &Arc<dyn Store>,
    token: &RefreshToken,
    key: Option<u32>,
    now: Millis,
) -> Outcome {
    store.refresh(attempt(token, key, now)).await.unwrap()
}

pub(crate) fn attempt(token: &RefreshToken, key: Option<u32>, now: Millis) -> Attempt {
    Attempt {
        token: token.clone(),
        key: key.map(digest),
        in_cookie: false,
        client_id: None,
        now,
        salt: everfresh_server::secret::random().unwrap(),
    }
}

pub(crate) fn digest(key: u32) -> KeyDigest {
    RotationKey::parse(&format!("rotation key {key:08}")).unwrap().digest()
}
