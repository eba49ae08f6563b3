//! The session for Dioxus: take this file along.

use dioxus::prelude::*;
use everfresh::web::{Session, Snapshot, Subscription};

/// Gives the session, and its snapshot as a signal, to all components below. It begins in the
/// browser, after the first frame: a server renders the status `Unknown`, and so does that frame.
pub fn use_session_provider(open: impl FnOnce() -> Session) {
    let session = use_context_provider(open);
    let mut snapshot = use_context_provider(|| Signal::new(Snapshot::default()));
    let mut listening = use_signal(|| None::<Subscription>);
    use_effect(move || {
        listening.set(Some(session.subscribe(move |now| snapshot.set(now.clone()))));
        let session = session.clone();
        spawn(async move { drop(session.restore().await) });
    });
}
