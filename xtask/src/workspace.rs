//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout that the command works on.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The checkout that this program was started from, by cargo's own word.
    pub(crate) fn find() -> Result<Self> {
        let xtask = env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: start this program as `cargo xtask`")?;
        let root =
            Path::new(&xtask).parent().context("xtask/ has no parent directory")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => root.join(directory),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A path below cargo's target directory.
    pub(crate) fn target(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// A command that runs at the root of the checkout.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        // What cargo told this program of itself makes some build scripts run anew.
        for (name, _) in env::vars_os() {
            let said = name.to_string_lossy();
            if said.starts_with("CARGO_PKG_") || said.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command.args(arguments);
        command
    }

    /// A tool of the root package.json's devDependencies.
    pub(crate) fn npm_tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.join("node_modules/.bin").join(name));
        command.current_dir(&self.root);
        command
    }
}
