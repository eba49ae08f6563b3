//! What all the worlds came to.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
};

use everfresh::core::clock::Millis;
use everfresh_server::rotation::Transition;

use crate::{invariants::Broken, plan::Theft};

/// Counts over many worlds.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Worlds run.
    pub worlds: u64,
    /// Virtual time, milliseconds.
    pub time: Millis,
    /// Calls of an engine.
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
    /// What became of the thefts, by what the thief does.
    pub thefts: BTreeMap<Theft, Thefts>,
    /// The seeds of the worlds that broke a promise, by promise.
    pub broken: BTreeMap<&'static str, Vec<u64>>,
    /// Tells runs apart: the same worlds give the same number, on every machine and in any order.
    pub digest: u64,
}

/// What became of the thefts of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thefts {
    /// How many.
    pub count: u64,
    /// Those that had to be noticed: both parties came with what only one of them can have.
    pub due: u64,
    /// Those of them that were, as the session was ended.
    pub noticed: u64,
    /// Those of them in which the thief was two or more generations ahead.
    pub far_ahead: u64,
    /// Those of them that took the owner's tabs longer than all was well for.
    pub late: u64,
    /// Those that only the owner could still notice, whose session ended before.
    pub excused: u64,
}

impl Statistics {
    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Sums up what one world came to.
    pub(crate) fn seal(&mut self, seed: u64, broken: Option<&Broken>) {
        if let Some(broken) = broken {
            self.broken.entry(broken.promise).or_default().push(seed);
        }
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for number in [seed, self.time.unsigned_abs(), self.steps, self.refreshes, self.requests] {
            hash.write_u64(number);
        }
        (&self.faults, &self.ends, &self.transitions).hash(&mut hash);
        (&self.thefts, &self.broken).hash(&mut hash);
        self.digest = hash.finish();
    }

    /// Adds those of other worlds.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.time += other.time;
        self.steps += other.steps;
        self.refreshes += other.refreshes;
        self.requests += other.requests;
        self.digest = self.digest.wrapping_add(other.digest);
        merge(&mut self.faults, &other.faults);
        merge(&mut self.ends, &other.ends);
        merge(&mut self.transitions, &other.transitions);
        for (how, thefts) in &other.thefts {
            self.thefts.entry(*how).or_default().add(thefts);
        }
        for (promise, seeds) in &other.broken {
            self.broken.entry(promise).or_default().extend(seeds);
        }
    }

    /// In how many worlds any of these promises was broken.
    fn broken(&self, promises: &[&str]) -> usize {
        promises.iter().filter_map(|promise| self.broken.get(promise)).map(Vec::len).sum()
    }
}

impl Thefts {
    const fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.due += other.due;
        self.noticed += other.noticed;
        self.far_ahead += other.far_ahead;
        self.late += other.late;
        self.excused += other.excused;
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

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | count |\n|---|---:|")?;
        writeln!(f, "| worlds | {} |", self.worlds)?;
        writeln!(f, "| virtual hours | {} |", self.time / 3_600_000)?;
        writeln!(f, "| calls of engines | {} |", self.steps)?;
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
        for (name, promises) in COUNTED {
            writeln!(f, "| {name} | {} |", self.broken(promises))?;
        }
        for (promise, seeds) in &self.broken {
            writeln!(f, "| broken: {promise} | {} |", seeds.len())?;
        }
        let mut seeds: Vec<_> = self.broken.values().flatten().copied().collect();
        seeds.sort_unstable();
        seeds.truncate(SEEDS);
        let seeds: Vec<_> = seeds.iter().map(u64::to_string).collect();
        let seeds = if seeds.is_empty() { "none".to_owned() } else { seeds.join(", ") };
        writeln!(f, "| seeds of broken worlds | {seeds} |")?;
        writeln!(f, "\n| thief | thefts | due | noticed | two ahead | late | excused |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|")?;
        for (how, thefts) in &self.thefts {
            let Thefts { count, due, noticed, far_ahead, late, excused } = thefts;
            writeln!(
                f,
                "| {how} | {count} | {due} | {noticed} | {far_ahead} | {late} | {excused} |"
            )?;
        }
        Ok(())
    }
}

/// What is counted whether it has happened or not.
const COUNTED: [(&str, &[&str]); 4] = [
    ("sign-outs without a cause", &["no end without a cause"]),
    ("double rotations", &["one advance per rotation key"]),
    ("thefts missed", &["a theft is noticed"]),
    ("waiters stuck", &["everybody who waits is settled", "nobody waits beyond the bound"]),
];

/// How many seeds of broken worlds are listed.
const SEEDS: usize = 20;
