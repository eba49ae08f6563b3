//! Everything that is logged while people sign in, refresh, fail and sign out, at the finest level.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use everfresh_server::secret::Secret;
use http::{Method, Request};
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use world::{KEY, OTHER_KEY, World};

#[tokio::test]
async fn not_even_at_the_finest_level() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let world = World::new().await;
    let first = world.login("ann").await;
    let wrong = json!({ "username": "ann", "password": "a wrong password" });
    world.post_json("/auth/login", wrong).await;
    let second = world.refresh(&first.refresh, Some(KEY)).await.tokens();
    world.refresh(&first.refresh, Some(KEY)).await;
    world.refresh(&first.refresh, Some(OTHER_KEY)).await;
    let other = world.login("ann").await;
    world.me(&other.access).await;
    world.me(&format!("{}x", other.access)).await;
    world.call(Method::POST, "/auth/logout", &other.access).await;
    drop(guard);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("refreshed") && text.contains("reused") && text.contains("request{id="));
    for tokens in [&first, &second, &other] {
        let signature = tokens.access.rsplit('.').next().unwrap();
        for secret in [&tokens.access, &tokens.refresh, signature, &tokens.refresh[40..]] {
            assert!(!text.contains(secret), "a token is in the log");
        }
    }
    for secret in ["secret", "a wrong password", KEY, OTHER_KEY, "argon2id"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_is_named_with_the_flag_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let world = World::with("allow_origin = [\"https://good.example\"]").await;
    for origin in ["https://app.example", "https://good.example", "http://127.0.0.1:8080", "null"] {
        for _ in 0..3 {
            let request = Request::get("/api/me").header("origin", origin).body(Body::empty());
            world.send(request.unwrap()).await;
        }
    }
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("--allow-origin").count(), 1, "{text}");
    assert!(text.contains("--allow-origin https://app.example"), "{text}");
}

#[test]
fn not_when_the_parts_of_the_server_are_printed() {
    let printed = format!("{:?}", Secret::from("hunter2"));
    assert!(!printed.contains("hunter2"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::with("user = [\"ann:hunter2\"]"));
    let state = &world.state;
    let printed = format!("{state:?} {:?} {:?}", state.issuer, state.pepper);
    assert!(!printed.contains("hunter2") && !printed.contains("key: ["), "{printed}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
