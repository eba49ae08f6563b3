//! What a server does beside answering.

use std::pin::Pin;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::bootstrap::longest_life;
use crate::jwt::seconds;
use crate::shared_keys::{self, SharedKeyError};
use crate::state::AppState;

/// What a server does beside answering, for as long as it runs: it forgets old sessions, writes the
/// audit log, and looks after the keys. When it is dropped, all of that ends.
pub async fn upkeep(state: AppState) {
    let sweeping: Loop = Box::pin(sweep_hourly(state.clone()));
    side_by_side([sweeping, Box::pin(keep_audit(state.clone())), Box::pin(keep_keys(state))]).await;
}

/// Each is a task of its own: one that panics is told of, and does not take the others along.
async fn side_by_side<const N: usize>(loops: [Loop; N]) {
    let mut tasks: JoinSet<()> = loops.into_iter().collect();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the upkeep has failed; start the server again");
        }
    }
}

type Loop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Looks each second whether a command has changed the keys, and each hour whether a new one is
/// due.
async fn keep_keys(state: AppState) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut seen = None;
    for tick in 0_u64.. {
        ticks.tick().await;
        let changed = match state.issuer.keys.reload() {
            Ok(false) => shared_keys::look(&state, &mut seen).await,
            read => read.map_err(SharedKeyError::from),
        };
        match changed {
            Ok(false) => {}
            Ok(true) => tracing::info!("the keys were changed and have been read again"),
            // A request that needs the store meanwhile hears that it is gone.
            Err(SharedKeyError::Store(_)) => {}
            Err(error) => tracing::error!(%error, "the changed keys cannot be used"),
        }
        let every = state.settings.rotate_keys.filter(|_| tick % 3_600 == 0);
        let Some(every) = every else { continue };
        let at = seconds(state.clock.now());
        let longest = longest_life(&state.settings);
        match shared_keys::change(&state, |keys| keys.rotate_when_due(at, every, longest)).await {
            Ok(false) => {}
            Ok(true) => tracing::info!("a new signing key is published and takes over soon"),
            Err(error) => tracing::error!(%error, "the keys could not be rotated"),
        }
    }
}

/// Forgets, each hour, the sessions that ended more than a day and an access token's life ago.
async fn sweep_hourly(state: AppState) {
    let mut hours = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hours.tick().await;
        let kept = state.settings.policy.longest_access().max(86_400).saturating_mul(1_000);
        match state.store.sweep(state.clock.now().saturating_sub(kept)).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "old sessions forgotten"),
            Err(error) => tracing::error!(%error, "old sessions could not be forgotten"),
        }
    }
}

/// Writes the audit log down as it grows, several times a second.
async fn keep_audit(state: AppState) {
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        ticks.tick().await;
        write_audit(&state).await;
    }
}

/// Writes down what waits for the audit log; [`upkeep`] does so all the time, and at the end it is to
/// be done once more. What cannot be written waits for the next time.
pub async fn write_audit(state: &AppState) {
    let kept = state.settings.audit_keep.map(|seconds| seconds.saturating_mul(1_000));
    let forget = kept.map_or(0, |kept| state.clock.now().saturating_sub(kept));
    loop {
        let batch = state.audit.take();
        if batch.is_empty() {
            return;
        }
        if let Err(error) = state.store.audit(batch.clone(), forget).await {
            state.audit.put_back(batch);
            tracing::error!(%error, "the audit log could not be written");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_part_that_fails_leaves_the_others_running() {
        let (done, told) = oneshot::channel();
        let failing: Loop = Box::pin(async { unreachable!("as the test wants") });
        side_by_side([failing, Box::pin(async { done.send(()).unwrap() })]).await;
        assert_eq!(told.await, Ok(()));
    }

    #[tokio::test]
    async fn all_parts_end_with_the_whole() {
        let (begun, began) = oneshot::channel();
        let (alive, ended) = oneshot::channel::<()>();
        let endless: Loop = Box::pin(async move {
            let _alive = alive;
            begun.send(()).unwrap();
            pending().await
        });
        let whole = tokio::spawn(side_by_side([endless]));
        assert_eq!(began.await, Ok(()));
        whole.abort();
        assert!(ended.await.is_err(), "it was dropped");
    }
}
