//! The tests of `src/web`, in Node.js and in browsers: wasm-bindgen-test without its runner, which
//! would take minutes to install. Built once, bound by the library that binds the package, and run
//! by what drives the browser tests.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{capture, observe};
use crate::report::Counts;
use crate::setup::{self, BROWSERS, WASM_TARGET};
use crate::workspace::Workspace;

/// Runs them all; with `E2E_ENGINE` set, in that browser and in Node.js.
pub(crate) fn test(workspace: &Workspace) -> Result<Counts> {
    setup::for_package(workspace)?;
    let bound = workspace.target("adapters");
    bind(&build(workspace)?, &bound)?;
    let mut counts = run(workspace, &bound, "node", None)?;
    let only = env::var("E2E_ENGINE").ok();
    for browser in &BROWSERS {
        if only.as_ref().is_none_or(|only| only == browser.engine) {
            let program = (browser.variable, setup::browser(browser)?);
            counts = counts + run(workspace, &bound, browser.engine, Some(program))?;
        }
    }
    Ok(counts)
}

/// Compiles the crate with its unit tests, and gives the path.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["test", "--no-run", "--package", "everfresh", "--lib"]);
    cargo.args([
        "--features",
        "web",
        "--target",
        WASM_TARGET,
        "--message-format",
        "json-render-diagnostics",
    ]);
    // The names of functions are enough, and binding takes half the time.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    let messages = capture(&mut cargo, LIMIT)?;
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    messages.lines().find_map(executable).context("cargo built no tests")
}

fn bind(tests: &Path, bound: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(tests)
        .out_name("adapters")
        .web(true)?
        .debug(true)
        .emit_start(false)
        .typescript(false)
        .generate(bound)
        .context("wasm-bindgen refused the tests")
}

fn run(
    workspace: &Workspace,
    bound: &Path,
    engine: &str,
    program: Option<(&str, PathBuf)>,
) -> Result<Counts> {
    println!("in {engine}");
    let mut node = workspace.command("node");
    node.arg("tests/adapters/run.mjs").arg(bound).env("E2E_ENGINE", engine);
    node.envs(program);
    let (status, output) = observe(&mut node, LIMIT)?;
    let counts = Counts::of_cargo(&output);
    ensure!(status.success() || counts.failed > 0, "the tests in {engine} failed; see above");
    ensure!(counts.ran() > 0, "no test ran in {engine}");
    Ok(counts)
}

const LIMIT: Duration = Duration::from_secs(1_200);
