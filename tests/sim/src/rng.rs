//! Seeded randomness for everything but the machine, which has its own.

use everfresh::core::entropy::{Entropy, Seeded};

/// A reproducible source of chance.
#[derive(Clone, Debug)]
pub struct Rng(Seeded);

impl Rng {
    /// The same seed, the same throws.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Seeded(seed))
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (high - low + 1).max(1).unsigned_abs();
        low + (self.0.next() % span) as i64
    }

    /// True N times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.0.next() % 1_000 < u64::from(per_mille)
    }

    /// One of these.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.0.next() % from.len() as u64) as usize]
    }

    /// A seed for another generator.
    pub fn seed(&mut self) -> u64 {
        self.0.next()
    }

    /// Thirty-two random bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next().to_le_bytes());
        }
        out
    }
}
