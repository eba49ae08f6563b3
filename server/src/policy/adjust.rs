use super::{OnReuse, Policy, PolicyError, RefreshTokens, Renew, Revoked};
use crate::duration::lasting;

impl Policy {
    /// Changes one field, given as `NAME=VALUE`.
    pub(crate) fn adjust(&mut self, text: &str) -> Result<(), PolicyError> {
        let wrong = |remedy| PolicyError::Field { text: text.to_owned(), remedy };
        let (name, value) = text.split_once('=').ok_or_else(|| wrong("give NAME=VALUE"))?;
        let life = || lasting(value).ok_or_else(|| wrong("give seconds, or like 15m"));
        let limit = || if value == "never" { Ok(None) } else { life().map(Some) };
        let switch = || choose(value, &[("true", true), ("false", false)], "true or false");
        match name {
            "renew" => self.renew = choose(value, RENEW, RENEWS).map_err(wrong)?,
            "renew_after" => self.renew_after = percent(value).ok_or_else(|| wrong(PERCENT))?,
            "extend_by" => self.extend_by = limit()?,
            "late_renewal" => self.late_renewal = switch().map_err(wrong)?,
            "access_ttl" => self.access_ttl = life()?,
            "soft_ttl" => self.soft_ttl = limit()?,
            "refresh_in" => self.refresh_in = limit()?,
            "idle_ttl" => self.idle_ttl = limit()?,
            "use_counts" => self.use_counts = switch().map_err(wrong)?,
            "absolute_ttl" => self.absolute_ttl = limit()?,
            "max_login_age" => self.max_login_age = limit()?,
            "refresh_token" => self.refresh_token = choose(value, TOKENS, KINDS).map_err(wrong)?,
            "cookie_session" => self.cookie_session = switch().map_err(wrong)?,
            "access_at_refresh" => self.access_at_refresh = switch().map_err(wrong)?,
            "on_reuse" => self.on_reuse = choose(value, REUSE, REUSES).map_err(wrong)?,
            "one_access" => self.one_access = switch().map_err(wrong)?,
            "resync" => self.resync = switch().map_err(wrong)?,
            "revocation" => self.revocation = choose(value, REVOKED, REVOCATIONS).map_err(wrong)?,
            "bump_at_sign_in" => self.bump_at_sign_in = switch().map_err(wrong)?,
            "bind_agent" => self.bind_agent = switch().map_err(wrong)?,
            "password_ends_all" => self.password_ends_all = switch().map_err(wrong)?,
            "issue_log" => self.issue_log = switch().map_err(wrong)?,
            _ => return Err(wrong("docs/strategies.md names the fields of a policy")),
        }
        Ok(())
    }
}

fn choose<T: Copy>(
    value: &str,
    choices: &[(&str, T)],
    remedy: &'static str,
) -> Result<T, &'static str> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice).ok_or(remedy)
}

fn percent(value: &str) -> Option<u8> {
    value.parse().ok().filter(|percent| *percent <= 100)
}

const RENEW: &[(&str, Renew)] = &[
    ("never", Renew::Never),
    ("endpoint", Renew::Endpoint),
    ("header", Renew::Header),
    ("cookie", Renew::Cookie),
    ("refresh_token", Renew::RefreshToken),
];
const RENEWS: &str = "choose never, endpoint, header, cookie or refresh_token";

const TOKENS: &[(&str, RefreshTokens)] = &[
    ("never", RefreshTokens::Never),
    ("reusable", RefreshTokens::Reusable),
    ("one_time", RefreshTokens::OneTime),
];
const KINDS: &str = "choose never, reusable or one_time";

const REUSE: &[(&str, OnReuse)] =
    &[("revoke_family", OnReuse::RevokeFamily), ("revoke_user", OnReuse::RevokeUser)];
const REUSES: &str = "choose revoke_family or revoke_user";

const REVOKED: &[(&str, Revoked)] = &[
    ("family", Revoked::Family),
    ("jti_deny", Revoked::Denied),
    ("jti_allow", Revoked::NotAllowed),
    ("version", Revoked::Version),
    ("latest_only", Revoked::LatestOnly),
];
const REVOCATIONS: &str = "choose family, jti_deny, jti_allow, version or latest_only";

const PERCENT: &str = "give whole percent, from 0 to 100";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_one_field_and_refuses_what_is_none() {
        let mut policy = Policy::default();
        for good in ["soft_ttl=2m", "on_reuse=revoke_user", "renew_after=75", "idle_ttl=never"] {
            assert_eq!(policy.adjust(good), Ok(()), "{good}");
        }
        let expected = Policy {
            soft_ttl: Some(120),
            on_reuse: OnReuse::RevokeUser,
            renew_after: 75,
            idle_ttl: None,
            ..Policy::default()
        };
        assert_eq!(policy, expected);
        for bad in
            ["", "soft_ttl", "soft=1", "soft_ttl=soon", "renew=maybe", "renew_after=101", "resync="]
        {
            let Err(PolicyError::Field { text, .. }) = policy.adjust(bad) else { panic!("{bad}") };
            assert_eq!(text, bad);
        }
        assert_eq!(policy, expected);
    }
}
