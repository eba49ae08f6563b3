//! `cargo xtask bench`: figures, never a verdict.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::process::check;
use crate::workspace::Workspace;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Start time, checks, durable refreshes and memory of the server
    Server {
        /// How long each load lasts, in seconds
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Connections at once
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// What an honest client of the server waits and is refused beside attackers
    Abuse {
        /// How long each attack lasts, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

pub(crate) fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    let mut build = workspace.cargo(&["build", "--release"]);
    build.args(["--package", "everfresh-server", "--package", "everfresh-bench-server"]);
    check(&mut build, LIMIT)?;
    let mut load = Command::new(workspace.target("release/everfresh-bench-server"));
    load.arg("--server").arg(workspace.target("release/everfresh-server"));
    match bench {
        Bench::Server { seconds, connections } => {
            load.args(["--seconds", &seconds.to_string()]);
            load.args(["--connections", &connections.to_string()]);
        }
        Bench::Abuse { seconds } => {
            load.args(["--abuse", "--seconds", &seconds.to_string()]);
        }
    }
    check(&mut load, LIMIT)
}

const LIMIT: Duration = Duration::from_secs(1_800);
