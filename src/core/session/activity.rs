//! When the user was last there.

use crate::core::clock::{Millis, Moment};

/// The clocks of two tabs of one device, read one after the other, differ by less.
pub(super) const CLOCK_SLACK: Millis = 1_000;

/// When the user was last there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Activity {
    /// Last input in any tab.
    pub(super) last: Moment,
    /// Last input that the other tabs know of.
    pub(super) shared: Moment,
}

impl Activity {
    pub(super) const fn new(last: Moment) -> Self {
        Self { last, shared: last }
    }

    /// How much later the idle deadline is than the other tabs know. Theirs moves in fewer steps.
    pub(super) fn lag(&self) -> Millis {
        self.last - self.shared
    }

    /// Notes that the others are told now; what is held counts as input until now.
    pub(super) fn shared(&mut self, held_until: Option<Moment>) -> Moment {
        self.last = held_until.map_or(self.last, |now| self.last.max(now));
        self.shared = self.last;
        self.last
    }

    pub(super) const fn last(&self) -> Moment {
        self.last
    }

    /// Another tab saw input; whether that is news.
    pub(super) fn heard(&mut self, at: Moment) -> bool {
        let news = at > self.last;
        if news {
            self.last = at;
            self.shared = at;
        }
        news
    }
}
