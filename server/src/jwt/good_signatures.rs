use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::VerifyingKey;

/// Signatures that were found good. A token is shown with each request of its life, and what a key
/// says of a message never changes: nothing in here is ever wrong, whatever becomes of the key, the
/// token or its session. Those are looked at each time.
#[derive(Debug)]
pub(super) struct GoodSignatures(Cache<[u8; 32], ()>);

impl GoodSignatures {
    pub(super) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// As [`VerifyingKey::verifies`]. Bad signatures are worked out each time: who sends them cannot
    /// push others out.
    pub(super) fn verifies(&self, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
        let Some(name) = name(key, message, signature) else {
            return key.verifies(message, signature);
        };
        if self.0.get(&name).is_some() {
            return true;
        }
        let good = key.verifies(message, signature);
        if good {
            self.0.insert(name, ());
        }
        good
    }
}

/// The hash of all three, of which no two lists give the same text: key and signature have the length
/// that their algorithm gives them. None where verifying costs no more than that hash.
fn name(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Option<[u8; 32]> {
    let public = key.public_ed25519()?;
    let signature: &[u8; 64] = signature.try_into().ok()?;
    let hash = Sha256::new().chain_update(public).chain_update(signature).chain_update(message);
    Some(hash.finalize().into())
}

/// About a megabyte of them.
const MOST: usize = 16_384;

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn key(seed: u8) -> (SigningKey, VerifyingKey) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = VerifyingKey::ed25519(key.verifying_key());
        (key, public)
    }

    #[test]
    fn a_good_one_is_worked_out_once_and_is_good_for_its_key_and_message_alone() {
        let known = GoodSignatures::new();
        let ((ours, public), (_, other)) = (key(1), key(2));
        let signature = ours.sign(b"a message").to_bytes();
        for _ in 0..2 {
            assert!(known.verifies(&public, b"a message", &signature));
            assert_eq!(known.0.len(), 1);
            assert!(!known.verifies(&other, b"a message", &signature));
            assert!(!known.verifies(&public, b"a messagf", &signature));
            assert!(!known.verifies(&public, b"a message", &signature[..63]));
            let mut bent = signature;
            bent[63] ^= 1;
            assert!(!known.verifies(&public, b"a message", &bent));
        }
        assert_eq!(known.0.len(), 1, "bad ones take no place");
    }

    #[test]
    fn what_is_remembered_is_not_worked_out_again() {
        let known = GoodSignatures::new();
        let (_, public) = key(1);
        let name = name(&public, b"a message", &[9; 64]).unwrap();
        known.0.insert(name, ());
        assert!(known.verifies(&public, b"a message", &[9; 64]));
    }

    #[test]
    fn a_flood_of_them_takes_a_bounded_place() {
        let known = GoodSignatures::new();
        for i in 0..3 * MOST as u64 {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&i.to_be_bytes());
            known.0.insert(name, ());
        }
        assert!(known.0.len() <= MOST);
    }

    #[test]
    fn shared_secrets_are_not_remembered() {
        let known = GoodSignatures::new();
        let secret = VerifyingKey::shared(&[7; 32]).unwrap();
        let mac = super::super::verifying_key::mac(&[7; 32], b"a message").unwrap();
        use hmac::Mac as _;
        assert!(known.verifies(&secret, b"a message", &mac.finalize().into_bytes()));
        assert_eq!(known.0.len(), 0);
    }
}
