//! `cargo xtask fuzz`: what nobody should send, at the server.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use crate::process::check;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, cases: u64, from: u64) -> Result<ExitCode> {
    check(&mut workspace.cargo(&["build", "--release", "--package", "everfresh-fuzz"]), LIMIT)?;
    let mut fuzz = Command::new(workspace.target("release/everfresh-fuzz"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    fuzz.args(["--cases", &cases.to_string(), "--from", &from.to_string(), "--threads", &threads]);
    Ok(if fuzz.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const LIMIT: Duration = Duration::from_secs(1_800);
