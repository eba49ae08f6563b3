//! `cargo xtask fuzz`: what no client should send, at the server, by libFuzzer.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::tool::Tool;
use crate::workspace::Workspace;

/// Runs the targets one after the other, each for N seconds; an input that breaks a promise is
/// kept in `fuzz/artifacts`.
pub(crate) fn run(workspace: &Workspace, only: &[String], seconds: u64) -> Result<ExitCode> {
    let all = TARGETS.map(str::to_owned);
    for target in if only.is_empty() { &all[..] } else { only } {
        println!("{target}, for {seconds} s");
        let mut fuzz = Command::new(FUZZ.ready(workspace)?);
        fuzz.current_dir(workspace.root()).args(["run", "--features", "libfuzzer"]);
        // Nothing of the server is unsafe, and without a sanitizer the stable compiler will do.
        fuzz.args(["--sanitizer", "none", target, "--", "-print_final_stats=1"]);
        fuzz.args([format!("-max_total_time={seconds}"), format!("-max_len={LONGEST}")]);
        // Histories are long from the start.
        fuzz.arg("-len_control=0");
        if !fuzz.status()?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

const FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2" };
const TARGETS: [&str; 6] =
    ["access_token", "refresh_token", "configuration", "refresh_sequence", "requests", "forgeries"];
/// Longer inputs say the same again.
const LONGEST: usize = 2_000;
