//! A failing world, cut down to what makes it fail.

use crate::{
    invariants::Broken,
    plan::{Action, Hints, Odds, Plan},
    world::World,
};

/// The smallest plan found that still breaks the same promise, and how it does.
#[must_use]
pub fn minimise(plan: Plan, broken: Broken) -> (Plan, Broken) {
    let mut best = (plan, broken);
    let mut tries = 0;
    loop {
        let smaller = candidates(&best.0).into_iter().find_map(|plan| {
            tries += 1;
            if tries > TRIES {
                return None;
            }
            let broken = World::new(plan.clone()).run()?;
            (broken.promise == best.1.promise).then_some((plan, broken))
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// Large worlds take long: no more are run than this.
const TRIES: u32 = 600;

/// Plans that are a little smaller: fewer things happen, fewer tabs, fewer faults, less time.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut out = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        out.push(plan);
    };
    let count = plan.actions.len();
    let mut size = count / 2;
    while size > 0 {
        for start in (0..count).step_by(size) {
            with(&|plan| drop(plan.actions.drain(start..(start + size).min(count))));
        }
        size /= 2;
    }
    if plan.tabs > 1 {
        with(&|plan| plan.tabs -= 1);
    }
    for change in FEWER_FAULTS {
        let mut odds = plan.odds;
        if change(&mut odds) {
            with(&|plan| plan.odds = odds);
        }
    }
    if plan.hints != Hints::default() {
        with(&|plan| plan.hints = Hints::default());
    }
    if plan.wire != plan.wire.plain() {
        with(&|plan| plan.wire = plan.wire.plain());
    }
    if plan.skew != 0 {
        with(&|plan| plan.skew = 0);
    }
    let last = plan.actions.last().map_or(0, |(at, _): &(i64, Action)| *at);
    let shorter = (plan.length * 3 / 4).max(last + 1);
    if shorter < plan.length {
        with(&|plan| plan.length = shorter);
    }
    out
}

type Change = fn(&mut Odds) -> bool;

const FEWER_FAULTS: [Change; 11] = [
    |odds| std::mem::take(&mut odds.lost_request) > 0,
    |odds| std::mem::take(&mut odds.lost_response) > 0,
    |odds| std::mem::take(&mut odds.duplicated) > 0,
    |odds| std::mem::take(&mut odds.slow) > 0,
    |odds| std::mem::take(&mut odds.refused) > 0,
    |odds| std::mem::take(&mut odds.lost_message) > 0,
    |odds| std::mem::take(&mut odds.late_message) > 0,
    |odds| std::mem::take(&mut odds.repeated_message) > 0,
    |odds| std::mem::take(&mut odds.failed_storage) > 0,
    |odds| std::mem::take(&mut odds.slow_storage) > 0,
    |odds| std::mem::take(&mut odds.read_lag) > 0,
];
