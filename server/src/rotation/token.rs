use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{Millis, bytes};

/// A refresh token, opaque to clients:
/// `rt_` and base64url of version, pepper id, session, generation, time, secret and tag.
///
/// The tag is a MAC over all the rest. It lets the server drop garbage without a look at its store,
/// and recognise any authentic old generation without having kept it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session family that it belongs to.
    pub sid: SessionId,
    /// How many rotations the family had seen when this token came to be.
    pub generation: u32,
    /// When it came to be.
    pub issued_at: Millis,
    secret: [u8; SECRET],
}

impl RefreshToken {
    /// The first token of a family.
    #[must_use]
    pub fn first(sid: SessionId, issued_at: Millis, secret: [u8; SECRET]) -> Self {
        Self { sid, generation: 0, issued_at, secret }
    }

    /// Reads a token and checks its tag; anything that this server did not make is refused.
    pub fn parse(text: &str, pepper: &Pepper) -> Result<Self, NotAuthentic> {
        let body = text.strip_prefix(PREFIX).ok_or(NotAuthentic::Malformed)?;
        let mut bytes = [0; LENGTH];
        let read = URL_SAFE_NO_PAD.decode_slice(body, &mut bytes);
        let (signed, tag) = bytes.split_at(LENGTH - TAG);
        if read != Ok(LENGTH) || signed[0] != VERSION {
            return Err(NotAuthentic::Malformed);
        }
        if signed[1] != pepper.kid || !bool::from(pepper.mac(&[signed])[..TAG].ct_eq(tag)) {
            return Err(NotAuthentic::Forged);
        }

        Ok(Self {
            sid: SessionId(array(&signed[2..18])),
            generation: u32::from_be_bytes(array(&signed[18..22])),
            issued_at: u64::from_be_bytes(array(&signed[22..30])),
            secret: array(&signed[30..62]),
        })
    }

    /// The text that travels.
    #[must_use]
    pub fn encode(&self, pepper: &Pepper) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend([VERSION, pepper.kid]);
        bytes.extend(self.sid.0);
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.issued_at.to_be_bytes());
        bytes.extend(self.secret);
        let tag = pepper.mac(&[&bytes]);
        bytes.extend(&tag[..TAG]);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The one token that follows this one. The salt is drawn at the rotation and kept in the row,
    /// so that a replay finds the same successor, while the row alone cannot.
    #[must_use]
    pub fn successor(&self, pepper: &Pepper, salt: &[u8; 32], issued_at: Millis) -> Self {
        let generation = self.generation.wrapping_add(1);
        let secret =
            pepper.mac(&[b"rt", &self.sid.0, &generation.to_be_bytes(), &self.secret, salt]);
        Self { sid: self.sid, generation, issued_at, secret }
    }

    /// The same token with a new date, for tokens that are not used up.
    #[must_use]
    pub fn redated(&self, issued_at: Millis) -> Self {
        let mut token = self.clone();
        token.issued_at = issued_at;
        token
    }

    /// What the store keeps of the token.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("sid", &self.sid)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl Drop for RefreshToken {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// The text is no refresh token of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// It does not look like one.
    #[error("not a refresh token")]
    Malformed,
    /// It looks like one, and was made by a server with another pepper, or by an attacker.
    #[error("not a refresh token of this server")]
    Forged,
}

/// Names a session family: one sign-in on one device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(#[serde(with = "bytes")] pub [u8; 16]);

impl SessionId {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The server's secret share in every refresh token.
#[derive(Clone)]
pub struct Pepper {
    kid: u8,
    key: [u8; 32],
}

impl Pepper {
    /// A pepper under its number.
    #[must_use]
    pub fn new(kid: u8, key: [u8; 32]) -> Self {
        Self { kid, key }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // A fixed-size key is always a good one, so the fallback never runs.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Drop for Pepper {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

const PREFIX: &str = "rt_";
const VERSION: u8 = 1;
const SECRET: usize = 32;
const TAG: usize = 16;
const LENGTH: usize = 1 + 1 + 16 + 4 + 8 + SECRET + TAG;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let token = sample();
        assert_eq!(RefreshToken::parse(&token.encode(&pepper()), &pepper()), Ok(token));
    }

    #[test]
    fn refuses_every_single_changed_character() {
        let text = sample().encode(&pepper());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The prefix and the version make it a token; what follows is under the tag.
            let shape = at < PREFIX.len() + 2;
            let why = if shape { NotAuthentic::Malformed } else { NotAuthentic::Forged };
            assert_eq!(RefreshToken::parse(&changed, &pepper()), Err(why), "at {at}");
        }
        for text in [&format!("{text}A"), &format!("{text}="), &text[..text.len() - 1]] {
            let read = RefreshToken::parse(text, &pepper());
            assert_eq!(read, Err(NotAuthentic::Malformed));
        }
    }

    #[test]
    fn knows_only_its_own_pepper() {
        let text = sample().encode(&pepper());
        assert!(RefreshToken::parse(&text, &Pepper::new(1, [8; 32])).is_err());
        assert!(RefreshToken::parse(&text, &Pepper::new(2, [7; 32])).is_err());
    }

    #[test]
    fn has_one_successor_per_salt() {
        let (token, salt) = (sample(), [1; 32]);
        let next = token.successor(&pepper(), &salt, 9);
        assert_eq!(next, token.successor(&pepper(), &salt, 9));
        assert_ne!(next.secret, token.successor(&pepper(), &[2; 32], 9).secret);
        assert_eq!(next.generation, token.generation + 1);
    }

    #[test]
    fn shows_no_secret_when_printed() {
        let token = RefreshToken::first(SessionId([0; 16]), 5, [222; 32]);
        assert!(!format!("{token:?} {:?}", Pepper::new(1, [222; 32])).contains("222"));
    }

    fn sample() -> RefreshToken {
        RefreshToken::first(SessionId([3; 16]), 1_700_000_000_000, [9; 32])
    }

    fn pepper() -> Pepper {
        Pepper::new(1, [7; 32])
    }
}
