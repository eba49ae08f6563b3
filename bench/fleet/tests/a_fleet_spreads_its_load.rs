//! The goals of a fleet, at ten thousand clients. Without optimisation that takes minutes, so
//! `cargo xtask test fleets` has it optimised.

use everfresh_bench_fleet::{
    fleet::{self, Figures, Kind},
    scenario::{SCENARIOS, Scenario},
};

const CLIENTS: u64 = 10_000;

fn ours(name: &str) -> Figures {
    let scenario = |it: &&Scenario| it.name == name;
    let scenario = SCENARIOS.iter().find(scenario).expect("there is such a scenario");
    fleet::run(Kind::Engine(300), *scenario, CLIENTS, 1)
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unoptimised")]
fn a_steady_state_stays_steady() {
    let figures = ours("steady");
    assert!(figures.peak <= 1.2, "{} times the mean", figures.peak);
    assert_eq!((figures.lost, figures.sign_outs), (0, 0));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unoptimised")]
fn after_an_outage_all_are_back_within_two_lifetimes() {
    let figures = ours("outage");
    assert!(figures.peak <= 2.0, "{} times the mean", figures.peak);
    let drained = figures.drained.expect("somebody lacked a token");
    assert!(drained <= 600.0, "the last one came back after {drained} s");
    assert_eq!(figures.sign_outs, 0);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unoptimised")]
fn nobody_is_signed_out_whatever_befalls_the_service() {
    for scenario in ["burst", "503", "lost-key"] {
        assert_eq!(ours(scenario).sign_outs, 0, "{scenario}");
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unoptimised")]
fn the_same_seed_gives_the_same_figures() {
    let run = || fleet::run(Kind::Engine(300), SCENARIOS[3], 200, 7);
    assert_eq!(run(), run());
}
