//! cargo-deny: licences, duplicate and banned crates, sources. Rules are in deny.toml.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{capture, check};
use crate::workspace::Workspace;

/// Whether the tool is here already; building it takes minutes.
pub(crate) fn installed() -> bool {
    find().is_some()
}

/// Checks every dependency, building the tool first where it is missing.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tool = match find() {
        Some(tool) => tool,
        None => install(workspace)?,
    };
    let mut deny = Command::new(tool);
    deny.current_dir(workspace.root()).args(["--log-level", "error"]);
    check(deny.args(["check", "licenses", "bans", "sources"]), LIMIT)
}

/// The cached tool, or the user's own of the same version.
fn find() -> Option<PathBuf> {
    [home().join("bin/cargo-deny"), PathBuf::from("cargo-deny")].into_iter().find(|tool| {
        capture(Command::new(tool).arg("--version"), LIMIT)
            .is_ok_and(|printed| printed.trim() == format!("cargo-deny {VERSION}"))
    })
}

/// Unoptimised: that halves the build, and a run takes two seconds all the same.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let home = home();
    let mut cargo = workspace.cargo(&["install", "cargo-deny", "--version", VERSION, "--locked"]);
    cargo.args(["--debug", "--quiet", "--root"]).arg(&home);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.env("CARGO_TARGET_DIR", home.join("build"));
    println!("building cargo-deny {VERSION} into {}, once for all checkouts", home.display());
    check(&mut cargo, LIMIT).context("cargo-deny could not be installed")?;
    fs::remove_dir_all(home.join("build")).ok();
    Ok(home.join("bin/cargo-deny"))
}

/// Outside of target/, so that a fresh clone finds it too.
fn home() -> PathBuf {
    let cache = match env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
    };
    cache.join("everfresh").join(format!("cargo-deny-{VERSION}"))
}

const VERSION: &str = "0.20.2";
const LIMIT: Duration = Duration::from_secs(1_800);
