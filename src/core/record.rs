//! The shared session record: what the tabs of one session know together.
//!
//! Records form a join-semilattice. [`Record::join`] is commutative, associative and idempotent,
//! so tabs that have seen the same records in any order, however often, hold the same one: a lost,
//! late, repeated or reordered message costs time, never agreement. Every field only moves one
//! way within a session; a newer sign-in replaces the whole.

use core::{fmt, mem};

use super::{
    clock::{Millis, Moment},
    entropy::Entropy,
    grant::ENDLESS,
    reason::EndReason,
};

/// How many random bits name a sign-in.
pub(crate) const SID_BITS: u32 = 59;

/// A server's wish for patience is kept up to this.
pub(crate) const PATIENCE: Millis = 900_000;

/// How many sends the breaker looks back on.
pub(crate) const SENDS: usize = 30;

/// Clocks of one device that differ by less are the same clock.
const BACKOFF_SLACK: Millis = 1_000;

/// N doubtful answers in a row, over this time, are taken for the service's no.
const CONVINCING: u32 = 3;
const CONVINCING_TIME: Millis = 60_000;

/// A fence that no generation passes: the end holds whatever other tabs still commit.
pub(crate) const FOR_GOOD: Generation = 1 << 59;

/// The time of issue of no tokens at all.
pub(crate) const NOTHING_ISSUED: Millis = 0;

/// Counts the token sets of a session; grows by one with each.
pub type Generation = i64;

/// What the tabs of one session share. All times are wall-clock milliseconds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Names the sign-in; random.
    pub(crate) sid: i64,
    /// When it was.
    pub(crate) started_at: Millis,
    /// The newest token set.
    pub(crate) token_set: TokenSet,
    /// The rotation that is under way.
    pub(crate) pending: Pending,
    /// What keeps the tabs from trying again at once.
    pub(crate) backoff: Backoff,
    /// The newest refreshes sent.
    pub(crate) sends: Sends,
    /// Last user input in any tab.
    pub(crate) last_activity: Millis,
    /// The verdict.
    pub(crate) end: End,
}

/// The newest refreshes sent by any tab, ascending; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sends(pub(crate) [Millis; SENDS]);

/// One token set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenSet {
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
    /// tokens gets them again by repeating that rotation. `Key::NONE` if it came without one.
    pub(crate) rotated_by: Key,
}

/// Access and refresh token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// A rotation key: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64, pub(crate) u64);

/// The rotation away from `generation`. Among keys of one generation the first made wins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) generation: Generation,
    pub(crate) made_at: Millis,
    pub(crate) key: Key,
}

/// No refresh of `generation` from `since` to `until`: before `since` means that the clock was set
/// back, and then it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Backoff {
    pub(crate) generation: Generation,
    pub(crate) until: Millis,
    pub(crate) since: Millis,
    /// Until when the server asked for patience (`Retry-After`). What goes beyond is our own
    /// backoff, which a wake-up cuts short.
    pub(crate) server_until: Millis,
    /// Failures in a row, over all tabs.
    pub(crate) failures: u32,
    /// What speaks against the session, over all tabs.
    pub(crate) doubts: Doubts,
}

/// Answers in a row that may be the service's no, or a proxy's; and those that another tab was faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Doubts {
    pub(crate) count: u32,
    /// When the first one came; 0 before.
    pub(crate) since: Millis,
    /// How often the server said that another tab was faster, and none was found: not only in a row.
    pub(crate) superseded: u32,
}

/// The session is over, unless a generation beyond `fence` was committed. The greater one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct End {
    pub(crate) fence: Generation,
    pub(crate) reason: EndReason,
    /// The server knows: nothing that it would still accept is left behind.
    pub(crate) settled: bool,
}

