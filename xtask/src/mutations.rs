//! `cargo xtask mutations`: whether the virtual worlds notice what is wrong with a machine.
//!
//! The tree is copied, each fault is put into the copy in turn, and worlds are run until one breaks
//! a promise. A fault that no world notices means that a promise or a plan is missing.

mod faults;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::faults::{FAULTS, Fault};
use crate::process::{capture, check};
use crate::workspace::Workspace;

/// Tries every fault, or those whose name holds `only`.
pub(crate) fn run(workspace: &Workspace, worlds: u64, only: Option<&str>) -> Result<()> {
    let tree = workspace.target("mutations");
    copy(workspace, &tree)?;
    let chosen = || FAULTS.iter().filter(|fault| only.is_none_or(|part| fault.name.contains(part)));
    for fault in chosen() {
        fault.apply(&tree)?;
    }
    println!("| fault | noticed as | worlds |\n|---|---|---:|");
    let mut survivors = 0;
    for fault in chosen() {
        let file = tree.join(CORE).join(fault.file);
        let sound = fs::read_to_string(&file)?;
        fs::write(&file, fault.apply(&tree)?)?;
        let verdict = judge(workspace, &tree, worlds);
        fs::write(&file, sound)?;
        let (promise, after) = verdict.with_context(|| fault.name)?;
        survivors += u32::from(promise == SURVIVED);
        println!("| {} | {promise} | {after} |", fault.name);
    }
    ensure!(survivors == 0, "{survivors} faults went unnoticed");
    Ok(())
}

impl Fault {
    /// The file's text with the fault in it.
    fn apply(&self, tree: &Path) -> Result<String> {
        let path = tree.join(CORE).join(self.file);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let count = text.matches(self.from).count();
        ensure!(
            count == 1,
            "`{}`: its place was found {count} times in {}: xtask/src/mutations/faults.rs has to \
             follow the machine",
            self.name,
            self.file
        );
        Ok(text.replace(self.from, self.to))
    }
}

/// Copies every tracked file; unchanged ones keep their age, so that little is built anew.
fn copy(workspace: &Workspace, tree: &Path) -> Result<()> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for name in capture(&mut git, Duration::from_secs(60))?.split_terminator('\0') {
        let (from, to) = (workspace.join(name), tree.join(name));
        let Ok(content) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|there| there == content) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(tree))?;
        fs::write(&to, content).with_context(|| to.display().to_string())?;
    }
    Ok(())
}

/// The promise that broke, and after how many worlds.
fn judge(workspace: &Workspace, tree: &Path, worlds: u64) -> Result<(String, String)> {
    let sim = build(workspace, tree)?;
    let mut hunt = Command::new(sim);
    hunt.args(["hunt", "--worlds", &worlds.to_string()]);
    // A world that hangs is as good as one that breaks a promise.
    let Ok(output) = capture(&mut hunt, HUNT) else {
        return Ok(("no end, or a panic".to_owned(), "-".to_owned()));
    };
    let line = output.lines().last().unwrap_or_default();
    let (after, promise) = line.split_once(": ").context("the hunt said nothing")?;
    Ok((promise.to_owned(), after.to_owned()))
}

fn build(workspace: &Workspace, tree: &Path) -> Result<PathBuf> {
    // What both trees depend on is compiled once.
    let target = workspace.target("");
    let mut cargo = workspace.cargo(&["build", "--release", "--package", "everfresh-sim", "-q"]);
    cargo.current_dir(tree).env("CARGO_TARGET_DIR", &target);
    check(&mut cargo, BUILD)?;
    Ok(target.join("release/everfresh-sim"))
}

const CORE: &str = "src/core";
const SURVIVED: &str = "nothing";
const BUILD: Duration = Duration::from_secs(1_800);
const HUNT: Duration = Duration::from_secs(600);
