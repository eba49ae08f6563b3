//! All timers of the machine.

use super::clock::Moment;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// The timer that is due first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Next(pub(crate) Option<(Moment, Timer)>);

impl Next {
    /// Of two that are due together the one that is declared first goes first.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<Moment>) {
        let Some(at) = at else { return };
        if self.0.is_none_or(|next| (at, timer) < next) {
            self.0 = Some((at, timer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_timer_is_next_and_ties_go_to_the_one_that_ends_more() {
        let mut next = Next::default();
        next.set(Timer::Warning, None);
        assert_eq!(next.0, None);
        next.set(Timer::Revoke, Some(Moment(5)));
        next.set(Timer::Refresh, Some(Moment(3)));
        next.set(Timer::End, Some(Moment(3)));
        next.set(Timer::Usable, Some(Moment(3)));
        next.set(Timer::Share, Some(Moment(4)));
        assert_eq!(next.0, Some((Moment(3), Timer::End)));
    }
}
