//! Simulates fleets and prints what they load a token service with.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use clap::Parser;
use everfresh_bench_fleet::{
    fleet::{self, Kind},
    peers::PEERS,
    plot,
    report::{Report, replace_section},
    scenario::SCENARIOS,
};

/// Fleets of clients in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many clients each fleet has.
    #[arg(long, default_value_t = 1_000_000)]
    clients: u64,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the figures to this file.
    #[arg(long)]
    json: PathBuf,
    /// Also writes the table and the plot below this folder of documentation.
    #[arg(long)]
    docs: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    let engines = [300, 3_600].map(Kind::Engine);
    let kinds: Vec<_> = engines.into_iter().chain(PEERS.iter().map(Kind::Peer)).collect();
    let mut figures = Vec::new();
    for scenario in SCENARIOS {
        for kind in &kinds {
            figures.push(fleet::run(*kind, scenario, arguments.clients, arguments.seed));
        }
        eprintln!("{}: {:.0} s", scenario.title, begun.elapsed().as_secs_f64());
    }
    let report = Report {
        machine: machine(),
        clients: arguments.clients,
        seed: arguments.seed,
        seconds: begun.elapsed().as_secs_f64(),
        figures,
    };
    println!("{}", report.markdown());
    write(&arguments.json, &serde_json::to_string_pretty(&report)?)?;
    if let Some(docs) = arguments.docs {
        write(&docs.join("images/refresh-load.svg"), &plot::svg(&report))?;
        let page = docs.join("benchmarks.md");
        let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
        write(&page, &replace_section(&text, "fleet", &report.markdown()))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// The processor, by Linux's word.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor of an unknown kind", |(_, name)| name);
    format!("{cores} cores of {model}, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}
