//! The 41 strategies.

mod refreshed;
mod renewed;
mod same;
mod stored;

use self::same::SameAs;

use super::{OnReuse, Policy, RefreshTokens, Renew, Revoked};

/// Every preset, in no particular order.
pub(super) fn all() -> impl Iterator<Item = Policy> {
    let same = same::STRATEGIES.iter().flat_map(|&SameAs { of, number, name, summary }| {
        let fields = rows().find(|policy| policy.name == of);
        fields.map(|&fields| Policy { number, name, summary, ..fields })
    });
    rows().copied().chain(same)
}

/// Those that differ in a field from each other.
pub(super) fn rows() -> impl Iterator<Item = &'static Policy> {
    refreshed::POLICIES.iter().chain(renewed::POLICIES).chain(stored::POLICIES)
}

/// Short access tokens, one-time refresh tokens.
pub(super) const DEFAULT: Policy = Policy {
    number: 25,
    name: "silent-refresh",
    summary: "5-minute access tokens, rotating refresh tokens: 48 hours idle, 30 days in all",
    renew: Renew::RefreshToken,
    renew_after: 0,
    extend_by: None,
    late_renewal: false,
    access_ttl: 5 * MINUTE,
    soft_ttl: None,
    refresh_in: None,
    idle_ttl: Some(48 * HOUR),
    use_counts: false,
    absolute_ttl: Some(30 * DAY),
    max_login_age: None,
    refresh_token: RefreshTokens::OneTime,
    cookie_session: false,
    access_at_refresh: false,
    on_reuse: OnReuse::RevokeFamily,
    one_access: false,
    resync: false,
    revocation: Revoked::Family,
    bump_at_sign_in: false,
    bind_agent: false,
    password_ends_all: false,
    issue_log: false,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const YEAR: u64 = 365 * DAY;
