//! A watch that sees nothing must be able to see something: a server that is wrong on purpose has
//! to break a promise, and the table has to say which, how often, and where.

use everfresh_server::rotation::{Profile, Rules};
use everfresh_sim::{
    Plan, World,
    plan::{Action, Odds},
    statistics::Statistics,
};

/// Days on which every third answer is lost, at a server with these rules.
fn bad_days(rules: Rules) -> Statistics {
    let mut statistics = Statistics::default();
    for seed in 1..=30 {
        let mut plan = Plan::day(seed);
        plan.rules = rules;
        plan.length /= 6;
        plan.actions.retain(|(at, _)| *at < plan.length);
        plan.odds = Odds { lost_response: 300, ..Odds::default() };
        let mut world = World::new(plan);
        let broken = world.run();
        assert_eq!(broken.is_some(), !world.statistics.broken.is_empty());
        statistics.add(&world.statistics);
    }
    statistics
}

fn rules() -> Rules {
    Plan::day(1).rules
}

fn row(statistics: &Statistics, name: &str) -> String {
    let table = statistics.to_string();
    let start = format!("| {name} | ");
    let row = table.lines().find_map(|line| line.strip_prefix(&start));
    row.unwrap_or_else(|| panic!("no row {name}: {table}")).trim_end_matches(" |").to_owned()
}

const ROWS: [&str; 4] =
    ["sign-outs without a cause", "double rotations", "thefts missed", "waiters stuck"];

#[test]
fn none_is_told_where_none_is_broken() {
    let statistics = bad_days(rules());
    for name in ROWS {
        assert_eq!(row(&statistics, name), "0");
    }
    assert_eq!(row(&statistics, "seeds of broken worlds"), "none");
}

#[test]
fn a_server_that_knows_no_keys_signs_out_without_a_cause() {
    let statistics = bad_days(Rules { profile: Profile::Grace, grace: 0, ..rules() });
    assert_eq!(statistics.broken.keys().collect::<Vec<_>>(), [&"no end without a cause"]);
    let worlds = &statistics.broken["no end without a cause"];
    assert_eq!(row(&statistics, "sign-outs without a cause"), worlds.len().to_string());
    assert_eq!(row(&statistics, "broken: no end without a cause"), worlds.len().to_string());
    assert!(worlds.len() > 20);
    let seeds = row(&statistics, "seeds of broken worlds");
    assert_eq!(seeds.split(", ").count(), 20, "{seeds}");
    assert!(seeds.starts_with(&worlds[0].to_string()), "{seeds}");
}

#[test]
fn a_server_that_grants_a_key_twice_rotates_twice() {
    let statistics = bad_days(Rules { reusable: true, ..rules() });
    let worlds = &statistics.broken["one advance per rotation key"];
    assert_eq!(row(&statistics, "double rotations"), worlds.len().to_string());
}

#[test]
fn a_session_that_the_server_lets_expire_ends_without_a_cause() {
    let mut plan = Plan::day(1);
    plan.rules.idle = Some(60_000);
    plan.actions.retain(|(_, action)| matches!(action, Action::Input(_)));
    let broken = World::new(plan).run().expect("every refresh comes too late");
    assert_eq!(broken.promise, "no end without a cause");
}
