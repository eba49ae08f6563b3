//! The options that the machine decides by, already validated, in milliseconds.

use super::clock::Millis;

/// What happens at the idle deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdleMode {
    /// No more refreshes; the session ends when the access token has run out.
    #[default]
    Lapse,
    /// The session ends there and then, and is revoked.
    End,
}

/// What a refresh needs to be tried at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A refresh token that the page holds.
    #[default]
    RefreshToken,
    /// An access token that is still valid.
    AccessToken,
    /// An `HttpOnly` cookie: always there as far as the page can tell.
    Cookie,
    /// Whatever the application's own function uses.
    Function,
}

/// All that the machine is told about how to behave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Refresh this long before expiry.
    pub lead: Millis,
    /// Extra lead, drawn afresh each cycle from `[0, jitter)`.
    pub jitter: Millis,
    /// Floor between two scheduled refreshes.
    pub min_interval: Millis,
    /// No user input for this long means idle; `None` switches it off.
    pub idle: Option<Millis>,
    /// What happens then.
    pub idle_mode: IdleMode,
    /// During the warning only `Input::Touch` and a hold extend the session.
    pub extend_by_touch: bool,
    /// The warning comes this long before an idle or maximum-age end.
    pub warn: Millis,
    /// Absolute limit from sign-in; `None` leaves it to the server.
    pub max_session: Option<Millis>,
    /// Bound of one refresh attempt.
    pub timeout: Millis,
    /// How long a caller may wait for a token; `None` is for ever.
    pub wait: Option<Millis>,
    /// What a refresh needs.
    pub credential: Credential,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lead: 60_000,
            jitter: 30_000,
            min_interval: 5_000,
            idle: Some(1_800_000),
            idle_mode: IdleMode::Lapse,
            extend_by_touch: false,
            warn: 60_000,
            max_session: None,
            timeout: 10_000,
            wait: Some(30_000),
            credential: Credential::RefreshToken,
        }
    }
}
