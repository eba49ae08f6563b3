//! `cargo xtask fetch-suite`: the tests of GitHub's fetch polyfill, through a session, in each engine.
//!
//! Its npm package has no tests, but Debian keeps the source. That comes from the Debian mirror that
//! the machine uses, verified by apt, in a place of its own below target/. So it is a command, and no
//! step of the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{capture, check};
use crate::setup::{self, BROWSERS};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let suite = suite(workspace)?;
    let folder = workspace.join("tests/fetch-suite");
    setup::npm_packages(&folder).context("the packages of tests/fetch-suite are missing")?;
    for browser in &BROWSERS {
        let program = setup::browser(browser)?;
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=spec", "githubs-fetch-suite.test.mjs"]);
        node.env("FETCH_SUITE", suite.join("test")).env("E2E_ENGINE", browser.engine);
        check(node.env(browser.variable, program).current_dir(&folder), LIMIT)?;
    }
    Ok(())
}

/// The source of the suite, unpacked.
fn suite(workspace: &Workspace) -> Result<PathBuf> {
    let place = workspace.target("fetch-suite");
    let unpacked = place.join("source");
    if unpacked.join("test/test.js").exists() {
        return Ok(unpacked);
    }
    for folder in ["state/lists/partial", "cache/archives/partial", "source"] {
        fs::create_dir_all(place.join(folder))?;
    }
    let list = place.join("sources.list");
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", SOURCES, "Created-By: Packages", "Component: main"]);
    fs::write(&list, capture(&mut targets, LIMIT).context("there is no apt-get")?)?;
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        for (option, path) in [
            ("Dir::Etc::sourcelist", &list),
            ("Dir::State", &place.join("state")),
            ("Dir::Cache", &place.join("cache")),
        ] {
            apt.arg("-o").arg(format!("{option}={}", path.display()));
        }
        apt.args(["-o", "Dir::Etc::sourceparts=-"]).args(arguments).current_dir(&place);
        check(&mut apt, LIMIT).context("Debian's source of the suite could not be had")
    };
    apt(&["update"])?;
    apt(&["source", "--tar-only", "node-whatwg-fetch"])?;
    let mut find = Command::new("find");
    find.arg(&place).args(["-maxdepth", "1", "-name", "node-whatwg-fetch_*.orig.tar.gz"]);
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(capture(&mut find, LIMIT)?.trim());
    check(tar.arg("-C").arg(&unpacked).arg("--strip-components=1"), LIMIT)?;
    Ok(unpacked)
}

/// The sources of what the machine's own lists have as packages.
const SOURCES: &str = "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)";
const LIMIT: Duration = Duration::from_secs(600);
