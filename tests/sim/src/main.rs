//! Runs virtual worlds: one, told line by line, or as many as there is time for.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use everfresh_sim::{Plan, World, minimise::minimise, tally::Tally};

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
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Tell { seed, whole } => tell(seed, whole),
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
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let limit = minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let next = AtomicU64::new(from);
    let failed = AtomicBool::new(false);
    let total = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut tally = Tally::default();
                while !failed.load(Ordering::Relaxed)
                    && limit.is_none_or(|limit| begun.elapsed() < limit)
                {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + worlds {
                        break;
                    }
                    let plan = Plan::random(seed);
                    let mut world = World::new(plan.clone());
                    if let Some(broken) = world.run() {
                        failed.store(true, Ordering::Relaxed);
                        let (plan, broken) = minimise(plan, broken);
                        println!("{plan}\nbroken: {broken}\nreplay: cargo xtask sim --seed {seed}");
                    }
                    tally.add(&world.tally);
                }
                total.lock().unwrap_or_else(PoisonError::into_inner).add(&tally);
            });
        }
    });
    let tally = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{tally}");
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{:.1} s on {cores} cores, {:.0} machine steps a second, {:.2} ms a world",
        seconds,
        tally.steps as f64 / seconds,
        seconds * 1_000.0 * cores as f64 / tally.worlds.max(1) as f64,
    );
    println!("seeds {from} to {}", from + tally.worlds.max(1) - 1);
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
