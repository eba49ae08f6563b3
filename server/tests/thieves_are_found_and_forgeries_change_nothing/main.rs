//! The theft model of docs/rotation.md against the real server, over HTTP, on every store: each
//! adversary is found, their honest neighbours stay, and what the server did not make changes
//! nothing.
//!
//! `EVERFRESH_SEED` chooses the randomness, which is printed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod forged;
mod stolen;
#[path = "../stores/mod.rs"]
mod stores;
#[path = "../world/mod.rs"]
mod world;

use everfresh::core::entropy::{Entropy, Seeded};
use world::{Answer, World};

/// Seeded chance.
struct Rng(Seeded);

impl Rng {
    /// From `EVERFRESH_SEED`, or else a new one; printed either way.
    fn seeded(test: &str) -> Self {
        let seed = number("EVERFRESH_SEED").unwrap_or_else(|| {
            u64::from_le_bytes(everfresh_server::secret::random().unwrap()) % 1_000_000_000
        });
        println!("{test}: EVERFRESH_SEED={seed}");
        Self(Seeded(seed))
    }

    /// Less than this.
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next() % limit
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

/// A refresh over HTTP.
async fn present(world: &World, token: &str, key: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}&rotation_key={key}");
    world.post_form("/oauth/token", &form).await
}
