//! Counts the instructions of each input with callgrind and holds them against the budget.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand};
use everfresh_bench_core::{BUDGET, Budget, CASES, Tab};
use everfresh_bench_fleet::report::replace_section;
use serde_json::json;

/// Instructions per input.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Has one input happen many times, for callgrind to count.
    Repeat {
        /// Which: its place in the list.
        case: usize,
        /// How often.
        times: u32,
    },
    /// Counts all of them.
    Measure {
        /// Writes the figures to this file.
        #[arg(long)]
        json: PathBuf,
        /// Also writes the table below this folder of documentation.
        #[arg(long)]
        docs: Option<PathBuf>,
    },
}

/// What happens before the first input counts in both runs and falls out of the difference.
const WARM: u32 = 100;
const TIMES: u32 = 1_000;

fn main() -> Result<()> {
    match Arguments::parse().command {
        Action::Repeat { case, times } => {
            let case = CASES.get(case).context("there is no such input")?;
            let tab = Tab::signed_in(1);
            (0..times).for_each(|_| (case.happen)(&tab));
            Ok(())
        }
        Action::Measure { json, docs } => measure(&json, docs),
    }
}

fn measure(json: &PathBuf, docs: Option<PathBuf>) -> Result<()> {
    let budgets: Vec<Budget> = serde_json::from_str(BUDGET).context("bench/core/budget.json")?;
    let mut table =
        String::from("| input | instructions | at most | allocations |\n|---|---:|---:|---:|\n");
    let (mut figures, mut over) = (Vec::new(), Vec::new());
    for (at, case) in CASES.iter().enumerate() {
        let budget = budgets.iter().find(|budget| budget.input == case.name);
        let budget = budget.with_context(|| format!("no budget for \"{}\"", case.name))?;
        let counted = (count(at, WARM + TIMES)? - count(at, WARM)?) / u64::from(TIMES);
        let Budget { instructions, allocations, .. } = budget;
        table += &format!("| {} | {counted} | {instructions} | {allocations} |\n", case.name);
        figures.push(json!({ "input": case.name, "instructions": counted, "limit": instructions }));
        if counted > *instructions {
            over.push(case.name);
        }
    }
    println!("{table}");
    if let Some(folder) = json.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(json, serde_json::to_string_pretty(&json!({ "part": "core", "rows": figures }))?)?;
    if let Some(docs) = docs {
        let page = docs.join("benchmarks.md");
        let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
        fs::write(&page, replace_section(&text, "core", &table))?;
    }
    ensure!(over.is_empty(), "over the budget of bench/core/budget.json: {}", over.join(", "));
    Ok(())
}

/// How many instructions a run takes that has one input happen so often.
fn count(case: usize, times: u32) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(env::current_exe()?);
    valgrind.args(["repeat", &case.to_string(), &times.to_string()]);
    let output = valgrind.output().context(
        "instructions are counted by valgrind, which is not there: install Debian's package \
         `valgrind`, or the one of that name elsewhere",
    )?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind failed: {said}");
    }
    let collected =
        said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.context("valgrind says nothing of instructions")
}
