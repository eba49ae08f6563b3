//! Feeds the server what nobody should send. Whatever comes, it answers: no panic, no status of
//! 500 or more, no forged token that is accepted, no refresh that its rules do not explain.
//!
//! Everything follows from a seed. Cases come in chunks of a thousand, each with a fresh server in
//! memory; a chunk that fails is run again with `--from SEED --cases 1000`.

mod dice;
mod refreshes;
mod requests;
mod tokens;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::dice::Dice;

/// So many cases share one server.
pub const CHUNK: u64 = 1_000;

/// Runs chunks on so many threads, from a seed upwards; answers with the number of cases.
///
/// # Errors
/// The first chunk that broke a promise, with its seed.
pub fn run(from: u64, chunks: u64, threads: u64) -> Result<u64> {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= chunks {
                    return Ok(());
                }
                let done = chunk(from + number);
                if done.is_err() {
                    next.store(chunks, Ordering::Relaxed);
                    return done;
                }
                if number % 1_000 == 999 {
                    println!("{} cases so far", (number + 1) * CHUNK);
                }
            }
        };
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a worker died"))??;
        }
        Ok(chunks * CHUNK)
    })
}

/// One chunk: what it does follows from its seed.
///
/// # Errors
/// What broke, with the seed.
pub fn chunk(seed: u64) -> Result<()> {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut dice = Dice::new(seed);
        runtime.block_on(async {
            match seed % 10 {
                0..5 => requests::run(&mut dice, CHUNK).await,
                5 => tokens::run(&mut dice, CHUNK).await,
                6 => {
                    tokens::configuration(&mut dice, CHUNK);
                    Ok(())
                }
                7 | 8 => refreshes::run(&mut dice, CHUNK).await,
                _ => refreshes::forgeries(&mut dice, CHUNK).await,
            }
        })
    }));
    done.map_err(|_| anyhow!("a panic"))
        .flatten()
        .with_context(|| format!("seed {seed}; again: --from {seed} --cases {CHUNK}"))
}
