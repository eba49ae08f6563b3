//! The command behind `cargo xtask search`.

use std::{process::ExitCode, thread, time::Instant};

use clap::Parser;
use everfresh_search::{
    explore::{Findings, explore},
    setup::Setup,
};

/// Goes through every interleaving of a few tabs, up to stated bounds.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only the searches with this in their name.
    #[arg(long)]
    only: Option<String>,
    /// How many faults and deeds there are in one run, instead of what each search has.
    #[arg(long)]
    troubles: Option<u8>,
    /// How many of them may be deeds.
    #[arg(long)]
    deeds: Option<u8>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = 0;
    let begun = Instant::now();
    for mut setup in Setup::all() {
        if arguments.only.as_ref().is_some_and(|only| !setup.name.contains(only.as_str())) {
            continue;
        }
        setup.most_troubles = arguments.troubles.unwrap_or(setup.most_troubles);
        setup.most_deeds = arguments.deeds.unwrap_or(setup.most_deeds);
        println!("{setup}");
        let begun = Instant::now();
        let findings = explore(&setup, cores);
        report(&setup, &findings, begun.elapsed().as_secs_f64());
        if let Some(story) = findings.story {
            println!("{story}");
            return ExitCode::FAILURE;
        }
        sum += findings.states;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{sum} states in all, {seconds:.1} s on {cores} cores; every promise was kept");
    ExitCode::SUCCESS
}

fn report(setup: &Setup, findings: &Findings, seconds: f64) {
    let Findings { states, moves, ends, depth, limits, .. } = findings;
    println!(
        "| {} | {states} states | {moves} moves | depth {depth} | {ends} ends | {seconds:.1} s |",
        setup.name
    );
    for (limit, count) in limits {
        println!("  known limit, met {count} times and not searched beyond: {limit}");
    }
}
