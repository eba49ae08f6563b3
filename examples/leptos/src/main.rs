//! A Leptos application that keeps its user signed in.

mod server_functions;
mod session;

use std::time::Duration;

use everfresh::web::{Session, Snapshot};
use example_api::{Login, Me, seconds_left};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use self::{server_functions::SessionClient, session::provide_session};

fn main() {
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let session = example_api::session();
    SessionClient::use_session(&session);
    provide_session(session);
    let snapshot = expect_context::<Signal<Snapshot>>();
    view! {
        <p>"Session: " <output id="status">{move || snapshot.read().status.as_str()}</output></p>
        <Show when=move || snapshot.read().is_signed_in() fallback=SignIn>
            <Account />
        </Show>
    }
}

#[component]
fn SignIn() -> impl IntoView {
    let session = expect_context::<Session>();
    let (username, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sign_in = Action::new_local(move |_: &()| {
        let session = session.clone();
        async move {
            let (username, password) = (username.get_untracked(), password.get_untracked());
            let login = Login { username: &username, password: &password };
            example_api::sign_in(&session, login).await
        }
    });
    view! {
        <form on:submit=move |event| { event.prevent_default(); sign_in.dispatch(()); }>
            <input name="username" autocomplete="username" bind:value=username />
            <input name="password" type="password" bind:value=password />
            <button>"Sign in"</button>
            <output id="error">{move || sign_in.value().get().and_then(Result::err)}</output>
        </form>
    }
}

#[component]
fn Account() -> impl IntoView {
    let session = expect_context::<Session>();
    let asking = session.clone();
    let me = LocalResource::new(move || {
        let session = asking.clone();
        async move { example_api::me(&session).await }
    });
    let asked = Action::new(|_: &()| who_am_i());
    let sign_out = Action::new_local(move |_: &()| {
        let session = session.clone();
        async move { session.sign_out().await }
    });
    view! {
        <Countdown />
        <p>"You are " <output id="me">{move || me.get().map(said)}</output></p>
        <button id="ask" on:click=move |_| me.refetch()>"Ask again"</button>
        <button id="ask-function" on:click=move |_| { asked.dispatch(()); }>
            "Ask by a server function"
        </button>
        <output id="asked">
            {move || asked.value().get().map(|asked| said(asked.map_err(|e| e.to_string())))}
        </output>
        <button id="sign-out" on:click=move |_| { sign_out.dispatch(()); }>"Sign out"</button>
    }
}

/// Stands for a server function of yours: `everfresh-server` answers at its address.
#[server(prefix = "/api", endpoint = "me", input = GetUrl, client = SessionClient)]
async fn who_am_i() -> Result<Me, ServerFnError> {
    Err(ServerFnError::new("another server answers this"))
}

fn said(me: Result<Me, String>) -> String {
    me.map_or_else(|error| error, |me| format!("{}, with a token until {}", me.name, me.exp))
}

#[component]
fn Countdown() -> impl IntoView {
    let snapshot = expect_context::<Signal<Snapshot>>();
    let left = RwSignal::new(None);
    Effect::new(move |_| {
        let tick = move || left.set(seconds_left(&snapshot.read_untracked()));
        tick();
        let ticking = set_interval_with_handle(tick, Duration::from_secs(1)).ok();
        on_cleanup(move || ticking.iter().for_each(|ticking| ticking.clear()));
    });
    view! { <p>"The token runs out in " <output id="left">{left}</output> " s"</p> }
}
