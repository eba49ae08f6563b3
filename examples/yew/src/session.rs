//! The session for Yew: take this file along.

use everfresh::web::{Session, Snapshot};
use yew::{platform::spawn_local, prelude::*};

#[derive(PartialEq, Properties)]
pub struct SessionProps {
    pub session: Session,
    pub children: Html,
}

/// Gives the session and its snapshot to all components below, as two contexts. It begins in the
/// browser, after the first frame: a server renders the status `Unknown`, and so does that frame.
#[component]
pub fn SessionProvider(SessionProps { session, children }: &SessionProps) -> Html {
    let snapshot = use_state_eq(|| session.snapshot());
    let shown = snapshot.setter();
    use_effect_with(session.clone(), move |session| {
        let listening = session.subscribe(move |now| shown.set(now.clone()));
        let session = session.clone();
        spawn_local(async move { drop(session.restore().await) });
        move || drop(listening)
    });
    html! {
        <ContextProvider<Session> context={session.clone()}>
            <ContextProvider<Snapshot> context={(*snapshot).clone()}>
                { children.clone() }
            </ContextProvider<Snapshot>>
        </ContextProvider<Session>>
    }
}

/// The session that [`SessionProvider`] gave.
#[hook]
pub fn use_session() -> Session {
    use_context().expect("a SessionProvider above")
}

/// How it stands; the component is rendered again when that changes.
#[hook]
pub fn use_snapshot() -> Snapshot {
    use_context().expect("a SessionProvider above")
}