impl Record {
    /// Makes this the least record that knows at least what both know.
    pub fn join(&mut self, other: Self) {
        if !self.is_session_of(&other) {
            if other.replaces(self) {
                *self = other;
            }
            return;
        }
        self.renew(other.token_set);
        if other.pending.rank() > self.pending.rank() {
            self.pending = other.pending;
        }
        self.delay(other.backoff);
        self.finish(other.end);
        for at in other.sends.0 {
            self.sends.add(at);
        }
        self.last_activity = self.last_activity.max(other.last_activity);
    }

    /// Takes a token set in, unless a better one is there.
    pub(crate) fn renew(&mut self, token_set: TokenSet) {
        if token_set.rank() > self.token_set.rank() {
            self.token_set = token_set;
        }
    }

    /// Holds back, unless something holds back longer. What the server asked for, how often it said
    /// that another tab was faster, and how many failures there were, holds anyway: also once the
    /// clock was set back, and what holds back longer lies in the future.
    pub(crate) fn delay(&mut self, mut backoff: Backoff) {
        let known = self.backoff;
        if backoff.generation == known.generation {
            backoff.server_until = backoff.server_until.max(known.server_until);
            let superseded = backoff.doubts.superseded.max(known.doubts.superseded);
            let failures = backoff.failures.max(known.failures);
            if backoff.until <= known.until {
                backoff = Backoff { server_until: backoff.server_until, ..known };
            }
            backoff.doubts.superseded = superseded;
            backoff.failures = failures;
        }
        if backoff.generation >= known.generation {
            self.backoff = backoff;
        }
    }

    /// Ends, unless it has ended with a farther fence.
    pub(crate) fn finish(&mut self, end: End) {
        self.end = self.end.max(end);
    }

    /// Whether both tell of the same sign-in.
    pub(crate) fn is_session_of(&self, other: &Self) -> bool {
        (self.started_at, self.sid) == (other.started_at, other.sid)
    }

    /// Whether this sign-in is the later one.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        (self.started_at, self.sid) > (other.started_at, other.sid)
    }

    /// Whether it names no user: a page load found no session, but perhaps a cookie.
    #[must_use]
    pub const fn is_guess(&self) -> bool {
        self.token_set.issued_at == NOTHING_ISSUED
    }

    /// Makes this sign-in later than `old`, whatever the wall clock says, and its generations
    /// higher.
    pub(crate) fn follow(&mut self, old: &Self) {
        self.started_at = self.started_at.max(old.started_at + 1);
        self.token_set.generation = self.token_set.generation.max(old.token_set.generation);
    }

    /// Why the session is over, if it is.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        (self.end.fence >= self.token_set.generation).then_some(self.end.reason)
    }

    /// What `encode` keeps of it: no tokens where they must not be, or once it has ended.
    #[must_use]
    pub fn kept(mut self, with_tokens: bool) -> Self {
        if !with_tokens || self.ended().is_some() {
            self.token_set.tokens = None;
        }
        self
    }

    /// The key of the rotation that is under way.
    pub(crate) fn pending_key(&self) -> Option<Key> {
        (self.pending.generation == self.token_set.generation).then_some(self.pending.key)
    }

    /// The key of a rotation that none of their tabs has seen the answer of.
    pub(crate) fn unanswered_key(&self, theirs: &Self) -> Option<Key> {
        let TokenSet { generation, rotated_by, .. } = theirs.token_set;
        let is_next = generation <= self.token_set.generation + 1;
        self.pending_key().filter(|key| is_next && *key != rotated_by)
    }

    /// What holds the next refresh back at `now`: of these tokens, or of those before and said since.
    pub(crate) fn held_back(&self, now: Millis) -> Option<Backoff> {
        let Backoff { generation, since, until, .. } = self.backoff;
        let before = i64::from(since > self.token_set.issued_at);
        let in_force = generation + before >= self.token_set.generation;
        (in_force && (since - BACKOFF_SLACK..until).contains(&now)).then_some(self.backoff)
    }

    /// Failures in a row of refreshing this generation, and what speaks against it, over all tabs.
    pub(crate) fn failures(&self) -> (u32, Doubts) {
        if self.backoff.generation == self.token_set.generation {
            (self.backoff.failures, self.backoff.doubts)
        } else {
            Default::default()
        }
    }
}

