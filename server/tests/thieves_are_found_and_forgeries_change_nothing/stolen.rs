//! Every adversary of the theft model, and its honest neighbours, over HTTP.

use std::sync::Arc;

use everfresh_server::AppState;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::store::{MemoryStore, PostgresStore, RedisStore, SqliteStore, Store};

use super::stores::postgres::database;
use super::stores::{Folder, NEVER, Redis};
use super::world::{Answer, KEY, OTHER_KEY, Tokens, World, refused};
use super::{Rng, present};

/// A world on each store, and what has to outlive it.
struct Ground {
    name: &'static str,
    world: World,
    _folder: Folder,
    _redis: Option<Redis>,
}

async fn grounds(toml: &str) -> Vec<Ground> {
    let mut grounds = Vec::new();
    for name in ["memory", "sqlite", "postgres", "redis"] {
        let toml = format!("limits = \"off\"\nissuer = \"http://127.0.0.1:8080\"\n{toml}");
        let settings = Settings::resolve(Layer::from_toml(&toml).unwrap()).unwrap();
        let keys = Keyring::ephemeral().unwrap();
        let terms = AppState::terms(&settings, &keys);
        let folder = Folder::new();
        let redis = (name == "redis").then(|| Redis::start(NEVER));
        let store: Arc<dyn Store> = match (&redis, name) {
            (Some(redis), _) => Arc::new(RedisStore::at(&redis.url(), terms).unwrap()),
            (None, "sqlite") => {
                Arc::new(SqliteStore::open(&folder.0.join("test.db"), terms).unwrap())
            }
            (None, "postgres") => {
                Arc::new(PostgresStore::open(&database(), None, terms).await.unwrap())
            }
            _ => Arc::new(MemoryStore::new(terms)),
        };
        let world = World::around(settings, keys, store).await;
        grounds.push(Ground { name, world, _folder: folder, _redis: redis });
    }
    grounds
}

#[tokio::test]
async fn a_copied_token_is_noticed_once_both_have_refreshed() {
    let mut rng = Rng::seeded("copied token");
    for Ground { name, world, .. } in &grounds("").await {
        for run in 0..60 {
            let mut owner = world.login("ann").await;
            for step in 0..rng.below(4) {
                owner =
                    present(world, &owner.refresh, &format!("{KEY} {run} {step}")).await.tokens();
            }
            let mut hands = [owner.clone(), owner];
            let (mut turns, mut noticed) = ([0, 0], false);
            for step in 0.. {
                world.advance(rng.pick(&[0, 5, 300]));
                let hand = rng.below(2) as usize;
                let key = format!("the key of {hand} in step {step}");
                let answer = present(world, &hands[hand].refresh, &key).await;
                turns[hand] += 1;
                match answer.status.as_u16() {
                    200 => hands[hand] = answer.tokens(),
                    _ => {
                        noticed |= answer.refusal().2 == "reuse_detected";
                        break;
                    }
                }
                assert!(step < 100, "{name}, run {run}: nobody was refused: {turns:?}");
            }
            assert!(noticed, "{name}, run {run}");
            is_over(world, &hands).await;
        }
    }
}

#[tokio::test]
async fn a_thief_who_follows_within_seconds_is_noticed_too() {
    for Ground { name, world, .. } in &grounds("").await {
        for seconds in [0, 1, 9] {
            let stolen = world.login("ann").await;
            let owner = present(world, &stolen.refresh, KEY).await.tokens();
            world.advance(seconds);
            let thief = present(world, &stolen.refresh, OTHER_KEY).await;
            refused(&thief, 400, "invalid_grant", "reuse_detected");
            is_over(world, &[owner, stolen]).await;
            println!("{name}: noticed {seconds} s after the owner");
        }
    }
}

#[tokio::test]
async fn a_thief_of_the_pending_key_is_noticed_at_the_next_rotation() {
    for Ground { world, .. } in &grounds("").await {
        let stored = world.login("ann").await;
        let lost = present(world, &stored.refresh, KEY).await.tokens();
        let thief = present(world, &stored.refresh, KEY).await.tokens();
        let owner = present(world, &stored.refresh, KEY).await.tokens();
        assert!(thief.refresh == owner.refresh && owner.refresh == lost.refresh);
        let thief = present(world, &thief.refresh, "a key that the thief made").await.tokens();
        let answer = present(world, &owner.refresh, "a key that the owner made").await;
        refused(&answer, 400, "invalid_grant", "reuse_detected");
        is_over(world, &[thief, owner]).await;
    }
}

