//! Session strategies, as data: what each does is said by its fields and by nothing else.

mod adjust;
mod check;
mod presets;

pub use check::PolicyError;

/// How sessions are kept alive, and for how long. All lives are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its row in the table of strategies, from 1.
    pub number: u8,
    /// What `--policy` calls it.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,

    /// How an access token is followed by a newer one.
    pub renew: Renew,
    /// Renewal is due when so much of the access token's life is over, in percent. Asked earlier,
    /// the endpoint gives a token that ends when the old one does.
    pub renew_after: u8,
    /// Life of a renewed access token, where it differs from that of the first.
    pub extend_by: Option<u64>,
    /// An expired but authentic access token of a living session is still served and renewed.
    pub late_renewal: bool,

    /// Life of an access token.
    pub access_ttl: u64,
    /// From this age on an access token is refused, but can still be renewed.
    pub soft_ttl: Option<u64>,
    /// Clients are asked to renew an access token at this age, if not where its lead begins.
    pub refresh_in: Option<u64>,
    /// A session that is not used for this long ends.
    pub idle_ttl: Option<u64>,
    /// Every request counts as use; else only refreshes do.
    pub use_counts: bool,
    /// Longest life of a session.
    pub absolute_ttl: Option<u64>,
    /// A sign-in older than this is worth nothing at a refresh.
    pub max_login_age: Option<u64>,

    /// What refresh tokens a sign-in gives.
    pub refresh_token: RefreshTokens,
    /// The refresh token is an `HttpOnly` cookie and admits to protected routes by itself.
    pub cookie_session: bool,
    /// A refresh must bring the session's access token along; it may have expired.
    pub access_at_refresh: bool,
    /// What is ended when a refresh token is used by two parties.
    pub on_reuse: OnReuse,
    /// Two access tokens of one session in use at once are taken for theft.
    pub one_access: bool,
    /// A refresh token one step ahead of the store is believed, for stores that may lose a write.
    pub resync: bool,

    /// What can void an access token before it expires, beside the end of its session.
    pub revocation: Revoked,
    /// A sign-in voids all older sessions of the user.
    pub bump_at_sign_in: bool,
    /// A session is good only for the browser (the header `User-Agent`) that began it.
    pub bind_agent: bool,
    /// A new password ends the session that changed it as well.
    pub password_ends_all: bool,
    /// Every access token that is issued is written down.
    pub issue_log: bool,
}

/// How an access token is followed by a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renew {
    /// Not at all: sign in again.
    Never,
    /// At `/auth/renew`, for an access token that is still good.
    Endpoint,
    /// In the header [`Policy::HEADER`] of a successful answer.
    Header,
    /// In the session cookie of a successful answer.
    Cookie,
    /// For a refresh token.
    RefreshToken,
}

/// What refresh tokens there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokens {
    /// None.
    Never,
    /// One for the life of the session.
    Reusable,
    /// Each is good for one refresh, which gives the next.
    OneTime,
}

/// What can void an access token before it expires, beside the end of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Nothing.
    Family,
    /// Its `jti` is on the deny list: after a sign-out or a renewal.
    Denied,
    /// Its `jti` is no longer on the allow list.
    NotAllowed,
    /// Its `ver` is no longer the user's; every sign-out raises that.
    Version,
    /// A newer access token of the same user.
    LatestOnly,
}

/// What is ended when a refresh token is used by two parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReuse {
    /// The session.
    RevokeFamily,
    /// All sessions of the user.
    RevokeUser,
}

impl Policy {
    /// The response header that brings a newer access token, in small letters.
    pub const HEADER: &'static str = "x-jwt";

    /// The policy of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|policy| policy.name == name)
    }

    /// All policies, in the order of the table of strategies.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut all: Vec<Self> = presets::all().collect();
        all.sort_by_key(|policy| policy.number);
        all.into_iter()
    }

    /// Whether a sign-in gives a refresh token.
    #[must_use]
    pub fn gives_refresh_tokens(&self) -> bool {
        self.refresh_token != RefreshTokens::Never
    }

    /// Life of an access token that follows another.
    pub(crate) fn renewed_life(&self) -> u64 {
        self.extend_by.unwrap_or(self.access_ttl)
    }

    /// When clients are asked to renew an access token, in seconds from now.
    pub(crate) fn wish(&self) -> Option<u64> {
        self.refresh_in.or(self.soft_ttl)
    }

    /// Whether renewal is due for something that came to be and ends at these times.
    pub(crate) fn is_due(&self, began: u64, ends: u64, now: u64) -> bool {
        let life = u128::from(ends.saturating_sub(began));
        let age = u128::from(now.saturating_sub(began));
        100 * age >= u128::from(self.renew_after) * life
    }
}

impl Default for Policy {
    fn default() -> Self {
        presets::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_has_one_policy_and_every_policy_its_own_name() {
        let numbers: Vec<u8> = Policy::all().map(|policy| policy.number).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<u8>>());
        for policy in Policy::all() {
            assert_eq!(Policy::named(policy.name), Some(policy));
        }
        assert_eq!(Policy::default().name, "silent-refresh");
    }

    #[test]
    fn no_two_rows_have_equal_fields() {
        let nameless: Vec<Policy> = presets::rows()
            .map(|policy| Policy { number: 0, name: "", summary: "", ..*policy })
            .collect();
        for (place, policy) in nameless.iter().enumerate() {
            assert!(!nameless[..place].contains(policy), "{policy:?} has two rows");
        }
    }

    #[test]
    fn renewal_is_due_when_so_much_of_the_life_is_over() {
        let half = Policy { renew_after: 50, ..Policy::default() };
        assert!(!half.is_due(1_000, 2_000, 1_499) && half.is_due(1_000, 2_000, 1_500));
        let always = Policy { renew_after: 0, ..Policy::default() };
        assert!(always.is_due(1_000, 2_000, 1_000));
        let late = Policy { renew_after: 100, ..Policy::default() };
        assert!(!late.is_due(1_000, 2_000, 1_999) && late.is_due(1_000, 2_000, 2_000));
    }
}
