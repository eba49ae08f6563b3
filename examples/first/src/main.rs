use everfresh::web::{Endpoint, Options, Session, Snapshot, Storage, Tokens};
use leptos::{prelude::*, task::spawn_local};

fn main() {
    mount_to_body(App);
}

fn session() -> Session {
    let endpoint = Endpoint {
        url: "/oauth/token".into(),
        revoke_url: Some("/oauth/revoke".into()),
        ..Endpoint::default()
    };
    // A reload keeps the user signed in.
    Session::new(Options::default().endpoint(endpoint).storage(Storage::Session))
        .expect("good options")
}

/// Gives the session, and its snapshot as a signal, to all components below.
fn provide_session(session: Session) {
    let snapshot = RwSignal::new(session.snapshot());
    provide_context(session.clone());
    provide_context::<Signal<Snapshot>>(snapshot.into());
    Effect::new(move |_| {
        StoredValue::new_local(session.subscribe(move |now| snapshot.set(now.clone())));
        let session = session.clone();
        spawn_local(async move { drop(session.restore().await) });
    });
}

async fn sign_in(session: Session) -> Result<(), Box<dyn std::error::Error>> {
    let user = serde_json::json!({ "username": "demo", "password": "demo" });
    let response = gloo_net::http::Request::post("/auth/login").json(&user)?.send().await?;
    session.start(Tokens::read(&response.into()).await?)?;
    Ok(())
}

#[component]
fn App() -> impl IntoView {
    provide_session(session());
    let session = StoredValue::new(expect_context::<Session>());
    let snapshot = expect_context::<Signal<Snapshot>>();
    let sign_in = move |_| spawn_local(async move { drop(sign_in(session.get_value()).await) });
    let sign_out = move |_| spawn_local(async move { drop(session.get_value().sign_out().await) });
    view! {
        <Show
            when=move || snapshot.read().is_signed_in()
            fallback=move || view! { <button on:click=sign_in>"Sign in"</button> }
        >
            <button on:click=sign_out>"Sign out (token "{move || snapshot.read().generation}")"</button>
        </Show>
    }
}
