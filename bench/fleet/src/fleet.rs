//! A whole fleet, on all cores.

use std::thread;

use everfresh::core::{
    clock::Millis,
    entropy::{Entropy, Seeded},
};
use serde::Serialize;

use crate::{
    engine_client::EngineClient,
    load::{Load, STEPS},
    peers::Peer,
    rule_client::RuleClient,
    scenario::{Course, Scenario, Trouble},
};

/// Who the clients are.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// The shipped engine, with tokens that live N seconds.
    Engine(i64),
    /// Another package's rules.
    Peer(&'a Peer),
}

impl Kind<'_> {
    /// Lifetime of an access token.
    #[must_use]
    pub const fn lifetime(&self) -> Millis {
        match self {
            Self::Engine(seconds) => *seconds * 1_000,
            Self::Peer(peer) => peer.lifetime * 1_000,
        }
    }

    fn period(&self) -> Millis {
        match self {
            Self::Engine(_) => EngineClient::period(self.lifetime()),
            Self::Peer(peer) => peer.period(),
        }
    }
}

/// What one fleet came to in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The scenario.
    pub scenario: &'static str,
    /// Who the clients are.
    pub clients: String,
    /// Lifetime of an access token, seconds.
    pub lifetime: i64,
    /// The most refreshes in one step of time over what the steady state has on average: in the
    /// steady state over all of it, else from the end of the trouble or the first sign-in on.
    pub peak: f64,
    /// The same while the trouble lasts; 0 where it takes no time.
    pub peak_in_trouble: f64,
    /// From the end of the trouble until the last client that lacked a token has one; after a burst,
    /// from the first sign-in until no step has more than twice the average. Seconds.
    pub drained: Option<f64>,
    /// The same for half of the clients.
    pub half_recovered: Option<f64>,
    /// Requests of the applications.
    pub requests: u64,
    /// Those that failed for want of a good token.
    pub lost: u64,
    /// Sessions that only a new sign-in would bring back.
    pub sign_outs: u64,
    /// How long a step of time is, seconds.
    pub step: f64,
    /// Refreshes in each step of time over the steady average.
    pub load: Vec<f64>,
}

/// Simulates a fleet of this size; the same seed gives the same figures, on any number of cores.
#[must_use]
pub fn run(kind: Kind<'_>, scenario: Scenario, clients: u64, seed: u64) -> Figures {
    let course = Course::new(scenario, kind.lifetime());
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let load = thread::scope(|scope| {
        let shares: Vec<_> = (0..cores)
            .map(|core| {
                scope.spawn(move || {
                    let mut load = Load::new(course.lifetime, course.end);
                    for client in (core..clients).step_by(cores as usize) {
                        live(kind, course, Seeded(seed ^ client << 20), &mut load);
                    }
                    load
                })
            })
            .collect();
        let mut sum = Load::new(course.lifetime, course.end);
        shares.into_iter().filter_map(|share| share.join().ok()).for_each(|load| sum.add(&load));
        sum
    });
    figures(kind, &course, clients, &load)
}

fn live(kind: Kind<'_>, course: Course, mut entropy: Seeded, load: &mut Load) {
    let at = course.sign_in(kind.period(), &mut entropy);
    let (own, requests) = (entropy.next(), entropy.next());
    match kind {
        Kind::Engine(_) => EngineClient::sign_in(course, own, at).run(requests, load),
        Kind::Peer(peer) => RuleClient::sign_in(peer, course, at).run(requests, load),
    }
}

fn figures(kind: Kind<'_>, course: &Course, clients: u64, load: &Load) -> Figures {
    let step = course.lifetime / STEPS;
    let average = clients as f64 * step as f64 / kind.period() as f64;
    let over: Vec<_> = load.refreshes.iter().map(|count| *count as f64 / average).collect();
    let most = |from: Millis, until: Millis| {
        let steps = load.at(from)..load.at(until).max(load.at(from));
        over[steps].iter().copied().fold(0.0, f64::max)
    };
    let trouble = course.scenario.trouble;
    let is_burst = course.scenario.burst.is_some();
    // The first cycle of a steady state has no refresh before the first token is due.
    let from = if is_burst { 0 } else { course.until.max(2 * course.lifetime) };
    let seconds = |millis: Millis| millis as f64 / 1_000.0;
    let recovered: u64 = load.recovered.iter().sum();
    let recovery = |share: u64| {
        let mut sum = 0;
        let step_of = load.recovered.iter().position(|count| {
            sum += count;
            sum >= share
        });
        step_of.map(|at| seconds((at as i64 + 1) * step - course.until).max(0.0))
    };
    let (drained, half_recovered) = match trouble {
        Trouble::None if is_burst => {
            let last = over.iter().rposition(|load| *load > 2.0);
            let last = last
                .map(|last| last as i64 + 1)
                .filter(|last| *last * step < course.end - course.lifetime);
            (last.map(|last| seconds(last * step)), None)
        }
        Trouble::None => (None, None),
        _ if recovered == 0 => (Some(0.0), Some(0.0)),
        _ => (recovery(recovered), recovery(recovered.div_ceil(2))),
    };
    let two = |value: f64| (value * 100.0).round() / 100.0;
    Figures {
        scenario: course.scenario.name,
        clients: match kind {
            Kind::Engine(_) => "everfresh".to_owned(),
            Kind::Peer(peer) => peer.name.to_owned(),
        },
        lifetime: course.lifetime / 1_000,
        peak: two(most(from, course.end)),
        peak_in_trouble: two(most(course.from, course.until)),
        drained,
        half_recovered,
        requests: load.requests,
        lost: load.lost,
        sign_outs: load.sign_outs,
        step: seconds(step),
        load: over.iter().map(|load| two(*load)).collect(),
    }
}
