//! The tarball in the examples, in bundlers, runtimes and test runners, as a user installs it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::pack;
use crate::process::check;
use crate::setup;
use crate::workspace::Workspace;

/// Installs the packages of each example and of each group of tests/packaging, and the tarball
/// beside them, below target/; returns where.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf> {
    let tarball = pack::tarball(workspace)?;
    let installed = workspace.target("packaging");
    for group in GROUPS {
        let home = workspace.join(group);
        let folder = installed.join(home.file_name().context("a group is a folder")?);
        fs::create_dir_all(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            let from = home.join(name);
            let text = fs::read_to_string(&from).with_context(|| from.display().to_string())?;
            // The tarball as seen from there.
            fs::write(folder.join(name), text.replace("../../target/pack/", "../../pack/"))?;
        }
        setup::npm_packages(&folder).with_context(|| format!("packages of {group} are missing"))?;
        let ours = folder.join("node_modules/everfresh");
        // Tools do not look whether a package has changed that keeps its version.
        for old in CACHES.iter().map(|cache| folder.join(cache)).chain([ours.clone()]) {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        // What npm does with a tarball that needs nothing else, without asking what it needs.
        fs::create_dir_all(&ours)?;
        let mut tar = workspace.command("tar");
        tar.arg("-xzf").arg(&tarball).arg("-C").arg(&ours).arg("--strip-components=1");
        check(&mut tar, LIMIT)?;
    }
    Ok(installed)
}

const GROUPS: &[&str] = &[
    "examples/angular",
    "examples/next",
    "examples/node",
    "examples/script",
    "examples/svelte",
    "examples/vite-react",
    "examples/vue",
    "tests/packaging/bundlers",
    "tests/packaging/runners",
    "tests/packaging/runtimes",
];
const CACHES: &[&str] = &[".parcel-cache", "node_modules/.cache", "node_modules/.vite"];
const LIMIT: Duration = Duration::from_secs(60);
