//! `cargo xtask bench`: figures, never a verdict.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::process::check;
use crate::workspace::Workspace;
use crate::{package, setup};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Start time, checks, durable refreshes and memory of the server, on SQLite, Postgres and Redis
    Server {
        /// How long each load lasts, in seconds
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Connections at once
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// CPU time of the package beside other packages: requests, start-up, decoding, waves
    Client {
        /// How often each contender has its turn
        #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(5..))]
        rounds: u32,
        /// Also write the figures to this file
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Bytes that the package and others add to an application's download
    Size {
        /// Also write the figures to this file
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Refreshes, sign-outs, locks and messages of many tabs in Chromium, beside other packages
    Tabs {
        /// How many tabs at once, separated by commas
        #[arg(long, default_value = "2,8,20")]
        tabs: String,
        /// How many lifetimes of an access token each case lasts
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
        lifetimes: u32,
        /// How many times as fast the clocks of the pages and of the service go
        #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=200))]
        speed: u32,
        /// Also write the figures to this file
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// What an honest client of the server waits and is refused beside attackers
    Abuse {
        /// How long each attack lasts, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

pub(crate) fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    match bench {
        Bench::Server { seconds, connections } => {
            setup::postgres()?;
            setup::redis()?;
            let connections = connections.to_string();
            server(workspace, *seconds, &["--connections", &connections])
        }
        Bench::Client { rounds, json } => {
            let rounds = ["--rounds", &rounds.to_string()];
            node(workspace, "bench/client/main.mjs", &rounds, json.as_deref())
        }
        Bench::Tabs { tabs, lifetimes, speed, json } => {
            let (lifetimes, speed) = (lifetimes.to_string(), speed.to_string());
            let more = ["--tabs", tabs, "--lifetimes", &lifetimes, "--speed", &speed];
            node(workspace, "bench/tabs/main.mjs", &more, json.as_deref())
        }
        Bench::Size { json } => node(workspace, "bench/size/main.mjs", &[], json.as_deref()),
        Bench::Abuse { seconds } => server(workspace, *seconds, &["--abuse"]),
    }
}

fn server(workspace: &Workspace, seconds: u64, more: &[&str]) -> Result<()> {
    let mut build = workspace.cargo(&["build", "--release"]);
    build.args(["--package", "everfresh-server", "--package", "everfresh-bench-server"]);
    check(&mut build, LIMIT)?;
    let mut load = Command::new(workspace.target("release/everfresh-bench-server"));
    load.arg("--server").arg(workspace.target("release/everfresh-server"));
    load.args(["--seconds", &seconds.to_string()]).args(more);
    check(&mut load, LIMIT)
}

/// Runs a script with the package as it is built now, and others' packages beside it.
fn node(workspace: &Workspace, script: &str, more: &[&str], json: Option<&Path>) -> Result<()> {
    package::build_quietly(workspace)?;
    setup::peers(workspace)?;
    let chromium = &setup::BROWSERS[0];
    let mut node = workspace.command("node");
    node.env(chromium.variable, setup::browser(chromium)?);
    node.arg(workspace.join(script)).args(more);
    if let Some(file) = json {
        node.arg("--json").arg(std::path::absolute(file)?);
    }
    check(&mut node, LIMIT)
}

const LIMIT: Duration = Duration::from_secs(1_800);
