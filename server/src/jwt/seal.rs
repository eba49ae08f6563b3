use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::KeyError;
use crate::secret::random;

/// Seals the keys before they are kept, so that a copy of the data folder or of the store alone
/// forges nothing. AES-256-GCM, with a key that is made from the seal key file.
#[derive(Clone)]
pub struct Seal(Arc<LessSafeKey>);

impl Seal {
    /// From a file that holds at least 32 random bytes, in whatever form.
    pub fn from_file(file: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(file).map_err(|error| {
            let text = format!("the seal key file {}: {error}", file.display());
            KeyError::Io(io::Error::new(error.kind(), text))
        })?;
        Self::from_bytes(&bytes)
    }

    /// From the bytes of such a file; whitespace at the end is not part of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes.trim_ascii_end();
        if bytes.len() < 32 {
            return Err(KeyError::ShortSeal);
        }
        let key = Sha256::new().chain_update(b"seal of everfresh-server\0").chain_update(bytes);
        let key = UnboundKey::new(&AES_256_GCM, &key.finalize());
        Ok(Self(Arc::new(LessSafeKey::new(key.map_err(|_| KeyError::ShortSeal)?))))
    }

    pub(super) fn seal(&self, mut text: Vec<u8>) -> Result<Vec<u8>, KeyError> {
        let nonce: [u8; 12] = random()?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(PURPOSE),
                &mut text,
            )
            .map_err(|_| KeyError::Unreadable)?;
        let sealed =
            Sealed { sealed: URL_SAFE_NO_PAD.encode(text), nonce: URL_SAFE_NO_PAD.encode(nonce) };
        serde_json::to_vec_pretty(&sealed).map_err(|_| KeyError::Unreadable)
    }

    fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, KeyError> {
        let bytes = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::WrongSeal);
        let mut text = bytes(&sealed.sealed)?;
        let nonce = bytes(&sealed.nonce)?.try_into().map_err(|_| KeyError::WrongSeal)?;
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(PURPOSE), &mut text)
            .map_err(|_| KeyError::WrongSeal)?;
        Ok(opened.to_vec())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// The text under the seal, if there is one; the second says whether there was.
pub(super) fn unseal(
    text: &[u8],
    seal: Option<&Seal>,
) -> Result<(Zeroizing<Vec<u8>>, bool), KeyError> {
    match serde_json::from_slice::<Sealed>(text) {
        Err(_) => Ok((text.to_vec().into(), false)),
        Ok(sealed) => {
            let seal = seal.ok_or(KeyError::IsSealed)?;
            Ok((seal.open(&sealed)?.into(), true))
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    sealed: String,
    nonce: String,
}

const PURPOSE: &[u8] = b"keys of everfresh-server, version 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_the_same_key_only() {
        let seal = Seal::from_bytes(&[1; 32]).unwrap();
        let sealed = seal.seal(b"the keys".to_vec()).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("the keys"));
        assert_eq!(unseal(&sealed, Some(&seal)).unwrap(), (b"the keys".to_vec().into(), true));
        let other = Seal::from_bytes(&[2; 32]).unwrap();
        assert!(matches!(unseal(&sealed, Some(&other)), Err(KeyError::WrongSeal)));
        assert!(matches!(unseal(&sealed, None), Err(KeyError::IsSealed)));
        assert_eq!(unseal(b"plain", None).unwrap(), (b"plain".to_vec().into(), false));
        assert!(matches!(Seal::from_bytes(b"short \n"), Err(KeyError::ShortSeal)));
    }
}
