//! A Dioxus application that keeps its user signed in.

mod session;

use dioxus::prelude::*;
use everfresh::web::{Session, Snapshot};
use example_api::{Login, Me, seconds_left};
use gloo_timers::future::TimeoutFuture;

use self::session::use_session_provider;

fn main() {
    dioxus::launch(App);
}

#[component]
fn App() -> Element {
    use_session_provider(example_api::session);
    let snapshot = use_context::<Signal<Snapshot>>();
    rsx! {
        p {
            "Session: "
            output { id: "status", {snapshot.read().status.as_str()} }
        }
        if snapshot.read().is_signed_in() {
            Account {}
        } else {
            SignIn {}
        }
    }
}

#[component]
fn SignIn() -> Element {
    let mut username = use_signal(String::new);
    let mut password = use_signal(String::new);
    let mut error = use_signal(|| None);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        async move {
            let (username, password) = (username(), password());
            let login = Login { username: &username, password: &password };
            error.set(example_api::sign_in(&consume_context::<Session>(), login).await.err());
        }
    };
    rsx! {
        form { onsubmit: submit,
            input {
                name: "username",
                autocomplete: "username",
                oninput: move |event| username.set(event.value()),
            }
            input {
                name: "password",
                r#type: "password",
                oninput: move |event| password.set(event.value()),
            }
            button { "Sign in" }
            output { id: "error", {error()} }
        }
    }
}

#[component]
fn Account() -> Element {
    let session = use_context::<Session>();
    let asking = session.clone();
    let mut me = use_resource(move || {
        let session = asking.clone();
        async move { example_api::me(&session).await }
    });
    let sign_out = move |_| {
        let session = session.clone();
        async move { drop(session.sign_out().await) }
    };
    rsx! {
        Countdown {}
        p {
            "You are "
            output { id: "me", {me().map(said)} }
        }
        button { id: "ask", onclick: move |_| me.restart(), "Ask again" }
        button { id: "sign-out", onclick: sign_out, "Sign out" }
    }
}

fn said(me: Result<Me, String>) -> String {
    me.map_or_else(|error| error, |me| format!("{}, with a token until {}", me.name, me.exp))
}

#[component]
fn Countdown() -> Element {
    let snapshot = use_context::<Signal<Snapshot>>();
    let mut left = use_signal(|| None);
    use_future(move || async move {
        loop {
            left.set(seconds_left(&snapshot.peek()));
            TimeoutFuture::new(1_000).await;
        }
    });
    rsx! {
        p {
            "The token runs out in "
            output { id: "left", {left().map(|left| left.to_string())} }
            " s"
        }
    }
}
