//! A Yew application that keeps its user signed in.

mod session;

use example_api::{Login, Me, seconds_left};
use gloo_timers::callback::Interval;
use web_sys::HtmlInputElement;
use yew::{platform::spawn_local, prelude::*};

use self::session::{SessionProvider, use_session, use_snapshot};

fn main() {
    yew::Renderer::<App>::new().render();
}

#[component]
fn App() -> Html {
    let session = use_state(example_api::session);
    html! { <SessionProvider session={(*session).clone()}><Page /></SessionProvider> }
}

#[component]
fn Page() -> Html {
    let snapshot = use_snapshot();
    html! {
        <>
            <p>{ "Session: " }<output id="status">{ snapshot.status.as_str() }</output></p>
            if snapshot.is_signed_in() { <Account /> } else { <SignIn /> }
        </>
    }
}

#[component]
fn SignIn() -> Html {
    let session = use_session();
    let (username, password) = (use_node_ref(), use_node_ref());
    let error = use_state(|| None);
    let submit = {
        let (username, password, error) = (username.clone(), password.clone(), error.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let (session, error) = (session.clone(), error.clone());
            let (username, password) = (typed(&username), typed(&password));
            spawn_local(async move {
                let login = Login { username: &username, password: &password };
                error.set(example_api::sign_in(&session, login).await.err());
            });
        }
    };
    html! {
        <form onsubmit={submit}>
            <input ref={username} name="username" autocomplete="username" />
            <input ref={password} name="password" type="password" />
            <button>{ "Sign in" }</button>
            <output id="error">{ (*error).clone() }</output>
        </form>
    }
}

fn typed(input: &NodeRef) -> String {
    input.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

#[component]
fn Account() -> Html {
    let session = use_session();
    let me = use_state(|| None);
    let asked = use_state(|| 0);
    use_effect_with(*asked, {
        let (session, me) = (session.clone(), me.clone());
        move |_| spawn_local(async move { me.set(Some(example_api::me(&session).await)) })
    });
    let ask = move |_: MouseEvent| asked.set(*asked + 1);
    let sign_out = move |_: MouseEvent| {
        let session = session.clone();
        spawn_local(async move { drop(session.sign_out().await) });
    };
    html! {
        <>
            <Countdown />
            <p>{ "You are " }<output id="me">{ (*me).clone().map(said) }</output></p>
            <button id="ask" onclick={ask}>{ "Ask again" }</button>
            <button id="sign-out" onclick={sign_out}>{ "Sign out" }</button>
        </>
    }
}

fn said(me: Result<Me, String>) -> String {
    me.map_or_else(|error| error, |me| format!("{}, with a token until {}", me.name, me.exp))
}

#[component]
fn Countdown() -> Html {
    let snapshot = use_snapshot();
    let left = use_state_eq(|| None);
    use_effect_with(snapshot, {
        let left = left.setter();
        move |snapshot| {
            let snapshot = snapshot.clone();
            let tick = move || left.set(seconds_left(&snapshot));
            tick();
            let ticking = Interval::new(1_000, tick);
            move || drop(ticking)
        }
    });
    html! { <p>{ "The token runs out in " }<output id="left">{ *left }</output>{ " s" }</p> }
}
