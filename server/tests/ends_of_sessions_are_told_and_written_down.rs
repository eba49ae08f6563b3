//! Events for gateways, and the audit log.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use everfresh_server::audit::Action;
use everfresh_server::rotation::SessionId;
use everfresh_server::serve::Peer;
use everfresh_server::store::{MarkKind, TokenMark};
use everfresh_server::{app, maintenance};
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
    let note = TokenMark {
        kind: MarkKind::Allowed,
        key: "a-jti".to_owned(),
        sid: SessionId([5; 16]),
        text: String::new(),
        until: NOON + 1_000,
    };
    world.state.store.note(note, NOON).await.unwrap();
    world.state.store.forget(MarkKind::Allowed, SessionId([5; 16])).await.unwrap();
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
    maintenance::write_audit(&world.state).await;

    let entries = world.state.store.audited(10).await.unwrap();
    let told: Vec<_> =
        entries.iter().rev().map(|entry| (entry.action.word(), entry.detail.as_str())).collect();
    let expected =
        [("created", "sign-in"), ("renewed", "rotated"), ("refused", "reused"), ("ended", "reuse")];
    assert_eq!(told, expected);
    let session = sid(&tokens.access);
    let user = claims(&tokens.access)["sub"].as_str().unwrap().to_owned();
    for entry in &entries {
        assert_eq!(entry.session, world.state.audit.pseudonym(&session));
        assert_eq!(entry.user, world.state.audit.pseudonym(&user));
        let line = serde_json::to_string(entry).unwrap();
        // A pseudonym is random and may read `ann` by chance.
        let line = line.replace(&entry.session, "").replace(&entry.user, "");
        assert!(!line.contains(&session) && !line.contains(&user) && !line.contains("ann"));
        assert_eq!(entry.at, NOON);
    }
}

#[tokio::test]
async fn sign_ins_that_fail_are_listed_without_names_addresses_and_passwords() {
    let world = world().await;
    let access = world.login("ann").await.access;
    let sub = claims(&access)["sub"].as_str().unwrap().to_owned();
    let address = "203.0.113.7";
    let attempt = async |path: &str, body: Value| {
        let mut request = world::json_request(Method::POST, path, &body);
        let bearer = format!("Bearer {access}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        request.extensions_mut().insert(Peer(format!("{address}:4444").parse().unwrap()));
        world.send(request).await.status.as_u16()
    };
    let login = |name: &str, password: &str| json!({ "username": name, "password": password });
    assert_eq!(attempt("/auth/login", login("ann", "hunter2")).await, 401);
    assert_eq!(attempt("/auth/login", login("hunter2", "ann")).await, 401);
    let change = json!({ "current_password": "hunter2", "new_password": "hunter3" });
    assert_eq!(attempt("/auth/password", change).await, 401);
    world.control("/users/ann", json!({ "disabled": true })).await;
    assert_eq!(attempt("/auth/login", login("ann", "secret")).await, 401);
    maintenance::write_audit(&world.state).await;

    let pseudonym = |id: &str| world.state.audit.pseudonym(id);
    let mut entries = world.state.store.audited(10).await.unwrap();
    entries.retain(|entry| entry.action == Action::Failed);
    let told: Vec<_> =
        entries.iter().rev().map(|entry| (entry.detail.as_str(), entry.user.clone())).collect();
    let ann = || pseudonym(&sub);
    let expected = [
        ("password", ann()),
        ("unknown", String::new()),
        ("current-password", ann()),
        ("disabled", ann()),
    ];
    assert_eq!(told, expected);
    for entry in &entries {
        assert_eq!((&entry.session, entry.left_out), (&String::new(), 0));
        assert_eq!(entry.address, pseudonym(address));
        let line = serde_json::to_string(entry).unwrap();
        // A pseudonym is random and may read `ann` by chance.
        let line = line.replace(&entry.session, "").replace(&entry.user, "");
        for secret in ["hunter", "secret", "ann", address, &sub] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

/// Failing costs nothing, so the log must not grow with it.
#[tokio::test]
async fn a_flood_of_failures_leaves_a_small_trace_that_tells_its_size() {
    let world = World::with("limits = \"off\"").await;
    let audit = &world.state.audit;
    for number in 0..5_000_u64 {
        audit.failed(NOON + number, "password", Some("ann"), None);
    }
    world.login("ann").await;
    audit.failed(NOON + 60_000, "unknown", None, None);
    maintenance::write_audit(&world.state).await;
    let entries = world.state.store.audited(9_999).await.unwrap();
    assert_eq!(entries.len(), 1_000 + 1 + 1, "a thousand, the sign-in, and the last");
    assert_eq!((entries[0].detail.as_str(), entries[0].left_out), ("unknown", 4_000));
    assert!(entries[1..].iter().all(|entry| entry.left_out == 0));
    assert_eq!(entries[1].action, Action::Created, "what succeeds is always listed");
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_and_what_is_not_wanted_is_not_written() {
    let world = World::with("audit = \"ends\"\naudit_keep = \"1d\"").await;
    let tokens = world.login("ann").await;
    world.refresh(&tokens.refresh, Some(KEY)).await;
    maintenance::write_audit(&world.state).await;
    assert_eq!(world.state.store.audited(10).await.unwrap().len(), 1);
    world.advance(86_401);
    world.login("ann").await;
    maintenance::write_audit(&world.state).await;
    let kept = world.state.store.audited(10).await.unwrap();
    assert_eq!(kept.iter().map(|entry| entry.at).collect::<Vec<_>>(), [NOON + 86_401_000]);

    let silent = World::with("audit = \"off\"").await;
    silent.login("ann").await;
    maintenance::write_audit(&silent.state).await;
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
