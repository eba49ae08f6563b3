//! The options of a session: what they mean, their ranges, and what to do about a bad one.

use core::{fmt, time::Duration};

use super::{
    Settings,
    endpoint::{Endpoint, Style},
    records::Storage,
};
use crate::core::{
    clock::Millis,
    policy::{IdleMode, Policy},
};

/// No duration is longer, about 31 years.
const LONGEST: Millis = 1_000_000_000_000;

/// What a session does and how. Setters take and give it by value; [`Options::settings`] checks it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    name: Option<String>,
    endpoint: Endpoint,
    policy: Policy,
    gives_idle: bool,
    storage: Storage,
    origins: Option<Vec<String>>,
    activity_events: Vec<String>,
}

/// An option has a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOption {
    /// Which.
    pub option: &'static str,
    /// Its value.
    pub value: String,
    /// What to pass instead.
    pub remedy: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            endpoint: Endpoint::default(),
            policy: Policy::default(),
            gives_idle: false,
            storage: Storage::default(),
            origins: None,
            activity_events: ACTIVITY.map(str::to_owned).into(),
        }
    }
}

impl Options {
    /// The defaults, and an OAuth token endpoint (RFC 6749 section 6) at this address.
    #[must_use]
    pub fn new(token_url: impl Into<String>) -> Self {
        Self::default().endpoint(Endpoint { url: token_url.into(), ..Endpoint::default() })
    }

    /// How to get new tokens. Required.
    #[must_use]
    pub fn endpoint(self, endpoint: Endpoint) -> Self {
        Self { endpoint, ..self }
    }

    /// Sessions of one name and origin are one session over all tabs. Without one it is `default` in
    /// a page or worker; elsewhere, as on a server that serves many users, such a session is shared
    /// with no other.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Refresh this long before expiry; 60 s by default.
    #[must_use]
    pub const fn lead(mut self, lead: Duration) -> Self {
        self.policy.lead = millis(lead);
        self
    }

    /// Extra lead, drawn afresh each cycle from `[0, jitter)`; 30 s by default.
    #[must_use]
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.policy.jitter = millis(jitter);
        self
    }

    /// Floor between two scheduled refreshes; 5 s by default.
    #[must_use]
    pub const fn min_interval(mut self, min_interval: Duration) -> Self {
        self.policy.min_interval = millis(min_interval);
        self
    }

    /// No user input in any tab for this long: no more refreshes. `None` switches it off; 30 min by
    /// default, and off where there is no DOM.
    #[must_use]
    pub const fn idle(mut self, idle: Option<Duration>) -> Self {
        self.policy.idle = limit(idle);
        self.gives_idle = true;
        self
    }

    /// What happens at the idle deadline; by default the access token runs out by itself.
    #[must_use]
    pub const fn idle_mode(mut self, idle_mode: IdleMode) -> Self {
        self.policy.idle_mode = idle_mode;
        self
    }

    /// During the warning only `touch`, a button, extends the session, and no other input.
    #[must_use]
    pub const fn extend_by_touch(mut self, extend_by_touch: bool) -> Self {
        self.policy.extend_by_touch = extend_by_touch;
        self
    }

    /// The warning comes this long before an idle or maximum-age end; 60 s by default.
    #[must_use]
    pub const fn warn(mut self, warn: Duration) -> Self {
        self.policy.warn = millis(warn);
        self
    }

    /// Absolute limit from sign-in; by default only the server has one.
    #[must_use]
    pub const fn max_session(mut self, max_session: Option<Duration>) -> Self {
        self.policy.max_session = limit(max_session);
        self
    }

    /// Bound of one refresh attempt; 10 s by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = millis(timeout);
        self
    }

    /// How long a caller may wait for a token, retries included; `None` is for ever, 30 s the default.
    #[must_use]
    pub const fn wait(mut self, wait: Option<Duration>) -> Self {
        self.policy.wait = limit(wait);
        self
    }

    /// Where tokens live between page loads; nowhere by default.
    #[must_use]
    pub const fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// The only origins that ever get the token, such as `https://api.example.com`; the page's own by
    /// default.
    #[must_use]
    pub fn origins<T: Into<String>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        Self { origins: Some(origins.into_iter().map(Into::into).collect()), ..self }
    }

    /// DOM events that count as user input.
    #[must_use]
    pub fn activity_events<T: Into<String>>(self, events: impl IntoIterator<Item = T>) -> Self {
        Self { activity_events: events.into_iter().map(Into::into).collect(), ..self }
    }

    /// The name that was given.
    #[must_use]
    pub fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the idle time was given.
    #[must_use]
    pub const fn gives_idle(&self) -> bool {
        self.gives_idle
    }

    /// The token endpoint that was given.
    #[must_use]
    pub const fn given_endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The origins that were given.
    #[must_use]
    pub fn given_origins(&self) -> Option<&[String]> {
        self.origins.as_deref()
    }

    /// The events that count as user input.
    #[must_use]
    pub fn input_events(&self) -> &[String] {
        &self.activity_events
    }

    /// What an engine takes.
    ///
    /// # Errors
    /// The first option that has a value that it cannot have.
    pub fn settings(&self) -> Result<Settings, InvalidOption> {
        if self.name.as_deref() == Some("") {
            return Err(invalid("name", "\"\"", "a text that is not empty"));
        }
        if self.endpoint.style != Style::Function && self.endpoint.url.is_empty() {
            return Err(invalid("endpoint.url", "\"\"", "the address of the token endpoint"));
        }
        for origin in self.origins.iter().flatten() {
            let host = ["http://", "https://"].iter().find_map(|web| origin.strip_prefix(web));
            // Anything beyond the origin would be taken for a limit that nothing keeps.
            let never = |host: &str| {
                let host = host.strip_suffix('/').unwrap_or(host);
                host.is_empty() || host.contains(['/', '\\', '*', '@', '?', '#', ' '])
            };
            if host.is_none_or(never) {
                let remedy = "an origin such as https://api.example.com, without path, login or *";
                return Err(invalid("origins", &("\"".to_owned() + origin + "\""), remedy));
            }
        }
        let policy = &self.policy;
        let durations = [
            ("lead", 0, Some(policy.lead)),
            ("jitter", 0, Some(policy.jitter)),
            ("min_interval", 0, Some(policy.min_interval)),
            ("idle", 1, policy.idle),
            ("warn", 0, Some(policy.warn)),
            ("max_session", 1, policy.max_session),
            ("timeout", 1, Some(policy.timeout)),
            ("wait", 1, policy.wait),
        ];
        for (option, least, millis) in durations {
            let Some(millis) = millis.filter(|millis| !(least..=LONGEST).contains(millis)) else {
                continue;
            };
            let remedy = if millis < least { "at least 1 ms" } else { "at most 1,000,000,000 s" };
            return Err(invalid(option, &((millis / 1_000).to_string() + " s"), remedy));
        }
        let (policy, endpoint) = (policy.clone(), self.endpoint.clone());
        Ok(Settings { policy, endpoint, storage: self.storage })
    }
}

