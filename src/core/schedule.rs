//! When to refresh: lead, jitter, scaling and floor.

use super::clock::{Millis, Moment};

/// What the schedule of one token depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cycle {
    /// When the token's lifetime began.
    pub(crate) issued: Moment,
    pub(crate) lifetime: Millis,
    /// The server's wish, counted from `issued`; it takes the place of the lead.
    pub(crate) refresh_in: Option<Millis>,
    pub(crate) lead: Millis,
    /// Drawn from `[0, jitter)`.
    pub(crate) jitter: Millis,
    /// No scheduled refresh before this.
    pub(crate) floor: Moment,
}

impl Cycle {
    /// The moment of the scheduled refresh. The margin before expiry never exceeds half the
    /// lifetime, so that a short-lived token is used before it is replaced.
    pub(crate) fn refresh_at(&self) -> Moment {
        let half = self.lifetime / 2;
        let after = match self.refresh_in {
            Some(refresh_in) => {
                let wish = refresh_in.min(self.lifetime);
                wish - self.jitter.min(wish / 2)
            }
            None => self.lifetime - (self.lead + self.jitter).min(half),
        };
        let at = self.issued + after;
        at.max(self.floor)
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CYCLE: Cycle = Cycle {
        issued: Moment(1_000),
        lifetime: 300_000,
        refresh_in: None,
        lead: 60_000,
        jitter: 10_000,
        floor: Moment(0),
    };

    #[test]
    fn lead_and_jitter_come_off_the_end() {
        assert_eq!(CYCLE.refresh_at(), Moment(231_000));
    }

    #[test]
    fn a_short_life_is_used_for_half_its_length() {
        assert_eq!(Cycle { lifetime: 60_000, ..CYCLE }.refresh_at(), Moment(31_000));
    }

    #[test]
    fn the_floor_wins_over_everything() {
        let cycle = Cycle { lifetime: 1_000, floor: Moment(9_000), ..CYCLE };
        assert_eq!(cycle.refresh_at(), Moment(9_000));
    }

    #[test]
    fn the_servers_wish_replaces_the_lead_and_jitter_draws_it_earlier() {
        let cycle = Cycle { refresh_in: Some(100_000), ..CYCLE };
        assert_eq!(cycle.refresh_at(), Moment(91_000));
        let soon = Cycle { refresh_in: Some(10_000), jitter: 9_000, ..CYCLE };
        assert_eq!(soon.refresh_at(), Moment(6_000), "by half at most");
        let late = Cycle { refresh_in: Some(900_000), jitter: 0, ..CYCLE };
        assert_eq!(late.refresh_at(), Moment(301_000), "never after expiry");
    }

    proptest! {
        #[test]
        fn never_before_half_the_life_nor_after_expiry(
            lifetime in 0..i64::from(u32::MAX) * 1_000,
            lead in 0..i64::MAX / 2,
            jitter in 0..i64::MAX / 4,
        ) {
            let cycle = Cycle { lifetime, lead, jitter, ..CYCLE };
            let after = cycle.refresh_at() - cycle.issued;
            prop_assert!(after >= lifetime / 2 && after <= lifetime);
        }
    }
}
