//! Keeps a token by itself, until it runs out.

use example_api::{Login, Me};
use gloo_net::http::Request;
use leptos::prelude::*;
use serde::Deserialize;

fn main() {
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let token = RwSignal::new(None::<String>);
    let sign_in = Action::new_local(move |_: &()| async move { token.set(login().await.ok()) });
    let me = LocalResource::new(move || {
        let token = token.get();
        async move { me(&token?).await.ok() }
    });
    view! {
        <p>{move || if token.read().is_some() { "active" } else { "unknown" }}</p>
        <p>{move || me.get().flatten().map(|me| me.name)}</p>
        <button on:click=move |_| { sign_in.dispatch(()); }>"Sign in"</button>
        <button on:click=move |_| token.set(None)>"Sign out"</button>
    }
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

async fn login() -> Result<String, gloo_net::Error> {
    let login = Login { username: "demo", password: "demo" };
    let response = Request::post("/auth/login").json(&login)?.send().await?;
    response.json::<Tokens>().await.map(|tokens| tokens.access_token)
}

async fn me(token: &str) -> Result<Me, gloo_net::Error> {
    let request = Request::get("/api/me").header("Authorization", &format!("Bearer {token}"));
    request.send().await?.json().await
}
