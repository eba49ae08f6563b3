//! `cargo xtask mutations`: whether the virtual worlds notice what is wrong with the machine or the
//! engine around it.
//!
//! The tree is copied, all faults are put into the copy, each behind a switch, and with one switch
//! after the other worlds are run until one breaks a promise. A fault that no world notices means
//! that a promise or a plan is missing.

mod faults;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::faults::FAULTS;
use crate::process::{capture, check};
use crate::workspace::Workspace;

/// Tries every fault, or those whose name holds `only`.
pub(crate) fn run(workspace: &Workspace, worlds: u64, only: Option<&str>) -> Result<()> {
    let sim = build(workspace)?;
    let (after, promise) = judge(&sim, 0, worlds)?;
    ensure!(promise == NOTHING, "without any fault world {after} broke a promise: {promise}");
    println!("| fault | noticed as | first by world |\n|---|---|---:|");
    let mut survivors = 0;
    for (number, fault) in (1..).zip(FAULTS) {
        if only.is_none_or(|part| fault.name.contains(part)) {
            let (after, promise) = judge(&sim, number, worlds)?;
            survivors += u32::from(promise == NOTHING);
            println!("| {} | {promise} | {after} |", fault.name);
        }
    }
    ensure!(survivors == 0, "{survivors} faults went unnoticed in {worlds} worlds");
    Ok(())
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

/// Puts all faults into the copy, each behind its switch.
fn spoil(tree: &Path) -> Result<()> {
    let mut files = BTreeMap::<&str, String>::new();
    for (number, fault) in (1..).zip(FAULTS) {
        let path = tree.join(SOURCE).join(fault.file);
        if !files.contains_key(fault.file) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.insert(fault.file, text);
        }
        let text = files.entry(fault.file).or_default();
        let count = text.matches(fault.from).count();
        ensure!(
            count == 1,
            "`{}`: its place was found {count} times in {}: xtask/src/mutations/faults.rs has to \
             follow the code",
            fault.name,
            fault.file
        );
        let switch = format!("crate::core::is_faulty({number}_u32)");
        *text = text.replace(fault.from, &fault.to.replace("FAULT", &switch));
    }
    let root = tree.join(SOURCE).join("core/mod.rs");
    fs::write(&root, fs::read_to_string(&root)? + SWITCH)?;
    for (file, text) in files {
        fs::write(tree.join(SOURCE).join(file), text)?;
    }
    Ok(())
}

/// The first world in which a promise broke, and the promise.
fn judge(sim: &Path, fault: u32, worlds: u64) -> Result<(String, String)> {
    let mut hunt = Command::new(sim);
    hunt.args(["hunt", "--worlds", &worlds.to_string()]).env(VARIABLE, fault.to_string());
    // A world that never ends is as good as one that breaks a promise.
    let Ok(output) = capture(&mut hunt, HUNT) else {
        return Ok(("-".to_owned(), "no end, or a panic".to_owned()));
    };
    let line = output.lines().last().unwrap_or_default();
    let (after, promise) = line.split_once(": ").context("the hunt said nothing")?;
    Ok((after.to_owned(), promise.to_owned()))
}

/// The worlds with all faults in them.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["build", "--release", "--package", "everfresh-sim", "-q"])
        .map(|target| target.join("release/everfresh-sim"))
}

/// Runs cargo in a copy of the tree that has all faults in it. Returns where cargo builds.
fn compile(workspace: &Workspace, cargo: &[&str]) -> Result<PathBuf> {
    let tree = workspace.target("mutations");
    copy(workspace, &tree)?;
    spoil(&tree)?;
    // To cargo the two trees are one package: in one directory the worlds of the checkout would be
    // built from the copy.
    let target = tree.join("target");
    let mut cargo = workspace.cargo(cargo);
    cargo.current_dir(&tree).env("CARGO_TARGET_DIR", &target);
    check(&mut cargo, BUILD)?;
    Ok(target)
}

const SOURCE: &str = "src";
const NOTHING: &str = "nothing";
const VARIABLE: &str = "EVERFRESH_FAULT";
const SWITCH: &str = r#"
pub(crate) fn is_faulty(fault: u32) -> bool {
    static FAULT: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        std::env::var("EVERFRESH_FAULT").ok().and_then(|it| it.parse().ok()).unwrap_or(0)
    });
    *FAULT == fault
}
"#;
const BUILD: Duration = Duration::from_secs(1_800);
const HUNT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_place() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SOURCE);
        for fault in FAULTS {
            let text = fs::read_to_string(source.join(fault.file)).unwrap();
            assert_eq!(text.matches(fault.from).count(), 1, "{}", fault.name);
            assert!(fault.to.contains("FAULT"), "{}", fault.name);
        }
    }

    #[test]
    fn with_every_fault_in_it_the_crate_compiles() {
        let workspace = Workspace::find().unwrap();
        compile(&workspace, &["check", "--package", "everfresh", "--lib", "-q"]).unwrap();
    }
}
