//! Bytes of every artefact, against pkg/budget.json.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::capture;
use crate::workspace::Workspace;
use crate::{examples, package, why};

/// `cargo xtask size`.
pub(crate) fn run(workspace: &Workspace, why: bool) -> Result<()> {
    package::build(workspace)?;
    if why {
        why::print(workspace)?;
    }
    check(workspace)?;
    examples::weigh(workspace)
}

/// Holds the built package against its budgets.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sizes = measure(workspace)?;
    let text = fs::read_to_string(workspace.join("pkg/budget.json"))
        .context("pkg/budget.json could not be read")?;
    let file: BudgetFile = serde_json::from_str(&text).context("pkg/budget.json is not valid")?;
    println!();
    let mut complaints = Vec::new();
    for budget in &file.budgets {
        match budget.judge(&sizes) {
            Ok(total) => println!("{}: {total} of {} bytes brotli", budget.name, budget.limit),
            Err(complaint) => complaints.push(complaint),
        }
    }
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("over the size budget (`cargo xtask size --why` helps)\n  {}", complaints.join("\n  "))
}

/// The sizes of the files of pkg/dist, by name.
pub(crate) type Sizes = BTreeMap<String, Size>;

/// One file's bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Size {
    pub(crate) const fn brotli(&self) -> u64 {
        self.brotli
    }
}

pub(crate) fn measure(workspace: &Workspace) -> Result<Sizes> {
    measure_below(workspace, &workspace.join("pkg/dist"))
}

/// The sizes of the files of a directory, by name.
pub(crate) fn measure_below(workspace: &Workspace, directory: &Path) -> Result<Sizes> {
    let mut node = workspace.command("node");
    let printed =
        capture(node.arg("pkg/tools/sizes.mjs").arg(directory), Duration::from_secs(120))?;
    serde_json::from_str(&printed).context("pkg/tools/sizes.mjs did not print sizes")
}

pub(crate) fn print(sizes: &Sizes) {
    println!("\n{:<20} {:>9} {:>9} {:>9}", "pkg/dist", "raw", "gzip", "brotli");
    for (name, Size { raw, gzip, brotli }) in sizes {
        println!("{name:<20} {raw:>9} {gzip:>9} {brotli:>9}");
    }
}

#[derive(Debug, Deserialize)]
struct BudgetFile {
    budgets: Vec<Budget>,
}

/// What some files may weigh together after brotli, and each one's share of it.
#[derive(Debug, Deserialize)]
struct Budget {
    name: String,
    limit: u64,
    files: BTreeMap<String, u64>,
}

impl Budget {
    /// The total, or what is wrong with it and which files grew.
    fn judge(&self, sizes: &Sizes) -> Result<u64, String> {
        let mut total = 0;
        let mut grown = Vec::new();
        for (name, share) in &self.files {
            let Some(size) = sizes.get(name) else {
                return Err(format!("{}: {name} was not built", self.name));
            };
            total += size.brotli;
            if size.brotli > *share {
                let more = size.brotli - share;
                grown.push(format!("{name} has {}, {more} over its share of {share}", size.brotli));
            }
        }
        if total <= self.limit {
            return Ok(total);
        }
        let (name, limit, over) = (&self.name, self.limit, total - self.limit);
        Err(format!("{name}: {total} bytes brotli, {over} over {limit}: {}", grown.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_within_the_limit_passes_even_when_one_share_is_exceeded() {
        assert_eq!(budget().judge(&sizes(21, 9)), Ok(30));
    }

    #[test]
    fn a_total_over_the_limit_names_what_grew() {
        let complaint = budget().judge(&sizes(20, 11)).unwrap_err();
        assert_eq!(
            complaint,
            "entry: 31 bytes brotli, 1 over 30: a.js has 11, 1 over its share of 10"
        );
    }

    #[test]
    fn a_missing_file_is_over_any_budget() {
        let complaint = budget().judge(&Sizes::new()).unwrap_err();
        assert_eq!(complaint, "entry: a.js was not built");
    }

    #[test]
    fn sizes_are_read_as_they_are_printed() {
        let read: Sizes = serde_json::from_str(r#"{"a.js":[3,2,1]}"#).unwrap();
        assert_eq!(read["a.js"], Size { raw: 3, gzip: 2, brotli: 1 });
    }

    fn budget() -> Budget {
        let files = [("a.js".to_owned(), 10), ("a.wasm".to_owned(), 20)].into();
        Budget { name: "entry".to_owned(), limit: 30, files }
    }

    fn sizes(wasm: u64, js: u64) -> Sizes {
        let size = |brotli| Size { raw: brotli, gzip: brotli, brotli };
        [("a.wasm".to_owned(), size(wasm)), ("a.js".to_owned(), size(js))].into()
    }
}
