//! What all the worlds came to.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
};

use everfresh::core::clock::Millis;
use everfresh_server::rotation::Transition;

/// Counts over many worlds.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Worlds run.
    pub worlds: u64,
    /// Virtual time, milliseconds.
    pub time: Millis,
    /// Calls of the machine.
    pub steps: u64,
    /// Refresh requests that left a tab.
    pub refreshes: u64,
    /// Requests of the application.
    pub requests: u64,
    /// Faults that struck, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Sessions that ended in a tab, by reason.
    pub ends: BTreeMap<&'static str, u64>,
    /// What the rotation came to, by rule.
    pub transitions: BTreeMap<Transition, u64>,
    /// Thefts, and how many of them the server noticed.
    pub thefts: u64,
    /// Thefts after which both parties went on, so that the server had to notice.
    pub detected: u64,
    /// Tells runs apart: the same worlds give the same number, on every machine and in any order.
    pub digest: u64,
}

impl Tally {
    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Sums up what one world came to.
    pub(crate) fn seal(&mut self, seed: u64) {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for number in [seed, self.time.unsigned_abs(), self.steps, self.refreshes, self.requests] {
            hash.write_u64(number);
        }
        (&self.faults, &self.ends, &self.transitions).hash(&mut hash);
        (self.thefts, self.detected).hash(&mut hash);
        self.digest = hash.finish();
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.time += other.time;
        self.steps += other.steps;
        self.refreshes += other.refreshes;
        self.requests += other.requests;
        self.thefts += other.thefts;
        self.detected += other.detected;
        self.digest = self.digest.wrapping_add(other.digest);
        merge(&mut self.faults, &other.faults);
        merge(&mut self.ends, &other.ends);
        merge(&mut self.transitions, &other.transitions);
    }
}

fn merge<K: Ord + Copy>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(*key).or_default() += count;
    }
}

/// FNV-1a: a hash that is the same everywhere.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | count |\n|---|---:|")?;
        writeln!(f, "| worlds | {} |", self.worlds)?;
        writeln!(f, "| virtual hours | {} |", self.time / 3_600_000)?;
        writeln!(f, "| machine steps | {} |", self.steps)?;
        writeln!(f, "| refreshes sent | {} |", self.refreshes)?;
        writeln!(f, "| requests | {} |", self.requests)?;
        for (kind, count) in &self.faults {
            writeln!(f, "| fault: {kind} | {count} |")?;
        }
        for (reason, count) in &self.ends {
            writeln!(f, "| tabs ended: {reason} | {count} |")?;
        }
        for (rule, count) in &self.transitions {
            writeln!(f, "| rotation {rule:?} | {count} |")?;
        }
        writeln!(f, "| thefts | {} |", self.thefts)?;
        writeln!(f, "| thefts that had to be noticed, and were | {} |", self.detected)
    }
}
