//! Random histories, decided by each store and by a model that was written apart from it.
//!
//! The model keeps the whole history of a family: no ring, no digests, no tags. It is slow and
//! obvious, and whatever it says must be what a store says. Stores also go back in time, as after a
//! restored backup; then clients hold tokens that the store has not made yet, or never will.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use std::collections::HashSet;
use std::sync::Arc;

use everfresh_server::rotation::{
    Attempt, Profile, RefreshToken, Revocation, Rules, SessionFamily, SessionId,
};
use everfresh_server::store::{Change, MemoryStore, SessionSelector, Store};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stores::postgres::{database, shared};
use stores::{
    Folder, NEVER, Redis, attempt, pepper, postgres_store, redis_store, sqlite, terms, user,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn in_memory((rules, actions) in history(120)) {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(terms(rules)));
        play(&store, rules, &actions)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn in_sqlite((rules, actions) in history(60)) {
        let folder = Folder::new();
        let store: Arc<dyn Store> = Arc::new(sqlite(&folder, rules));
        play(&store, rules, &actions)?;
    }
}

#[test]
fn in_redis() {
    let redis = Redis::start(NEVER);
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let agreed = runner.run(&history(60), |(rules, actions)| {
        redis.say(&["FLUSHALL"]);
        let store: Arc<dyn Store> = Arc::new(redis_store(&redis, rules));
        play(&store, rules, &actions)
    });
    agreed.unwrap();
}

#[test]
fn in_postgres() {
    let url = database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(runtime.block_on(postgres_store(&url, Rules::default())));
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let agreed = runner.run(&history(60), |(rules, actions)| {
        shared().say(&url, "TRUNCATE everfresh.users, everfresh.sessions, everfresh.notes");
        let store: Arc<dyn Store> = Arc::new(runtime.block_on(postgres_store(&url, rules)));
        play(&store, rules, &actions)
    });
    agreed.unwrap();
}

/// What may happen to a family.
#[derive(Clone, Debug)]
enum Action {
    /// Somebody presents a token they have seen, counted from the newest, with some key.
    Refresh {
        age: usize,
        key: Option<u32>,
        in_cookie: bool,
    },
    /// The access token of the newest generation is used.
    Use,
    Wait(u64),
    Flag,
    Unflag,
    SignOut,
    /// The store loses what was written since so many grants ago.
    GoBack(usize),
}

fn history(longest: usize) -> impl Strategy<Value = (Rules, Vec<Action>)> {
    let key = prop_oneof![1 => Just(None), 6 => (0_u32..4).prop_map(Some)];
    let action = prop_oneof![
        10 => (Just(0_usize), key.clone(), any::<bool>())
            .prop_map(|(age, key, in_cookie)| Action::Refresh { age, key, in_cookie }),
        6 => (0_usize..12, key, any::<bool>())
            .prop_map(|(age, key, in_cookie)| Action::Refresh { age, key, in_cookie }),
        1 => Just(Action::Use),
        4 => prop_oneof![Just(1), Just(9_999), Just(10_000), Just(60_001), 0..2_000_000_u64]
            .prop_map(Action::Wait),
        1 => prop_oneof![8 => Just(Action::Unflag), 1 => Just(Action::Flag)],
        1 => prop_oneof![12 => Just(Action::Use), 1 => Just(Action::SignOut)],
        1 => prop_oneof![2 => Just(1), 1 => 0_usize..4].prop_map(Action::GoBack),
    ];
    (rules(), prop::collection::vec(action, 1..longest))
}

fn rules() -> impl Strategy<Value = Rules> {
    let profile = prop::sample::select(vec![Profile::Keyed, Profile::KeyedGrace, Profile::Grace]);
    let rarely = || prop::bool::weighted(0.2);
    (profile, rarely(), any::<bool>()).prop_map(|(profile, reusable, resync)| Rules {
        profile,
        reusable,
        resync,
        idle: Some(3_600_000),
        max_login_age: Some(40_000_000),
        ..Rules::default()
    })
}

fn play(store: &Arc<dyn Store>, rules: Rules, actions: &[Action]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        store.add_user(user("ann")).await.unwrap();
        let (first, mut row) = stores::family(1, "ann", 0);
        row.idle_expires_at = rules.idle;
        store.open(row).await.unwrap();
        let mut model = Model::new(rules);
        let (mut tokens, mut now) = (vec![first], 0);
        let mut past = vec![(stored(store).await, model.clone())];
        for (step, action) in actions.iter().enumerate() {
            match action {
                Action::Refresh { age, key, in_cookie } => {
                    let presented = tokens.len().saturating_sub(1 + age);
                    let attempt = attempt(&tokens[presented], *key, now);
                    let said = store.refresh(Attempt { in_cookie: *in_cookie, ..attempt }).await;
                    let said = said.unwrap();
                    let (transition, granted) = model.refresh(presented, *key, *in_cookie, now);
                    let decided = serde_json::to_value(said.transition).unwrap();
                    prop_assert_eq!(&decided, transition, "step {}: {:?}", step, action);
                    let said = said.answer.ok().map(|renewed| renewed.token);
                    match granted {
                        Some(granted) => {
                            let token = said.expect("a token");
                            prop_assert_eq!(token.generation as usize, model.generation());
                            if granted == tokens.len() {
                                tokens.push(token);
                            } else {
                                prop_assert_eq!(&token, &tokens[granted], "step {}", step);
                            }
                            past.push((stored(store).await, model.clone()));
                        }
                        None => prop_assert_eq!(said, None, "step {}: {:?}", step, action),
                    }
                }
                Action::Use => {
                    store.mark_seen(sid(), model.generation() as u32).await.unwrap();
                    model.used = true;
                }
                Action::Wait(millis) => now += millis,
                Action::Flag | Action::Unflag => {
                    model.flagged = matches!(action, Action::Flag);
                    let change = Change { reauth: Some(model.flagged), ..Change::default() };
                    store.change_user("u_ann".to_owned(), change).await.unwrap();
                }
                Action::SignOut => {
                    store.end(SessionSelector::Session(sid()), Revocation::Logout).await.unwrap();
                    model.dead = true;
                }
                Action::GoBack(grants) => {
                    past.truncate(past.len().saturating_sub(*grants).max(1));
                    let (row, then) = past.last().unwrap().clone();
                    store.open(row).await.unwrap();
                    model = Model { issued: model.issued, flagged: false, ..then };
                }
            }
        }
        let texts: HashSet<String> = tokens.iter().map(|token| token.encode(&pepper())).collect();
        prop_assert_eq!(texts.len(), tokens.len());
        prop_assert!(texts.iter().all(|text| RefreshToken::parse(text, &pepper()).is_ok()));
        Ok(())
    })
}

