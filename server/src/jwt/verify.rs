use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::compact::{Compact, TYPE};
use super::good_signatures::GoodSignatures;
use super::{Claims, Flaw, Keyring, Seconds};
use crate::rotation::Millis;

/// Makes and checks access tokens for one issuer and audience.
///
/// The algorithm belongs to the key, so a header cannot choose one.
#[derive(Debug)]
pub struct Issuer {
    /// The issuer.
    pub issuer: String,
    /// The audience.
    pub audience: String,
    /// How far, in seconds, clocks may differ.
    pub leeway: Seconds,
    /// The keys.
    pub keys: Keyring,
    known: GoodSignatures,
}

impl Issuer {
    /// For tokens of this issuer, meant for this audience.
    #[must_use]
    pub fn new(issuer: String, audience: String, leeway: Seconds, keys: Keyring) -> Self {
        Self { issuer, audience, leeway, keys, known: GoodSignatures::new() }
    }

    /// Signs claims with the key of the time.
    pub fn sign(&self, claims: &Claims, now: Millis) -> Result<String, Flaw> {
        let key = self.keys.signing(super::seconds(now)).ok_or(Flaw::Key)?;
        let header = json!({ "alg": key.algorithm().name(), "typ": TYPE, "kid": key.kid });
        let claims = serde_json::to_vec(claims).map_err(|_| Flaw::Claims)?;
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        Ok(format!("{message}.{signature}"))
    }

    /// Reads a token that is authentic, in time, and meant for us.
    pub fn verify(&self, token: &str, now: Millis) -> Result<Claims, Flaw> {
        let claims = self.authenticate(token, now)?;
        if super::seconds(now) >= claims.exp.saturating_add(self.leeway) {
            return Err(Flaw::Expired);
        }
        Ok(claims)
    }

    /// As [`Self::verify`], but the token may have expired.
    pub fn authenticate(&self, token: &str, now: Millis) -> Result<Claims, Flaw> {
        let now = super::seconds(now);
        let token = Compact::parse(token)?;
        let algorithm = token.algorithm()?;
        let key = self.keys.verifying(token.kid_of_access_token()?, now).ok_or(Flaw::Key)?;
        if key.algorithm() != algorithm {
            return Err(Flaw::Header);
        }
        self.check_claims(token.known_claims(&key, &self.known)?, now)
    }

    fn check_claims(&self, claims: Map<String, Value>, now: Seconds) -> Result<Claims, Flaw> {
        let begins = match claims.get("nbf") {
            Some(begins) => begins.as_u64().ok_or(Flaw::Claims)?,
            None => 0,
        };
        let claims: Claims =
            serde_json::from_value(Value::Object(claims)).map_err(|_| Flaw::Claims)?;
        let named = !claims.sub.is_empty() && !claims.jti.is_empty() && !claims.sid.is_empty();
        if !named || claims.exp <= claims.iat {
            return Err(Flaw::Claims);
        }
        if claims.iss != self.issuer || claims.aud != self.audience {
            return Err(Flaw::Foreign);
        }
        if claims.iat.max(begins) > now.saturating_add(self.leeway) {
            return Err(Flaw::Early);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::*;

    #[test]
    fn a_token_whose_signature_is_known_ends_with_its_time_and_with_its_key() {
        let name = || "https://id.example".to_owned();
        let issuer = Issuer::new(name(), name(), 0, Keyring::ephemeral().unwrap());
        let at = 1_800_000_000;
        let profile = Profile { name: "ann".to_owned(), phone: None, is_manager: false };
        let claims = Claims {
            iss: name(),
            sub: "u_1".to_owned(),
            aud: name(),
            client_id: "app".to_owned(),
            iat: at,
            exp: at + 300,
            jti: "j".to_owned(),
            sid: "s".to_owned(),
            auth_time: at,
            session_expiry: None,
            generation: None,
            ver: None,
            profile,
        };
        let token = issuer.sign(&claims, at * 1_000).unwrap();
        for _ in 0..2 {
            assert_eq!(issuer.verify(&token, at * 1_000).as_ref(), Ok(&claims));
        }
        assert_eq!(issuer.verify(&token, (at + 300) * 1_000), Err(Flaw::Expired));
        let kid = issuer.keys.list(at)[0].kid.clone();
        issuer.keys.rotate(at, true, 300).unwrap();
        assert!(issuer.keys.drop_key(&kid, at).unwrap());
        assert_eq!(issuer.verify(&token, at * 1_000), Err(Flaw::Key));
    }
}
