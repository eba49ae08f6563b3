use std::fmt;
use std::path::PathBuf;

use clap::Args;
use merge::Merge;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::ConfigError;
use crate::secret::Secret;

/// One source of settings, before anything is understood; what is absent is left to the next.
#[derive(Clone, Debug, Default, Args, Merge, serde::Deserialize)]
#[merge(strategy = merge::option::overwrite_none)]
#[serde(default, deny_unknown_fields)]
pub struct Layer {
    /// Where to listen; port 0 picks a free one (default 127.0.0.1:8080)
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,

    /// The folder for the keys and the database (default .data)
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// `memory:`, `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE` or
    /// `redis://[:PASSWORD@]HOST:PORT[/DB]`, with `rediss:` over TLS (default sqlite in the data
    /// folder)
    #[arg(long, value_name = "URL")]
    pub store: Option<Secret>,

    /// Trust the certificate authorities in this PEM file, and no others, for TLS to the store
    /// (default those of the operating system)
    #[arg(long, value_name = "FILE")]
    pub store_ca: Option<PathBuf>,

    /// The session strategy; --list-policies names them (default silent-refresh)
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,

    /// Change a field of the strategy, like `soft_ttl=2m` (repeatable); docs/strategies.md has all
    #[arg(long, value_name = "FIELD=VALUE")]
    #[serde(deserialize_with = "list")]
    #[merge(strategy = merge::vec::overwrite_empty)]
    pub set: Vec<String>,

    /// Life of an access token, in seconds or like 15m (default 300)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub access_ttl: Option<String>,

    /// A session that is not refreshed for this long ends; or `never` (default 48h)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub idle_ttl: Option<String>,

    /// A session ends this long after its sign-in; or `never` (default 30d)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub absolute_ttl: Option<String>,

    /// How far the clocks of issuer and verifier may differ (default 0; 2 over a store
    /// that several processes share)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub leeway: Option<String>,

    /// Who may repeat a refresh: `keyed`, `keyed+grace` or `grace` (default keyed)
    #[arg(long, value_name = "PROFILE")]
    pub rotation: Option<String>,

    /// Keep the refresh token in an `HttpOnly` cookie, out of reach of scripts
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, default_missing_value = "true")]
    #[arg(require_equals = true)]
    #[serde(deserialize_with = "text")]
    pub cookie: Option<String>,

    /// An origin whose pages may call, like `https://app.example` (repeatable)
    #[arg(long, value_name = "ORIGIN")]
    #[serde(deserialize_with = "list")]
    #[merge(strategy = merge::vec::overwrite_empty)]
    pub allow_origin: Vec<String>,

    /// Serve the files of this folder too
    #[arg(long, value_name = "DIR")]
    pub serve: Option<PathBuf>,

    /// Add this user unless it exists (repeatable); better in the environment or the file
    #[arg(long, value_name = "NAME:PASSWORD")]
    #[serde(deserialize_with = "secrets")]
    #[merge(strategy = merge::vec::overwrite_empty)]
    pub user: Vec<Secret>,

    /// A service that may ask about tokens (repeatable); better in the environment or the file
    #[arg(long, value_name = "ID:SECRET")]
    #[serde(deserialize_with = "secrets")]
    #[merge(strategy = merge::vec::overwrite_empty)]
    pub client: Vec<Secret>,

    /// What tokens call this server, the URL that clients see (default http:// and the listen address)
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,

    /// Limit sign-ins, refreshes and failures per party: `on` or `off` (default on; off with --control)
    #[arg(long, value_name = "SWITCH")]
    pub limits: Option<String>,

    /// What access tokens are signed with: `EdDSA`, or `HS256` if nobody else is to verify them
    /// (default EdDSA)
    #[arg(long, value_name = "ALG")]
    pub signing: Option<String>,

    /// Make a new signing key after this long; or `never` (default 90d)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub rotate_keys: Option<String>,

    /// Seal the stored keys with what is in this file: at least 32 random bytes
    #[arg(long, value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,

    /// How many connections may be open at once (default 1000); never more than three quarters of the
    /// files that the operating system allows
    #[arg(long, value_name = "NUMBER")]
    #[serde(deserialize_with = "text")]
    pub max_connections: Option<String>,

    /// Sign-ins of one user from one address: `BURST/SECONDS`, so many at once and then one each
    /// so many seconds (default 10/6)
    #[arg(long, value_name = "RATE")]
    pub login_rate: Option<String>,

    /// Refreshes of one session (default 100/0.1)
    #[arg(long, value_name = "RATE")]
    pub refresh_rate: Option<String>,

    /// Questions of one service about tokens (default 1000/0.001)
    #[arg(long, value_name = "RATE")]
    pub introspection_rate: Option<String>,

    /// Failed sign-ins from one address (default 30/1)
    #[arg(long, value_name = "RATE")]
    pub failure_rate: Option<String>,

    /// Forged refresh tokens from one address (default 30/1)
    #[arg(long, value_name = "RATE")]
    pub forgery_rate: Option<String>,

    /// Wrong secrets of one service from one address (default 10/1)
    #[arg(long, value_name = "RATE")]
    pub client_secret_rate: Option<String>,

    /// A proxy before the server, or a network of them, like `10.0.0.0/8` (repeatable): there the
    /// header `Forwarded` or `X-Forwarded-For` names the client
    #[arg(long, value_name = "CIDR")]
    #[serde(deserialize_with = "list")]
    #[merge(strategy = merge::vec::overwrite_empty)]
    pub trusted_proxy: Vec<String>,

    /// What the audit log holds: `all`, `ends` (all but renewals) or `off` (default all)
    #[arg(long, value_name = "SCOPE")]
    pub audit: Option<String>,

    /// How long the audit log is kept; `never` forgets nothing (default 30d)
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "text")]
    pub audit_keep: Option<String>,

    /// Open the switchboard for tests (clock, faults, users) on this loopback address; for programs
    /// that were built with the feature `control`
    #[arg(long, value_name = "ADDR")]
    pub control: Option<String>,

    /// Serve `/api/echo`, which tells a signed-in client what arrived (on with --control)
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, default_missing_value = "true")]
    #[arg(require_equals = true)]
    #[serde(deserialize_with = "text")]
    pub samples: Option<String>,

    /// Allow access tokens that live for more than a week
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, default_missing_value = "true")]
    #[arg(require_equals = true)]
    #[serde(deserialize_with = "text")]
    pub allow_long_access: Option<String>,

    /// Allow sessions that never end by themselves
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, default_missing_value = "true")]
    #[arg(require_equals = true)]
    #[serde(deserialize_with = "text")]
    pub dangerously_eternal_refresh: Option<String>,
}

