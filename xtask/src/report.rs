//! Counting tests from what the runners print.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// A step that failed without being a test.
    pub(crate) const FAILURE: Self = Self { passed: 0, failed: 1 };

    /// The sum of all `test result: ok. 3 passed; 0 failed; ...` lines.
    pub(crate) fn of_cargo(output: &str) -> Self {
        let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
        results
            .map(|result| Self {
                passed: before(result, "passed"),
                failed: before(result, "failed"),
            })
            .sum()
    }

    /// The summary of node's test runner: `# pass 3` (TAP) or `ℹ pass 3` (spec), and so on.
    /// Its cancelled tests have failed.
    pub(crate) fn of_node(output: &str) -> Self {
        let mut counts = Self::default();
        for line in output.lines() {
            let mut words = line.split_whitespace();
            if !matches!(words.next(), Some("#" | "ℹ")) {
                continue;
            }
            match (words.next(), words.next().map(str::parse::<u64>), words.next()) {
                (Some("pass"), Some(Ok(number)), None) => counts.passed += number,
                (Some("fail" | "cancelled"), Some(Ok(number)), None) => counts.failed += number,
                _ => {}
            }
        }
        counts
    }

    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number before a word: 3 in `3 passed;`.
fn before(text: &str, word: &str) -> u64 {
    let parts = text.split(['.', ';']);
    parts
        .filter_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out\n\
            error: test failed\n";
        assert_eq!(Counts::of_cargo(output), Counts { passed: 15, failed: 2 });
        assert_eq!(Counts::of_cargo("test printed 9 passed; 9 failed\n"), Counts::default());
    }

    #[test]
    fn both_summaries_of_node_are_understood() {
        let spec = "✔ pass 1 of a name (3ms)\nℹ tests 6\nℹ pass 4\nℹ fail 1\nℹ cancelled 1\n";
        assert_eq!(Counts::of_node(spec), Counts { passed: 4, failed: 2 });
        let tap = "# Subtest: pass 7\nok 1 - pass 7\n# tests 4\n# pass 4\n# fail 0\n";
        assert_eq!(Counts::of_node(tap), Counts { passed: 4, failed: 0 });
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        assert_eq!(Counts::of_node("").ran(), 0);
        assert_eq!(Counts::of_cargo("").ran(), 0);
    }
}
