//! The npm package: pkg/dist from the wasm and pkg/src.

use std::fs::{self, File};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::check;
use crate::workspace::Workspace;
use crate::{setup, size, wasm};

/// Builds pkg/dist and prints what it weighs.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_quietly(workspace)?;
    size::print(&size::measure(workspace)?);
    Ok(())
}

/// Builds pkg/dist. Two builds of one checkout wait for each other.
pub(crate) fn build_quietly(workspace: &Workspace) -> Result<()> {
    setup::for_package(workspace)?;
    fs::create_dir_all(workspace.target("xtask"))?;
    let lock = File::create(workspace.target("xtask/package.lock"))?;
    lock.lock().context("cannot lock target/xtask/package.lock")?;
    wasm::build(workspace)?;
    let mut node = workspace.command("node");
    node.arg("pkg/tools/build.mjs").arg(workspace.target(METAFILE));
    check(&mut node, LIMIT).context("the package could not be built")
}

/// What esbuild put where, for `cargo xtask size --why`.
pub(crate) const METAFILE: &str = "xtask/esbuild.json";
const LIMIT: Duration = Duration::from_secs(600);
