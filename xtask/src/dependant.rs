//! Whether an application on WebAssembly can depend on the crate: tests/dependant links, with the
//! lowest versions that the manifest allows and with those of this workspace, and the crate puts
//! nothing of its own into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::check;
use crate::report::Counts;
use crate::setup::{self, WASM_TARGET};
use crate::workspace::Workspace;

/// Each build that holds is a test that passed.
pub(crate) fn test(workspace: &Workspace) -> Result<Counts> {
    setup::for_package(workspace)?;
    let lowest = workspace.join("tests/dependant");
    build(workspace, &lowest, &["--locked"], "")?;
    let newest = newest(workspace)?;
    for flags in ["", "--cfg web_sys_unstable_apis"] {
        let wasm = build(workspace, &newest, &[], flags)?;
        holds_nothing_of_ours(&wasm).with_context(|| format!("built with flags {flags:?}"))?;
    }
    Ok(Counts { passed: 3, failed: 0 })
}

/// The same application with the versions in the lock of this workspace.
fn newest(workspace: &Workspace) -> Result<PathBuf> {
    let (from, to) = (workspace.join("tests/dependant"), workspace.target("dependant/application"));
    fs::create_dir_all(to.join("src"))?;
    let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
    let root = workspace.root().to_str().context("the checkout's path is no text")?;
    fs::write(to.join("Cargo.toml"), manifest.replace("../..", root))?;
    fs::copy(from.join("src/lib.rs"), to.join("src/lib.rs"))?;
    fs::copy(workspace.join("Cargo.lock"), to.join("Cargo.lock"))?;
    Ok(to)
}

fn build(workspace: &Workspace, folder: &Path, more: &[&str], flags: &str) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["build", "--target", WASM_TARGET]);
    cargo.args(more).arg("--manifest-path").arg(folder.join("Cargo.toml"));
    let target = workspace.target("dependant");
    cargo.arg("--target-dir").arg(&target);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("RUSTFLAGS", flags);
    check(&mut cargo, LIMIT).context("an application that depends on the crate does not build")?;
    Ok(target.join(WASM_TARGET).join("debug/dependant.wasm"))
}

/// Exports are the application's and wasm-bindgen's, imports are wasm-bindgen's alone.
fn holds_nothing_of_ours(wasm: &Path) -> Result<()> {
    let bound = Bindgen::new()
        .input_path(wasm)
        .bundler(true)?
        .typescript(false)
        .generate_output()
        .context("wasm-bindgen refused the application")?;
    let names = bound.wasm().exports.iter().map(|export| export.name.as_str());
    let mut exports: Vec<_> = names.filter(|name| !is_of_wasm_bindgen(name)).collect();
    exports.sort_unstable();
    ensure!(exports == EXPORTS, "the application exports {exports:?} instead of {EXPORTS:?}");
    let mut modules: Vec<_> =
        bound.wasm().imports.iter().map(|import| import.module.clone()).collect();
    modules.dedup();
    ensure!(modules == ["./dependant_bg.js"], "the application imports from {modules:?}");
    let scripts = bound.snippets().values().flatten().chain(bound.local_modules().keys()).count();
    ensure!(scripts == 0, "the application brings scripts along");
    Ok(())
}

fn is_of_wasm_bindgen(name: &str) -> bool {
    ["__", "wasm_bindgen__"].iter().any(|own| name.starts_with(own))
}

/// What tests/dependant exports, and its memory.
const EXPORTS: [&str; 4] = ["allocations", "begin", "memory", "sign_in"];
const LIMIT: Duration = Duration::from_secs(1_200);
