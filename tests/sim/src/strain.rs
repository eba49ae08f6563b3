//! When a lock that works may fail to keep refreshes apart.

use everfresh::core::clock::Millis;

use crate::{tab::Tab, world::World};

/// How much longer than an attempt what strains the lock can be felt.
const STRAIN: Millis = 5_000;

impl World {
    /// A page that leaves lets go of the lock while its request is under way, and one that wakes
    /// up has one that no tab waited for: for as long as an attempt takes, two may be under way.
    pub(crate) fn strain(&mut self, from: Millis) {
        self.strained_until = self.strained_until.max(from + self.plan.policy.timeout + STRAIN);
    }

    /// Whether it is so now: also a hidden page notices late that its time is up, one that stands still keeps
    /// the lock, and a clock that was set back makes the lease in the record incredible.
    pub(crate) fn is_strained(&self) -> bool {
        let keeps = |tab: &Tab| !tab.is_running() && self.locks.is_held_by(tab.id);
        let hinders = self.tabs.iter().any(|tab| tab.hidden || keeps(tab));
        self.set_back || self.now <= self.strained_until || hinders
    }
}

#[cfg(test)]
mod tests {
    use everfresh::core::ids::Ticket;

    use super::*;
    use crate::{plan::Plan, tab::Running};

    #[test]
    fn a_page_that_stands_still_strains_the_lock_while_it_has_it() {
        let strains = |running, has_lock: bool| {
            let mut world = World::new(Plan::day(1));
            world.open(None);
            world.now = world.strained_until + 1;
            world.tabs[0].running = running;
            if has_lock {
                world.locks.request(0, Ticket(1));
                world.locks.grant();
            }
            world.is_strained()
        };
        assert!(strains(Running::Frozen, true));
        assert!(!strains(Running::Frozen, false) && !strains(Running::Yes, true));
    }
}
