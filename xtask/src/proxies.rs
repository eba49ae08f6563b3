//! nginx and Caddy for the test of `server/examples/deploy`: the machine's, or Debian's, unpacked below
//! target/ and not installed, since installing them starts a server on port 80.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::{capture, check};
use crate::workspace::Workspace;

/// The variable that names the program to the test, the program, its option that tells the version,
/// and where Debian's package has it.
const PROXIES: [(&str, &str, &str, &str); 2] =
    [("NGINX", "nginx", "-v", "usr/sbin/nginx"), ("CADDY", "caddy", "version", "usr/bin/caddy")];

/// The variables to set for the tests of the server.
pub(crate) fn found(workspace: &Workspace) -> Result<Vec<(&'static str, PathBuf)>> {
    PROXIES
        .into_iter()
        .map(|(variable, name, version, path)| {
            if capture(Command::new(name).arg(version), SHORT).is_ok() {
                return Ok((variable, name.into()));
            }
            let folder = workspace.target("proxies");
            let program = folder.join(path);
            if !program.exists() {
                unpack(name, &folder).with_context(|| {
                    format!(
                        "the tests of the server need {name}; elsewhere than on Debian install it \
                         yourself and put it on the PATH"
                    )
                })?;
            }
            ensure!(program.exists(), "Debian's package {name} has no {path}");
            Ok((variable, program))
        })
        .collect()
}

fn unpack(package: &str, folder: &PathBuf) -> Result<()> {
    fs::create_dir_all(folder)?;
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.args(["download", package]).current_dir(folder);
        check(&mut apt, LONG)
    };
    if download().is_err() {
        let mut apt = Command::new("apt-get");
        check(apt.args(["-o", "DPkg::Lock::Timeout=600", "update"]), LONG)?;
        download()?;
    }
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            check(Command::new("dpkg").arg("-x").arg(&file).arg(folder), LONG)?;
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(900);
