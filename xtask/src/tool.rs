//! Programs of cargo's that the commands need, in exactly one version, built where it is missing.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{capture, check};
use crate::workspace::Workspace;

/// A program that `cargo install` makes.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Tool {
    /// Where it is, built first if need be. Unoptimised: that halves the build.
    pub(crate) fn ready(&self, workspace: &Workspace) -> Result<PathBuf> {
        if let Some(found) = self.find() {
            return Ok(found);
        }
        let (name, version, home) = (self.name, self.version, self.home());
        let mut cargo = workspace.cargo(&["install", name, "--version", version, "--locked"]);
        cargo.args(["--debug", "--quiet", "--root"]).arg(&home);
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo.env("CARGO_TARGET_DIR", home.join("build"));
        println!("building {name} {version} into {}, once for all checkouts", home.display());
        check(&mut cargo, LIMIT).with_context(|| format!("{name} could not be installed"))?;
        fs::remove_dir_all(home.join("build")).ok();
        Ok(home.join("bin").join(name))
    }

    /// The cached program, or the user's own of the same version.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        [self.home().join("bin").join(self.name), PathBuf::from(self.name)].into_iter().find(
            |tool| {
                capture(Command::new(tool).arg("--version"), LIMIT).is_ok_and(|printed| {
                    printed.trim() == format!("{} {}", self.name, self.version)
                })
            },
        )
    }

    /// Outside of target/, so that a fresh clone finds it too.
    fn home(&self) -> PathBuf {
        let cache = match env::var_os("XDG_CACHE_HOME") {
            Some(cache) => PathBuf::from(cache),
            None => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
        };
        cache.join("everfresh").join(format!("{}-{}", self.name, self.version))
    }
}

const LIMIT: Duration = Duration::from_secs(1_800);
