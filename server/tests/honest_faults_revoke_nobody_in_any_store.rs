//! Random lives of honest clients in every store: answers are lost, processes die, requests arrive
//! twice or late, two tabs send at once, the store itself is stopped and comes back. Nobody may be
//! signed out for it, and a key may move its family on once.
//!
//! A run is one family's life. `HONEST_RUNS` says how many there are for each store (default 400),
//! `HONEST_SEED` repeats a failure:
//!
//!     HONEST_RUNS=100000 cargo test --release -p everfresh-server \
//!         --test honest_faults_revoke_nobody_in_any_store -- --nocapture
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use std::sync::Arc;

use everfresh_server::rotation::{
    Attempt, RefreshToken, Refusal, Rules, SessionFamily, SessionId, Status, Transition,
};
use everfresh_server::store::{MemoryStore, Outcome, Store, StoreError};
use stores::postgres::{DURABLE, Postgres};
use stores::{ALWAYS, Folder, NEVER, Redis, postgres_store, redis_store, sqlite, terms, user};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(terms(rules())));
    let seen = live_all("memory", &store, 0..runs(), async || ()).await;
    seen.report("memory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_sqlite_that_is_closed_and_opened_again() {
    let folder = Folder::new();
    let mut seen = Seen::default();
    for batch in batches() {
        let store: Arc<dyn Store> = Arc::new(sqlite(&folder, rules()));
        seen.add(live_all("sqlite", &store, batch, async || ()).await);
    }
    seen.report("sqlite");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_redis_that_is_killed_and_started_again() {
    let mut redis = Redis::start(ALWAYS);
    let store: Arc<dyn Store> = Arc::new(redis_store(&redis, rules()));
    let mut seen = Seen::default();
    for batch in batches() {
        let killed = async || redis.restart();
        seen.add(live_all("redis", &store, batch, killed).await);
    }
    assert!(seen.unavailable > 0, "the kills went unnoticed");
    seen.report("redis, appendfsync always, killed in each batch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_redis_whose_scripts_are_flushed() {
    let redis = Redis::start(NEVER);
    let store: Arc<dyn Store> = Arc::new(redis_store(&redis, rules()));
    let mut seen = Seen::default();
    for batch in batches() {
        let flushed = async || drop(redis.say(&["SCRIPT", "FLUSH"]));
        seen.add(live_all("redis without scripts", &store, batch, flushed).await);
    }
    seen.report("redis, scripts flushed in each batch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_postgres_that_is_killed_and_started_again() {
    let mut postgres = Postgres::start(DURABLE);
    let store: Arc<dyn Store> = Arc::new(postgres_store(&postgres.database(), rules()).await);
    let mut seen = Seen::default();
    for batch in batches() {
        let killed = async || postgres.restart();
        seen.add(live_all("postgres", &store, batch, killed).await);
    }
    assert!(seen.unavailable > 0, "the kills went unnoticed");
    seen.report("postgres, killed in each batch");
}

/// Many lives at once; when half of them are over, something befalls the store.
async fn live_all(
    name: &str,
    store: &Arc<dyn Store>,
    runs: std::ops::Range<usize>,
    befall: impl AsyncFnOnce(),
) -> Seen {
    let seed = seed();
    println!("{name}: runs {runs:?} with HONEST_SEED={seed}");
    store.add_user(user("ann")).await.unwrap();
    let (half, mut waiting) = (runs.len() / 2, runs);
    let (mut lives, mut seen, mut over) = (JoinSet::new(), Seen::default(), 0);
    let mut befall = Some(befall);
    loop {
        while lives.len() < AT_ONCE
            && let Some(run) = waiting.next()
        {
            lives.spawn(live(Arc::clone(store), seed, run));
        }
        let Some(life) = lives.join_next().await else { return seen };
        seen.add(life.unwrap());
        over += 1;
        if over >= half
            && let Some(befall) = befall.take()
        {
            befall().await;
        }
    }
}

/// One family from its first token on.
async fn live(store: Arc<dyn Store>, seed: u64, run: usize) -> Seen {
    let mut rng = Rng(seed ^ (run as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let sid = SessionId(((u128::from(rng.next()) << 64) | run as u128).to_be_bytes());
    let mut held = RefreshToken::first(sid, 0, [run as u8; 32]);
    let mut row = SessionFamily::opened(&held, "u_ann".to_owned(), "default".to_owned());
    row.idle_expires_at = Some(u64::MAX / 4);
    while store.open(row.clone()).await.is_err() {
        tokio::task::yield_now().await;
    }
    let (mut now, mut pending, mut sent) = (0, None, Vec::new());
    let (mut seen, mut moved) = (Seen { runs: 1, ..Seen::default() }, 0);
    let told = format!("HONEST_SEED={seed} HONEST_RUNS={}", run + 1);

    for step in 0..4 + rng.below(10) {
        now += 1 + rng.below(100_000);
        let fault = rng.below(10);
        if fault == 0 && !sent.is_empty() {
            // One of the last eight requests arrives once more, late; nobody hears the answer.
            let recent: &[(RefreshToken, u32)] = &sent[sent.len().saturating_sub(8)..];
            let (token, key) = recent[rng.below(recent.len() as u64) as usize].clone();
            let outcome = ask(&store, &token, key, now, &mut rng, &mut seen).await;
            assert_ne!(outcome.transition, Transition::Reused, "{told} step {step}: {outcome:?}");
            continue;
        }
        // The key is written down before the request goes out, and kept until an answer came.
        let key: u32 = *pending.get_or_insert(step as u32);
        if fault == 1 {
            continue;
        }
        let outcome = if fault == 2 {
            let (mut other, mut more) = (Rng(rng.next()), Seen::default());
            let one = ask(&store, &held, key, now, &mut rng, &mut seen);
            let two = ask(&store, &held, key, now, &mut other, &mut more);
            let (one, two) = tokio::join!(one, two);
            seen.add(more);
            let rules = [one.transition, two.transition];
            assert!(rules.contains(&Transition::Replayed), "{told} step {step}: {rules:?}");
            moved += u64::from(rules.contains(&Transition::Rotated));
            let (one_token, two_token) = (token(&one), token(&two));
            assert_eq!(one_token, two_token, "{told} step {step}: two tabs, two answers");
            one
        } else {
            let outcome = ask(&store, &held, key, now, &mut rng, &mut seen).await;
            moved += u64::from(outcome.transition == Transition::Rotated);
            outcome
        };
        sent.push((held.clone(), key));
        if outcome.answer.as_ref().is_err_and(|refusal| *refusal == Refusal::TooManyReplays) {
            continue;
        }
        let next = token(&outcome).unwrap_or_else(|| panic!("{told} step {step}: {outcome:?}"));
        if fault > 4 {
            (held, pending) = (next, None);
        }
    }

    let row = loop {
        if let Some(found) = heard(store.session(sid).await, &mut seen) {
            break found.unwrap().0;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(row.status, Status::Active, "{told}");
    let generation = u64::from(row.generation);
    // A move whose answer died with the store is known by the next answer alone.
    let unheard = generation - moved;
    assert!(unheard <= seen.unavailable, "{told}: {generation} moves for {moved} keys");
    assert!(generation <= u64::from(held.generation) + 1, "{told}: a key moved it twice");
    seen
}

fn token(outcome: &Outcome) -> Option<RefreshToken> {
    outcome.answer.as_ref().ok().map(|renewed| renewed.token.clone())
}

/// A refresh; a store that is not there is asked again with the same key, as a client would.
async fn ask(
    store: &Arc<dyn Store>,
    token: &RefreshToken,
    key: u32,
    now: u64,
    rng: &mut Rng,
    seen: &mut Seen,
) -> Outcome {
    let mut salt = [0; 32];
    salt.fill_with(|| rng.next() as u8);
    seen.refreshes += 1;
    let attempt = Attempt { salt, ..stores::attempt(token, Some(key), now) };
    loop {
        if let Some(outcome) = heard(store.refresh(attempt.clone()).await, seen) {
            return outcome;
        }
        tokio::task::yield_now().await;
    }
}

/// The answer, unless Redis or Postgres could not give one.
fn heard<T>(answer: Result<T, StoreError>, seen: &mut Seen) -> Option<T> {
    match answer {
        Ok(done) => Some(done),
        Err(StoreError::Redis(_) | StoreError::Postgres(_)) => {
            seen.unavailable += 1;
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// What happened, for the record.
#[derive(Debug, Default)]
struct Seen {
    runs: u64,
    refreshes: u64,
    unavailable: u64,
}

impl Seen {
    fn add(&mut self, more: Self) {
        self.runs += more.runs;
        self.refreshes += more.refreshes;
        self.unavailable += more.unavailable;
    }

    fn report(&self, name: &str) {
        let Self { runs, refreshes, unavailable } = self;
        assert_eq!(*runs, self::runs() as u64);
        println!(
            "{name}: {runs} runs, {refreshes} refreshes, {unavailable} answers that the store \
             could not give, 0 false revokes"
        );
    }
}

/// Splitmix64: small, and the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn rules() -> Rules {
    Rules { idle: None, ..Rules::default() }
}

fn runs() -> usize {
    number("HONEST_RUNS").unwrap_or(400) as usize
}

fn batches() -> impl Iterator<Item = std::ops::Range<usize>> {
    let length = BATCH.max(runs().div_ceil(BATCHES));
    (0..runs()).step_by(length).map(move |first| first..runs().min(first + length))
}

fn seed() -> u64 {
    static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let fresh = || u64::from_be_bytes(everfresh_server::secret::random().unwrap());
    *SEED.get_or_init(|| number("HONEST_SEED").unwrap_or_else(fresh))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

const AT_ONCE: usize = 64;
/// The fewest runs between two misfortunes of the store.
const BATCH: usize = 200;
/// The most misfortunes.
const BATCHES: usize = 25;
