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

const COUNT: usize = Timer::Revoke as usize + 1;

/// When each timer is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct TimerTable([Option<Moment>; COUNT]);

impl TimerTable {
    pub(crate) const fn set(&mut self, timer: Timer, at: Option<Moment>) {
        self.0[timer as usize] = at;
    }

    pub(crate) fn next(&self) -> Option<(Timer, Moment)> {
        use Timer::*;
        [
            End,
            Expiry,
            Usable,
            Refresh,
            Retry,
            Attempt,
            LockWait,
            StorageWait,
            PeerWait,
            Warning,
            Countdown,
            Share,
            Waiter,
            Revoke,
        ]
        .into_iter()
        .filter_map(|timer| Some((timer, self.0[timer as usize]?)))
        .min_by_key(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
