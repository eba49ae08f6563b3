//! `cargo xtask test`: everything that must hold, cheapest failure first.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{check, observe};
use crate::report::Counts;
use crate::setup::{BROWSERS, Browser, WASM_TARGET};
use crate::workspace::Workspace;
use crate::{
    adapters, crates, deny, dependant, examples, hygiene, openapi, pack, package, packaging,
    proxies, scenarios, search, setup, size, worlds,
};

/// Runs every step, or the `only` ones, prints what each one found and closes on the count of all
/// tests. The package is built, and packed, before it is tested in other tools.
///
/// After a failure only the cheap steps still run: they may tell more for little.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<ExitCode> {
    let mut rows = Vec::new();
    let mut total = Counts::default();
    let mut steps = steps();
    let is_wanted = |name: &str| only.iter().any(|wanted| wanted == name);
    if let Some(unknown) = only.iter().find(|name| steps.iter().all(|step| step.name != **name)) {
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        bail!("there is no step {unknown:?}; there are {}", names.join("; "));
    }
    if !only.is_empty() {
        let is_needed = |name: &str| only.iter().any(|wanted| stands_on(wanted).contains(&name));
        steps.retain(|step| is_wanted(step.name) || is_needed(step.name));
    }
    for step in steps {
        if total.failed > 0 && !step.cheap {
            rows.push(format!("{:<20} {:>8}  skipped after a failure", step.name, ""));
            continue;
        }
        println!("\n== {}", step.name);
        let began = Instant::now();
        let (counts, found) = match (step.run)(workspace) {
            Ok(counts) if counts.ran() == 0 => (counts, "ok".to_owned()),
            Ok(counts) => (counts, counts.to_string()),
            Err(error) => {
                eprintln!("error: {}: {error:#}", step.name);
                (Counts::FAILURE, "FAILED".to_owned())
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        println!("== {}: {found}, {seconds:.1} s", step.name);
        rows.push(format!("{:<20} {seconds:>6.1} s  {found}", step.name));
        total = total + counts;
    }
    println!("\n{}\n\ntests: {total}", rows.join("\n"));
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Step {
    name: &'static str,
    /// Whether it takes seconds.
    cheap: bool,
    run: fn(&Workspace) -> Result<Counts>,
}

fn steps() -> Vec<Step> {
    let step = |name, cheap, run| Step { name, cheap, run };
    let dependencies = step("dependencies", false, |w| untested(deny::run(w)));
    let mut steps = vec![
        step("format", true, |w| {
            untested(check(&mut w.cargo(&["fmt", "--all", "--check"]), LIMIT))
        }),
        step("hygiene", true, |w| untested(hygiene::check(w).and_then(|()| scenarios::check(w)))),
        step("lints", false, |w| untested(lints(w))),
        step("lints for wasm", false, |w| untested(lints_for_wasm(w))),
        step("native tests", false, native_tests),
        step("strategies, SQLite", false, |w| strategies(w, "sqlite")),
        step("strategies, Postgres", false, |w| strategies(w, "postgres")),
        step("strategies, Redis", false, |w| strategies(w, "redis")),
        step("exhaustive search", false, search::test),
        step("virtual worlds", false, worlds::test),
        step("fleets", false, |w| counted(&mut fleets(w), Counts::of_cargo)),
        step("OpenAPI", false, openapi::test),
        step("adapters", false, adapters::test),
        step("a dependant", false, dependant::test),
        step("documentation", false, |w| untested(documentation(w))),
        step("crates", false, |w| untested(crates::pack(w))),
        step("package", false, |w| untested(package::build(w))),
        step("types", false, |w| untested(types(w))),
        step("reference", false, |w| untested(reference(w))),
        step("package tests", false, package_tests),
        step("in plain JavaScript", false, plain_package_tests),
        step("size budget", false, |w| untested(size::check(w))),
        step("tarball", false, |w| untested(pack::gates(w))),
        step("packaging", false, packaging_tests),
        step("examples", false, |w| untested(examples::run(w))),
        step("in Chromium", false, |w| browser_tests(w, &BROWSERS[0])),
        step("in Firefox", false, |w| browser_tests(w, &BROWSERS[1])),
        step("in WebKit", false, |w| browser_tests(w, &BROWSERS[2])),
    ];
    // Two seconds once the tool is there, minutes before.
    if deny::installed() {
        steps.insert(2, Step { cheap: true, ..dependencies });
    } else {
        steps.push(dependencies);
    }
    steps
}

/// The steps that make what this one tests.
fn stands_on(step: &str) -> &'static [&'static str] {
    match step {
        "types"
        | "reference"
        | "package tests"
        | "in plain JavaScript"
        | "size budget"
        | "tarball" => &["package"],
        "packaging" => &["package", "tarball"],
        "in Chromium" | "in Firefox" | "in WebKit" => &["package", "examples"],
        _ => &[],
    }
}

fn untested(done: Result<()>) -> Result<Counts> {
    done.map(|()| Counts::default())
}

fn lints(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["clippy", "--workspace", "--all-targets"]);
    check(cargo.args(["--", "-D", "warnings"]), LIMIT)?;
    // As it is in production: the tests have it with the feature `control`.
    let mut cargo =
        workspace.cargo(&["clippy", "--package", "everfresh-server", "--lib", "--bins"]);
    check(cargo.args(["--", "-D", "warnings"]), LIMIT)
}

fn lints_for_wasm(workspace: &Workspace) -> Result<()> {
    setup::for_package(workspace)?;
    // With the second profile the unit tests too.
    for (features, profile) in [("npm", "dev"), ("web", "test")] {
        let mut cargo = workspace.cargo(&["clippy", "--package", "everfresh", "--lib"]);
        cargo.args(["--features", features, "--profile", profile, "--target", WASM_TARGET]);
        check(cargo.args(["--", "-D", "warnings"]), LIMIT)?;
    }
    Ok(())
}

