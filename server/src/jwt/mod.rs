//! Access tokens: made, published and checked without mercy. By hand, for no crate refuses all that is
//! refused here: members that occur twice, stray bits, an algorithm that the key is not for.
//!
//! [`Issuer`] signs and checks this server's own tokens with its [`Keyring`]. A service of yours
//! that gets such tokens, or those of any issuer with a JWKS, checks them with a [`Verifier`].

mod algorithm;
mod claims;
mod compact;
mod fetch;
mod flaw;
mod good_signatures;
mod json;
mod key;
mod key_error;
mod key_file;
mod keyring;
mod remote;
mod seal;
mod verifier;
mod verify;
mod verifying_key;

pub use algorithm::Algorithm;
pub use claims::{Claims, Profile};
pub use compact::verify_jws;
pub use fetch::{Fetch, FetchError, HttpFetch};
pub use flaw::Flaw;
pub use key_error::KeyError;
pub use keyring::{KeyInfo, Keyring};
pub use remote::{BadUrl, RemoteKeys};
pub use seal::Seal;
pub use verifier::{Verified, Verifier};
pub use verify::Issuer;
pub use verifying_key::{BadKey, VerifyingKey};

use crate::rotation::Millis;

/// Epoch seconds, as tokens carry them.
pub type Seconds = u64;

/// The second that a time lies in.
#[must_use]
pub fn seconds(time: Millis) -> Seconds {
    time / 1_000
}
