//! Every test that the tables of some pages name must be there, so that they cannot lie.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process::capture;
use crate::workspace::Workspace;

const PAGES: &[&str] = &["docs/scenarios.md", "docs/evidence.md"];

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = capture(&mut git, Duration::from_secs(60))?;
    let mut missing = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(workspace.join(page)).context(*page)?;
        let named = named(&text);
        ensure!(!named.is_empty(), "{page} names no test");
        for (file, test) in named {
            let is_it = |path: &&str| path.ends_with(&format!("/{file}"));
            let there = listing.split_terminator('\0').filter(is_it).any(|path| {
                fs::read_to_string(workspace.join(path)).is_ok_and(|text| holds(&text, file, test))
            });
            if !there {
                missing.push(format!("{page}: {file}: {test}"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("tests are named that are not there:\n  {}", missing.join("\n  "))
}

/// What stands between backticks and reads like `file: test`.
fn named(text: &str) -> Vec<(&str, &str)> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter_map(|words| words.split_once(": "))
        .filter(|(file, _)| file.ends_with(".rs") || file.ends_with(".mjs"))
        .collect()
}

fn holds(text: &str, file: &str, test: &str) -> bool {
    if file.ends_with(".rs") {
        return text.contains(&format!("fn {test}("));
    }
    // A title of JavaScript may be a constant, and may go on with the case that it is about.
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    text.contains("test(") && lines.any(|line| line.contains(test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_here_is_there() {
        let workspace = Workspace::find().expect("tests run inside the workspace");
        check(&workspace).expect("every test that is named");
    }

    #[test]
    fn tests_are_found_in_rows_and_nowhere_else() {
        let text = "`a.rs: b`\n| x | `option: y` | `a.rs: b_c`, `d.test.mjs: e: f` |\n";
        assert_eq!(named(text), [("a.rs", "b_c"), ("d.test.mjs", "e: f")]);
    }

    #[test]
    fn a_name_must_be_that_of_a_test() {
        assert!(holds("#[test]\nfn it_works() {}", "a.rs", "it_works"));
        assert!(!holds("#[test]\nfn it_works_well() {}", "a.rs", "it_works"));
        assert!(holds("test(\"it works\", () => {", "a.test.mjs", "it works"));
        assert!(!holds("// it works\ntest(\"no\")", "a.test.mjs", "it works"));
    }
}
