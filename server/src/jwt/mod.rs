//! Access tokens: made, published and checked without mercy.

mod claims;
mod json;
mod keyring;
mod verify;

pub use claims::{Claims, Profile};
pub use keyring::{KeyError, Keyring};
pub use verify::{Flaw, Issuer};

use crate::rotation::Millis;

/// Epoch seconds, as tokens carry them.
pub type Seconds = u64;

/// The second that a time lies in.
#[must_use]
pub fn seconds(time: Millis) -> Seconds {
    time / 1_000
}