fn native_tests(workspace: &Workspace) -> Result<Counts> {
    setup::redis()?;
    setup::postgres()?;
    setup::systemd()?;
    let mut cargo = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
    counted(cargo.envs(proxies::found(workspace)?), Counts::of_cargo)
}

/// Ten thousand engines each: minutes where they are not optimised.
fn fleets(workspace: &Workspace) -> Command {
    workspace.cargo(&["test", "--release", "--package", "everfresh-bench-fleet"])
}

/// The tests of the 41 strategies once more, on a store that outlives the process.
fn strategies(workspace: &Workspace, store: &str) -> Result<Counts> {
    setup::redis()?;
    setup::postgres()?;
    // Of the whole workspace, so that nothing is built with other features than before.
    let mut cargo = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
    cargo.args(["--test", "every_strategy_keeps_its_promise"]);
    cargo.args(["--test", "the_sdk_lives_through_every_strategy"]);
    counted(cargo.env("WORLD_STORE", store), Counts::of_cargo)
}

fn documentation(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    check(cargo.env("RUSTDOCFLAGS", "-D warnings"), LIMIT)
}

fn types(workspace: &Workspace) -> Result<()> {
    ensure!(workspace.join("pkg/wasm/everfresh.d.ts").exists(), "the package was not built");
    check(workspace.npm_tool("tsc").args(["-p", "pkg/tsconfig.json"]), LIMIT)
}

/// Pages of all that is public in the package; what is not documented, not exported or without an
/// example that compiles fails it. Its tool has a folder of its own, since it reads the types with an
/// older compiler.
fn reference(workspace: &Workspace) -> Result<()> {
    let folder = workspace.join("pkg/reference");
    setup::npm_packages(&folder).context("the packages of pkg/reference are missing")?;
    let mut typedoc = Command::new("node");
    check(typedoc.arg("node_modules/typedoc/bin/typedoc").current_dir(&folder), LIMIT)?;
    check(Command::new("node").arg("examples.mjs").current_dir(&folder), LIMIT)
}

fn package_tests(workspace: &Workspace) -> Result<Counts> {
    node_tests(workspace, "pkg/test", |_| {})
}

/// The package tests against the engine that is plain JavaScript.
fn plain_package_tests(workspace: &Workspace) -> Result<Counts> {
    node_tests(workspace, "pkg/test", |node| {
        node.args(["--import", "./pkg/test/plain.mjs"]);
    })
}

/// With `E2E_ENGINE` set, as on a machine that has not all of them, in that engine alone.
fn browser_tests(workspace: &Workspace, browser: &Browser) -> Result<Counts> {
    if env::var("E2E_ENGINE").is_ok_and(|only| only != browser.engine) {
        println!("left out: E2E_ENGINE names another engine");
        return Ok(Counts::default());
    }
    let program = setup::browser(browser)?;
    let server = server(workspace)?;
    node_tests(workspace, "tests/e2e", |node| {
        node.arg("--test-concurrency=2");
        node.env("E2E_ENGINE", browser.engine).env(browser.variable, &program);
        node.env("E2E_SERVER", &server);
    })
}

/// What the packed package does in bundlers, frameworks, runtimes and test runners.
fn packaging_tests(workspace: &Workspace) -> Result<Counts> {
    let program = setup::browser(&BROWSERS[0])?;
    let server = server(workspace)?;
    let installed = packaging::install(workspace)?;
    node_tests(workspace, "tests/packaging", |node| {
        node.arg("--test-concurrency=2");
        node.env("E2E_ENGINE", BROWSERS[0].engine).env(BROWSERS[0].variable, &program);
        node.env("E2E_SERVER", &server).env("PACKAGING", &installed);
    })
}

/// Builds the server with its switchboard.
fn server(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["build", "--package", "everfresh-server"]);
    check(cargo.args(["--features", "control"]), LIMIT)?;
    Ok(workspace.target("debug/everfresh-server"))
}

/// Runs all `*.test.mjs` below a directory; Node 20 knows no globs.
fn node_tests(
    workspace: &Workspace,
    directory: &str,
    prepare: impl FnOnce(&mut Command),
) -> Result<Counts> {
    let mut files = Vec::new();
    test_files(&workspace.join(directory), &mut files)?;
    ensure!(!files.is_empty(), "there is no *.test.mjs below {directory}");
    files.sort();
    let mut node = workspace.command("node");
    node.args(["--test", "--test-reporter=spec"]);
    prepare(&mut node);
    counted(node.args(files), Counts::of_node)
}

fn test_files(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let listing = fs::read_dir(directory)
        .with_context(|| format!("the tests' directory {} is missing", directory.display()))?;
    for entry in listing {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            test_files(&path, found)?;
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Counts what ran; a runner that fails without a failed test has not run them all.
fn counted(command: &mut Command, count: fn(&str) -> Counts) -> Result<Counts> {
    let (status, output) = observe(command, LIMIT)?;
    let counts = count(&output);
    if !status.success() && counts.failed == 0 {
        bail!("the test runner stopped before its end ({status})");
    }
    ensure!(counts.ran() > 0, "no test ran");
    Ok(counts)
}

const LIMIT: Duration = Duration::from_secs(2_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_stands_on_comes_before_it() {
        let names: Vec<_> = steps().iter().map(|step| step.name).collect();
        let mut needed = 0;
        for (at, name) in names.iter().enumerate() {
            for before in stands_on(name) {
                assert!(names[..at].contains(before), "{name} after {before}");
                needed += 1;
            }
        }
        assert_eq!(needed, 14, "a step was renamed");
    }
}
