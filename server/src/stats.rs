//! Counters, for tests and the curious.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::rotation::Transition;

/// What has happened since the start.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

impl Stats {
    pub(crate) fn request(&self, route: &str) {
        *self.counts().routes.entry(route.to_owned()).or_default() += 1;
    }

    pub(crate) fn response(&self, route: &str, status: u16, took: Duration) {
        let mut counts = self.counts();
        *counts.responses.entry(format!("{route} {status}")).or_default() += 1;
        counts.latencies.entry(route.to_owned()).or_default().record(took);
    }

    /// One step of the store: how long it took, and whether it could be done.
    pub(crate) fn step(&self, step: &'static str, took: Duration, done: bool) {
        let mut counts = self.counts();
        counts.steps.entry(step).or_default().record(took);
        *counts.failures.entry(step).or_default() += u64::from(!done);
    }

    pub(crate) fn refresh(&self, transition: Transition) {
        *self.counts().refreshes.entry(transition).or_default() += 1;
    }

    /// The counters as they stand; every transition has one, every route that was called too.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let counts = self.counts();
        let count = |transition| counts.refreshes.get(&transition).copied().unwrap_or_default();
        Counted {
            routes: counts.routes.clone(),
            responses: counts.responses.clone(),
            refreshes: Transition::ALL.into_iter().map(|rule| (rule, count(rule))).collect(),
            latencies: counts.latencies.clone(),
            steps: counts.steps.clone(),
            failures: counts.failures.clone(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy of the counters.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// Requests by `METHOD /route`.
    pub routes: BTreeMap<String, u64>,
    /// Responses by `METHOD /route status`.
    pub responses: BTreeMap<String, u64>,
    /// Refreshes by the rule that decided them.
    pub refreshes: BTreeMap<Transition, u64>,
    /// How long answers took, by `METHOD /route`.
    #[serde(skip)]
    pub latencies: BTreeMap<String, Histogram>,
    /// How long the store took, by step.
    #[serde(skip)]
    pub steps: BTreeMap<&'static str, Histogram>,
    /// Steps that the store could not do.
    #[serde(rename = "store_errors")]
    pub failures: BTreeMap<&'static str, u64>,
}

/// How often something took how long.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: [u64; Self::BOUNDS.len()],
    /// How often in all.
    pub count: u64,
    /// How long in all.
    pub sum: Duration,
}

impl Histogram {
    /// The upper ends of the buckets but the last, which has none; in microseconds.
    pub const BOUNDS: [u64; 11] =
        [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

    fn record(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        let fits = Self::BOUNDS.iter().position(|bound| took.as_micros() <= u128::from(*bound));
        if let Some(bucket) = fits {
            self.counts[bucket] += 1;
        }
    }

    /// Each bound in seconds, with how often it was not exceeded.
    pub fn cumulated(&self) -> impl Iterator<Item = (f64, u64)> {
        let sums = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Self::BOUNDS.iter().map(|bound| *bound as f64 / 1e6).zip(sums)
    }
}

#[derive(Debug, Default)]
struct Counts {
    routes: BTreeMap<String, u64>,
    responses: BTreeMap<String, u64>,
    refreshes: BTreeMap<Transition, u64>,
    latencies: BTreeMap<String, Histogram>,
    steps: BTreeMap<&'static str, Histogram>,
    failures: BTreeMap<&'static str, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_each_value_in_every_bucket_that_holds_it() {
        let mut histogram = Histogram::default();
        for millis in [0, 1, 3, 60_000] {
            histogram.record(Duration::from_millis(millis));
        }
        let cumulated: Vec<_> = histogram.cumulated().collect();
        assert_eq!(cumulated[..4], [(0.0005, 1), (0.001, 2), (0.0025, 2), (0.005, 3)]);
        assert_eq!(cumulated.last(), Some(&(5.0, 3)));
        assert_eq!((histogram.count, histogram.sum), (4, Duration::from_millis(60_004)));
    }
}
