//! What no file of the repository may hold, whoever wrote it.

use std::env;
use std::fs;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cycles;
use crate::process::capture;
use crate::workspace::Workspace;

/// Looks at every file that is tracked or about to be.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = capture(&mut git, Duration::from_secs(60))?;
    let places = places(workspace);
    let (mut complaints, mut sources) = (Vec::new(), Vec::new());
    for path in listing.split_terminator('\0') {
        // A file that is deleted but not yet committed, or not text, has nothing to look at.
        if let Ok(text) = fs::read_to_string(workspace.join(path)) {
            complaints.extend(judge(path, &text, &places));
            sources.push((path.to_owned(), text));
        }
    }
    for folder in ["src", "server/src"] {
        complaints.extend(cycles::complaints(folder, &sources));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{} things to put right:\n  {}", complaints.len(), complaints.join("\n  "))
}

/// Directories of this machine that nobody else has.
fn places(workspace: &Workspace) -> Vec<String> {
    let mut places = vec![workspace.root().display().to_string()];
    places.extend(HOMES.iter().map(|&home| home.to_owned()));
    let home = env::var("HOME").unwrap_or_default();
    if home.len() > 1 {
        places.push(format!("{home}/"));
    }
    places
}

fn judge(path: &str, text: &str, places: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    if VAGUE_NAMES.contains(&stem) {
        complaints.push(format!("{path}: the name does not say what is inside"));
    }
    if name == "package-lock.json" && text.contains(r#""resolved": "http"#) {
        complaints.push(format!("{path}: names a registry's host; see .npmrc, then npm install"));
    }
    if LONG_BY_NATURE.contains(&name) {
        return complaints;
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        complaints.push(format!("{path}: {lines} lines, more than {MOST_LINES}: split it"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(marker) = MARKERS.iter().find(|marker| line.contains(**marker)) {
            complaints.push(format!("{path}:{number}: {marker}: do it or file it"));
        }
        if places.iter().any(|place| line.contains(place)) {
            complaints.push(format!("{path}:{number}: a path of one machine"));
        }
    }
    complaints
}

const MOST_LINES: usize = 600;
const LONG_BY_NATURE: &[&str] = &["Cargo.lock", "package-lock.json"];
const VAGUE_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];
// In two parts, so that this file does not hold them.
const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const HOMES: &[&str] = &[concat!("/ho", "me/"), concat!("/Us", "ers/")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_file_passes() {
        assert_eq!(look("src/token.rs", "//! Tokens.\n"), Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let marker = MARKERS[0];
        let text = format!("fine\n// {marker} later\nsee /srv/checkout/notes\n");
        assert_eq!(
            look("src/token.rs", &text),
            [
                format!("src/token.rs:2: {marker}: do it or file it"),
                "src/token.rs:3: a path of one machine".to_owned(),
            ]
        );
    }

    #[test]
    fn long_files_and_vague_names_are_refused() {
        assert!(look("src/a.rs", &"\n".repeat(601))[0].contains("601 lines"));
        assert!(look("src/utils.rs", "")[0].contains("name"));
        assert!(look("Cargo.lock", &"\n".repeat(6_000)).is_empty());
    }

    #[test]
    fn a_lock_with_addresses_is_refused() {
        let lock = r#""resolved": "https://npm.example/a.tgz""#;
        assert!(look("package-lock.json", lock)[0].contains("host"));
        assert!(look("package-lock.json", r#""resolved": "pkg""#).is_empty());
    }

    fn look(path: &str, text: &str) -> Vec<String> {
        judge(path, text, &["/srv/checkout".to_owned()])
    }
}
