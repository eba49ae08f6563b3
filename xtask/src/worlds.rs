//! `cargo xtask sim` and `cargo xtask soak`: the virtual world of tests/sim.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::{check, observe};
use crate::report::Counts;
use crate::workspace::Workspace;

/// The worlds of every test.
const WORLDS: u64 = 20_000;

pub(crate) fn tell(workspace: &Workspace, seed: u64, whole: bool) -> Result<ExitCode> {
    let mut sim = program(workspace)?;
    sim.args(["tell", "--seed", &seed.to_string()]);
    if whole {
        sim.arg("--whole");
    }
    finish(&mut sim)
}

pub(crate) fn soak(
    workspace: &Workspace,
    worlds: u64,
    minutes: Option<u64>,
    from: u64,
) -> Result<ExitCode> {
    let mut sim = program(workspace)?;
    sim.args(["soak", "--worlds", &worlds.to_string(), "--from", &from.to_string()]);
    if let Some(minutes) = minutes {
        sim.args(["--minutes", &minutes.to_string()]);
    }
    finish(&mut sim)
}

/// Each world that keeps every promise is a test that passed.
pub(crate) fn test(workspace: &Workspace) -> Result<Counts> {
    let mut sim = program(workspace)?;
    sim.args(["soak", "--worlds", &WORLDS.to_string()]);
    let (status, output) = observe(&mut sim, LIMIT)?;
    ensure!(status.success(), "a world broke a promise: its plan is above, and how to replay it");
    let worlds = output.lines().find_map(|line| line.strip_prefix("| worlds | "));
    let run = worlds.and_then(|count| count.trim_end_matches(" |").parse().ok()).unwrap_or(0_u64);
    ensure!(run == WORLDS, "{run} of {WORLDS} worlds were run");
    Ok(Counts { passed: run, failed: 0 })
}

fn program(workspace: &Workspace) -> Result<Command> {
    check(&mut workspace.cargo(&["build", "--release", "--package", "everfresh-sim"]), LIMIT)?;
    Ok(Command::new(workspace.target("release/everfresh-sim")))
}

fn finish(sim: &mut Command) -> Result<ExitCode> {
    Ok(if sim.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const LIMIT: Duration = Duration::from_secs(1_800);
