//! `cargo xtask search`: every interleaving of a few tabs, in tests/search.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::{check, observe};
use crate::report::Counts;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<ExitCode> {
    let mut search = program(workspace)?;
    if let Some(only) = only {
        search.args(["--only", only]);
    }
    Ok(if search.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Each search that finds nothing is a test that passed.
pub(crate) fn test(workspace: &Workspace) -> Result<Counts> {
    let (status, output) = observe(&mut program(workspace)?, LIMIT)?;
    ensure!(status.success(), "an interleaving broke a promise: its story is above");
    let passed = output.lines().filter(|line| line.starts_with("| ")).count() as u64;
    ensure!(passed > 0, "nothing was searched");
    Ok(Counts { passed, failed: 0 })
}

fn program(workspace: &Workspace) -> Result<Command> {
    check(&mut workspace.cargo(&["build", "--release", "--package", "everfresh-search"]), LIMIT)?;
    Ok(Command::new(workspace.target("release/everfresh-search")))
}

const LIMIT: Duration = Duration::from_secs(1_800);
