use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen, in_page, js,
    session::refresh,
    stub::Stub,
    until,
    world::{World, options, session, tokens},
};
use crate::web::{Endpoint, Session, Status, Style, safe_return_to};

#[wasm_bindgen_test]
async fn guards_that_ask_at_once_share_one_refresh() {
    let world = World::new();
    let endpoint = Endpoint {
        url: "https://a.test/token".to_owned(),
        style: Style::Cookie,
        ..Endpoint::default()
    };
    let session = Session::new(options("guards").endpoint(endpoint)).expect("good options");
    world.grant("a");
    let seen = Seen::new();
    for _ in 0..2 {
        let (session, told) = (session.clone(), seen.clone());
        spawn_local(async move { told.add(session.ready().await.map(|now| now.status)) });
    }
    until("a refresh", || {
        world.clock.advance(100);
        seen.count() == 2
    })
    .await;
    assert_eq!(seen.all(), [Ok(Status::Active), Ok(Status::Active)]);
    assert_eq!(world.requests(), ["/token"]);
    assert_eq!(session.ready().await.map(|now| now.status), Ok(Status::Active));
    session.cancel();
    assert_eq!(session.ready().await.map(|now| now.status), Ok(Status::SignedOut));
}

#[wasm_bindgen_test]
fn a_return_address_is_a_path_of_the_own_origin() {
    let location = js("return { origin: 'https://app.test' }");
    if in_page() {
        // It has an address of its own, which no stub takes the place of.
        assert_eq!(safe_return_to("/orders?a=1#b", "/home"), "/orders?a=1#b");
        assert_eq!(safe_return_to("https://evil.test/", "/home"), "/home");
        return;
    }
    let _location = Stub::global("location", &location);
    for (address, path) in [
        ("/orders?a=1#b", "/orders?a=1#b"),
        ("https://app.test/orders", "/orders"),
        ("/a/../b", "/b"),
        ("/", "/"),
    ] {
        assert_eq!(safe_return_to(address, "/home"), path, "{address}");
    }
    for address in [
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "https://evil.test/",
        "javascript:alert(1)",
        "/.//evil.test",
        "https://app.test//evil.test",
        "https://app.test@evil.test/",
        "\t//evil.test",
        "https://app.test:8443/",
        "http://app.test/",
        "data:,x",
        "blob:https://app.test/1",
        "",
        "http://[",
    ] {
        assert_eq!(safe_return_to(address, "/home"), "/home", "{address}");
    }
}

#[wasm_bindgen_test]
async fn what_the_endpoint_said_last_is_told() {
    let (world, session) = (World::new(), session("said"));
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!(session.last_refusal(), None);
    world.answer("Response.json({ error: 'slow_down', error_description: 'd' }, { status: 400 })");
    refresh(&session).await.expect_err("a failure");
    let refused = session.last_refusal().expect("an answer");
    assert_eq!((refused.status, &*refused.error, &*refused.description), (400, "slow_down", "d"));
    world.grant("b");
    refresh(&session).await.expect("a refresh");
    assert_eq!(session.last_refusal(), None);
}
