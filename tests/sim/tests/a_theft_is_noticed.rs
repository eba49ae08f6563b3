//! A thief in every world: once one token has come with two keys the session is over, whatever he
//! does; and a server that forgives him is found out.

use everfresh_server::rotation::{Profile, Rules};
use everfresh_sim::{
    Plan, World,
    plan::{Action, Odds, Storage, Theft},
    statistics::{Statistics, Thefts},
};

const WORLDS: u64 = 80;

/// The world of a seed, with a thief early in it.
fn robbed(seed: u64, how: Theft) -> Plan {
    let mut plan = Plan::random(seed);
    plan.storage = if seed.is_multiple_of(4) { Storage::Session } else { Storage::Local };
    plan.actions.retain(|(_, action)| !matches!(action, Action::Steal(..)));
    plan.actions.push((plan.length / 8, Action::Steal(seed as usize, how)));
    plan.actions.sort_by_key(|(at, _)| *at);
    plan
}

/// What became of the thefts, and the promises that were broken.
fn run(plans: impl IntoIterator<Item = Plan>) -> (Thefts, Vec<&'static str>) {
    let mut statistics = Statistics::default();
    for plan in plans {
        let mut world = World::new(plan);
        world.run();
        statistics.add(&world.statistics);
    }
    let thefts = statistics.thefts.into_values().next().unwrap_or_default();
    (thefts, statistics.broken.into_keys().collect())
}

/// Worlds of the companion server: what another makes of a thief is its own affair.
fn worlds(how: Theft) -> impl Iterator<Item = Plan> {
    let ours = |plan: &Plan| plan.wire.foreign.is_none() && !plan.wire.lapses;
    (1..).map(move |seed| robbed(seed, how)).filter(ours).take(WORLDS as usize)
}

/// A tab that goes on for an hour, with a thief in its tenth minute.
fn one_tab(how: Theft) -> Plan {
    let minute = 60_000;
    let mut plan = Plan::day(1);
    plan.tabs = 1;
    plan.access_ttl = 300;
    plan.length = 60 * minute;
    plan.actions = (0..60).map(|turn| (turn * minute, Action::Request(0))).collect();
    plan.actions.insert(10, (10 * minute - 1, Action::Steal(0, how)));
    plan
}

#[test]
fn at_his_own_pace() {
    let (thefts, broken) = run(worlds(Theft::OwnKeys));
    assert_eq!((thefts.noticed, broken), (thefts.due, vec![]));
    assert!(thefts.due > WORLDS / 2, "{thefts:?}");
    assert!(thefts.far_ahead > WORLDS / 10, "some are faster than the owner: {thefts:?}");
}

#[test]
fn right_after_the_owner() {
    let (thefts, broken) = run(worlds(Theft::Close));
    assert_eq!((thefts.noticed, broken), (thefts.due, vec![]));
    assert!(thefts.due > WORLDS / 2, "{thefts:?}");
    assert!(thefts.far_ahead < WORLDS / 50, "he does not come by himself: {thefts:?}");
}

#[test]
fn first_with_the_pending_key() {
    let (thefts, broken) = run(worlds(Theft::PendingKey));
    assert_eq!((thefts.noticed, broken), (thefts.due, vec![]));
    assert!(thefts.due > WORLDS / 3, "{thefts:?}");
    assert!(thefts.far_ahead > WORLDS / 10, "he goes on with keys of his own: {thefts:?}");
}

#[test]
fn unless_the_owner_never_comes_back() {
    let end = 300_000;
    for (at, how) in [(end - 2, Theft::OwnKeys), (end - 2, Theft::Close), (0, Theft::PendingKey)] {
        let mut plan = one_tab(how);
        plan.length = end;
        // Its only refresh, before it is gone, is what the thief of a pending key waits for.
        plan.actions = vec![(at, Action::Steal(0, how)), (end - 1, Action::Crash(0))];
        let (thefts, broken) = run([plan]);
        assert_eq!((thefts.count, thefts.due, thefts.excused), (1, 0, 0), "{how}");
        assert_eq!(broken, Vec::<&str>::new());
    }
}

#[test]
fn though_the_owner_hears_no_answer_and_the_thief_has_used_the_key() {
    let lost = (1..=WORLDS).map(|seed| {
        let odds = Odds { lost_response: 700, ..Odds::default() };
        let mut plan = one_tab(Theft::PendingKey);
        (plan.seed, plan.odds) = (seed, odds);
        plan
    });
    let (thefts, broken) = run(lost);
    assert_eq!((thefts.noticed, broken), (thefts.due, vec![]));
    assert!(thefts.due > WORLDS / 2, "{thefts:?}");
}

#[test]
fn and_a_server_that_forgives_is_found_out() {
    let forgiving = Rules { profile: Profile::KeyedGrace, idle: None, ..Rules::default() };
    let (thefts, broken) = run(worlds(Theft::Close).map(|plan| Plan { rules: forgiving, ..plan }));
    assert_eq!(broken, ["a theft is noticed"], "{thefts:?}");
}

#[test]
fn and_so_is_one_that_does_not_rotate() {
    let reusable = Rules { reusable: true, ..one_tab(Theft::OwnKeys).rules };
    let plan = Plan { rules: reusable, ..one_tab(Theft::OwnKeys) };
    assert_eq!(run([plan]).1, ["a theft is noticed"]);
}
