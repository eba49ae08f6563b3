//! The crates as they would be published.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::{capture, check};
use crate::workspace::Workspace;

/// Packs them, and looks at what is in the one that lies at the root, beside everything else.
pub(crate) fn pack(workspace: &Workspace) -> Result<()> {
    let mut list = workspace.cargo(&["package", "--list", "--allow-dirty"]);
    let listed = capture(list.args(["--package", "everfresh"]), LIMIT)?;
    let surplus: Vec<_> = listed.lines().filter(|path| !belongs(path)).collect();
    ensure!(surplus.is_empty(), "the crate holds what does not belong: {}", surplus.join("; "));
    let mut package = workspace.cargo(&["package", "--no-verify", "--allow-dirty", "--offline"]);
    check(package.args(["--package", "everfresh", "--package", "everfresh-server"]), LIMIT)
}

fn belongs(path: &str) -> bool {
    path.starts_with("src/") || !path.contains('/')
}

const LIMIT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_npm_do_not_belong() {
        assert!(belongs("src/core/mod.rs"));
        assert!(belongs("README.md"));
        assert!(!belongs("node_modules/vue/README.md"));
    }
}
