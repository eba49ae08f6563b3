//! The shared session record: what the tabs of one session know together.
//!
//! Records form a join-semilattice. [`Record::join`] is commutative, associative and idempotent,
//! so tabs that have seen the same records in any order, however often, hold the same one: a lost,
//! late, repeated or reordered message costs time, never agreement. Every field only moves one
//! way within a session; a newer sign-in replaces the whole.

use core::fmt;

use super::{clock::Millis, reason::EndReason};

/// How many sends the breaker looks back on.
pub(crate) const SENDS: usize = 10;

/// Clocks of one device that differ by less are the same clock.
const HOLD_SLACK: Millis = 1_000;

/// A fence that no generation passes: the end holds whatever other tabs still commit.
pub(crate) const FOR_GOOD: Generation = 1 << 59;

/// Counts the token sets of a session; grows by one with each.
pub type Generation = i64;

/// What the tabs of one session share. All times are wall-clock milliseconds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Names the sign-in; random.
    pub(crate) sid: String,
    /// When it was.
    pub(crate) started_at: Millis,
    /// The newest token set.
    pub(crate) term: Term,
    /// The rotation that is under way.
    pub(crate) pending: Option<Pending>,
    /// What keeps the tabs from trying again at once.
    pub(crate) hold: Option<Hold>,
    /// The newest refreshes sent.
    pub(crate) sends: Sends,
    /// Last user input in any tab.
    pub(crate) last_activity: Millis,
    /// The verdict, if there is one.
    pub(crate) end: Option<End>,
}

/// The newest refreshes sent by any tab, ascending; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sends(pub(crate) [Millis; SENDS]);

/// One token set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    /// Grows by one with each accepted token set.
    pub(crate) generation: Generation,
    /// The tokens, where they are kept.
    pub(crate) tokens: Option<Tokens>,
    /// When the lifetime began.
    pub(crate) issued_at: Millis,
    pub(crate) lifetime: Millis,
    /// How long after `issued_at` the token must not be used yet (`nbf`).
    pub(crate) unusable_for: Millis,
    /// The server's wish when to refresh, counted from `issued_at`.
    pub(crate) refresh_in: Option<Millis>,
    /// The application's own lead for these claims.
    pub(crate) lead: Option<Millis>,
    /// The absolute end of the session.
    pub(crate) ends_at: Option<Millis>,
    pub(crate) subject: Option<String>,
    /// The fingerprint of its claims; 0 for an opaque token.
    pub(crate) claims: i64,
    /// The rotation key that brought this generation: a tab that is one behind and lost the
    /// tokens gets them again by repeating that rotation.
    pub(crate) rotated_by: Option<String>,
}

/// Access and refresh token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// The rotation away from `generation`. Among keys of one generation the first made wins.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) generation: Generation,
    pub(crate) made_at: Millis,
    pub(crate) key: String,
}

/// No refresh of `generation` from `since` to `until`: before `since` means that the clock was set
/// back, and then it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) generation: Generation,
    pub(crate) until: Millis,
    pub(crate) since: Millis,
    /// The server asked for it (`Retry-After`); else it is our own backoff, which a wake-up cuts
    /// short.
    pub(crate) by_server: bool,
    /// Failures in a row, over all tabs.
    pub(crate) failures: u32,
}

/// The session is over, unless a generation beyond `fence` was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct End {
    pub(crate) fence: Generation,
    pub(crate) reason: EndReason,
    /// The server knows: nothing that it would still accept is left behind.
    pub(crate) settled: bool,
}

impl Record {
    /// The least record that knows at least what both know.
    #[must_use]
    pub fn join(mut self, mut other: Self) -> Self {
        if !self.is_session_of(&other) {
            return if other.replaces(&self) { other } else { self };
        }
        self.renew(other.term);
        if Pending::rank(&other.pending) > Pending::rank(&self.pending) {
            core::mem::swap(&mut self.pending, &mut other.pending);
        }
        self.delay(other.hold);
        self.finish(other.end);
        for at in other.sends.0 {
            self.sends.add(at);
        }
        self.last_activity = self.last_activity.max(other.last_activity);
        self
    }

    /// Takes a token set in, unless a better one is there.
    pub(crate) fn renew(&mut self, mut term: Term) {
        if term.rank() > self.term.rank() {
            core::mem::swap(&mut self.term, &mut term);
        }
    }

    /// Holds back, unless something holds back longer.
    pub(crate) fn delay(&mut self, hold: Option<Hold>) {
        let rank = |hold: Option<Hold>| hold.map_or((-1, 0), |hold| (hold.generation, hold.until));
        if rank(hold) > rank(self.hold) {
            self.hold = hold;
        }
    }

    /// Ends, unless it has ended with a farther fence.
    pub(crate) fn finish(&mut self, end: Option<End>) {
        let rank = |end: Option<End>| {
            end.map_or((-1, 0, false), |end| (end.fence, end.reason as u8, end.settled))
        };
        if rank(end) > rank(self.end) {
            self.end = end;
        }
    }

    /// Whether both tell of the same sign-in.
    pub(crate) fn is_session_of(&self, other: &Self) -> bool {
        (self.started_at, &self.sid) == (other.started_at, &other.sid)
    }

