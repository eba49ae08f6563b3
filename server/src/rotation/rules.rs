use super::Millis;

/// The numbers of a policy that a rotation depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Who may repeat a rotation.
    pub profile: Profile,
    /// How long [`Profile::KeyedGrace`] and [`Profile::Grace`] forgive another key.
    pub grace: Millis,
    /// A family that is not refreshed for this long ends.
    pub idle: Option<Millis>,
    /// A sign-in older than this is worth nothing.
    pub max_login_age: Option<Millis>,
    /// So many late replays of one rotation are answered, in a row if need be.
    pub replay_cap: u32,
    /// Replays this soon after the rotation are not late. Of the late ones as many are answered as
    /// such periods have passed since the rotation, if these are more than the cap: 1,440 after a
    /// day of minutes, in a row if need be.
    pub replay_free: Millis,
    /// A refresh does not rotate: the same token is good until the family ends.
    pub reusable: bool,
    /// A token one step ahead of the store is believed, if it came to be after the last use that
    /// the store knows of: the store has lost a write. Else such a token is refused.
    pub resync: bool,
    /// A token that two parties hold ends all sessions of its user, and not only the family.
    pub reuse_ends_all: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::Keyed,
            grace: 10_000,
            idle: Some(48 * 3_600_000),
            max_login_age: None,
            replay_cap: 16,
            replay_free: 60_000,
            reusable: false,
            resync: false,
            reuse_ends_all: false,
        }
    }
}

/// What proves that a repeated refresh comes from the party that sent the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The rotation key, and nothing else.
    Keyed,
    /// The key; for some seconds any sender, for tabs that share a cookie but no storage.
    KeyedGrace,
    /// Any sender for some seconds; for clients that know no keys.
    Grace,
}

impl Profile {
    pub(super) fn honours_keys(self) -> bool {
        self != Self::Grace
    }

    pub(super) fn forgives(self) -> bool {
        self != Self::Keyed
    }
}
