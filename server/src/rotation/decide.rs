use serde::Serialize;
use subtle::ConstantTimeEq;

use super::{
    Ended, KeyDigest, Millis, Parent, Pepper, RefreshToken, Revocation, RingEntry, Rules,
    SessionFamily, Status,
};

/// One refresh of a known family: what becomes of the row, and what the client hears.
///
/// The first rule that fits wins, in the order of [`Transition`]. The caller holds the row alone
/// (a lock, a transaction) from before this call until it has written [`Decision::row`].
#[must_use]
pub fn decide(
    row: &SessionFamily,
    attempt: &Attempt,
    standing: UserStatus,
    rules: &Rules,
    pepper: &Pepper,
) -> Decision {
    if let Some(ended) = row.status.ended() {
        return Decision::refuse(Transition::UnknownOrEnded, Refusal::Ended(ended));
    }
    if attempt.client_id.as_ref().is_some_and(|client| *client != row.client_id) {
        return Decision::refuse(Transition::WrongClient, Refusal::WrongClient);
    }
    if let Some(expiry) = row.expiry(attempt.now, rules.max_login_age) {
        let refusal = Refusal::Ended(Ended::Expired(expiry));
        return Decision::end(row, Status::Expired(expiry), Transition::Expired, refusal);
    }
    if let Some(why) = standing.objection(row) {
        let status = Status::Revoked(why);
        return Decision::end(row, status, Transition::UserRevoked, Refusal::LoginRequired);
    }

    let token = &attempt.token;
    let known = match token.generation {
        generation if generation == row.generation => Some(&row.digest),
        generation if generation.checked_add(1) == Some(row.generation) => {
            row.parent.as_ref().map(|parent| &parent.digest)
        }
        _ => None,
    };
    if known.is_some_and(|digest| !bool::from(token.digest().ct_eq(digest))) {
        return Decision::refuse(Transition::NotAuthentic, Refusal::Malformed);
    }

    let key = attempt.key.filter(|_| rules.profile.honours_keys());
    if token.generation == row.generation && rules.reusable {
        Decision {
            transition: Transition::Rotated,
            answer: Ok(Grant { token: token.clone(), replayed: false }),
            row: Some(row.clone().used(attempt.now, rules.idle)),
        }
    } else if token.generation == row.generation {
        match repeated(row, attempt, key) {
            Some(rotation) => replay(row, rotation, attempt.token.clone(), attempt.now, rules),
            None => rotate(row, attempt, key, rules, pepper),
        }
    } else if rules.resync && lost_one_write(row, token) {
        let caught_up =
            SessionFamily { generation: token.generation, digest: token.digest(), ..row.clone() };
        let decision = rotate(&caught_up, attempt, key, rules, pepper);
        Decision { transition: Transition::StoreBehind, ..decision }
    } else if token.generation > row.generation {
        Decision::refuse(Transition::StoreBehind, Refusal::StoreBehind)
    } else if token.generation.checked_add(1) == Some(row.generation) {
        repeat(row, attempt, key, rules, pepper)
    } else {
        outdated(row, attempt, key, rules)
    }
}

/// The rotation that made this cookie, where its key came along: a tab that had not heard of it.
fn repeated<'a>(
    row: &'a SessionFamily,
    attempt: &Attempt,
    key: Option<KeyDigest>,
) -> Option<&'a RingEntry> {
    let rotation = row.rotation_of(attempt.token.generation.checked_sub(1)?)?;
    (attempt.in_cookie && rotation.has(key)).then_some(rotation)
}

fn rotate(
    row: &SessionFamily,
    attempt: &Attempt,
    key: Option<KeyDigest>,
    rules: &Rules,
    pepper: &Pepper,
) -> Decision {
    let now = attempt.now;
    let token = attempt.token.successor(pepper, &attempt.salt, now);
    let mut next = row.clone();
    next.generation = token.generation;
    next.parent = Some(Parent { digest: row.digest, salt: attempt.salt });
    next.digest = token.digest();
    if next.ring.len() == SessionFamily::RING {
        next.ring.remove(0);
    }
    next.ring.push(RingEntry { generation: row.generation, key, rotated_at: now });
    next.replays = 0;
    next.keyed |= key.is_some();
    next.seen = false;

    Decision {
        transition: Transition::Rotated,
        answer: Ok(Grant { token, replayed: false }),
        row: Some(next.used(now, rules.idle)),
    }
}

