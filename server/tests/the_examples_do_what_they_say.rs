//! The examples, run without their listeners.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, unreachable_pub, reason = "written for people, as programs of their own")]
#[path = "../examples/embedded.rs"]
mod embedded;
#[allow(dead_code, unreachable_pub, reason = "written for people, as programs of their own")]
#[path = "../examples/second_service.rs"]
mod second_service;
mod world;

use axum::Router;
use axum::body::Body;
use everfresh_server::bootstrap;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::{RemoteKeys, Verifier};
use everfresh_server::serve::{Listening, serve};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use world::{World, claims};

#[tokio::test]
async fn an_application_has_the_servers_routes_beside_its_own() {
    let world = World::new().await;
    let shop = embedded::router(world.state.clone());
    assert_eq!(call(&shop, Method::GET, "/shop/hello", "").await, (200, "hello stranger".into()));
    assert_eq!(call(&shop, Method::POST, "/shop/orders", "").await.0, 401);
    assert_eq!(call(&shop, Method::GET, "/shop/hello", "nonsense").await.0, 401);
    let access = world.login("ann").await.access;
    assert_eq!(call(&shop, Method::GET, "/shop/hello", &access).await, (200, "hello ann".into()));
    let subject = claims(&access)["sub"].as_str().unwrap().to_owned();
    let order = call(&shop, Method::POST, "/shop/orders", &access).await;
    assert_eq!(order, (200, format!("order 1 for {subject}")));
    assert_eq!(call(&shop, Method::GET, "/api/me", &access).await.0, 200);
}

#[tokio::test]
async fn an_application_may_keep_its_own_answer_to_unknown_paths() {
    let world = World::new().await;
    let own = Router::new().fallback(async || "ours");
    let router = own.merge(everfresh_server::app(world.state.clone()).reset_fallback());
    assert_eq!(call(&router, Method::GET, "/nothing", "").await, (200, "ours".into()));
    assert_eq!(call(&router, Method::GET, "/healthz", "").await.0, 200);
}

#[tokio::test]
async fn a_server_that_was_given_no_issuer_is_called_by_its_address() {
    let file = "store = \"memory:\"\nlisten = \"192.0.2.1:80\"";
    let settings = Settings::resolve(Layer::from_toml(file).unwrap()).unwrap();
    let state = bootstrap::open(settings).await.unwrap();
    assert_eq!(state.issuer.issuer, "http://192.0.2.1:80");
    assert_eq!(state.settings.issuer, "http://192.0.2.1:80");

    let file = "store = \"memory:\"\nlisten = \"127.0.0.1:0\"";
    let settings = Settings::resolve(Layer::from_toml(file).unwrap()).unwrap();
    let told = bootstrap::open(settings).await.unwrap_err().to_string();
    assert!(told.contains("--issuer") && told.contains("127.0.0.1:0"), "{told}");
    let file = format!("{file}\nissuer = \"https://id.example\"");
    let settings = Settings::resolve(Layer::from_toml(&file).unwrap()).unwrap();
    assert_eq!(bootstrap::open(settings).await.unwrap().issuer.issuer, "https://id.example");
}

#[tokio::test]
async fn a_second_service_knows_who_calls() {
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = everfresh_server::app(world.state.clone());
    let server =
        tokio::spawn(serve(listener, router, Listening::default(), std::future::pending()));
    let keys = RemoteKeys::at(&format!("http://{address}/.well-known/jwks.json")).unwrap();
    let issuer = "http://127.0.0.1:8080";
    let verifier = Verifier::new(issuer, issuer, keys);
    let service = second_service::router(verifier, world.clock.clone());
    let access = world.login("ann").await.access;
    let subject = claims(&access)["sub"].as_str().unwrap().to_owned();
    assert_eq!(call(&service, Method::GET, "/whoami", &access).await, (200, subject));
    assert_eq!(call(&service, Method::GET, "/whoami", "").await.0, 401);
    world.advance(306);
    assert_eq!(call(&service, Method::GET, "/whoami", &access).await.0, 401);
    server.abort();
}

async fn call(router: &Router, method: Method, path: &str, access: &str) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path);
    if !access.is_empty() {
        request = request.header("authorization", format!("Bearer {access}"));
    }
    let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}
