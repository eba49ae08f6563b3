//! All timers of the machine.

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

/// The timer that is due first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Next {
    pub(crate) timer: Timer,
    pub(crate) at: Moment,
}

impl Next {
    /// None is set.
    pub(crate) const NONE: Self = Self { timer: Timer::End, at: Moment::NEVER };

    /// Of two that are due together the one that is set first goes first.
    pub(crate) fn set(&mut self, timer: Timer, at: Moment) {
        if at < self.at {
            *self = Self { timer, at };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_timer_is_next_and_ties_go_to_the_first() {
        let mut next = Next::NONE;
        next.set(Timer::Warning, Moment::NEVER);
        assert_eq!(next, Next::NONE);
        next.set(Timer::Revoke, Moment(5));
        next.set(Timer::End, Moment(3));
        next.set(Timer::Usable, Moment(3));
        next.set(Timer::Share, Moment(4));
        assert_eq!(next, Next { timer: Timer::End, at: Moment(3) });
    }
}
