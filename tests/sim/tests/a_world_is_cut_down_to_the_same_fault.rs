//! What the minimiser prints is smaller, and shows the fault that was found and no other.

use everfresh_server::rotation::{Profile, Rules};
use everfresh_sim::{
    Plan, World,
    invariants::Broken,
    minimise::minimise,
    plan::{Action, Theft},
};

/// Worlds of random seeds whose server knows no keys and forgives anybody for a minute; all that
/// break a promise.
fn failing() -> impl Iterator<Item = (Plan, Broken)> {
    let rules = Rules { profile: Profile::Grace, grace: 60_000, idle: None, ..Rules::default() };
    (1..).filter_map(move |seed| {
        let mut plan = Plan::random(seed);
        plan.rules = rules;
        plan.actions.push((plan.length / 8, Action::Steal(0, Theft::OwnKeys)));
        plan.actions.sort_by_key(|(at, _)| *at);
        let broken = World::new(plan.clone()).run()?;
        Some((plan, broken))
    })
}

/// In some of so many the smaller worlds break another promise as well.
const WORLDS: usize = 12;

#[test]
fn and_is_smaller() {
    for (plan, broken) in failing().take(WORLDS) {
        let (small, still) = minimise(plan.clone(), broken.clone());
        assert_eq!(still.promise, broken.promise, "seed {}", plan.seed);
        assert!(small.actions.len() < plan.actions.len() / 2, "seed {}: {small}", plan.seed);
        assert!(small.tabs <= plan.tabs && small.length <= plan.length, "seed {}", plan.seed);
    }
}

#[test]
fn what_is_printed_can_be_run_again() {
    for (plan, broken) in failing().take(3) {
        let (small, still) = minimise(plan, broken);
        assert_eq!(World::new(small.clone()).run(), Some(still));
        assert!(small.to_string().starts_with(&format!("seed {}: ", small.seed)));
    }
}

#[test]
fn a_fault_that_is_in_no_smaller_world_is_left_as_it_is() {
    let (plan, broken) = failing().next().expect("there is no end of them");
    let other = Broken { promise: "a promise that nobody makes", ..broken };
    let (same, still) = minimise(plan.clone(), other.clone());
    assert_eq!((same.to_string(), still), (plan.to_string(), other));
}
