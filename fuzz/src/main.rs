//! Runs as many cases as wanted and says how many.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

/// Feeds the server random and damaged input.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many cases; rounded up to thousands
    #[arg(long, default_value_t = 100_000)]
    cases: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many threads
    #[arg(long, default_value_t = 1)]
    threads: u64,
}

fn main() -> ExitCode {
    let Arguments { cases, from, threads } = Arguments::parse();
    let began = Instant::now();
    match everfresh_fuzz::run(from, cases.div_ceil(everfresh_fuzz::CHUNK), threads) {
        Ok(cases) => {
            let seconds = began.elapsed().as_secs_f64();
            println!("{cases} cases from seed {from}: nothing broke ({seconds:.1} s)");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