impl TokenSet {
    /// When the access token ends whose lifetime began at `issued`.
    pub(crate) fn expires(&self, issued: Moment) -> Moment {
        if self.lifetime == ENDLESS { Moment::NEVER } else { issued + self.lifetime }
    }

    /// The order of preference: the newer one, the one with its tokens, then any order at all, as
    /// long as all tabs have the same.
    #[inline(always)] // A copy is smaller than a call.
    fn rank(&self) -> (Generation, Option<&str>, Millis, Key) {
        let access = self.tokens.as_ref().map(|tokens| tokens.access.as_str());
        (self.generation, access, self.issued_at, self.rotated_by)
    }
}

impl Key {
    /// No key.
    pub(crate) const NONE: Self = Self(0, 0);

    pub(crate) fn draw(entropy: &mut impl Entropy) -> Self {
        Self(entropy.next(), entropy.next())
    }

    /// As it is sent: 32 hexadecimal digits.
    pub(crate) fn text(self) -> String {
        let mut out = String::with_capacity(32);
        for word in [self.0, self.1] {
            for shift in (0..16).rev() {
                let digit = (word >> (shift * 4)) as u8 & 15;
                out.push(char::from(digit + if digit < 10 { b'0' } else { b'a' - 10 }));
            }
        }
        out
    }
}

impl Pending {
    /// No rotation is under way.
    pub(crate) const NONE: Self = Self { generation: -1, made_at: 0, key: Key::NONE };

    /// The newer rotation; of the keys for one rotation, the one that was made first.
    const fn rank(&self) -> (Generation, Millis, Key) {
        (self.generation, -self.made_at, self.key)
    }
}

impl Backoff {
    /// Nothing is held back.
    pub(crate) const NONE: Self = Self {
        generation: -1,
        until: 0,
        since: 0,
        server_until: 0,
        failures: 0,
        doubts: Doubts { count: 0, since: 0, superseded: 0 },
    };

    /// No wish, and nothing on record, holds back for longer.
    pub(crate) fn bounded(mut self) -> Self {
        let most = self.since + PATIENCE;
        self.until = self.until.min(most);
        self.server_until = self.server_until.min(most);
        self
    }
}

impl Doubts {
    /// One more, at `now`. A first one that is still to come was written before the clock was set
    /// back: then this is the first.
    pub(crate) fn and(self, now: Millis) -> Self {
        match self {
            Self { count: 1.., since, .. } if since <= now => {
                Self { count: self.count + 1, ..self }
            }
            _ => Self { count: 1, since: now, ..self },
        }
    }

    /// Whether they are taken for the service's no.
    pub(crate) fn convince(self, now: Millis) -> bool {
        self.count >= CONVINCING && now - self.since >= CONVINCING_TIME
    }
}

impl End {
    /// It is not over.
    pub(crate) const NONE: Self = Self { fence: -1, reason: EndReason::None, settled: false };
}