async fn stored(store: &Arc<dyn Store>) -> SessionFamily {
    store.session(sid()).await.unwrap().unwrap().0
}

#[derive(Clone)]
struct Model {
    rules: Rules,
    dead: bool,
    flagged: bool,
    used: bool,
    /// Generation and birth of every token that was ever granted, lost ones included.
    issued: Vec<(usize, u64)>,
    /// Which of them the store knows, oldest first; the place in the list is the generation.
    line: Vec<usize>,
    rotations: Vec<Rotation>,
    late_replays: u32,
    last_used: u64,
}

#[derive(Clone, Copy)]
struct Rotation {
    traded: usize,
    key: Option<u32>,
    at: u64,
}

impl Model {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            dead: false,
            flagged: false,
            used: false,
            issued: vec![(0, 0)],
            line: vec![0],
            rotations: Vec::new(),
            late_replays: 0,
            last_used: 0,
        }
    }

    fn generation(&self) -> usize {
        self.line.len() - 1
    }

    /// The rule that fits, and which token is granted.
    fn refresh(
        &mut self,
        presented: usize,
        sent: Option<u32>,
        in_cookie: bool,
        now: u64,
    ) -> (&'static str, Option<usize>) {
        if self.dead {
            return ("T1", None);
        }
        let too_old = self.rules.max_login_age.is_some_and(|age| now >= age);
        if too_old || self.rules.idle.is_some_and(|idle| now >= self.last_used + idle) {
            self.dead = true;
            return ("T3", None);
        }
        if self.flagged {
            self.dead = true;
            return ("T4", None);
        }
        let key = if self.rules.profile == Profile::Grace { None } else { sent };
        let newest = self.generation();
        let (generation, born) = self.issued[presented];
        if generation > newest {
            let explained = generation == newest + 1 && born > self.last_used;
            if !(self.rules.resync && explained) {
                return ("T10", None);
            }
            self.line.push(presented);
            return ("T10", Some(self.rotate(key, now)));
        }
        if generation + 1 >= newest && self.line[generation] != presented {
            return ("T0", None);
        }
        if generation == newest {
            if self.rules.reusable {
                self.last_used = now;
                return ("T5", Some(presented));
            }
            if let Some(rotation) = self.repeated(generation, key, in_cookie) {
                return ("T6", self.replay(rotation, now));
            }
            return ("T5", Some(self.rotate(key, now)));
        }

        let keyed = self.rotations.iter().any(|rotation| rotation.key.is_some());
        let remembered = self.rotations.iter().rev().take(8);
        let rotation = remembered.copied().find(|rotation| rotation.traded == generation);
        let Some(rotation) = rotation else {
            self.dead = true;
            return ("T9", None);
        };
        let same = key.is_some() && key == rotation.key;
        let grace = self.rules.profile != Profile::Keyed
            && now - rotation.at <= 10_000
            && !(keyed && sent.is_none());
        if generation + 1 == newest && (same || grace && !self.used) {
            let rule = if same { "T6" } else { "T7" };
            return (rule, self.replay(rotation, now));
        }
        let repeated = self.repeated(generation, key, in_cookie).is_some();
        if generation + 1 < newest && (same || grace) || repeated {
            return ("T8", None);
        }
        self.dead = true;
        ("T9", None)
    }

    /// The rotation that made this token, if its key comes along with the cookie.
    fn repeated(&self, made: usize, key: Option<u32>, in_cookie: bool) -> Option<Rotation> {
        let mut remembered = self.rotations.iter().rev().take(8).copied();
        remembered.find(|it| it.traded + 1 == made && in_cookie && key.is_some() && key == it.key)
    }

    /// The newest token again, unless that was asked for too often.
    fn replay(&mut self, rotation: Rotation, now: u64) -> Option<usize> {
        if now - rotation.at > 60_000 {
            if u64::from(self.late_replays) >= 16.max((now - rotation.at) / 60_000) {
                return None;
            }
            self.late_replays += 1;
        }
        self.line.last().copied()
    }

    fn rotate(&mut self, key: Option<u32>, now: u64) -> usize {
        self.rotations.push(Rotation { traded: self.generation(), key, at: now });
        (self.used, self.late_replays, self.last_used) = (false, 0, now);
        self.line.push(self.issued.len());
        self.issued.push((self.generation(), now));
        self.issued.len() - 1
    }
}

fn sid() -> SessionId {
    SessionId([1; 16])
}
