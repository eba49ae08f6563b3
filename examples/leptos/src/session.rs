//! The session for Leptos: take this file along.

use everfresh::web::{Session, Snapshot};
use leptos::{prelude::*, task::spawn_local};

/// Gives the session, and its snapshot as a signal, to all components below. It begins in the
/// browser, after the first frame: a server renders the status `Unknown`, and so does that frame.
pub fn provide_session(session: Session) {
    let snapshot = RwSignal::new(session.snapshot());
    provide_context(session.clone());
    provide_context::<Signal<Snapshot>>(snapshot.into());
    Effect::new(move |_| {
        // Stored, it listens until the component is gone.
        StoredValue::new_local(session.subscribe(move |now| snapshot.set(now.clone())));
        let session = session.clone();
        spawn_local(async move { drop(session.restore().await) });
    });
}
