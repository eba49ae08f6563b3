use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::bytes;

/// The client's random name for one rotation: 16 to 128 printable ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct RotationKey(String);

impl RotationKey {
    /// Takes a key as it came over the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = (16..=128).contains(&text.len())
            && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }

    /// What the row keeps of the key.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for RotationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RotationKey(..)")
    }
}

/// The SHA-256 of a rotation key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct KeyDigest(#[serde(with = "bytes")] pub [u8; 32]);

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_printable_ascii_of_the_right_length() {
        assert!(RotationKey::parse(&"k".repeat(16)).is_some());
        assert!(RotationKey::parse(&"~".repeat(128)).is_some());
        for bad in ["", "short", &"k".repeat(129), "sixteen\u{e9}characters", "tab\tin the middle!"]
        {
            assert!(RotationKey::parse(bad).is_none(), "{bad:?}");
        }
    }
}
