//! The front ends in Rust below examples/: checked natively, built for browsers, laid out to be
//! served, and weighed with and without Everfresh.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::check;
use crate::setup::{self, WASM_TARGET};
use crate::size;
use crate::wasm::{FEATURES, LIMIT};
use crate::workspace::Workspace;

/// `cargo xtask examples`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    weigh(workspace)
}

/// Checks and builds all of them, and lays each out in a folder of its own below
/// `target/front-ends/site`.
fn build(workspace: &Workspace) -> Result<()> {
    check(&mut cargo(workspace, &["fmt", "--all", "--check"]), LIMIT)?;
    // As a server that renders them has them.
    let mut clippy = cargo(workspace, &["clippy", "--workspace", "--release", "--locked"]);
    check(clippy.args(["--", "-D", "warnings"]), LIMIT)?;
    compile(workspace)?;
    let site = workspace.target("front-ends/site");
    for framework in FRAMEWORKS {
        let folder = site.join(framework);
        bind(workspace, &format!("example-{framework}"), &folder, "app")?;
        fs::write(folder.join("index.html"), PAGE)?;
        fs::write(folder.join("start.js"), START)?;
    }
    Ok(())
}

/// Prints what Everfresh adds to a Leptos application, and fails when that is too much.
pub(crate) fn weigh(workspace: &Workspace) -> Result<()> {
    compile(workspace)?;
    let folder = workspace.target("front-ends/size");
    for name in ["without", "with"] {
        bind(workspace, name, &folder.join(name), name)?;
        optimise(workspace, &folder.join(name).join(format!("{name}_bg.wasm")))?;
    }
    let weight = |name| -> Result<u64> {
        Ok(size::measure_below(workspace, &folder.join(name))?
            .values()
            .map(size::Size::brotli)
            .sum())
    };
    let (without, with) = (weight("without")?, weight("with")?);
    let added = with.saturating_sub(without);
    println!(
        "a Leptos application: {without} bytes brotli, with Everfresh {with}: {added} of {MOST} added"
    );
    ensure!(added <= MOST, "Everfresh adds {added} bytes to a Leptos application, over {MOST}");
    Ok(())
}

/// Their workspace has another lock file and another target directory than the project's.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = workspace.cargo(arguments);
    cargo.args(["--manifest-path", "examples/Cargo.toml"]);
    cargo.env("CARGO_TARGET_DIR", workspace.target("front-ends"));
    cargo
}

/// All at once: parts of them alone would be built anew with other features.
fn compile(workspace: &Workspace) -> Result<()> {
    setup::for_package(workspace)?;
    let mut cargo = cargo(workspace, &["build", "--workspace", "--release", "--locked"]);
    // That one is checked, and not looked at.
    check(cargo.args(["--exclude", "example-first", "--target", WASM_TARGET]), LIMIT)
}

/// What trunk does: makes a module for browsers of a program.
fn bind(workspace: &Workspace, program: &str, folder: &Path, name: &str) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let compiled = workspace.target("front-ends").join(WASM_TARGET).join("release");
    let compiled = compiled.join(program).with_extension("wasm");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).out_name(name).web(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen refused {program}"))
}

fn optimise(workspace: &Workspace, wasm: &Path) -> Result<()> {
    let mut wasm_opt = workspace.npm_tool("wasm-opt");
    wasm_opt.args(FEATURES).args(["--enable-reference-types", "--enable-multivalue", "-Oz"]);
    check(wasm_opt.arg(wasm).arg("-o").arg(wasm), LIMIT)
}

const FRAMEWORKS: [&str; 3] = ["dioxus", "leptos", "yew"];
/// Bytes after brotli, WebAssembly and JavaScript. What was reached: it may only shrink, and has to,
/// to 45,000.
const MOST: u64 = 49_900;

/// The server's policy allows no scripts inside of a page.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Everfresh</title>
  <script type="module" src="start.js"></script>
  <div id="main"></div>
</html>
"#;
const START: &str = r#"import start from "./app.js";

await start({ module_or_path: new URL("app_bg.wasm", import.meta.url) });
"#;

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_shows_code_for_leptos_as_it_is_compiled() {
        let shown = include_str!("../../docs/rust-front-ends.md");
        let glue = include_str!("../../examples/leptos/src/session.rs");
        let (_, glue) = glue.split_once("\n\n").unwrap();
        for code in [glue, include_str!("../../examples/first/src/main.rs")] {
            assert!(shown.contains(&format!("```rust\n{code}```")));
        }
    }
}
