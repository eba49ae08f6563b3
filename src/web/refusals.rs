//! The 401s that another refresh will not heal.

use crate::core::{clock::Millis, event::Event, ids::LeaseId, reason::RefreshReason};

/// For how long a refusal stands although 401s have brought other tokens.
const STANDS: Millis = 60_000;

/// How many of what comes from outside are remembered.
const REMEMBERED: usize = 64;

/// Origins and paths that refuse fresh tokens.
#[derive(Default)]
pub(super) struct Refusals {
    newest: LeaseId,
    places: Vec<Refusal>,
}

struct Refusal {
    place: String,
    lease: LeaseId,
    at: Millis,
}

impl Refusals {
    /// Requests carry this one from now on.
    pub(super) const fn leased(&mut self, lease: LeaseId) {
        self.newest = lease;
    }

    /// What requests carry, or carried last.
    pub(super) const fn newest(&self) -> LeaseId {
        self.newest
    }

    /// A fresh token got a 401 there.
    pub(super) fn add(&mut self, place: &str, lease: LeaseId, now: Millis) {
        self.places.retain(|known| known.place != place);
        if self.places.len() == REMEMBERED {
            self.places.remove(0);
        }
        self.places.push(Refusal { place: place.to_owned(), lease, at: now });
    }

    /// Whether the token in use need not be replaced for a 401 from there.
    pub(super) fn stands(&mut self, place: &str, lease: LeaseId, now: Millis) -> bool {
        let known = self.places.iter_mut().find(|known| known.place == place);
        let Some(known) = known.filter(|_| lease == self.newest) else { return false };
        if known.lease != lease && (now - known.at).abs() > STANDS {
            return false;
        }
        known.lease = lease;
        true
    }

    /// Another token is another chance, unless it came for a 401, here or in another tab.
    pub(super) fn hear(&mut self, event: &Event) {
        let chance = match event {
            Event::Started => true,
            Event::Refreshed { reason } => {
                reason.is_some_and(|reason| reason != RefreshReason::Unauthorized)
            }
            _ => false,
        };
        if chance {
            self.places.clear();
        }
    }
}
