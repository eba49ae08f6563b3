//! Runs virtual worlds: one, told line by line, or as many as there is time for.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use everfresh_sim::{
    Plan, World,
    minimise::minimise,
    runner::{self, Runs},
    statistics::Statistics,
};

/// Worlds are made of short-lived texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The virtual world of Everfresh.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs one world and tells its story.
    Tell {
        /// The world.
        #[arg(long)]
        seed: u64,
        /// Tells it as it was drawn, without cutting it down first.
        #[arg(long)]
        whole: bool,
    },
    /// Runs many worlds on all cores and prints what they came to.
    Soak {
        /// How many.
        #[arg(long, default_value_t = 20_000)]
        worlds: u64,
        /// Stops after so many minutes, whatever is left.
        #[arg(long)]
        minutes: Option<u64>,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
    },
    /// Runs worlds until one breaks a promise.
    Hunt {
        /// How many at most.
        #[arg(long)]
        worlds: u64,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Tell { seed, whole } => tell(seed, whole),
        Command::Hunt { worlds } => hunt(worlds),
        Command::Soak { worlds, minutes, from } => soak(worlds, minutes, from),
    }
}

fn tell(seed: u64, whole: bool) -> ExitCode {
    let mut plan = Plan::random(seed);
    if !whole && let Some(broken) = World::new(plan.clone()).run() {
        plan = minimise(plan, broken).0;
    }
    let mut world = World::told(plan.clone());
    let broken = world.run();
    println!("{plan}");
    for line in world.story.unwrap_or_default() {
        println!("{line}");
    }
    match broken {
        None => {
            println!("every promise was kept");
            ExitCode::SUCCESS
        }
        Some(broken) => {
            println!("broken: {broken}");
            ExitCode::FAILURE
        }
    }
}

fn soak(worlds: u64, minutes: Option<u64>, from: u64) -> ExitCode {
    let limit = minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let begun = Instant::now();
    let Runs { statistics, spent, failed } = runner::run(worlds, limit, from, ENOUGH);
    println!("{statistics}");
    let (seconds, spent) = (begun.elapsed().as_secs_f64(), spent.as_secs_f64());
    println!(
        "{seconds:.1} s, {spent:.1} s of one core: {:.0} calls of engines a second and core, \
         {:.2} ms a world",
        statistics.steps as f64 / spent,
        spent * 1_000.0 / statistics.worlds.max(1) as f64,
    );
    let last = from + statistics.worlds.max(1) - 1;
    println!("seeds {from} to {last}, digest {:016x}", statistics.digest);
    for (seed, broken) in &failed {
        println!("broken: {broken}\nreplay: cargo xtask sim --seed {seed}");
    }
    if let Some((seed, broken)) = failed.first() {
        let (plan, broken) = minimise(Plan::random(*seed), broken.clone());
        println!("the first of them, cut down:\n{plan}\nbroken: {broken}");
    }
    if pace() && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A run with so many broken worlds goes no further.
const ENOUGH: usize = 20;

/// Says which seed breaks which promise first, or that none does.
fn hunt(worlds: u64) -> ExitCode {
    match runner::run(worlds, None, 1, 1).failed.first() {
        Some((seed, broken)) => println!("{seed}: {}", broken.promise),
        None => println!("{worlds}: nothing"),
    }
    ExitCode::SUCCESS
}

/// How long an ordinary day takes; whether it kept every promise.
fn pace() -> bool {
    let begun = runner::cpu_time();
    let mut kept = true;
    let mut statistics = Statistics::default();
    for seed in 1..=DAYS {
        let mut world = World::new(Plan::day(seed));
        if let Some(broken) = world.run() {
            println!("an ordinary day, seed {seed}: {broken}");
            kept = false;
        }
        statistics.add(&world.statistics);
    }
    let seconds = (runner::cpu_time() - begun).as_secs_f64();
    println!(
        "5 tabs for 24 virtual hours: {:.1} ms of one core, {} calls of engines",
        seconds * 1_000.0 / DAYS as f64,
        statistics.steps / DAYS,
    );
    kept
}

/// So many days make a figure.
const DAYS: u64 = 50;
