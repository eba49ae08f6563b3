//! Token endpoints whose shape is their own.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen, js,
    session::{events, refresh, token},
    within,
    world::{World, get_request, options, tokens},
};
use crate::{
    core::error::Error as CoreError,
    web::{
        EndReason, Endpoint, Error, Event, Method, Options, Session, SessionBuilder, Status, Style,
        Tokens, Verdict, js::get,
    },
};

fn built(builder: SessionBuilder) -> Session {
    builder.build().expect("good options")
}

fn styled(name: &str, style: Style) -> Options {
    let url = "https://a.test/token".to_owned();
    let revoke_url = Some("https://a.test/revoke".to_owned());
    options(name).endpoint(Endpoint { url, revoke_url, style, ..Endpoint::default() })
}

/// What the next request gets; what it was like is kept, and told by `asked`.
fn answer(world: &World, response: &str) {
    world.answer(&format!("(globalThis.asked = init ?? it, {response})"));
}

fn asked(name: &str) -> JsValue {
    get(&js("return asked"), name)
}

#[wasm_bindgen_test]
async fn a_refresh_may_be_a_get() {
    let world = World::new();
    let session = built(Session::builder(styled("get", Style::Renew)).method(Method::Get));
    let _start = session.start(tokens("a")).expect("good tokens");
    answer(&world, "Response.json({ access_token: 'b', expires_in: 300 })");
    refresh(&session).await.expect("a refresh");
    assert_eq!((asked("method"), asked("body")), ("GET".into(), JsValue::NULL));
    assert_eq!(world.requests(), ["/token Bearer a"]);
}

#[wasm_bindgen_test]
fn a_get_with_a_token_in_its_address_is_refused() {
    for style in [Style::OAuth2, Style::Json] {
        let refused = Session::builder(styled("body", style)).method(Method::Get).build();
        let error = refused.expect_err("a body");
        assert_eq!(error.code(), "ERR_INVALID_OPTION");
        assert!(error.to_string().contains("option method cannot be GET"), "{error}");
    }
}

#[wasm_bindgen_test]
async fn both_tokens_may_be_cookies() {
    let world = World::new();
    let session = built(Session::builder(styled("cookies", Style::OAuth2)).cookies());
    let lifetime = Tokens { expires_in: Some(300.0), ..Tokens::default() };
    let _start = session.start(lifetime).expect("no token is needed");
    assert_eq!(session.snapshot().status, Status::Active);
    assert_eq!(token(&session).await.expect_err("no script sees it").code(), "ERR_NOT_SIGNED_IN");
    let asking = session.clone();
    let token = within("an answer", async move { asking.authorize("https://a.test/").await });
    assert_eq!(token.await, Ok(None));

    world.answer("new Response('no', { status: 401 })");
    answer(&world, "new Response(null, { status: 204 })");
    world.answer("(globalThis.sent = it, new Response('yes'))");
    let sender = session.clone();
    let request = get_request("https://a.test/api");
    let response = within("a response", async move { sender.fetch(request).await }).await;
    assert_eq!(response.map(|response| response.status()), Ok(200));
    assert_eq!(world.requests(), ["/api", "/token", "/api"], "no token goes along");
    assert_eq!(get(&js("return sent"), "credentials"), JsValue::from_str("include"));
    assert_eq!((asked("credentials"), asked("body")), ("include".into(), JsValue::NULL));

    answer(&world, "new Response('')");
    let leaving = session.clone();
    within("the end", async move { leaving.sign_out().await }).await.expect("an end");
    assert_eq!(world.requests()[3..], ["/revoke"], "nor does what stands for it");
}

#[wasm_bindgen_test]
async fn an_error_with_200_renews_no_cookies() {
    for (body, renewed) in [
        ("Response.json({ expires_in: 60 })", true),
        ("Response.json({ error: 'invalid_grant' })", false),
        ("Response.json({ errors: [1] })", false),
        ("new Response(' <!doctype html>')", false),
    ] {
        let world = World::new();
        let session = built(Session::builder(styled(body, Style::Cookie)).cookies());
        let _start = session.start(Tokens::default()).expect("no token is needed");
        world.answer(body);
        assert_eq!(refresh(&session).await.is_ok(), renewed, "{body}");
    }
}

#[wasm_bindgen_test]
async fn an_answer_of_another_shape_is_mapped() {
    #[derive(serde::Deserialize)]
    struct Data {
        token: String,
        lifetime: u32,
        note: Option<String>,
    }
    let world = World::new();
    let session = built(Session::builder(options("mapped")).tokens(|answer| {
        assert!(!format!("{answer:?}").contains("token"), "it may be printed");
        let data: Data = answer.json()?;
        assert_eq!((answer.status(), data.note), (201, None));
        Some(Tokens {
            access_token: data.token,
            refresh_token: answer.header("X-Refresh"),
            expires_in: Some(data.lifetime.into()),
            ..Tokens::default()
        })
    }));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer(
        "Response.json({ token: 'b', lifetime: 300, note: null }, \
         { status: 201, headers: { 'X-Refresh': 's' } })",
    );
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
    answer(&world, "Response.json({ token: 'c', lifetime: 300 }, { status: 201 })");
    refresh(&session).await.expect("a refresh");
    let body = asked("body").as_string().expect("a form");
    assert!(body.contains("refresh_token=s&"), "{body}");
    assert_eq!(session.snapshot().generation, 3);
}

#[wasm_bindgen_test]
async fn what_is_mapped_to_no_token_is_judged_as_it_came() {
    let world = World::new();
    let session = built(Session::builder(options("unmapped")).tokens(|_| None));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.grant("b");
    refresh(&session).await.expect("a refresh");
    world.answer("Response.json({ error: 'invalid_grant' }, { status: 200 })");
    assert_eq!(refresh(&session).await.expect_err("an end").code(), "ERR_SIGNED_OUT_BY_SERVER");
}

