//! Randomness as an argument: the shell's generator, or a seeded one in tests.

/// Where the machine gets its randomness. In production it must be cryptographically strong:
/// rotation keys are drawn from it (RFC 9700 section 4.14 is why they must not be guessed).
pub trait Entropy {
    /// Sixty-four random bits.
    fn next(&mut self) -> u64;
}

/// SplitMix64 (Steele, Lea, Flood 2014): reproducible, and no more than that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A number from `[0, bound)`; 0 when `bound` is not positive.
pub(crate) fn below(entropy: &mut impl Entropy, bound: i64) -> i64 {
    if bound <= 0 {
        return 0;
    }
    // The high half of a product: the bias is below bound / 2^64.
    ((u128::from(entropy.next()) * bound as u128) >> 64) as i64
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_split_mix_64() {
        // The first numbers of the authors' own program for the seed 0.
        let mut seeded = Seeded(0);
        let known = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(known.map(|_| seeded.next()), known);
    }

    proptest! {
        #[test]
        fn below_stays_below(seed: u64, bound in 1..i64::MAX) {
            let value = below(&mut Seeded(seed), bound);
            prop_assert!((0..bound).contains(&value));
            prop_assert_eq!(below(&mut Seeded(seed), -bound), 0);
        }
    }
}
