//! Random histories, decided by each store and by a model that was written apart from it.
//!
//! The model keeps the whole history of a family: no ring, no digests, no tags. It is slow and
//! obvious, and whatever it says must be what a store says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod stores;

use std::collections::HashSet;
use std::sync::Arc;

use everfresh_server::rotation::{Profile, RefreshToken, Revocation, Rules, SessionId};
use everfresh_server::store::{Change, MemoryStore, Store, Whose};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stores::{Folder, NEVER, Redis, pepper, redis_store, refresh, sqlite, terms, user};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn in_memory((profile, actions) in history(120)) {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(terms(rules(profile))));
        play(&store, rules(profile), &actions)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn in_sqlite((profile, actions) in history(60)) {
        let folder = Folder::new();
        let store: Arc<dyn Store> = Arc::new(sqlite(&folder, rules(profile)));
        play(&store, rules(profile), &actions)?;
    }
}

#[test]
fn in_redis() {
    let redis = Redis::start(NEVER);
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let agreed = runner.run(&history(60), |(profile, actions)| {
        redis.say(&["FLUSHALL"]);
        let store: Arc<dyn Store> = Arc::new(redis_store(&redis, rules(profile)));
        play(&store, rules(profile), &actions)
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
    },
    /// The access token of the newest generation is used.
    Use,
    Wait(u64),
    Flag,
    Unflag,
    SignOut,
}

fn history(longest: usize) -> impl Strategy<Value = (Profile, Vec<Action>)> {
    let key = prop_oneof![1 => Just(None), 6 => (0_u32..4).prop_map(Some)];
    let action = prop_oneof![
        10 => (Just(0_usize), key.clone())
            .prop_map(|(age, key)| Action::Refresh { age, key }),
        6 => (0_usize..12, key).prop_map(|(age, key)| Action::Refresh { age, key }),
        1 => Just(Action::Use),
        4 => prop_oneof![Just(1), Just(9_999), Just(10_000), Just(60_001), 0..2_000_000_u64]
            .prop_map(Action::Wait),
        1 => prop_oneof![8 => Just(Action::Unflag), 1 => Just(Action::Flag)],
        1 => prop_oneof![12 => Just(Action::Use), 1 => Just(Action::SignOut)],
    ];
    let profile = prop::sample::select(vec![Profile::Keyed, Profile::KeyedGrace, Profile::Grace]);
    (profile, prop::collection::vec(action, 1..longest))
}

fn rules(profile: Profile) -> Rules {
    Rules { profile, idle: Some(3_600_000), max_login_age: Some(40_000_000), ..Rules::default() }
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
        for (step, action) in actions.iter().enumerate() {
            match action {
                Action::Refresh { age, key } => {
                    let generation = tokens.len().saturating_sub(1 + age);
                    let said = refresh(store, &tokens[generation], *key, now).await;
                    let expected = model.refresh(generation, *key, now);
                    let transition = format!("{:?}", said.transition);
                    prop_assert_eq!(&transition, expected.0, "step {}: {:?}", step, action);
                    let granted = said.answer.ok().map(|renewed| renewed.token);
                    let grants = granted.as_ref().map(|token| token.generation as usize);
                    prop_assert_eq!(grants, expected.1, "step {}: {:?}", step, action);
                    match granted {
                        Some(token) if token.generation as usize == tokens.len() => {
                            tokens.push(token);
                        }
                        Some(token) => prop_assert_eq!(&token, &tokens[token.generation as usize]),
                        None => {}
                    }
                }
                Action::Use => {
                    store.mark_seen(sid(), model.newest as u32).await.unwrap();
                    model.used = true;
                }
                Action::Wait(millis) => now += millis,
                Action::Flag | Action::Unflag => {
                    model.flagged = matches!(action, Action::Flag);
                    let change = Change { reauth: Some(model.flagged), ..Change::default() };
                    store.change_user("u_ann".to_owned(), change).await.unwrap();
                }
                Action::SignOut => {
                    store.end(Whose::Session(sid()), Revocation::Logout).await.unwrap();
                    model.dead = true;
                }
            }
        }
        let texts: HashSet<String> = tokens.iter().map(|token| token.encode(&pepper())).collect();
        prop_assert_eq!(texts.len(), tokens.len());
        prop_assert!(texts.iter().all(|text| RefreshToken::parse(text, &pepper()).is_ok()));
        Ok(())
    })
}

struct Model {
    rules: Rules,
    dead: bool,
    flagged: bool,
    used: bool,
    newest: usize,
    /// Key and time of each rotation; the place in the list is the generation traded in.
    rotations: Vec<(Option<u32>, u64)>,
    late_replays: u32,
    last_used: u64,
}

impl Model {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            dead: false,
            flagged: false,
            used: false,
            newest: 0,
            rotations: Vec::new(),
            late_replays: 0,
            last_used: 0,
        }
    }

    fn refresh(&mut self, presented: usize, sent: Option<u32>, now: u64) -> (&str, Option<usize>) {
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
        if presented == self.newest {
            self.rotations.push((key, now));
            self.newest += 1;
            (self.used, self.late_replays, self.last_used) = (false, 0, now);
            return ("T5", Some(self.newest));
        }

        let (its_key, its_time) = self.rotations[presented];
        let same = key.is_some() && key == its_key;
        let keyed = self.rotations.iter().any(|(key, _)| key.is_some());
        let grace = self.rules.profile != Profile::Keyed
            && now - its_time <= 10_000
            && !(keyed && sent.is_none());
        if presented + 1 == self.newest && (same || grace && !self.used) {
            let rule = if same { "T6" } else { "T7" };
            if now - its_time > 60_000 {
                if self.late_replays == 16 {
                    return (rule, None);
                }
                self.late_replays += 1;
            }
            return (rule, Some(self.newest));
        }
        let remembered = presented + 8 >= self.newest;
        if presented + 1 < self.newest && remembered && (same || grace) {
            return ("T8", None);
        }
        self.dead = true;
        ("T9", None)
    }
}

fn sid() -> SessionId {
    SessionId([1; 16])
}
