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
    gives_warn: bool,
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
            gives_warn: false,
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

    /// The warning comes this long before an idle or maximum-age end; 60 s by default. Beside an idle
    /// time that was given it is at most that.
    #[must_use]
    pub const fn warn(mut self, warn: Duration) -> Self {
        self.policy.warn = millis(warn);
        self.gives_warn = true;
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
        let endpoint = &self.endpoint;
        for (option, text) in [("name", &self.name), ("endpoint.client_id", &endpoint.client_id)] {
            if text.as_deref() == Some("") {
                return Err(invalid(option, "", "a text that is not empty"));
            }
        }
        if endpoint.style != Style::Function && endpoint.url.is_empty() {
            return Err(invalid("endpoint.url", "", ADDRESS));
        }
        for (name, value) in &endpoint.headers {
            if !is_header_name(name) || !is_header_value(value) {
                // Its value may be a secret.
                return Err(invalid("endpoint.headers", name, "what HTTP headers can hold"));
            }
        }
        for origin in self.origins.iter().flatten() {
            let host = ["http://", "https://"].iter().find_map(|web| origin.strip_prefix(web));
            // Anything beyond the origin would be taken for a limit that nothing keeps.
            let never = |host: &str| {
                let host = host.strip_suffix('/').unwrap_or(host);
                let ends = |it| matches!(it, b'/' | b'\\' | b'*' | b'@' | b'?' | b'#' | b' ');
                host.is_empty() || host.bytes().any(ends)
            };
            if host.is_none_or(never) {
                let remedy = "an origin such as https://api.example.com, without path, login or *";
                return Err(invalid("origins", origin, remedy));
            }
        }
        let policy = &self.policy;
        // Of what was given: a short idle time with the usual warning is warned of at once.
        let idle = policy.idle.filter(|_| self.gives_idle && self.gives_warn).unwrap_or(LONGEST);
        let durations = [
            ("lead", 0, LONGEST, Some(policy.lead)),
            ("jitter", 0, LONGEST, Some(policy.jitter)),
            ("min_interval", 0, LONGEST, Some(policy.min_interval)),
            ("idle", 1, LONGEST, policy.idle),
            ("warn", 0, idle, Some(policy.warn)),
            ("max_session", 1, LONGEST, policy.max_session),
            ("timeout", 1, LONGEST, Some(policy.timeout)),
            ("wait", 1, LONGEST, policy.wait),
        ];
        for (option, least, most, millis) in durations {
            let Some(millis) = millis.filter(|millis| !(least..=most).contains(millis)) else {
                continue;
            };
            let remedy = match (millis < least, most) {
                (true, _) => "at least 1 ms",
                (_, LONGEST) => "at most 1,000,000,000 s",
                _ => "at most idle",
            };
            let value = (millis / 1_000).to_string() + " s";
            return Err(InvalidOption { option, value, remedy });
        }
        let (policy, endpoint) = (policy.clone(), endpoint.clone());
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

/// A text that an option cannot be.
pub(crate) fn invalid(option: &'static str, text: &str, remedy: &'static str) -> InvalidOption {
    InvalidOption { option, value: "\"".to_owned() + text + "\"", remedy }
}

/// What addresses have to be.
pub(crate) const ADDRESS: &str = "an http or https URL, whole where there is no page";

/// Whether a header can have this name: a token (RFC 9110 section 5.6.2).
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte| {
        matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z')
            || matches!(byte, b'^'..=b'z' | b'|' | b'~')
    };
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether `fetch` takes this for the value of a header: space around it apart no line breaks, and no
/// character beyond U+00FF, which begin with bytes from 0xc4 on.
fn is_header_value(value: &str) -> bool {
    !value.trim_ascii().bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n' | 0xc4..))
}

const ACTIVITY: [&str; 7] =
    ["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart", "scroll"];

impl fmt::Display for InvalidOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl InvalidOption {
    /// What it says.
    pub(crate) fn text(&self) -> String {
        ["option ", self.option, " cannot be ", &self.value, ": pass ", self.remedy].concat()
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
    fn what_was_given_can_be_asked_for() {
        let none = Options::new("/t");
        assert_eq!((none.given_name(), none.given_origins()), (None, None));
        assert!(!none.gives_idle());
        let options = Options::new("/t")
            .name("shop")
            .idle(None)
            .origins(["https://a.test", "https://b.test"])
            .activity_events(["keydown"]);
        assert_eq!(options.given_name(), Some("shop"));
        assert!(options.gives_idle(), "also to say that there is none");
        let origins = ["https://a.test", "https://b.test"].map(str::to_owned);
        assert_eq!(options.given_origins(), Some(&origins[..]));
        assert_eq!(options.input_events(), ["keydown"]);
    }

    #[test]
    fn a_bad_option_is_named_with_its_value_and_the_remedy() {
        let good = || Options::new("/oauth/token");
        assert_eq!(
            refused(Options::default()),
            "option endpoint.url cannot be \"\": pass an http or https URL, whole where there is no page"
        );
        assert!(refused(good().name("")).starts_with("option name cannot be \"\""));
        for (option, options) in [
            ("timeout", good().timeout(ZERO)),
            ("idle", good().idle(Some(ZERO))),
            ("wait", good().wait(Some(Duration::from_micros(999)))),
        ] {
            let told = "option ".to_owned() + option + " cannot be 0 s: pass at least 1 ms";
            assert_eq!(refused(options), told);
        }
        let longest = Duration::from_secs(1_000_000_000);
        assert_eq!(
            refused(good().lead(longest + Duration::from_millis(1_000))),
            "option lead cannot be 1000000001 s: pass at most 1,000,000,000 s"
        );
        for longer in [longest + Duration::from_millis(1), Duration::MAX] {
            assert!(refused(good().lead(longer)).starts_with("option lead"));
        }
        for timeout in [Duration::from_millis(1), Duration::from_millis(1_500), longest] {
            let policy = good().timeout(timeout).settings().expect("a good option").policy;
            assert_eq!(policy.timeout as u128, timeout.as_millis());
        }
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
    fn a_warning_is_no_longer_than_the_idle_time_that_it_is_for() {
        let [short, long] = [60, 120].map(Duration::from_secs);
        let good = || Options::new("/t");
        assert_eq!(
            refused(good().idle(Some(short)).warn(long)),
            "option warn cannot be 120 s: pass at most idle"
        );
        for options in [
            good().idle(Some(short)).warn(short),
            good().idle(None).warn(long),
            good().idle(Some(Duration::from_secs(30))),
            good().warn(Duration::from_secs(7_200)),
        ] {
            options.settings().expect("one of them was not given, or it fits");
        }
    }

    #[test]
    fn what_no_header_can_hold_is_refused_without_its_value() {
        let with = |name: &str, value: &str| {
            let headers = vec![(name.to_owned(), value.to_owned())];
            Options::default().endpoint(Endpoint {
                url: "/t".to_owned(),
                headers,
                ..Endpoint::default()
            })
        };
        for (name, value) in [
            ("", "a"),
            ("X Key", "secret"),
            ("X-Key:", "secret"),
            ("X-K\u{e9}y", "secret"),
            ("X-Key", "secret\r\nX-Other: b"),
            ("X-Key", "sec\0ret"),
            ("X-Key", "secret\u{2019}s"),
        ] {
            let told = "option endpoint.headers cannot be \"".to_owned() + name + "\": ";
            let refused = refused(with(name, value));
            assert_eq!(refused, told + "pass what HTTP headers can hold");
        }
        for value in ["", " a\tb ", "from a file\n", "caf\u{e9}", "a\u{c}b"] {
            with("x-key_!#$%&'*+.^`|~9", value).settings().expect("a header");
        }
    }

    #[test]
    fn an_empty_text_is_no_client() {
        let client_id = Some(String::new());
        let endpoint = Endpoint { url: "/t".to_owned(), client_id, ..Endpoint::default() };
        assert!(
            refused(Options::default().endpoint(endpoint))
                .starts_with("option endpoint.client_id cannot be \"\"")
        );
    }

    #[test]
    fn zero_and_never_are_taken_where_they_mean_something() {
        let options = Options::new("/t").jitter(ZERO).warn(ZERO).min_interval(ZERO).idle(None);
        let policy = options.wait(None).settings().expect("good options").policy;
        assert_eq!((policy.jitter, policy.warn, policy.min_interval), (0, 0, 0));
        assert_eq!((policy.idle, policy.wait), (None, None));
    }
}