#[tokio::test]
async fn a_copy_that_works_while_the_owner_is_away_ends_when_the_owner_comes_back() {
    for Ground { world, .. } in &grounds("").await {
        let owner = world.login("ann").await;
        let mut thief = owner.clone();
        for step in 0..30 {
            world.advance(3_600);
            let key = format!("the key of the thief {step}");
            thief = present(world, &thief.refresh, &key).await.tokens();
        }
        let back = present(world, &owner.refresh, "the key of the owner").await;
        refused(&back, 400, "invalid_grant", "reuse_detected");
        is_over(world, &[owner, thief]).await;
    }
}

#[tokio::test]
async fn a_thief_without_a_key_gains_nothing_by_the_grace_window() {
    for Ground { world, .. } in &grounds("rotation = \"keyed+grace\"").await {
        let stolen = world.login("ann").await;
        let owner = present(world, &stolen.refresh, KEY).await.tokens();
        world.advance(1);
        let form = format!("grant_type=refresh_token&refresh_token={}", stolen.refresh);
        let thief = world.post_form("/oauth/token", &form).await;
        refused(&thief, 400, "invalid_grant", "reuse_detected");
        is_over(world, &[owner, stolen]).await;
    }
}

#[tokio::test]
async fn a_thief_at_another_client_is_refused_and_signs_nobody_out() {
    for Ground { world, .. } in &grounds("").await {
        let owner = world.login("ann").await;
        let form = format!(
            "grant_type=refresh_token&client_id=evil&refresh_token={}&rotation_key={KEY}",
            owner.refresh
        );
        refused(&world.post_form("/oauth/token", &form).await, 400, "invalid_grant", "");
        goes_on(world, &present(world, &owner.refresh, KEY).await).await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_however_late() {
    for Ground { world, .. } in &grounds("").await {
        for seconds in [0, 9, 11, 3_600, 47 * 3_600] {
            let owner = world.login("ann").await;
            let lost = present(world, &owner.refresh, KEY).await.tokens();
            world.advance(seconds);
            let again = present(world, &owner.refresh, KEY).await;
            assert_eq!(again.tokens().refresh, lost.refresh);
            goes_on(world, &again).await;
        }
    }
}

#[tokio::test]
async fn a_late_duplicate_is_told_apart_from_a_theft() {
    for Ground { name, world, .. } in &grounds("").await {
        let mut owner = world.login("ann").await;
        let mut sent = Vec::new();
        for step in 0..9 {
            let key = format!("rotation key {step:08}");
            sent.push((owner.refresh.clone(), key.clone()));
            owner = present(world, &owner.refresh, &key).await.tokens();
        }
        for (token, key) in &sent[1..8] {
            let late = present(world, token, key).await;
            refused(&late, 400, "invalid_grant", "superseded");
        }
        assert_eq!(present(world, &owner.refresh, KEY).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn tabs_without_locks_need_the_grace_window_or_a_shared_key() {
    for (settings, fine) in [("rotation = \"keyed+grace\"", true), ("", false)] {
        for Ground { world, .. } in &grounds(settings).await {
            let owner = world.login("ann").await;
            let one = present(world, &owner.refresh, KEY).await;
            let two = present(world, &owner.refresh, OTHER_KEY).await;
            if fine {
                assert_eq!(one.tokens().refresh, two.tokens().refresh);
                goes_on(world, &two).await;
            } else {
                refused(&two, 400, "invalid_grant", "reuse_detected");
            }
        }
    }
}

/// Nothing that anybody holds is good for anything any more.
async fn is_over(world: &World, hands: &[Tokens]) {
    for hand in hands {
        assert_eq!(world.me(&hand.access).await.status, 401);
        assert_eq!(present(world, &hand.refresh, "the last try of anybody").await.status, 400);
    }
}

/// The tokens of the answer are good, and so are their successors.
async fn goes_on(world: &World, answer: &Answer) {
    let tokens = answer.tokens();
    assert_eq!(world.me(&tokens.access).await.status, 200, "{}", answer.text());
    let next = present(world, &tokens.refresh, "one more rotation key").await;
    assert_eq!(world.me(&next.tokens().access).await.status, 200);
}