/// The store went back by the one rotation that made this token; its tag says that we made it.
fn lost_one_write(row: &SessionFamily, token: &RefreshToken) -> bool {
    row.generation.checked_add(1) == Some(token.generation) && token.issued_at > row.last_used_at
}

/// The parent came again: a retry, or a thief.
fn repeat(
    row: &SessionFamily,
    attempt: &Attempt,
    key: Option<KeyDigest>,
    rules: &Rules,
    pepper: &Pepper,
) -> Decision {
    let (Some(parent), Some(rotation)) = (&row.parent, row.rotation_of(attempt.token.generation))
    else {
        return reused(row);
    };
    let transition = if rotation.has(key) {
        Transition::Replayed
    } else if !row.seen && forgiven(row, rotation, attempt, rules) {
        Transition::Forgiven
    } else {
        return outdated(row, attempt, key, rules);
    };
    let token = attempt.token.successor(pepper, &parent.salt, rotation.rotated_at);
    Decision { transition, ..replay(row, rotation, token, attempt.now, rules) }
}

/// The last rotation's answer again.
fn replay(
    row: &SessionFamily,
    rotation: &RingEntry,
    token: RefreshToken,
    now: Millis,
    rules: &Rules,
) -> Decision {
    let age = now.saturating_sub(rotation.rotated_at);
    let late = age > rules.replay_free;
    // In the long run one each period: a client whose answers get lost must not be locked out.
    let periods = age.checked_div(rules.replay_free).unwrap_or(0);
    if late && u64::from(row.replays) >= periods.max(rules.replay_cap.into()) {
        return Decision::refuse(Transition::Replayed, Refusal::TooManyReplays);
    }
    let row = late.then(|| SessionFamily { replays: row.replays + 1, ..row.clone() });
    let answer = Ok(Grant { token, replayed: true });
    Decision { transition: Transition::Replayed, answer, row }
}

/// An older token: a late duplicate, or a thief.
fn outdated(
    row: &SessionFamily,
    attempt: &Attempt,
    key: Option<KeyDigest>,
    rules: &Rules,
) -> Decision {
    let Some(rotation) = row.rotation_of(attempt.token.generation) else { return reused(row) };
    let is_parent = attempt.token.generation.checked_add(1) == Some(row.generation);
    if repeated(row, attempt, key).is_some()
        || !is_parent && (rotation.has(key) || forgiven(row, rotation, attempt, rules))
    {
        Decision::refuse(Transition::LateDuplicate, Refusal::Superseded)
    } else {
        reused(row)
    }
}

/// Within the grace window, but never for a family that has keys and now comes without one.
fn forgiven(row: &SessionFamily, rotation: &RingEntry, attempt: &Attempt, rules: &Rules) -> bool {
    let downgrade = row.keyed && attempt.key.is_none();
    let in_time = attempt.now <= rotation.rotated_at.saturating_add(rules.grace);
    rules.profile.forgives() && !downgrade && in_time
}

fn reused(row: &SessionFamily) -> Decision {
    let status = Status::Revoked(Revocation::Reuse);
    Decision::end(row, status, Transition::Reused, Refusal::Reused)
}

/// One presented refresh token with all that the decision may depend on.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The token, its tag already checked.
    pub token: RefreshToken,
    /// The rotation key that came with it.
    pub key: Option<KeyDigest>,
    /// The browser sent the token in a cookie, which all tabs share: it may be newer than the key
    /// that a tab sends along.
    pub in_cookie: bool,
    /// The client that says it is asking.
    pub client_id: Option<String>,
    /// The server's time.
    pub now: Millis,
    /// Fresh randomness, used only if the family rotates.
    pub salt: [u8; 32],
}

