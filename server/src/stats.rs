//! Counters, for Prometheus, for tests and the curious.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::rotation::Transition;

/// What has happened since the start.
#[derive(Debug)]
pub struct Stats {
    registry: Registry,
    answers: Family<Answer, Counter>,
    latencies: Latencies<Route>,
    refreshes: Family<Rule, Counter>,
    steps: Latencies<Step>,
    failures: Family<Step, Counter>,
    listed: Mutex<Listed>,
}

impl Stats {
    pub(crate) fn request(&self, method: &str, route: &str) {
        *self.listed().routes.entry(format!("{method} {route}")).or_default() += 1;
    }

    pub(crate) fn response(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut listed = self.listed();
        let answers = listed.responses.entry(format!("{method} {route} {status}"));
        let (method, route) = (method.to_owned(), route.to_owned());
        answers
            .or_insert_with(|| {
                let (method, route) = (method.clone(), route.clone());
                self.answers.get_or_create_owned(&Answer { method, route, status })
            })
            .inc();
        self.latencies.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }

    /// One step of the store: how long it took, and whether it could be done.
    pub(crate) fn step(&self, step: &'static str, took: Duration, done: bool) {
        self.steps.get_or_create(&Step { step }).observe(took.as_secs_f64());
        self.failures.get_or_create(&Step { step }).inc_by(u64::from(!done));
    }

    pub(crate) fn refresh(&self, transition: Transition) {
        self.refreshes.get_or_create(&Rule { rule: transition.name() }).inc();
    }

    /// The counters as they stand; every transition has one, every route that was called too.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let listed = self.listed();
        let refreshes = Transition::ALL.into_iter().map(|transition| {
            (transition, self.refreshes.get_or_create(&Rule { rule: transition.name() }).get())
        });
        Counted {
            routes: listed.routes.clone(),
            responses: listed
                .responses
                .iter()
                .map(|(name, count)| (name.clone(), count.get()))
                .collect(),
            refreshes: refreshes.collect(),
        }
    }

    /// All of them in Prometheus's text format.
    pub fn encode(&self, text: &mut String) -> fmt::Result {
        prometheus_text::encode(text, &self.registry)
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Stats {
    fn default() -> Self {
        let mut registry = Registry::default();
        let answers = Family::default();
        let help = "Requests by method, route and status";
        registry.register("everfresh_requests", help, answers.clone());
        let refreshes = Family::<Rule, Counter>::default();
        for transition in Transition::ALL {
            drop(refreshes.get_or_create(&Rule { rule: transition.name() }));
        }
        let help = "Refreshes by the rule that decided them";
        registry.register("everfresh_refreshes", help, refreshes.clone());
        let latencies = Latencies::new_with_constructor(histogram);
        let help = "How long answers took, by method and route";
        registry.register("everfresh_request_duration_seconds", help, latencies.clone());
        let steps = Latencies::new_with_constructor(histogram);
        let help = "How long the store took, by step";
        registry.register("everfresh_store_duration_seconds", help, steps.clone());
        let failures = Family::default();
        let help = "Steps that the store could not do";
        registry.register("everfresh_store_errors", help, failures.clone());
        let listed = Mutex::default();
        Self { registry, answers, latencies, refreshes, steps, failures, listed }
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
}

/// What is told by name: a family does not list its members.
#[derive(Debug, Default)]
struct Listed {
    routes: BTreeMap<String, u64>,
    responses: BTreeMap<String, Counter>,
}

type Latencies<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

/// From half a millisecond to five seconds.
fn histogram() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0])
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Rule {
    rule: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Step {
    step: &'static str,
}
