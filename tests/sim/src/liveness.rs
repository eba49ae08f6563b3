//! Looked at all along: where nothing is in the way, no tab lacks its token for long.

use everfresh::core::{clock::Millis, snapshot::Status};

use crate::{browser::TabId, plan::Storage, world::World};

/// Between two looks.
const LOOK: Millis = 20_000;

/// Nothing is in the way of a tab that lacks its token for so long: then it names a reason.
const MINUTE: Millis = 60_000;

/// And after so long it has its token: the longest backoff, a lock that is not granted, an attempt.
const LONGEST: Millis = 60_000 + 15_000 + 10_000 + 2 * LOOK;

impl World {
    /// Something is in the way from now on, for this long.
    pub(crate) fn trouble(&mut self, length: Millis) {
        self.troubled_until = self.troubled_until.max(self.now + length);
    }

    /// Looks at all tabs, from time to time.
    pub(crate) fn watch_liveness(&mut self) {
        if self.now < self.looks_at {
            return;
        }
        self.looks_at = self.now + LOOK;
        let network = self.offline_until.max(self.distrust_until).max(self.troubled_until);
        if self.now <= network || !self.can_tell() {
            return;
        }
        for id in 0..self.tabs.len() {
            self.watch_tokens(id, network);
        }
    }

    /// Whether the world can tell what a tab should have.
    fn can_tell(&self) -> bool {
        let truth = &self.truth;
        let over = truth.revoked || truth.stolen || truth.signed_out || truth.sign_ins > 1;
        // See `lacks`.
        let agrees = self.plan.odds.read_lag == 0 && self.plan.storage != Storage::Broken;
        agrees && !over && !self.set_back
    }

    fn watch_tokens(&mut self, id: TabId, network: Millis) {
        let tab = &self.tabs[id];
        let well_since = network
            .max(self.asleep_until)
            .max(tab.held_back_at)
            .max(tab.loaded_at)
            .max(self.truth.signed_in);
        let looks = tab.is_running() && !tab.hidden && self.now > well_since;
        let lack = self.lacks(id).filter(|_| looks);
        let tab = &mut self.tabs[id];
        let Some(lack) = lack else {
            tab.lacks_since = None;
            return;
        };
        let since = (*tab.lacks_since.get_or_insert(self.now)).max(well_since);
        let snapshot = tab.snapshot();
        let says = snapshot.status == Status::Stale && snapshot.last_error.is_some();
        if self.now - since >= if says { LONGEST } else { MINUTE } {
            let seen = format!("tab {id} has {lack}: {snapshot:?}");
            self.broken("no tab is without a token for a minute of good network", seen);
        }
    }
}
