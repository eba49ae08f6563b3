use super::Policy;

/// A policy that must not, or cannot, be used. The text says why and what to do; the name in
/// brackets at its end is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A token would be worth nothing from the start.
    #[error("a life of 0 seconds: no token would ever be good; give at least 1 [ERR_NO_LIFE]")]
    NoLife,
    /// A stolen access token would be good for so many seconds.
    #[error(
        "--access-ttl: {0} s is more than a week, and a stolen access token is good to its end; \
         make it shorter and refresh, or insist with --allow-long-access [ERR_LONG_ACCESS]"
    )]
    LongAccess(u64),
    /// Sessions would never end.
    #[error(
        "--idle-ttl never with --absolute-ttl never: sessions and the records of revoked ones \
         would pile up for ever; give one of them a limit, or insist with \
         --dangerously-eternal-refresh [ERR_ENDLESS_SESSION]"
    )]
    EndlessSession,
    /// Refresh tokens without end need a deny list without end.
    #[error(
        "a deny list with refresh tokens that never expire: no entry could ever be dropped, so \
         the list would only grow; give --idle-ttl or --absolute-ttl a limit \
         [ERR_ENDLESS_DENY_LIST]"
    )]
    EndlessDenyList,
    /// The soft expiry does not come before the hard one.
    #[error(
        "soft_ttl {soft} s is not shorter than the access token's {access} s, so nothing would be \
         left to renew; make it shorter [ERR_SOFT_EXPIRY]"
    )]
    SoftExpiry {
        /// The soft life, in seconds.
        soft: u64,
        /// The hard one, in seconds.
        access: u64,
    },
    /// `--set` with something that is no field, or no value for it.
    #[error("--set: {text:?} does not do; {remedy} [ERR_POLICY_FIELD]")]
    Field {
        /// What was given.
        text: String,
        /// What would do.
        remedy: &'static str,
    },
}

impl Policy {
    /// Refuses what must not be used, and without the operator's word what should not.
    pub(crate) fn check(&self, long_access: bool, endless: bool) -> Result<(), PolicyError> {
        let lives = [self.idle_ttl, self.absolute_ttl, self.soft_ttl, self.extend_by];
        if self.access_ttl == 0 || lives.contains(&Some(0)) || self.max_login_age == Some(0) {
            return Err(PolicyError::NoLife);
        }
        if let Some(soft) = self.soft_ttl.filter(|soft| *soft >= self.longest_access()) {
            return Err(PolicyError::SoftExpiry { soft, access: self.longest_access() });
        }
        let longest = self.longest_access();
        if longest > LONG_ACCESS && !long_access {
            return Err(PolicyError::LongAccess(longest));
        }
        let limits = [self.idle_ttl, self.absolute_ttl];
        let unlimited = limits == [None, None];
        if unlimited && self.revocation == super::Revoked::Denied {
            return Err(PolicyError::EndlessDenyList);
        }
        if unlimited && !endless {
            return Err(PolicyError::EndlessSession);
        }
        Ok(())
    }

    /// The longest life of any access token, in seconds.
    #[must_use]
    pub fn longest_access(&self) -> u64 {
        self.extend_by.map_or(self.access_ttl, |extended| extended.max(self.access_ttl))
    }
}

const LONG_ACCESS: u64 = 7 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_but_two_can_be_used_without_insisting() {
        for policy in Policy::all() {
            let verdict = policy.check(false, false);
            match policy.number {
                19 => assert_eq!(verdict, Err(PolicyError::EndlessDenyList)),
                31 => assert_eq!(verdict, Err(PolicyError::LongAccess(180 * 86_400))),
                _ => assert_eq!(verdict, Ok(()), "{}", policy.name),
            }
        }
    }
}
