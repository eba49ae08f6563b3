//! What a fresh machine lacks: the wasm target, the npm tools, browsers, a Redis, a Postgres,
//! schemathesis.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{capture, check};
use crate::workspace::Workspace;

/// What building the package needs: the wasm target and the npm tools.
pub(crate) fn for_package(workspace: &Workspace) -> Result<()> {
    wasm_target(workspace)?;
    npm_tools(workspace)
}

/// The packages that the benchmarks compare with.
pub(crate) fn peers(workspace: &Workspace) -> Result<()> {
    npm_packages(&workspace.join("bench/peers")).context("the other packages are missing")
}

/// A browser to test with.
pub(crate) struct Browser {
    /// As `E2E_ENGINE` has it.
    pub(crate) engine: &'static str,
    /// Names another program than Debian's.
    pub(crate) variable: &'static str,
    debian: &'static str,
    packages: &'static [&'static str],
}

/// All that the tests run in.
pub(crate) const BROWSERS: [Browser; 3] = [
    Browser {
        engine: "chromium",
        variable: "E2E_CHROMIUM",
        debian: "/usr/bin/chromium",
        packages: &["chromium"],
    },
    Browser {
        engine: "firefox",
        variable: "E2E_FIREFOX",
        debian: "/usr/bin/firefox-esr",
        packages: &["firefox-esr"],
    },
    Browser {
        engine: "webkit",
        variable: "E2E_WEBKIT",
        debian: "/usr/bin/WebKitWebDriver",
        packages: &["webkit2gtk-driver", "xvfb"],
    },
];

/// The browser's program, or the driver's that starts it; Debian's is installed when it can be.
pub(crate) fn browser(browser: &Browser) -> Result<PathBuf> {
    let Browser { variable, debian, packages, .. } = browser;
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        if path.exists() {
            return Ok(path);
        }
        bail!("{variable} names {}, which does not exist", path.display());
    }
    if !Path::new(debian).exists() {
        apt_install(packages).with_context(|| {
            format!(
                "the browser tests need {}; elsewhere than on Debian install that yourself and \
                 set {variable} to the path of what is {debian} there",
                packages.join(" and ")
            )
        })?;
    }
    Ok(PathBuf::from(debian))
}

/// A Redis for the tests of the server, installed when it can be. They start their own, each on a
/// port and in a folder of its own; a service that runs is left alone.
pub(crate) fn redis() -> Result<()> {
    let has = |tool: &str| capture(Command::new(tool).arg("--version"), SHORT).is_ok();
    if has("redis-server") && has("redis-cli") {
        return Ok(());
    }
    apt_install(&["redis-server"]).context(
        "the server's tests need redis-server and redis-cli; elsewhere than on Debian install \
         Redis or Valkey yourself and put both names on the PATH",
    )
}

/// A Postgres for the tests of the server, installed when it can be. They start their own, each on a
/// socket in a folder of its own; a service that runs is left alone. It refuses to run as root, who
/// therefore starts it as the user `postgres`.
pub(crate) fn postgres() -> Result<()> {
    let has = |tool: &Path| capture(Command::new(tool).arg("--version"), SHORT).is_ok();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = debian.map(|version| version.path().join("bin"));
    if has(Path::new("initdb")) || folders.any(|folder| has(&folder.join("initdb"))) {
        return Ok(());
    }
    apt_install(&["postgresql"]).context(
        "the server's tests need Postgres 13 or newer; elsewhere than on Debian install it \
         yourself and put initdb, postgres and psql on the PATH",
    )
}

/// What checks the unit in `server/examples/deploy`; no systemd has to run.
pub(crate) fn systemd() -> Result<()> {
    if capture(Command::new("systemd-analyze").arg("--version"), SHORT).is_ok() {
        return Ok(());
    }
    apt_install(&["systemd"]).context("the server's tests need systemd-analyze on the PATH")
}

/// The program that tests the server's OpenAPI description, in an environment of its own below
/// target/; Python itself is installed when it can be.
pub(crate) fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    let list = workspace.join("server/tests/openapi/requirements.txt");
    let wanted = fs::read_to_string(&list).context("requirements.txt could not be read")?;
    let venv = workspace.target("schemathesis");
    let (program, stamp) = (venv.join("bin/schemathesis"), venv.join("installed.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    let mut usable = Command::new("python3");
    usable.args(["-c", "import ensurepip, sys, venv; assert sys.version_info >= (3, 11)"]);
    if capture(&mut usable, SHORT).is_err() {
        apt_install(&["python3-venv"]).context(
            "the test of the OpenAPI description needs Python 3.11 or newer with its module venv; \
             elsewhere than on Debian install that yourself",
        )?;
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    check(&mut make, LONG).context("no Python environment could be made below target/")?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    check(pip.arg(&list), LONG).context("schemathesis could not be installed")?;
    fs::write(&stamp, wanted)?;
    Ok(program)
}

fn wasm_target(workspace: &Workspace) -> Result<()> {
    let mut list = workspace.command("rustup");
    list.args(["target", "list", "--installed"]);
    let installed = capture(&mut list, SHORT)
        .context("rustup is needed to get the wasm32 target: install it from https://rustup.rs")?;
    if installed.lines().any(|target| target == WASM_TARGET) {
        return Ok(());
    }
    let mut add = workspace.command("rustup");
    add.args(["target", "add", WASM_TARGET]);
    check(&mut add, LONG).context("the wasm32 target could not be added")
}

fn npm_tools(workspace: &Workspace) -> Result<()> {
    let version = capture(Command::new("node").arg("--version"), SHORT).with_context(|| {
        format!("Node.js was not found: install version {NODE} or newer, https://nodejs.org")
    })?;
    if major(&version).is_none_or(|found| found < NODE) {
        bail!(
            "Node.js {} is too old: install version {NODE} or newer, https://nodejs.org",
            version.trim()
        );
    }

    npm_packages(workspace.root()).context("the npm tools could not be installed")
}

/// Installs what the lock file in a folder names, unless that is there already.
pub(crate) fn npm_packages(folder: &Path) -> Result<()> {
    let lock = fs::read_to_string(folder.join("package-lock.json"))
        .context("package-lock.json could not be read")?;
    let stamp = folder.join("node_modules/.installed-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    check(&mut npm, LONG)?;
    fs::write(&stamp, lock).context("node_modules cannot be written to")
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    let remedy = format!("sudo apt-get update && sudo apt-get install --yes {names}");
    let user = capture(Command::new("id").arg("-u"), SHORT)?;
    if user.trim() != "0" {
        bail!("{names} is not installed, and only root may install it. Run: {remedy}");
    }
    for arguments in [&["update"][..], &[&["install", "--yes"], packages].concat()] {
        let mut apt = Command::new("apt-get");
        apt.args(["-o", "DPkg::Lock::Timeout=600"]).args(arguments);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        check(&mut apt, LONG).with_context(|| format!("try by hand: {remedy}"))?;
    }
    Ok(())
}

/// The 20 of `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
const NODE: u32 = 20;
const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(1_200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_node() {
        assert_eq!(major("v20.11.1\n"), Some(20));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("20.11.1"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn a_browser_that_is_not_there_is_named_with_its_variable() {
        let nowhere = Browser { variable: "CARGO_MANIFEST_DIR", ..BROWSERS[0] };
        assert!(browser(&nowhere).unwrap().exists(), "any path that is there is taken");
        let variables = BROWSERS.each_ref().map(|browser| browser.variable);
        assert_eq!(variables, ["E2E_CHROMIUM", "E2E_FIREFOX", "E2E_WEBKIT"]);
    }
}
