//! Plain counters, never reset while the session object lives.

use serde::Serialize;

use super::reason::RefreshReason;

/// What this tab did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stats {
    /// Refreshes begun, by reason.
    pub refreshes: Refreshes,
    /// How refreshes ended.
    pub outcomes: Outcomes,
    /// Lock traffic.
    pub locks: Locks,
    /// Storage traffic.
    pub storage: StorageStats,
}

/// Refreshes begun, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refreshes {
    /// By the schedule.
    pub scheduled: u32,
    /// By a 401.
    pub unauthorized: u32,
    /// By a caller without a good token.
    pub demanded: u32,
    /// By the application.
    pub explicit: u32,
    /// By a wake-up.
    pub wake: u32,
    /// By a page load.
    pub restore: u32,
}

impl Refreshes {
    pub(crate) const fn count(&mut self, reason: RefreshReason) {
        let counter = match reason {
            RefreshReason::Scheduled => &mut self.scheduled,
            RefreshReason::Unauthorized => &mut self.unauthorized,
            RefreshReason::Demanded => &mut self.demanded,
            RefreshReason::Explicit => &mut self.explicit,
            RefreshReason::Wake => &mut self.wake,
            RefreshReason::Restore => &mut self.restore,
        };
        *counter += 1;
    }
}

/// How refreshes ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcomes {
    /// This tab got the new token.
    pub committed: u32,
    /// Another tab got it.
    pub adopted: u32,
    /// A passing failure.
    pub transient: u32,
    /// The server said no.
    pub r#final: u32,
    /// The answer came too late to count.
    pub discarded: u32,
}

/// Lock traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Locks {
    /// Asked for.
    pub requested: u32,
    /// Got.
    pub granted: u32,
    /// Given up on after the bounded wait.
    pub timed_out: u32,
}

/// Storage traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageStats {
    /// Reads asked for.
    pub reads: u32,
    /// Writes asked for.
    pub writes: u32,
    /// Reads and writes that failed or never answered.
    pub failures: u32,
}
