use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signature;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Algorithm;

/// A key that verifies signatures, with the one algorithm that it is for.
#[derive(Clone)]
pub struct VerifyingKey(Kind);

#[derive(Clone)]
enum Kind {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(Vec<u8>),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Shared(Zeroizing<Vec<u8>>),
}

impl VerifyingKey {
    /// Reads a public JSON Web Key (RFC 7517). Refused are keys for something else than
    /// signatures, of other curves, RSA keys of less than 2048 bits, weak points, shared secrets,
    /// and private keys: who publishes one has lost it.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, BadKey> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| -> Result<Vec<u8>, BadKey> {
            let text = text(name).ok_or(BadKey::Malformed)?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| BadKey::Malformed)
        };
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name))
        {
            return Err(BadKey::Private);
        }
        let signs = jwk.get("use").is_none_or(|purpose| purpose == "sig");
        let verifies = jwk.get("key_ops").is_none_or(|operations| {
            operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"))
        });
        if !signs || !verifies {
            return Err(BadKey::Purpose);
        }
        let kind = match (text("kty").ok_or(BadKey::Malformed)?, text("crv")) {
            ("OKP", Some("Ed25519")) => Kind::Ed25519(ed25519(&bytes("x")?)?),
            ("EC", Some("P-256")) => Kind::P256(p256(&bytes("x")?, &bytes("y")?)?),
            ("RSA", None) => rsa(bytes("n")?, bytes("e")?)?,
            _ => return Err(BadKey::Unknown),
        };
        let key = Self(kind);
        match jwk.get("alg") {
            Some(algorithm) if algorithm != key.algorithm().name() => Err(BadKey::Unknown),
            _ => Ok(key),
        }
    }

    /// A secret that both sides share, of at least 32 bytes. Only for those who ask for it.
    pub fn shared(secret: &[u8]) -> Result<Self, BadKey> {
        let secret = Zeroizing::new(secret.to_vec());
        if secret.len() < 32 { Err(BadKey::Weak) } else { Ok(Self(Kind::Shared(secret))) }
    }

    pub(super) fn ed25519(key: ed25519_dalek::VerifyingKey) -> Self {
        Self(Kind::Ed25519(key))
    }

    /// The only algorithm that it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::Ed25519(_) => Algorithm::EdDsa,
            Kind::P256(_) => Algorithm::Es256,
            Kind::Rsa { .. } => Algorithm::Rs256,
            Kind::Shared(_) => Algorithm::Hs256,
        }
    }

    /// The public part of an Ed25519 key.
    pub(super) fn public_ed25519(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Kind::Ed25519(key) => Some(key.as_bytes()),
            _ => None,
        }
    }

    /// Whether the signature over the message is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Ed25519(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Kind::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            Kind::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Kind::Shared(secret) => {
                mac(secret, message).is_some_and(|mac| mac.verify_slice(signature).is_ok())
            }
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.algorithm()).finish()
    }
}

/// A JSON Web Key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// A part is missing or cannot be read.
    #[error("the key is malformed")]
    Malformed,
    /// Another type, curve or algorithm.
    #[error("the key is of a kind that is not known here")]
    Unknown,
    /// Meant for encryption, or for signing alone.
    #[error("the key is not for verifying signatures")]
    Purpose,
    /// It holds its secret part.
    #[error("the key holds a secret, which others have seen by now")]
    Private,
    /// Too short, or a point of small order.
    #[error("the key is too weak")]
    Weak,
}

/// Begins an HMAC; keys of any length will do.
pub(super) fn mac(secret: &[u8], message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(secret).ok()?;
    mac.update(message);
    Some(mac)
}

fn ed25519(x: &[u8]) -> Result<ed25519_dalek::VerifyingKey, BadKey> {
    let x = x.try_into().map_err(|_| BadKey::Malformed)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| BadKey::Malformed)?;
    if key.is_weak() { Err(BadKey::Weak) } else { Ok(key) }
}

/// The uncompressed form. Whether the point is on the curve is checked at each use.
fn p256(x: &[u8], y: &[u8]) -> Result<Vec<u8>, BadKey> {
    if x.len() != 32 || y.len() != 32 {
        return Err(BadKey::Malformed);
    }
    Ok([&[4], x, y].concat())
}

fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Kind, BadKey> {
    let leading_zero = modulus.first() == Some(&0) || exponent.first() == Some(&0);
    if leading_zero || exponent.is_empty() || modulus.len() > 1_024 {
        return Err(BadKey::Malformed);
    }
    // 2048 bits: 256 bytes, the first of them with its highest bit set.
    let long = modulus.len() > 256 || (modulus.len() == 256 && modulus[0] >= 0x80);
    let odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if !long || !odd || exponent == [1] {
        return Err(BadKey::Weak);
    }
    Ok(Kind::Rsa { modulus, exponent })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(jwk: &Value) -> Result<VerifyingKey, BadKey> {
        VerifyingKey::from_jwk(jwk.as_object().unwrap())
    }

    fn ed25519_jwk() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    #[test]
    fn reads_what_is_meant_for_signatures() {
        let mut jwk = ed25519_jwk();
        assert_eq!(read(&jwk).unwrap().algorithm(), Algorithm::EdDsa);
        jwk["use"] = json!("sig");
        jwk["key_ops"] = json!(["verify"]);
        jwk["alg"] = json!("EdDSA");
        assert!(read(&jwk).is_ok());
    }

    #[test]
    fn refuses_keys_that_are_weak_private_or_for_something_else() {
        let with = |name: &str, value: Value| {
            let mut jwk = ed25519_jwk();
            jwk[name] = value;
            read(&jwk).unwrap_err()
        };
        assert_eq!(with("use", json!("enc")), BadKey::Purpose);
        assert_eq!(with("key_ops", json!(["sign"])), BadKey::Purpose);
        assert_eq!(with("alg", json!("HS256")), BadKey::Unknown);
        assert_eq!(with("alg", json!("none")), BadKey::Unknown);
        assert_eq!(with("crv", json!("X25519")), BadKey::Unknown);
        assert_eq!(with("d", json!("AA")), BadKey::Private);
        assert_eq!(with("x", json!("AA")), BadKey::Malformed);
        assert_eq!(with("x", json!(URL_SAFE_NO_PAD.encode([0; 32]))), BadKey::Weak);
        let oct = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 32]) });
        assert_eq!(read(&oct).unwrap_err(), BadKey::Private);
    }

    #[test]
    fn refuses_short_rsa_keys_and_odd_exponents() {
        let rsa = |bytes: usize, first: u8, e: &str| {
            let mut n = vec![0xc5; bytes];
            n[0] = first;
            read(&json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": e })).err()
        };
        assert_eq!(rsa(256, 0x80, "AQAB"), None);
        assert_eq!(rsa(256, 0x7f, "AQAB"), Some(BadKey::Weak));
        assert_eq!(rsa(128, 0xff, "AQAB"), Some(BadKey::Weak));
        assert_eq!(rsa(256, 0x80, "AQ"), Some(BadKey::Weak));
        assert_eq!(rsa(256, 0x80, "Ag"), Some(BadKey::Weak));
        assert_eq!(rsa(257, 0, "AQAB"), Some(BadKey::Malformed));
        assert_eq!(rsa(1_025, 0x80, "AQAB"), Some(BadKey::Malformed));
    }

    #[test]
    fn a_shared_secret_is_long() {
        assert!(VerifyingKey::shared(&[7; 31]).is_err());
        assert!(VerifyingKey::shared(&[7; 32]).is_ok());
    }
}
