//! Refresh-token rotation that survives lost answers: keyed and idempotent.
//!
//! A stolen token and a lost response look alike, because a plain retry carries nothing new. So the
//! client picks a random *rotation key* per rotation, stores it before it sends, and repeats it on
//! every retry. The same token with the same key is the same request and gets the same successor;
//! the same token with another key is a second party, and the family dies.
//!
//! Everything here is pure: time, randomness and the user's standing are arguments, nothing is
//! read or written. A store calls [`decide`] inside its own transaction and writes what it says.

mod bytes;
mod decide;
mod family;
mod key;
mod rules;
mod token;

pub use decide::{Attempt, Decision, Grant, Refusal, Transition, UserStatus, decide};
pub use family::{Ended, Expiry, Parent, Revocation, RingEntry, SessionFamily, Status};
pub use key::{KeyDigest, RotationKey};
pub use rules::{Profile, Rules};
pub use token::{NotAuthentic, Pepper, RefreshToken, SessionId};

/// Milliseconds since the Unix epoch.
pub type Millis = u64;
