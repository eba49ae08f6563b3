//! Looked at all along: where nothing is in the way, no tab lacks its token for long.

use everfresh::core::{clock::Millis, snapshot::Status};

use crate::{browser::TabId, plan::Storage, world::World};

/// Between two looks.
const LOOK: Millis = 20_000;

/// For this time nothing is in the way of a tab that lacks its token: then it names a reason, or another
/// tab does.
const MINUTE: Millis = 60_000;

/// And after this time it has its token: the longest backoff, a lock that is not granted, an attempt.
const LONGEST: Millis = 180_000 + 15_000 + 10_000 + 2 * LOOK;

/// A late message about new tokens is on its way for so long.
const ON_ITS_WAY: Millis = 10_000;

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
        if self.says_why() {
            self.said_at = self.now;
        }
        let network = self.offline_until.max(self.distrust_until).max(self.troubled_until);
        if self.now <= network || !self.can_tell() {
            return;
        }
        for id in 0..self.tabs.len() {
            self.watch_tokens(id, network);
        }
    }

    /// Whether a tab names a reason: all keep the backoff of the one that failed.
    fn says_why(&self) -> bool {
        self.tabs.iter().any(|tab| tab.snapshot().last_error.is_some())
    }

    /// After every step of a tab: what it had for a moment it did not lack all along. A token that lives as
    /// long as the watch waits between two looks could else be seen at its end each time.
    pub(crate) fn watch_relief(&mut self, id: TabId) {
        if self.tabs[id].lacks_since.is_some() && self.lacks(id).is_none() {
            self.tabs[id].lacks_since = None;
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
        // With new tokens the reason is gone, where they are; the others hear of both at once.
        let reason = self.now - self.said_at <= LOOK;
        let is_told = reason && self.now - self.truth.newest.at < ON_ITS_WAY;
        if self.now - since < MINUTE || is_told {
            return;
        }
        let says = snapshot.status != Status::Active && self.says_why();
        if !says || self.now - since >= LONGEST {
            let seen = format!("tab {id} has {lack}: {snapshot:?}");
            self.broken("no tab is without a token for a minute of good network", seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use everfresh::core::input::Input;

    use super::*;
    use crate::plan::Plan;

    /// Looks as often, each time when a token ends that lives from one look to the next; `between`
    /// happens after each.
    fn look(looks: u32, between: fn(&mut World)) -> Option<&'static str> {
        let mut plan = Plan::day(1);
        (plan.tabs, plan.access_ttl) = (1, (LOOK / 1_000) as u32);
        let mut world = World::new(plan);
        world.open(None);
        world.sign_in(0, "ana");
        for _ in 0..looks {
            world.now += LOOK;
            world.watch_liveness();
            between(&mut world);
        }
        world.broken.map(|broken| broken.promise)
    }

    /// The tab does what is due until it has a token.
    fn renew(world: &mut World) {
        world.run_until(|world| world.lacks(0).is_none());
    }

    #[test]
    fn a_token_that_is_renewed_after_each_look_is_not_lacked_all_along() {
        assert_eq!(look(20, renew), None);
    }

    #[test]
    fn one_that_is_not_is_lacked_after_a_minute() {
        assert_eq!(look(3, |_| ()), None);
        let promise = "no tab is without a token for a minute of good network";
        assert_eq!(look(4, |_| ()), Some(promise));
    }

    /// Another tab gets tokens just before the next look.
    fn hear_news(world: &mut World) {
        world.truth.newest.at = world.now + LOOK - 1;
    }

    fn hear_why_not_and_then_news(world: &mut World) {
        world.said_at = world.now;
        hear_news(world);
    }

    #[test]
    fn one_that_is_about_to_hear_of_tokens_is_not_judged() {
        assert_eq!(look(20, hear_why_not_and_then_news), None);
        assert!(look(4, hear_news).is_some(), "nothing told why not");
    }

    #[test]
    fn what_happens_to_a_tab_without_a_token_is_no_relief() {
        assert!(look(4, |world| world.input(0, Input::Activity)).is_some());
    }
}
