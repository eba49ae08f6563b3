//! The project's commands: the same code for people and for CI.
//!
//! `cargo xtask demo`, `test`, `size` and `pack` each do their own set-up on a machine with
//! rustup, Node.js 20 or newer and npm; see [`setup`] for what that is.

mod adapters;
mod bench;
mod crates;
mod cycles;
mod dead_data;
mod demo;
mod deny;
mod dependant;
mod examples;
mod fetch_suite;
mod fuzz;
mod glue;
mod hygiene;
mod mutations;
mod openapi;
mod pack;
mod package;
mod packaging;
mod plain;
mod process;
mod proxies;
mod report;
mod scenarios;
mod search;
mod setup;
mod size;
mod stubs;
mod test;
mod tool;
mod wasm;
mod why;
mod workspace;
mod worlds;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, tests, measures and shows Everfresh.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the package and the server, and serve the demo until Ctrl-C
    Demo {
        /// Port on 127.0.0.1; the fault switchboard listens on the next one
        #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65_534))]
        port: u16,
    },
    /// Run every check and test that CI runs
    Test {
        /// Only these steps, by the names that the whole prints, such as `packaging`
        only: Vec<String>,
    },
    /// Build the package and hold its size against pkg/budget.json
    Size {
        /// Also name what takes the most bytes
        #[arg(long)]
        why: bool,
    },
    /// Measure and print figures; nothing passes or fails by time
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Feed the server random and damaged input
    Fuzz {
        /// Only these targets, by name
        only: Vec<String>,
        /// For how long each, in seconds
        #[arg(long, default_value_t = 180)]
        seconds: u64,
    },
    /// Make requests from the server's OpenAPI description and hold the answers against it
    Openapi {
        /// Repeats what a run with this seed did, but for the tokens that the server draws
        #[arg(long)]
        seed: Option<u32>,
    },
    /// Run the tests of the crate's adapters in Node.js and in browsers
    Adapters,
    /// Run the tests of GitHub's fetch polyfill through a session; needs Debian's sources
    FetchSuite,
    /// Build an application on WebAssembly that depends on the crate, and look at what is in it
    Dependant,
    /// Check, build and weigh the front ends in Rust, and lay them out to be served
    Examples,
    /// Make the npm tarball and check it as a user's tools would
    Pack,
    /// Go through every interleaving of a few tabs and print how many states there are
    Search {
        /// Only the searches with this in their name
        #[arg(long)]
        only: Option<String>,
    },
    /// Run one virtual world and tell its story line by line
    Sim {
        /// The world
        #[arg(long)]
        seed: u64,
        /// Tell it as it was drawn, even if it fails and can be cut down
        #[arg(long)]
        whole: bool,
    },
    /// Run many virtual worlds on all cores and print what they came to
    Soak {
        /// How many
        #[arg(long, default_value_t = 20_000)]
        worlds: u64,
        /// Stop after so many minutes, whatever is left
        #[arg(long)]
        minutes: Option<u64>,
        /// The first seed
        #[arg(long, default_value_t = 1)]
        from: u64,
    },
    /// Put faults into the machine one by one, and see whether the virtual worlds notice
    Mutations {
        /// How many worlds each fault is shown to
        #[arg(long, default_value_t = 4_000)]
        worlds: u64,
        /// Only the faults with this in their name
        #[arg(long)]
        only: Option<String>,
    },
}

fn closed(counts: report::Counts) -> ExitCode {
    println!("tests: {counts}");
    if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = Workspace::find().and_then(|workspace| match arguments.command {
        Task::Demo { port } => demo::run(&workspace, port).map(|()| ExitCode::SUCCESS),
        Task::Test { only } => test::run(&workspace, &only),
        Task::Bench { bench } => bench::run(&workspace, &bench).map(|()| ExitCode::SUCCESS),
        Task::Fuzz { only, seconds } => fuzz::run(&workspace, &only, seconds),
        Task::Size { why } => size::run(&workspace, why).map(|()| ExitCode::SUCCESS),
        Task::Openapi { seed } => openapi::run(&workspace, seed).map(|()| ExitCode::SUCCESS),
        Task::Adapters => adapters::test(&workspace).map(closed),
        Task::FetchSuite => fetch_suite::run(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Dependant => dependant::test(&workspace).map(closed),
        Task::Examples => examples::run(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Pack => pack::run(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Mutations { worlds, only } => {
            mutations::run(&workspace, worlds, only.as_deref()).map(|()| ExitCode::SUCCESS)
        }
        Task::Search { only } => search::run(&workspace, only.as_deref()),
        Task::Sim { seed, whole } => worlds::tell(&workspace, seed, whole),
        Task::Soak { worlds, minutes, from } => worlds::soak(&workspace, worlds, minutes, from),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