/// What a refresh comes to when its answer, status 200 without tokens, is taken for that.
async fn judged(name: &str, verdict: Verdict) -> (Result<(), Error>, Session) {
    let world = World::new();
    let session = built(
        Session::builder(options(name))
            .classify(move |answer| (answer.body() == "odd").then_some(verdict)),
    );
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('odd')");
    (refresh(&session).await, session)
}

#[wasm_bindgen_test]
async fn what_an_answer_is_may_be_said() {
    let (transient, session) = judged("transient", Verdict::Transient).await;
    assert_eq!(transient.expect_err("a failure").code(), "ERR_REFRESH_UNAVAILABLE");
    assert_eq!(session.snapshot().status, Status::Active);
    let (granted, session) = judged("granted", Verdict::Granted).await;
    assert_eq!(granted.expect_err("no tokens").code(), "ERR_BAD_REFRESH_RESPONSE");
    assert_eq!(session.snapshot().status, Status::Active);
    for (verdict, reason) in [
        (Verdict::Revoked, EndReason::Revoked),
        (Verdict::Reuse, EndReason::Reuse),
        (Verdict::LoginRequired, EndReason::LoginRequired),
    ] {
        let (refused, session) = judged("refused", verdict).await;
        assert_eq!(refused.expect_err("an end").code(), "ERR_SIGNED_OUT_BY_SERVER");
        assert_eq!(session.snapshot().reason, Some(reason));
    }
}

#[wasm_bindgen_test]
async fn what_is_not_said_is_judged_by_the_usual_rules() {
    let world = World::new();
    let session = built(Session::builder(options("usual")).classify(|_| None));
    let (seen, _subscription) = events(&session);
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('', { status: 503, headers: { 'Retry-After': '7' } })");
    refresh(&session).await.expect_err("a failure");
    assert_eq!(session.snapshot().last_error, Some(CoreError::Unavailable));
    let kinds: Vec<_> = seen.all().iter().map(Event::kind).collect();
    assert_eq!(kinds, ["started", "refresh-failed"]);
}

#[wasm_bindgen_test]
async fn an_answer_of_more_than_a_mebibyte_is_shown_to_no_function() {
    const LONGEST: usize = 1 << 20;
    for (name, body, shown) in [
        ("longest", format!("'x'.repeat({LONGEST})"), true),
        ("too long", format!("'x'.repeat({LONGEST} + 1)"), false),
        ("too long in bytes", format!("'\u{fc}'.repeat({LONGEST} / 2 + 1)"), false),
        ("far too long", format!("'<p>' + 'x'.repeat(20 * {LONGEST})"), false),
    ] {
        let world = World::new();
        let seen = Seen::new();
        let (first, second) = (seen.clone(), seen.clone());
        let session = built(
            Session::builder(options(name))
                .tokens(move |answer| {
                    first.add(answer.body().len());
                    None
                })
                .classify(move |answer| {
                    second.add(answer.body().len());
                    None
                }),
        );
        let _start = session.start(tokens("a")).expect("good tokens");
        world.answer(&format!("new Response({body})"));
        let failure = refresh(&session).await.expect_err("no tokens");
        assert_eq!(failure.code(), "ERR_BAD_REFRESH_RESPONSE", "{name}");
        assert_eq!(seen.all(), vec![LONGEST; if shown { 2 } else { 0 }], "{name}");
        // Judged by the usual rules: a page for people is no word of the service.
        world.answer(&format!("new Response({body}, {{ status: 403 }})"));
        let ended = name != "far too long";
        refresh(&session).await.expect_err("no tokens");
        assert_eq!(session.snapshot().status == Status::SignedOut, ended, "{name}");
    }
}

#[wasm_bindgen_test]
async fn the_refresh_token_may_have_another_name() {
    for (style, body) in [
        (Style::Json, r#"{"mode":"json","refreshToken":"r"}"#),
        (Style::OAuth2, "grant_type=refresh_token&mode=json&refreshToken=r"),
    ] {
        let world = World::new();
        let options = styled(body, style);
        let endpoint = Endpoint {
            rotation_key: Some(crate::web::Carrier::Off),
            ..options.given_endpoint().clone()
        };
        let session =
            built(Session::builder(options.endpoint(endpoint)).params(|token| {
                vec![("mode", "json".to_owned()), ("refreshToken", token.to_owned())]
            }));
        let _start = session.start(tokens("a")).expect("good tokens");
        answer(&world, "Response.json({ access_token: 'b', expires_in: 300 })");
        refresh(&session).await.expect("a refresh");
        assert_eq!(asked("body"), JsValue::from_str(body));
    }
}

#[wasm_bindgen_test]
async fn the_newest_functions_win() {
    let world = World::new();
    let taken = |name: &'static str| {
        move |_: &crate::web::Answer| {
            let access_token = name.to_owned();
            Some(Tokens { access_token, expires_in: Some(300.0), ..Tokens::default() })
        }
    };
    let older = built(Session::builder(options("newest")).tokens(taken("older")));
    let newer = built(Session::builder(options("newest")).tokens(taken("newer")));
    assert_eq!(older, newer);
    let _start = older.start(tokens("a")).expect("good tokens");
    world.answer("new Response('')");
    refresh(&older).await.expect("a refresh");
    assert_eq!(token(&older).await.expect("a token").as_str(), "newer");
    let plain = Session::new(options("newest")).expect("good options");
    world.grant("plain");
    refresh(&plain).await.expect("a refresh");
    assert_eq!(token(&older).await.expect("a token").as_str(), "plain");
}
