//! From the crate to pkg/wasm: cargo, wasm-bindgen, wasm-opt.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::check;
use crate::setup::WASM_TARGET;
use crate::workspace::Workspace;

/// Builds `pkg/wasm/everfresh.js` and `pkg/wasm/everfresh_bg.wasm`, as they are shipped.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let compiled = compile(workspace)?;
    let out = workspace.join("pkg/wasm");
    bind(&compiled, &out, false)?;
    let wasm = out.join("everfresh_bg.wasm");
    optimise(workspace, &wasm, &workspace.target("xtask/wasm-opt"))
}

/// The shipped wasm, but with the names of its functions; returns its path.
pub(crate) fn build_with_names(workspace: &Workspace) -> Result<PathBuf> {
    let compiled = compile(workspace)?;
    let out = workspace.target("xtask/named");
    bind(&compiled, &out, true)?;
    let wasm = out.join("everfresh_bg.wasm");
    wasm_opt(workspace, &wasm, &wasm, &["-g"])?;
    Ok(wasm)
}

fn compile(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["build", "--package", "everfresh", "--lib"]);
    cargo.args(["--profile", "wasm", "--target", WASM_TARGET]);
    check(&mut cargo, LIMIT)?;
    Ok(workspace.target(WASM_TARGET).join("wasm/everfresh.wasm"))
}

fn bind(compiled: &Path, out: &Path, names: bool) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    Bindgen::new()
        .input_path(compiled)
        .out_name("everfresh")
        .web(true)?
        // For our own type check; the package's types are written by hand.
        .typescript(true)
        // The entries say where the wasm is; a second `new URL` would be a second asset.
        .omit_default_module_path(true)
        .remove_name_section(!names)
        .demangle(false)
        .remove_producers_section(true)
        .generate(out)
        .context("wasm-bindgen refused the compiled crate")
}

/// Optimises a file in place; `cache` keeps the last input and output, since it takes seconds.
fn optimise(workspace: &Workspace, wasm: &Path, cache: &Path) -> Result<()> {
    let (input, output) = (cache.join("input.wasm"), cache.join("output.wasm"));
    let flags = cache.join("flags");
    let fresh = fs::read(wasm)?;
    let known = fs::read(&input).is_ok_and(|input| input == fresh)
        && fs::read_to_string(&flags).is_ok_and(|flags| flags == WASM_OPT.join(" "));
    if !known || !output.exists() {
        fs::create_dir_all(cache)?;
        fs::remove_file(&flags).ok();
        wasm_opt(workspace, wasm, &output, STRIP)?;
        fs::write(&input, fresh)?;
        fs::write(&flags, WASM_OPT.join(" "))?;
    }
    fs::copy(&output, wasm).context("cannot write the optimised wasm")?;
    Ok(())
}

fn wasm_opt(workspace: &Workspace, input: &Path, output: &Path, more: &[&str]) -> Result<()> {
    let mut command = workspace.npm_tool("wasm-opt");
    command.args(WASM_OPT).args(more).arg(input).arg("-o").arg(output);
    check(&mut command, LIMIT)
}

/// The features are read from the file's own target_features section.
const WASM_OPT: &[&str] = &["-Oz", "--converge"];
const STRIP: &[&str] = &["--strip-debug", "--strip-producers", "--strip-target-features"];
const LIMIT: Duration = Duration::from_secs(1_800);
