//! A world is its plan: whoever replays a seed sees what the others saw.

use everfresh_sim::{Plan, World, runner};

fn story(seed: u64) -> (Vec<String>, u64) {
    let mut world = World::told(Plan::random(seed));
    world.run();
    (world.story.unwrap_or_default(), world.statistics.digest)
}

#[test]
fn line_by_line() {
    for seed in 1..=20 {
        let (told, digest) = story(seed);
        assert!(told.len() > 20, "seed {seed}: {} lines", told.len());
        assert_eq!((told, digest), story(seed), "seed {seed}");
    }
}

#[test]
fn and_with_nobody_listening_it_goes_the_same_way() {
    for seed in 1..=20 {
        let mut world = World::new(Plan::random(seed));
        world.run();
        assert_eq!(world.statistics.digest, story(seed).1, "seed {seed}");
    }
}

#[test]
fn in_whatever_order_worlds_are_run() {
    let together = runner::run(40, None, 1, 1).statistics.digest;
    let apart = [31, 11, 1, 21].map(|from| runner::run(10, None, from, 1).statistics.digest);
    assert_eq!(together, apart.into_iter().fold(0, u64::wrapping_add));
}

#[test]
fn and_another_seed_tells_another() {
    let mut digests: Vec<_> = (1..=50).map(|seed| story(seed).1).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 50);
}
