//! The tarball in bundlers, frameworks, runtimes and test runners, as a user installs it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::pack;
use crate::process::check;
use crate::setup;
use crate::workspace::Workspace;

/// Installs the packages of each group of tests/packaging, and the tarball beside them, below
/// target/; returns where.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf> {
    let tarball = pack::tarball(workspace)?;
    let installed = workspace.target("packaging");
    for group in GROUPS {
        let folder = installed.join(group);
        fs::create_dir_all(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            let from = workspace.join("tests/packaging").join(group).join(name);
            fs::copy(&from, folder.join(name)).with_context(|| from.display().to_string())?;
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

const GROUPS: &[&str] = &["bundlers", "next", "runners", "runtimes"];
const CACHES: &[&str] = &[".parcel-cache", "node_modules/.cache", "node_modules/.vite"];
const LIMIT: Duration = Duration::from_secs(60);
