//! All timers of the machine, in one table.

use super::clock::Moment;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The session is to end: idle or maximum age.
    End,
    /// The access token has run out.
    Expiry,
    /// The access token's `nbf` is reached.
    Usable,
    /// The lead time before expiry is reached.
    Refresh,
    /// A failed refresh is to be repeated.
    Retry,
    /// One refresh attempt has taken too long.
    Attempt,
    /// The lock has not been granted in time.
    LockWait,
    /// Storage has not answered in time.
    StorageWait,
    /// The tabs have had time to settle on a rotation key.
    Settle,
    /// Another tab has not answered in time.
    PeerWait,
    /// The warning is due.
    Warning,
    /// The warning's countdown moves on.
    Countdown,
    /// User input is to be made known to the other tabs.
    Share,
    /// A caller has waited long enough.
    Waiter,
    /// A failed revocation is to be repeated, or has taken too long.
    Revoke,
}

impl Timer {
    /// In the order of declaration: of two that are due together the first goes first.
    const ALL: [Self; 15] = [
        Self::End,
        Self::Expiry,
        Self::Usable,
        Self::Refresh,
        Self::Retry,
        Self::Attempt,
        Self::LockWait,
        Self::StorageWait,
        Self::Settle,
        Self::PeerWait,
        Self::Warning,
        Self::Countdown,
        Self::Share,
        Self::Waiter,
        Self::Revoke,
    ];
}

/// When each timer is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct TimerTable([Option<Moment>; Timer::ALL.len()]);

impl TimerTable {
    pub(crate) const fn set(&mut self, timer: Timer, at: Option<Moment>) {
        self.0[timer as usize] = at;
    }

    pub(crate) fn next(&self) -> Option<(Timer, Moment)> {
        Timer::ALL
            .into_iter()
            .zip(self.0)
            .filter_map(|(timer, at)| Some((timer, at?)))
            .min_by_key(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_its_place() {
        for (place, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, place);
        }
    }

    #[test]
    fn the_earliest_timer_is_next_and_ties_go_to_the_one_that_ends_more() {
        let mut table = TimerTable::default();
        assert_eq!(table.next(), None);
        table.set(Timer::Revoke, Some(Moment(5)));
        table.set(Timer::Refresh, Some(Moment(3)));
        table.set(Timer::End, Some(Moment(3)));
        assert_eq!(table.next(), Some((Timer::End, Moment(3))));
        table.set(Timer::End, None);
        assert_eq!(table.next(), Some((Timer::Refresh, Moment(3))));
    }
}