/// How the user stands with the server at the time of the refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserStatus {
    /// An administrator locked the user out.
    pub disabled: bool,
    /// The user has to sign in again.
    pub reauth: bool,
    /// Sessions opened under an earlier version are void.
    pub version: u32,
}

impl UserStatus {
    fn objection(self, row: &SessionFamily) -> Option<Revocation> {
        if self.disabled {
            Some(Revocation::Admin)
        } else if self.reauth {
            Some(Revocation::Reauth)
        } else if self.version != row.user_version {
            Some(Revocation::Version)
        } else {
            None
        }
    }
}

/// What a refresh came to.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The rule that fitted.
    pub transition: Transition,
    /// What the client gets.
    pub answer: Result<Grant, Refusal>,
    /// The row to write, if it changed.
    pub row: Option<SessionFamily>,
}

impl Decision {
    /// No change, no token.
    #[must_use]
    pub fn refuse(transition: Transition, refusal: Refusal) -> Self {
        Self { transition, answer: Err(refusal), row: None }
    }

    fn end(row: &SessionFamily, status: Status, transition: Transition, refusal: Refusal) -> Self {
        Self {
            transition,
            answer: Err(refusal),
            row: Some(SessionFamily { status, ..row.clone() }),
        }
    }
}

/// A refresh that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The refresh token to use next.
    pub token: RefreshToken,
    /// The family had already rotated; this is the same answer again.
    pub replayed: bool,
}

/// A refresh that was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a token of this server.
    Malformed,
    /// No such family.
    Unknown,
    /// The family has ended.
    Ended(Ended),
    /// The token belongs to another client.
    WrongClient,
    /// The user has to sign in again.
    LoginRequired,
    /// The last rotation was repeated too often.
    TooManyReplays,
    /// A newer token is out, and this is a late copy of an old request.
    Superseded,
    /// Two parties hold the token; the family has been ended.
    Reused,
    /// The token is newer than the store, which must have lost a write.
    StoreBehind,
}

/// The rules of a refresh, in the order in which they are tried. Serialised by their numbers, T0 to
/// T10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Transition {
    /// Not authentic: nothing happens.
    #[serde(rename = "T0")]
    NotAuthentic,
    /// The family is unknown or has ended.
    #[serde(rename = "T1")]
    UnknownOrEnded,
    /// Another client: refused, but nobody is signed out for it.
    #[serde(rename = "T2")]
    WrongClient,
    /// A limit has been reached: the family expires.
    #[serde(rename = "T3")]
    Expired,
    /// The user may not go on: the family is revoked.
    #[serde(rename = "T4")]
    UserRevoked,
    /// The newest token: rotate.
    #[serde(rename = "T5")]
    Rotated,
    /// The parent with its own key, or a cookie with the key that made it: the same answer again.
    #[serde(rename = "T6")]
    Replayed,
    /// The parent with another key, forgiven within the grace window.
    #[serde(rename = "T7")]
    Forgiven,
    /// A late duplicate of an old rotation: refused, but nobody is signed out for it.
    #[serde(rename = "T8")]
    LateDuplicate,
    /// Any other old token: theft, the family is revoked.
    #[serde(rename = "T9")]
    Reused,
    /// A token from the store's future: refused, unless one lost write explains it; and an alarm
    /// for the operator.
    #[serde(rename = "T10")]
    StoreBehind,
}

impl Transition {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::NotAuthentic,
        Self::UnknownOrEnded,
        Self::WrongClient,
        Self::Expired,
        Self::UserRevoked,
        Self::Rotated,
        Self::Replayed,
        Self::Forgiven,
        Self::LateDuplicate,
        Self::Reused,
        Self::StoreBehind,
    ];

    /// As metrics, logs and the audit log write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAuthentic => "not_authentic",
            Self::UnknownOrEnded => "unknown_or_ended",
            Self::WrongClient => "wrong_client",
            Self::Expired => "expired",
            Self::UserRevoked => "user_revoked",
            Self::Rotated => "rotated",
            Self::Replayed => "replayed",
            Self::Forgiven => "forgiven",
            Self::LateDuplicate => "late_duplicate",
            Self::Reused => "reused",
            Self::StoreBehind => "store_behind",
        }
    }
}
