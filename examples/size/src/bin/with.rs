//! The same with a session that lasts.

use example_api::{Login, session, sign_in};
use leptos::{prelude::*, task::spawn_local};

fn main() {
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let session = StoredValue::new(session());
    let snapshot = RwSignal::new(session.get_value().snapshot());
    Effect::new(move |_| {
        let session = session.get_value();
        StoredValue::new_local(session.subscribe(move |now| snapshot.set(now.clone())));
        spawn_local(async move { drop(session.restore().await) });
    });
    let sign_in = Action::new_local(move |_: &()| async move {
        sign_in(&session.get_value(), Login { username: "demo", password: "demo" }).await
    });
    let sign_out =
        Action::new_local(move |_: &()| async move { session.get_value().sign_out().await });
    let me = LocalResource::new(move || {
        let generation = snapshot.read().generation;
        async move {
            if generation > 0 { example_api::me(&session.get_value()).await.ok() } else { None }
        }
    });
    view! {
        <p>{move || snapshot.read().status.as_str()}</p>
        <p>{move || me.get().flatten().map(|me| me.name)}</p>
        <button on:click=move |_| { sign_in.dispatch(()); }>"Sign in"</button>
        <button on:click=move |_| { sign_out.dispatch(()); }>"Sign out"</button>
    }
}