/// One that is too long is refused when the options are checked.
const fn millis(duration: Duration) -> Millis {
    let seconds = duration.as_secs();
    if seconds >= Millis::MAX as u64 / 1_000 {
        return Millis::MAX;
    }
    seconds as Millis * 1_000 + duration.subsec_millis() as Millis
}

const fn limit(duration: Option<Duration>) -> Option<Millis> {
    match duration {
        Some(duration) => Some(millis(duration)),
        None => None,
    }
}

fn invalid(option: &'static str, value: &str, remedy: &'static str) -> InvalidOption {
    InvalidOption { option, value: value.to_owned(), remedy }
}

const ACTIVITY: [&str; 7] =
    ["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart", "scroll"];

impl fmt::Display for InvalidOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { option, value, remedy } = self;
        write!(f, "option {option} cannot be {value}: pass {remedy}")
    }
}

impl core::error::Error for InvalidOption {}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;

    fn refused(options: Options) -> String {
        options.settings().expect_err("a bad option").to_string()
    }

    #[test]
    fn the_defaults_are_those_of_the_policy() {
        let settings = Options::new("/oauth/token").settings().expect("good options");
        assert_eq!(settings.policy, Policy::default());
        assert_eq!(settings.endpoint.url, "/oauth/token");
    }

    #[test]
    fn a_bad_option_is_named_with_its_value_and_the_remedy() {
        let good = || Options::new("/oauth/token");
        assert_eq!(
            refused(Options::default()),
            "option endpoint.url cannot be \"\": pass the address of the token endpoint"
        );
        assert!(refused(good().name("")).starts_with("option name cannot be \"\""));
        assert!(refused(good().timeout(ZERO)).starts_with("option timeout cannot be 0 s"));
        assert!(refused(good().idle(Some(ZERO))).starts_with("option idle"));
        assert!(refused(good().lead(Duration::MAX)).starts_with("option lead"));
        for origin in [
            "api.example.com",
            "https://",
            "https:///",
            "https://a.example/path",
            "ftp://a.example",
            "https://*.example.com",
            "https://a:b@example.com",
            "https://example.com?a",
        ] {
            assert!(refused(good().origins([origin])).starts_with("option origins"), "{origin}");
        }
    }

    #[test]
    fn zero_and_never_are_taken_where_they_mean_something() {
        let options = Options::new("/t").jitter(ZERO).warn(ZERO).min_interval(ZERO).idle(None);
        let policy = options.wait(None).settings().expect("good options").policy;
        assert_eq!((policy.jitter, policy.warn, policy.min_interval), (0, 0, 0));
        assert_eq!((policy.idle, policy.wait), (None, None));
    }
}
