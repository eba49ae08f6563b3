//! Keys that are kept in the store, because several processes share it.
//!
//! A process that changes them swaps the whole text for a new one, and begins again if another was
//! faster; the others look for a new text each second.
//!
//! A store that was emptied gets its keys back from the processes that run. If a process that starts
//! at that moment is faster, it makes keys of its own, and no token of the one is worth anything to
//! the other. Then the older one closes its [`Fence`](crate::store::Fence): it does nothing any more and is not ready.

use crate::jwt::{KeyError, Keyring, Seal};
use crate::state::AppState;
use crate::store::{Store, StoreError};

/// The keys in a store, which are made if need be; the second says whether they were.
pub async fn open(
    store: &dyn Store,
    seal: Option<Seal>,
) -> Result<(Keyring, bool), SharedKeyError> {
    loop {
        if let Some(text) = store.keys().await? {
            return Ok((Keyring::from_bytes(&text, seal)?, false));
        }
        let fresh = Keyring::ephemeral()?.to_bytes()?;
        let fresh = Keyring::from_bytes(&fresh, seal.clone())?;
        if store.swap_keys(None, fresh.to_bytes()?).await? {
            return Ok((fresh, true));
        }
    }
}

/// Changes the keys, here and for all processes that share them.
pub async fn change<T>(
    app: &AppState,
    change: impl Fn(&Keyring) -> Result<T, KeyError>,
) -> Result<T, SharedKeyError> {
    let keys = &app.issuer.keys;
    loop {
        let Some(old) = app.store.keys().await? else { return Ok(change(keys)?) };
        keys.adopt(&old)?;
        let done = change(keys)?;
        match app.store.swap_keys(Some(old.clone()), keys.to_bytes()?).await {
            Ok(true) => return Ok(done),
            Ok(false) => {}
            Err(error) => {
                // Nobody else knows the new keys, so nothing may be signed with them.
                keys.adopt(&old)?;
                return Err(error.into());
            }
        }
    }
}

/// Takes over what another process has changed since `seen`; says whether there was something. What
/// cannot be taken over is said once, and closes the fence until the keys change again.
pub async fn look(app: &AppState, seen: &mut Option<Vec<u8>>) -> Result<bool, SharedKeyError> {
    let text = app.store.keys().await?;
    if text == *seen {
        return Ok(false);
    }
    let first = seen.is_none();
    app.fence.open();
    let Some(text) = text else {
        // The store was emptied. A process that starts now must find these keys and make none.
        app.store.swap_keys(None, app.issuer.keys.to_bytes()?).await?;
        return Ok(false);
    };
    let adopted = app.issuer.keys.adopt(&text);
    *seen = Some(text);
    if let Err(error) = adopted {
        app.fence.close();
        return Err(error.into());
    }
    Ok(!first)
}

/// Shared keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SharedKeyError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys themselves are at fault.
    #[error(transparent)]
    Keys(#[from] KeyError),
}