impl Layer {
    /// Reads a TOML file's text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError(error.to_string().trim_end().to_owned()))
    }

    /// Takes the variables whose names begin with `EVERFRESH_`; lists have one item a line. Not clap's
    /// `env`, which says nothing about a variable that it does not know, and shows values in `--help`.
    pub fn from_environment(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = toml::Table::new();
        for (name, value) in variables {
            if let Some(key) = name.strip_prefix("EVERFRESH_") {
                table.insert(key.to_ascii_lowercase(), toml::Value::String(value));
            }
        }
        table.try_into().map_err(|error: toml::de::Error| {
            let cause = error.message();
            ConfigError(format!("in the environment, EVERFRESH_...: {cause}"))
        })
    }

    /// Lets another layer fill the gaps.
    #[must_use]
    pub fn over(mut self, below: Self) -> Self {
        self.merge(below);
        self
    }
}

/// A text, or a number or switch that a person would write without quotes.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Scalar::deserialize(deserializer).map(|Scalar(text)| Some(text))
}

/// A list of texts, or one text with an item a line.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(ListVisitor)
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    Ok(list(deserializer)?.into_iter().map(Secret::from).collect())
}

struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(Self)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, true or false")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Vec<String>, E> {
        let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_same_names_from_file_and_environment() {
        let file = Layer::from_toml("access_ttl = 60\ncookie = true\nuser = [\"a:b\", \"c:d\"]");
        let pairs = [("EVERFRESH_ACCESS_TTL", "60"), ("EVERFRESH_COOKIE", "true")]
            .into_iter()
            .chain([("EVERFRESH_USER", "a:b\nc:d"), ("HOME", "/root")])
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Layer::from_environment(pairs);
        assert_eq!(format!("{:?}", file.unwrap()), format!("{:?}", environment.unwrap()));
    }

    #[test]
    fn names_an_unknown_key() {
        let error = Layer::from_toml("acces_ttl = 60").unwrap_err();
        assert!(error.0.contains("unknown field `acces_ttl`"), "{error}");
        let pair = ("EVERFRESH_LISTN".to_owned(), "x".to_owned());
        let error = Layer::from_environment([pair]).unwrap_err();
        assert!(error.0.contains("unknown field `listn`"), "{error}");
    }

    #[test]
    fn lets_the_upper_layer_win() {
        let upper = Layer { policy: Some("a".to_owned()), ..Layer::default() };
        let lower = Layer::from_toml("policy = \"b\"\nleeway = 5").unwrap();
        let both = upper.over(lower);
        assert_eq!((both.policy.as_deref(), both.leeway.as_deref()), (Some("a"), Some("5")));
    }
}
