//! Events for gateways, and the audit log.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use everfresh_server::rotation::SessionId;
use everfresh_server::store::{Note, NoteKind};
use everfresh_server::{app, start};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use world::{KEY, NOON, OTHER_KEY, World, claims, refused};

#[tokio::test]
async fn a_gateway_hears_of_every_kind_of_end() {
    let world = world().await;
    let mut stream = listen(&world, "gateway:key").await;
    assert_eq!(heard(&mut stream).await, ": subscribed\n\n");

    let out = world.login("ann").await.access;
    let answer = world.call(Method::POST, "/auth/logout", &out).await;
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
    assert_eq!(ended(&mut stream).await, (sid(&out), "logout".to_owned()));

    let stolen = world.login("ann").await;
    world.refresh(&stolen.refresh, Some(KEY)).await;
    world.refresh(&stolen.refresh, Some(OTHER_KEY)).await;
    assert_eq!(ended(&mut stream).await, (sid(&stolen.access), "reuse".to_owned()));

    let (here, there) = (world.login("ann").await.access, world.login("ann").await.access);
    world.call(Method::DELETE, &format!("/auth/devices/{}", sid(&there)), &here).await;
    assert_eq!(ended(&mut stream).await, (sid(&there), "device".to_owned()));
    world.control("/users/ann", json!({ "disabled": true })).await;
    assert_eq!(ended(&mut stream).await, (sid(&here), "admin".to_owned()));

    let idle = world.login("ben").await;
    world.advance(49 * 3_600);
    world.refresh(&idle.refresh, Some(KEY)).await;
    assert_eq!(ended(&mut stream).await, (sid(&idle.access), "idle".to_owned()));
}

#[tokio::test]
async fn a_token_that_is_admitted_no_longer_is_told_by_name() {
    let world = world().await;
    let mut stream = listen(&world, "gateway:key").await;
    heard(&mut stream).await;
    let note = Note {
        kind: NoteKind::Allowed,
        key: "a-jti".to_owned(),
        sid: SessionId([5; 16]),
        text: String::new(),
        until: NOON + 1_000,
    };
    world.state.store.note(note, NOON).await.unwrap();
    world.state.store.forget(NoteKind::Allowed, SessionId([5; 16])).await.unwrap();
    let text = heard(&mut stream).await;
    let sid = SessionId([5; 16]);
    let event = json!({ "jti": "a-jti", "sid": sid.to_string(), "reason": "revoked", "at": NOON });
    let told: Value = serde_json::from_str(text.split_once("data: ").unwrap().1).unwrap();
    assert_eq!(told, event);
}

#[tokio::test]
async fn only_known_clients_may_listen() {
    let world = world().await;
    for credentials in ["gateway:wrong", "nobody:key"] {
        let answer = world.send(subscription(credentials)).await;
        refused(&answer, 401, "invalid_client", "");
    }
}

#[tokio::test]
async fn a_server_that_stops_lets_its_listeners_go() {
    let world = world().await;
    let mut stream = listen(&world, "gateway:key").await;
    heard(&mut stream).await;
    world.state.events.close();
    assert!(stream.frame().await.is_none());
    let answer = world.send(subscription("gateway:key")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_log_holds_beginnings_renewals_refusals_and_ends_without_ids() {
    let world = world().await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    world.refresh(&tokens.refresh, Some(OTHER_KEY)).await;
    world.refresh(&tokens.refresh, Some(OTHER_KEY)).await;
    start::write_audit(&world.state).await;

    let entries = world.state.store.audited(10).await.unwrap();
    let told: Vec<_> =
        entries.iter().rev().map(|entry| (entry.action.word(), entry.detail.as_str())).collect();
    let expected =
        [("created", "sign-in"), ("renewed", "T5"), ("refused", "T9"), ("ended", "reuse")];
    assert_eq!(told, expected);
    let session = sid(&tokens.access);
    let user = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    for entry in &entries {
        assert_eq!(entry.session, world.state.audit.pseudonym(&session));
        assert_eq!(entry.user, world.state.audit.pseudonym(&user));
        let line = serde_json::to_string(entry).unwrap();
        assert!(!line.contains(&session) && !line.contains(&user) && !line.contains("ann"));
        assert_eq!(entry.at, NOON);
    }
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_and_what_is_not_wanted_is_not_written() {
    let world = World::with("audit = \"ends\"\naudit_keep = \"1d\"").await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    start::write_audit(&world.state).await;
    assert_eq!(world.state.store.audited(10).await.unwrap().len(), 1);
    world.advance(86_401);
    world.login("ann").await;
    start::write_audit(&world.state).await;
    let kept = world.state.store.audited(10).await.unwrap();
    assert_eq!(kept.iter().map(|entry| entry.at).collect::<Vec<_>>(), [NOON + 86_401_000]);

    let silent = World::with("audit = \"off\"").await;
    silent.login("ann").await;
    start::write_audit(&silent.state).await;
    assert!(silent.state.store.audited(10).await.unwrap().is_empty());
}

async fn world() -> World {
    World::with("client = [\"gateway:key\"]").await
}

fn subscription(credentials: &str) -> Request<Body> {
    Request::get("/oauth/events")
        .header("authorization", format!("Basic {}", STANDARD.encode(credentials)))
        .body(Body::empty())
        .unwrap()
}

async fn listen(world: &World, credentials: &str) -> Body {
    let response = app(world.state.clone()).oneshot(subscription(credentials)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body()
}

async fn heard(stream: &mut Body) -> String {
    let frame = stream.frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

async fn ended(stream: &mut Body) -> (String, String) {
    let text = heard(stream).await;
    let data = text.strip_prefix("event: ended\ndata: ").unwrap().trim_end();
    let event: Value = serde_json::from_str(data).unwrap();
    let word = |name: &str| event[name].as_str().unwrap().to_owned();
    (word("sid"), word("reason"))
}

fn sid(access: &str) -> String {
    claims(access)["sid"].as_str().unwrap().to_owned()
}
