use serde_json::{Map, Value};

use super::compact::Compact;
use super::{Algorithm, Flaw, RemoteKeys, Seconds};
use crate::rotation::Millis;

/// Checks access tokens of another server, for a service that is not that server: of an
/// `everfresh-server`, or of any issuer that follows RFC 9068 and publishes its keys.
///
/// It knows signatures and times only. Whether the session still lives, the issuer can say:
/// see `/oauth/introspect` and `/oauth/events`.
#[derive(Debug)]
pub struct Verifier {
    /// The issuer, compared to the letter.
    pub issuer: String,
    /// What the issuer calls this service; one of them must be in the token.
    pub audiences: Vec<String>,
    /// How far, in seconds, clocks may differ.
    pub leeway: Seconds,
    /// The algorithms that are accepted. A key has one; this says which keys to use at all.
    pub algorithms: Vec<Algorithm>,
    /// The issuer's keys.
    pub keys: RemoteKeys,
}

impl Verifier {
    /// With 5 seconds of leeway, for Ed25519, ES256 and RS256.
    #[must_use]
    pub fn new(issuer: &str, audience: &str, keys: RemoteKeys) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: vec![audience.to_owned()],
            leeway: 5,
            algorithms: vec![Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256],
            keys,
        }
    }

    /// Reads a token that is authentic, in time, and meant for this service. Asks the issuer for
    /// its keys if the token's is not known; garbage causes no request.
    pub async fn verify(&self, token: &str, now: Millis) -> Result<Verified, Flaw> {
        let token = Compact::parse(token)?;
        let algorithm = token.algorithm()?;
        if !self.algorithms.contains(&algorithm) || algorithm == Algorithm::Hs256 {
            return Err(Flaw::Header);
        }
        let kid = token.kid_of_access_token()?;
        let key = self.keys.key(kid, now).await.ok_or(Flaw::Key)?;
        let verified = Verified(token.claims(&key)?);
        self.check(&verified, super::seconds(now))?;
        Ok(verified)
    }

    fn check(&self, token: &Verified, now: Seconds) -> Result<(), Flaw> {
        for name in ["sub", "client_id", "jti"] {
            token.text(name).filter(|text| !text.is_empty()).ok_or(Flaw::Claims)?;
        }
        let ours = |audience: &Value| {
            audience.as_str().is_some_and(|audience| self.audiences.iter().any(|us| us == audience))
        };
        let meant = match token.0.get("aud") {
            Some(Value::Array(all)) => all.iter().any(ours) && all.iter().all(Value::is_string),
            Some(audience) => ours(audience),
            None => false,
        };
        if token.text("iss") != Some(&self.issuer) || !meant {
            return Err(Flaw::Foreign);
        }
        let issued = token.time("iat").ok_or(Flaw::Claims)?;
        let expires = token.time("exp").ok_or(Flaw::Claims)?;
        let begins = match token.0.get("nbf") {
            Some(_) => token.time("nbf").ok_or(Flaw::Claims)?,
            None => issued,
        };
        if expires <= issued {
            return Err(Flaw::Claims);
        }
        if issued.max(begins) > now.saturating_add(self.leeway) {
            return Err(Flaw::Early);
        }
        if now >= expires.saturating_add(self.leeway) { Err(Flaw::Expired) } else { Ok(()) }
    }
}

/// What a token says, every word of it signed by the issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Map<String, Value>);

impl Verified {
    /// The user.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a time, in epoch seconds; fractions are dropped.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Seconds> {
        let value = self.0.get(name)?;
        let fraction = || value.as_f64().filter(|time| (0.0..LATEST).contains(time));
        value.as_u64().or_else(|| fraction().map(|time| time as Seconds))
    }

    /// All claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// The year 9999; later times are slips.
const LATEST: f64 = 253_402_300_800.0;
