//! cargo-deny: licences, duplicate and banned crates, sources. Rules are in deny.toml.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::check;
use crate::tool::Tool;
use crate::workspace::Workspace;

/// Whether the tool is here already; building it takes minutes.
pub(crate) fn installed() -> bool {
    DENY.find().is_some()
}

/// Checks every dependency, building the tool first where it is missing.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut deny = Command::new(DENY.ready(workspace)?);
    deny.current_dir(workspace.root()).args(["--log-level", "error"]);
    check(deny.args(["check", "licenses", "bans", "sources"]), LIMIT)
}

const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
const LIMIT: Duration = Duration::from_secs(120);
