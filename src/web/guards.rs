//! What the guards of a router ask.

use web_sys::Url;

use super::{address::page_origin, error::Error, session::Session};
use crate::core::snapshot::{Snapshot, Status};

impl Session {
    /// The snapshot once it is known whether a user is signed in:
    /// restores the session if that was not done yet.
    /// Guards that ask meanwhile share one refresh.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub async fn ready(&self) -> Result<Snapshot, Error> {
        let snapshot = self.snapshot();
        if snapshot.status == Status::Unknown { self.restore().await } else { Ok(snapshot) }
    }
}

/// Where a sign-in leads back to: path, query and hash of an address of the page's own origin, and
/// `fallback` for everything else. For what comes from a query parameter: an attacker cannot choose
/// where the user ends up. Where there is no page every address is the fallback.
#[must_use]
pub fn safe_return_to(address: &str, fallback: &str) -> String {
    own_path(address).unwrap_or_else(|| fallback.to_owned())
}

fn own_path(address: &str) -> Option<String> {
    // A server has no addresses to look at, and panics when it tries.
    if cfg!(not(target_family = "wasm")) || address.is_empty() {
        return None;
    }
    let own = page_origin()?;
    let url = Url::new_with_base(address, &own).ok()?;
    let path = url.pathname();
    // Two slashes would begin a host when it is resolved again.
    let safe = url.origin() == own && path.starts_with('/') && !path.starts_with("//");
    safe.then(|| path + &url.search() + &url.hash())
}
