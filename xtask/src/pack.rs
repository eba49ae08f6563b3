//! The npm tarball, checked as a user's tools would check it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::package;
use crate::process::capture;
use crate::workspace::Workspace;

/// `cargo xtask pack`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    package::build(workspace)?;
    gates(workspace)
}

/// Packs the built package into target/pack, runs every gate on it and prints its path.
pub(crate) fn gates(workspace: &Workspace) -> Result<()> {
    let directory = workspace.target("pack");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let stage = directory.join("everfresh");
    stage_files(workspace, &stage)?;

    let mut npm = workspace.command("npm");
    npm.args(["pack", "--json", "--ignore-scripts", "--pack-destination"]);
    let printed = capture(npm.arg(&directory).arg(&stage), LIMIT)?;
    let [packed]: [Packed; 1] = serde_json::from_str(&printed).context("npm pack has changed")?;
    let found = packed.files.iter().map(|file| file.path.clone()).collect();
    compare(&expected(workspace)?, &found)?;

    let tarball = directory.join(&packed.filename);
    let mut publint = workspace.npm_tool("publint");
    capture(publint.args(["run", "--strict"]).arg(&tarball), LIMIT)?;
    for (profile, without) in [("esm-only", &[][..]), ("node16", MODULES_ONLY)] {
        let mut attw = workspace.npm_tool("attw");
        attw.args(["--profile", profile, "--no-emoji", "--no-color", "--format", "ascii"]);
        // Files to fetch, no modules to import.
        attw.args(["--exclude-entrypoints", "everfresh.wasm", "supported.js"]).args(without);
        capture(attw.arg("--").arg(&tarball), LIMIT)?;
    }
    println!("publint --strict: ok\nattw: ok");
    println!("{}: {} bytes, {} files", tarball.display(), packed.size, packed.files.len());
    Ok(())
}

/// The tarball that [`gates`] left.
pub(crate) fn tarball(workspace: &Workspace) -> Result<PathBuf> {
    let files = files_below(&workspace.target("pack"))?;
    let packed = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "tgz"));
    Ok(workspace.target("pack").join(packed.context("there is no tarball: cargo xtask pack")?))
}

/// Lays out what is packed: pkg/ without its workshop, and the files that npm shows.
fn stage_files(workspace: &Workspace, stage: &Path) -> Result<()> {
    for path in files_below(&workspace.join("pkg/dist"))? {
        let from = workspace.join("pkg/dist").join(&path);
        copy(&from, &stage.join("dist").join(&path))?;
    }
    copy(&workspace.join("pkg/package.json"), &stage.join("package.json"))?;
    for name in DOCUMENTS {
        copy(&workspace.join(name), &stage.join(name))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).with_context(|| format!("{} could not be packed", from.display()))?;
    Ok(())
}

/// What package.json names, both engines, and declarations for modules that exist.
fn expected(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let mut expected: BTreeSet<_> = DOCUMENTS.iter().map(|&name| name.to_owned()).collect();
    let engines = ["dist/everfresh_js.js", "dist/everfresh_js.cjs"];
    expected.extend(engines.map(str::to_owned));
    let manifest = fs::read_to_string(workspace.join("pkg/package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest).context("pkg/package.json")?;
    add_targets(&manifest["exports"], &mut expected);
    add_targets(&manifest["bin"], &mut expected);
    let sources = workspace.join("pkg/src");
    for path in files_below(&workspace.join("pkg/dist"))? {
        let path = path.to_string_lossy();
        let stem = path.strip_suffix(".d.ts").or_else(|| path.strip_suffix(".d.cts"));
        if stem.is_some_and(|stem| sources.join(format!("{stem}.ts")).exists()) {
            expected.insert(format!("dist/{path}"));
        }
    }
    Ok(expected)
}

/// The files that the conditions of an export lead to.
fn add_targets(export: &Value, found: &mut BTreeSet<String>) {
    match export {
        Value::Object(conditions) => conditions.values().for_each(|it| add_targets(it, found)),
        Value::String(path) => drop(found.insert(path.trim_start_matches("./").to_owned())),
        _ => {}
    }
}

fn compare(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<()> {
    let missing = expected.difference(found).map(|path| format!("{path} is missing"));
    let surplus = found.difference(expected).map(|path| format!("{path} does not belong"));
    let complaints = missing.chain(surplus).collect::<Vec<_>>();
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("the tarball holds the wrong files: {}", complaints.join("; "))
}

/// Every file below a directory, relative to it.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let path = directory.join(&below);
        let listing =
            fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in listing {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}

/// The parts that we read of what `npm pack --json` prints.
#[derive(Debug, Deserialize)]
struct Packed {
    filename: String,
    size: u64,
    files: Vec<PackedFile>,
}

#[derive(Debug, Deserialize)]
struct PackedFile {
    path: String,
}

/// What they adapt to cannot be required either; the development server is a program.
const MODULES_ONLY: &[&str] = &["angular", "dev-server", "ky", "svelte"];
const DOCUMENTS: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "README.md"];
const LIMIT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_files_are_named() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert!(compare(&set(&["a", "b"]), &set(&["a", "b"])).is_ok());
        let error = compare(&set(&["a", "b"]), &set(&["b", "c"])).unwrap_err().to_string();
        assert!(error.ends_with("a is missing; c does not belong"), "{error}");
    }

    #[test]
    fn every_condition_leads_to_a_file() {
        let exports = serde_json::json!({ ".": { "x": { "y": "./a.js" }, "default": "./b.js" } });
        let mut found = BTreeSet::new();
        add_targets(&exports, &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a.js", "b.js"]);
    }
}