impl Sends {
    pub(crate) fn add(&mut self, at: Millis) {
        let Some(place) = self.0.iter().rposition(|known| *known <= at) else { return };
        if self.0[place] == at {
            return;
        }
        // Those before it make room; the oldest one is forgotten.
        let mut moved = at;
        for known in self.0[..=place].iter_mut().rev() {
            mem::swap(known, &mut moved);
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

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.ended().map_or("live", EndReason::as_str);
        write!(f, "Record({} generation {} {end})", self.sid, self.token_set.generation)
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
pub(crate) mod tests {
    use proptest::{collection::vec, option::of, prelude::*};

    use super::*;

    prop_compose! {
        fn terms()(
            generation in 0..4_i64,
            tokens in of("[a-c]"),
            issued_at in 0..3_i64,
            key in 0..3_u64,
        ) -> TokenSet {
            // In life the rest follows from these.
            let tokens = tokens.map(|access| {
                Tokens { refresh: (access != "b").then(|| access.to_uppercase()), access }
            });
            let subject = (key == 1).then(|| format!("{generation}\n ü"));
            let refresh_in = (key > 0).then_some(issued_at);
            let ends_at = Some(generation).filter(|generation| *generation > 1);
            let rotated_by = Key(u64::MAX.wrapping_mul(key), key);
            TokenSet {
                generation, tokens, issued_at, lifetime: 300, unusable_for: 0, refresh_in,
                lead: None, ends_at, subject, rotated_by, claims: 7,
            }
        }
    }

    prop_compose! {
        pub(crate) fn records()(
            sid in 0..2_i64,
            started_at in 0..2_i64,
            token_set in terms(),
            pending in (-1..4_i64, 0..3_i64, 0..9_u64),
            backoff in (-1..4_i64, 0..9_i64),
            sends in vec(1..40_i64, 0..10),
            last_activity in 0..9_i64,
            end in (prop_oneof![-1..4_i64, Just(FOR_GOOD)], prop_oneof![
                Just(EndReason::Idle), Just(EndReason::SignedOut), Just(EndReason::Revoked),
            ], any::<bool>()),
        ) -> Record {
            let (generation, made_at, key) = pending;
            // It is about a generation that there has been.
            let generation = generation.min(token_set.generation);
            let pending = Pending { generation, made_at, key: Key(key, !key) };
            let (generation, until) = backoff;
            let server_until = if until % 2 == 0 { until / 2 } else { 0 };
            let failures = until as u32;
            let doubts =
                Doubts { count: failures / 2, since: until, superseded: (server_until % 3) as u32 };
            let since = until - 1;
            let backoff = Backoff { generation, until, since, server_until, failures, doubts };
            let (fence, reason, settled) = end;
            Record {
                sid, started_at, token_set, pending, backoff, last_activity,
                sends: sends.into_iter().fold(Sends::default(), |mut all, at| {
                    all.add(at);
                    all
                }),
                end: End { fence, reason, settled },
            }
        }
    }

    fn joined(a: &Record, b: &Record) -> Record {
        let mut joined = a.clone();
        joined.join(b.clone());
        joined
    }

    proptest! {
        #[test]
        fn joining_does_not_care_about_order(a in records(), b in records()) {
            prop_assert_eq!(joined(&a, &b), joined(&b, &a));
        }

        #[test]
        fn joining_does_not_care_about_grouping(a in records(), b in records(), c in records()) {
            prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
        }

        #[test]
        fn joining_twice_changes_nothing(a in records(), b in records()) {
            let once = joined(&a, &b);
            prop_assert_eq!(joined(&a, &a), a);
            prop_assert_eq!(joined(&once, &b), once);
        }

        #[test]
        fn nothing_known_is_lost_within_a_session(a in records(), b in records()) {
            let b = Record { sid: a.sid, started_at: a.started_at, ..b };
            let joined = joined(&a, &b);
            for part in [a, b] {
                prop_assert!(joined.token_set.rank() >= part.token_set.rank());
                prop_assert!(joined.last_activity >= part.last_activity);
                prop_assert!(joined.end >= part.end);
            }
        }
    }

    pub(crate) fn record(generation: Generation) -> Record {
        Record {
            sid: 1,
            started_at: 1,
            token_set: TokenSet {
                generation,
                tokens: None,
                issued_at: 0,
                lifetime: 0,
                unusable_for: 0,
                refresh_in: None,
                lead: None,
                ends_at: None,
                subject: None,
                claims: 0,
                rotated_by: Key::NONE,
            },
            pending: Pending::NONE,
            backoff: Backoff::NONE,
            sends: Sends::default(),
            last_activity: 0,
            end: End::NONE,
        }
    }

    #[test]
    fn what_is_none_says_nothing_of_any_generation() {
        for generation in 0..3 {
            let record = record(generation);
            assert_eq!(record.pending_key(), None);
            assert_eq!((record.held_back(0), record.failures()), (None, Default::default()));
            assert_eq!((record.ended(), record.sends.last()), (None, None));
        }
    }

    #[test]
    fn of_two_keys_for_one_rotation_the_first_made_wins() {
        let with = |generation, made_at, key| {
            let pending = Pending { generation, made_at, key: Key(key, 0) };
            Record { pending, ..record(generation) }
        };
        assert_eq!(joined(&with(3, 5, 9), &with(3, 6, 1)).pending_key(), Some(Key(9, 0)));
        assert_eq!(joined(&with(3, 5, 9), &with(4, 9, 2)).pending_key(), Some(Key(2, 0)));
    }

    #[test]
    fn a_hold_is_for_its_generation_and_its_time() {
        let backoff =
            Backoff { until: 9_000, since: 5_000, generation: 3, failures: 2, ..Backoff::NONE };
        let held = |generation, now, issued_at| {
            let mut record = Record { backoff, ..record(generation) };
            record.token_set.issued_at = issued_at;
            record.held_back(now).is_some()
        };
        assert!(!held(3, 3_999, 0), "before it was made the clock was set back");
        assert!(held(3, 4_000, 0) && held(3, 8_999, 6_000) && !held(3, 9_000, 0));
        assert!(held(4, 5_000, 4_999) && !held(4, 5_000, 5_000) && !held(5, 5_000, 4_999));
        assert_eq!(Record { backoff, ..record(3) }.failures().0, 2);
        assert_eq!(Record { backoff, ..record(4) }.failures().0, 0);
    }

    #[test]
    fn what_the_server_asked_for_outlives_a_longer_hold() {
        let own = Backoff { until: 60, since: 1, generation: 3, ..Backoff::NONE };
        let server = Backoff { until: 30, server_until: 30, since: 2, ..own };
        let [one, two] = [own, server].map(|backoff| Record { backoff, ..record(3) });
        let both = Backoff { server_until: 30, ..own };
        assert_eq!((joined(&one, &two).backoff, joined(&two, &one).backoff), (both, both));
        let next = Record { backoff: Backoff { generation: 4, ..own }, ..record(4) };
        assert_eq!(joined(&two, &next).backoff.server_until, 0, "the server has answered since");
    }

    #[test]
    fn three_doubts_over_a_minute_convince() {
        let mut doubts = Doubts::default();
        for (now, convinces) in [(9, false), (59_000, false), (60_008, false), (60_009, true)] {
            doubts = doubts.and(now);
            assert_eq!(doubts.convince(now), convinces, "{now}");
        }
        assert!(!Doubts { count: 2, ..Doubts::default() }.convince(1 << 40));
        assert_eq!(doubts.and(8), Doubts { count: 1, since: 8, superseded: 0 }, "a clock set back");
    }

    #[test]
    fn nothing_holds_back_for_longer_than_a_quarter_of_an_hour() {
        let far = Backoff { since: 7, until: 1 << 60, server_until: 1 << 59, ..Backoff::NONE };
        let bounded = far.bounded();
        assert_eq!((bounded.until, bounded.server_until), (900_007, 900_007));
        assert_eq!(bounded.bounded(), bounded);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let tokens = Tokens { access: "secret".into(), refresh: Some("secret".into()) };
        assert_eq!(format!("{tokens:?} {:?}", Key(7, 7)), "Tokens(..) Key(..)");
        assert_eq!(format!("{:?}", record(3)), "Record(1 generation 3 live)");
    }

    #[test]
    fn keys_are_32_digits_and_differ() {
        let mut entropy = crate::core::entropy::Seeded(7);
        let (a, b) = (Key::draw(&mut entropy), Key::draw(&mut entropy));
        assert_ne!(a, b);
        assert_eq!(Key(0x0123_4567_89ab_cdef, 10).text(), "0123456789abcdef000000000000000a");
        assert_eq!(a.text().len(), 32);
    }
}
