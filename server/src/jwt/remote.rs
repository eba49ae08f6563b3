use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use serde_json::Value;
use tokio::sync::Mutex;

use super::json::object;
use super::{Fetch, HttpFetch, Keyring, VerifyingKey};
use crate::rotation::Millis;

/// The published keys of an issuer (RFC 7517), fetched when they are needed.
///
/// They are fetched again once they are five minutes old, and when a token names a key that is not
/// among them; but at most once in 30 seconds, whatever tokens come. If the issuer cannot be
/// reached, the keys that were fetched last serve for an hour more.
pub struct RemoteKeys {
    url: Uri,
    fetch: Arc<dyn Fetch>,
    cache: Mutex<Cache>,
}

impl RemoteKeys {
    /// The least time between two requests, in milliseconds.
    pub const COOLDOWN: Millis = 30_000;
    /// After so many milliseconds keys are fetched again.
    pub const FRESH: Millis = Keyring::MAX_AGE * 1_000;
    /// After so many milliseconds keys that cannot be fetched again are worth nothing.
    pub const STALE: Millis = 3_600_000;

    /// The keys at an `https` URL, or at an `http` one on this very machine.
    pub fn at(url: &str) -> Result<Self, BadUrl> {
        Self::fetched_with(url, Arc::new(HttpFetch::new()))
    }

    /// As [`Self::at`], over a transport of your own.
    pub fn fetched_with(url: &str, fetch: Arc<dyn Fetch>) -> Result<Self, BadUrl> {
        let url: Uri = url.parse().map_err(|_| BadUrl)?;
        let authority = url.authority().ok_or(BadUrl)?;
        let safe = match url.scheme_str() {
            Some("https") => true,
            Some("http") => loopback(authority.host()),
            _ => false,
        };
        if !safe || authority.as_str().contains('@') {
            return Err(BadUrl);
        }
        Ok(Self { url, fetch, cache: Mutex::default() })
    }

    /// The key of a name. Requests for the issuer's keys are made one at a time, and all who wait
    /// share the answer.
    pub(super) async fn key(&self, kid: &str, now: Millis) -> Option<VerifyingKey> {
        let mut cache = self.cache.lock().await;
        let age = |since: Option<Millis>| since.map_or(Millis::MAX, |since| now.abs_diff(since));
        let wanted = age(cache.fetched_at) >= Self::FRESH || !cache.keys.contains_key(kid);
        if wanted && age(cache.asked_at) >= Self::COOLDOWN {
            cache.asked_at = Some(now);
            match self.fetch.get(&self.url).await.map(|body| read(&body)) {
                Ok(Some(keys)) => {
                    cache.keys = keys;
                    cache.fetched_at = Some(now);
                }
                Ok(None) => tracing::warn!(url = %self.url, "the issuer's keys cannot be read"),
                Err(error) => tracing::warn!(url = %self.url, %error, "no keys from the issuer"),
            }
        }
        if age(cache.fetched_at) >= Self::STALE {
            return None;
        }
        cache.keys.get(kid).cloned()
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Keys must not come over a network that anybody can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an https URL without credentials, or an http one on 127.0.0.1, [::1] or localhost")]
pub struct BadUrl;

#[derive(Default)]
struct Cache {
    keys: HashMap<String, VerifyingKey>,
    fetched_at: Option<Millis>,
    asked_at: Option<Millis>,
}

/// A key set. Keys that cannot be used here are left out, and so are those that share a name.
fn read(body: &[u8]) -> Option<HashMap<String, VerifyingKey>> {
    let set = object(body)?;
    let listed = set.get("keys")?.as_array()?;
    let mut keys = HashMap::new();
    let mut named_twice = Vec::new();
    for jwk in listed.iter().take(MOST).filter_map(Value::as_object) {
        let Some(kid) = jwk.get("kid").and_then(Value::as_str) else { continue };
        match VerifyingKey::from_jwk(jwk) {
            Ok(key) => {
                if keys.insert(kid.to_owned(), key).is_some() {
                    named_twice.push(kid.to_owned());
                }
            }
            Err(error) => tracing::warn!(kid, %error, "a key of the issuer is left out"),
        }
    }
    for kid in named_twice {
        keys.remove(&kid);
    }
    Some(keys)
}

fn loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// No issuer has more keys than this in use.
const MOST: usize = 64;
