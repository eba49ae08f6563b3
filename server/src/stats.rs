//! Counters, for tests and the curious.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::rotation::Transition;

/// What has happened since the start.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

impl Stats {
    pub(crate) fn request(&self, route: &str) {
        *self.counts().routes.entry(route.to_owned()).or_default() += 1;
    }

    pub(crate) fn response(&self, route: &str, status: u16) {
        *self.counts().responses.entry(format!("{route} {status}")).or_default() += 1;
    }

    pub(crate) fn refresh(&self, transition: Transition) {
        *self.counts().refreshes.entry(transition).or_default() += 1;
    }

    /// The counters as they stand; every transition has one, every route that was called too.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let counts = self.counts();
        let count = |transition| counts.refreshes.get(&transition).copied().unwrap_or_default();
        let named = |transition| (format!("{transition:?}"), count(transition));
        Counted {
            routes: counts.routes.clone(),
            responses: counts.responses.clone(),
            refreshes: Transition::ALL.into_iter().map(named).collect(),
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
    /// Refreshes by the rule that decided them, `T0` to `T10`.
    pub refreshes: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Counts {
    routes: BTreeMap<String, u64>,
    responses: BTreeMap<String, u64>,
    refreshes: BTreeMap<Transition, u64>,
}
