use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::good_signatures::GoodSignatures;
use super::json::object;
use super::{Algorithm, Flaw, VerifyingKey};

/// A token in compact form, taken apart strictly: three parts of base64url without padding,
/// whitespace or stray bits, the header a JSON object without duplicate members. Nothing of it is
/// verified yet.
pub(super) struct Compact<'a> {
    pub(super) header: Map<String, Value>,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Flaw> {
        if token.len() > LONGEST {
            return Err(Flaw::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Format)?;
        let (header, payload) = message.split_once('.').ok_or(Flaw::Format)?;
        let header = object(&bytes(header)?).ok_or(Flaw::Format)?;
        Ok(Self { header, message, payload, signature: bytes(signature)? })
    }

    /// The algorithm, if the header asks for nothing that would change what a signature means.
    /// Where it says that keys are to be found is ignored (RFC 8725, 3.10).
    pub(super) fn algorithm(&self) -> Result<Algorithm, Flaw> {
        let strange = ["crit", "b64", "zip", "enc"];
        if strange.iter().any(|name| self.header.contains_key(*name)) {
            return Err(Flaw::Header);
        }
        let name = self.header.get("alg").and_then(Value::as_str).ok_or(Flaw::Header)?;
        Algorithm::of_name(name).ok_or(Flaw::Header)
    }

    /// The key's name, if the token is an access token: `typ` has to say so (RFC 9068, 4).
    pub(super) fn kid_of_access_token(&self) -> Result<&str, Flaw> {
        let text = |name: &str| self.header.get(name).and_then(Value::as_str);
        let typ = text("typ").ok_or(Flaw::Header)?;
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !typ.eq_ignore_ascii_case(TYPE) {
            return Err(Flaw::Header);
        }
        text("kid").filter(|kid| kid.len() <= 128).ok_or(Flaw::Header)
    }

    /// The payload, if the key is of the header's algorithm and the signature is the key's.
    pub(super) fn open(&self, key: &VerifyingKey) -> Result<Vec<u8>, Flaw> {
        self.open_by(key, |message, signature| key.verifies(message, signature))
    }

    fn open_by(
        &self,
        key: &VerifyingKey,
        verifies: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<u8>, Flaw> {
        if self.algorithm()? != key.algorithm() {
            return Err(Flaw::Header);
        }
        let payload = bytes(self.payload)?;
        if verifies(self.message.as_bytes(), &self.signature) {
            Ok(payload)
        } else {
            Err(Flaw::Signature)
        }
    }

    /// As [`Self::open`], and the payload is a JSON object without duplicate members.
    pub(super) fn claims(&self, key: &VerifyingKey) -> Result<Map<String, Value>, Flaw> {
        object(&self.open(key)?).ok_or(Flaw::Format)
    }

    /// As [`Self::claims`], where good signatures are remembered.
    pub(super) fn known_claims(
        &self,
        key: &VerifyingKey,
        known: &GoodSignatures,
    ) -> Result<Map<String, Value>, Flaw> {
        let payload =
            self.open_by(key, |message, signature| known.verifies(key, message, signature))?;
        object(&payload).ok_or(Flaw::Format)
    }
}

/// The payload of a signed token in compact form (RFC 7515), whatever it is about. Access tokens
/// are for [`super::Issuer`] and [`super::Verifier`], which also look at what they say.
pub fn verify_jws(token: &str, key: &VerifyingKey) -> Result<Vec<u8>, Flaw> {
    Compact::parse(token)?.open(key)
}

fn bytes(text: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw::Format)
}

pub(super) const TYPE: &str = "at+jwt";
const LONGEST: usize = 8 * 1_024;