    /// Whether this sign-in is the later one.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        (self.started_at, &self.sid) > (other.started_at, &other.sid)
    }

    /// Makes this sign-in later than `old`, whatever the wall clock says, and its generations
    /// higher.
    pub(crate) fn follow(&mut self, old: &Self) {
        self.started_at = self.started_at.max(old.started_at + 1);
        self.term.generation = self.term.generation.max(old.term.generation);
    }

    /// Why the session is over, if it is.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        let end = self.end.as_ref()?;
        (end.fence >= self.term.generation).then_some(end.reason)
    }

    /// The key of the rotation that is under way.
    pub(crate) fn pending_key(&self) -> Option<&str> {
        let pending = self.pending.as_ref()?;
        (pending.generation == self.term.generation).then_some(&pending.key)
    }

    /// What holds the next refresh back at `now`.
    pub(crate) fn held_back(&self, now: Millis) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| {
            hold.generation == self.term.generation
                && (hold.since - HOLD_SLACK..hold.until).contains(&now)
        })
    }

    /// Failures in a row of refreshing this generation, over all tabs.
    pub(crate) fn failures(&self) -> u32 {
        let hold = self.hold.as_ref().filter(|hold| hold.generation == self.term.generation);
        hold.map_or(0, |hold| hold.failures)
    }
}

impl Term {
    /// The order of preference: the newer one, the one with its tokens, then any order at all, as
    /// long as all tabs have the same.
    fn rank(&self) -> (Generation, Option<&str>, Millis, Option<&str>) {
        let access = self.tokens.as_ref().map(|tokens| tokens.access.as_str());
        (self.generation, access, self.issued_at, self.rotated_by.as_deref())
    }
}

impl Pending {
    /// The newer rotation; of the keys for one rotation, the one that was made first.
    fn rank(pending: &Option<Self>) -> Option<(Generation, Millis, &str)> {
        pending.as_ref().map(|it| (it.generation, -it.made_at, it.key.as_str()))
    }
}

impl Sends {
    pub(crate) fn add(&mut self, at: Millis) {
        if self.0.contains(&at) || at < self.0[0] {
            return;
        }
        self.0[0] = at;
        let mut place = 0;
        while place + 1 < SENDS && self.0[place] > self.0[place + 1] {
            self.0.swap(place, place + 1);
            place += 1;
        }
    }

    pub(crate) fn last(&self) -> Option<Millis> {
        Some(self.0[SENDS - 1]).filter(|at| *at > 0)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.ended().map_or("live", EndReason::as_str);
        write!(f, "Record({} generation {} {end})", self.sid, self.term.generation)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, option::of, prelude::*};

    use super::*;

    prop_compose! {
        fn terms()(
            generation in 0..4_i64,
            tokens in of("[a-c]"),
            issued_at in 0..3_i64,
            rotated_by in of("[a-f\\\\\n ]{2}"),
        ) -> Term {
            // In life the rest follows from these.
            let tokens = tokens.map(|access| {
                Tokens { refresh: (access != "b").then(|| access.to_uppercase()), access }
            });
            let subject = rotated_by.clone();
            let refresh_in = rotated_by.as_ref().map(|_| issued_at);
            let ends_at = Some(generation).filter(|generation| *generation > 1);
            Term {
                generation, tokens, issued_at, lifetime: 300, unusable_for: 0, refresh_in,
                lead: None, ends_at, subject, rotated_by, claims: 7,
            }
        }
    }

    prop_compose! {
        pub(crate) fn records()(
            sid in "[ab]",
            started_at in 0..2_i64,
            term in terms(),
            pending in of((0..4_i64, 0..3_i64, "[a-f]{2}")),
            hold in of((0..4_i64, 0..9_i64)),
            sends in vec(1..40_i64, 0..10),
            last_activity in 0..9_i64,
            end in of((prop_oneof![0..4_i64, Just(FOR_GOOD)], prop_oneof![
                Just(EndReason::Idle), Just(EndReason::SignedOut), Just(EndReason::Revoked),
            ], any::<bool>())),
        ) -> Record {
            Record {
                sid, started_at, term,
                pending: pending.map(|(generation, made_at, key)| Pending { generation, made_at, key }),
                hold: hold.map(|(generation, until)| {
                    let by_server = until % 2 == 0;
                    Hold { generation, until, since: until - 1, by_server, failures: until as u32 }
                }),
                sends: sends.into_iter().fold(Sends::default(), |mut all, at| {
                    all.add(at);
                    all
                }),
                last_activity,
                end: end.map(|(fence, reason, settled)| End { fence, reason, settled }),
            }
        }
    }

    proptest! {
        #[test]
        fn joining_does_not_care_about_order(a in records(), b in records()) {
            prop_assert_eq!(a.clone().join(b.clone()), b.join(a));
        }

        #[test]
        fn joining_does_not_care_about_grouping(a in records(), b in records(), c in records()) {
            let left = a.clone().join(b.clone()).join(c.clone());
            prop_assert_eq!(left, a.join(b.join(c)));
        }

        #[test]
        fn joining_twice_changes_nothing(a in records(), b in records()) {
            let joined = a.clone().join(b.clone());
            prop_assert_eq!(a.clone().join(a.clone()), a);
            prop_assert_eq!(joined.clone().join(b), joined);
        }

        #[test]
        fn nothing_known_is_lost_within_a_session(a in records(), b in records()) {
            let b = Record { sid: a.sid.clone(), started_at: a.started_at, ..b };
            let joined = a.clone().join(b.clone());
            for part in [a, b] {
                prop_assert!(joined.term.rank() >= part.term.rank());
                prop_assert!(joined.last_activity >= part.last_activity);
                let fence = |record: &Record| record.end.map(|end| end.fence);
                prop_assert!(fence(&joined) >= fence(&part));
            }
        }
    }
}
