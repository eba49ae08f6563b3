//! A second service that gets access tokens of this server, or of another issuer, and checks them
//! with nothing but the published keys.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everfresh_server::app;
use everfresh_server::jwt::{Algorithm, Fetch, FetchError, Flaw, HttpFetch, RemoteKeys, Verifier};
use everfresh_server::serve::{Listening, serve};
use http::Uri;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use world::{NOON, NOON_SECONDS, World, claims};

const ISSUER: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn over_http_with_a_server_that_runs() {
    let world = World::new().await;
    let access = world.login("ann").await.access;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(
        listener,
        app(world.state.clone()),
        Listening::default(),
        std::future::pending(),
    ));
    let keys = RemoteKeys::at(&format!("http://{address}/.well-known/jwks.json")).unwrap();
    let verifier = Verifier::new(ISSUER, ISSUER, keys);
    let verified = verifier.verify(&access, NOON).await.unwrap();
    assert_eq!(Value::Object(verified.claims().clone()), claims(&access));
    assert_eq!(verified.subject(), claims(&access)["sub"]);

    let missing: Uri = format!("http://{address}/nothing").parse().unwrap();
    assert_eq!(HttpFetch::new().get(&missing).await, Err(FetchError("the answer is not 200 OK")));
    server.abort();
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_garbage_fetches_nothing() {
    let world = World::new().await;
    let (issuer, verifier) = issuer(&world);
    let first = world.login("ann").await.access;
    for garbage in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(verifier.verify(garbage, NOON).await.is_err());
    }
    assert_eq!(issuer.asked(), 0);
    for _ in 0..3 {
        verifier.verify(&first, NOON).await.unwrap();
    }
    assert_eq!(issuer.asked(), 1);

    world.state.issuer.keys.rotate(NOON_SECONDS, true, 300).unwrap();
    issuer.publish(world.state.issuer.keys.jwks(NOON_SECONDS));
    let second = world.login("ann").await.access;
    assert_eq!(verifier.verify(&second, NOON + 29_999).await, Err(Flaw::Key), "too soon to ask");
    assert_eq!(issuer.asked(), 1);
    verifier.verify(&second, NOON + 30_000).await.unwrap();
    verifier.verify(&first, NOON + 30_000).await.unwrap();
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn tokens_that_name_keys_at_random_cause_one_request_each_half_minute() {
    let world = World::new().await;
    let (issuer, verifier) = issuer(&world);
    let good = world.login("ann").await.access;
    for number in 0..200_u64 {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": format!("k{number}") });
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header.to_string()));
        let now = NOON + number * 1_000;
        assert_eq!(verifier.verify(&token, now).await, Err(Flaw::Key));
    }
    assert_eq!(issuer.asked(), 200_usize.div_ceil(30));
    verifier.verify(&good, NOON + 200_000).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_no_longer_published_is_forgotten_and_an_outage_is_survived() {
    let world = World::new().await;
    let (issuer, verifier) = issuer(&world);
    let verifier = Verifier { leeway: 7_200, ..verifier };
    let access = world.login("ann").await.access;
    verifier.verify(&access, NOON).await.unwrap();
    issuer.fail(true);
    verifier.verify(&access, NOON + 3_599_000).await.unwrap();
    assert_eq!(verifier.verify(&access, NOON + 3_600_000).await, Err(Flaw::Key));
    issuer.fail(false);
    verifier.verify(&access, NOON + 3_630_000).await.unwrap();
    issuer.publish(json!({ "keys": [] }));
    assert_eq!(verifier.verify(&access, NOON + 3_930_000).await, Err(Flaw::Key));
}

#[tokio::test]
async fn an_issuer_that_signs_with_es256_is_understood() {
    let (token, verifier) = es256(&json!({})).await;
    let verified = verifier.verify(&token, NOON).await.unwrap();
    assert_eq!((verified.subject(), verified.text("jti")), ("ann", Some("1")));
    let strict = Verifier { algorithms: vec![Algorithm::EdDsa], ..verifier };
    assert_eq!(strict.verify(&token, NOON).await, Err(Flaw::Header));
}

#[tokio::test]
async fn the_claims_of_rfc_9068_are_all_there_and_ours() {
    for (change, flaw) in [
        (json!({ "aud": ["other", "service"] }), None),
        (json!({ "exp": NOON_SECONDS }), None),
        (json!({ "exp": NOON_SECONDS as f64 + 0.5 }), None),
        (json!({ "nbf": NOON_SECONDS + 5 }), None),
        (json!({ "exp": NOON_SECONDS - 5 }), Some(Flaw::Expired)),
        (json!({ "exp": "soon" }), Some(Flaw::Claims)),
        (json!({ "exp": 1e300 }), Some(Flaw::Claims)),
        (json!({ "exp": -1 }), Some(Flaw::Claims)),
        (json!({ "exp": null }), Some(Flaw::Claims)),
        (json!({ "iat": NOON_SECONDS + 6 }), Some(Flaw::Early)),
        (json!({ "iat": null }), Some(Flaw::Claims)),
        (json!({ "nbf": NOON_SECONDS + 6 }), Some(Flaw::Early)),
        (json!({ "nbf": [] }), Some(Flaw::Claims)),
        (json!({ "iss": "https://issuer.example/" }), Some(Flaw::Foreign)),
        (json!({ "aud": "other" }), Some(Flaw::Foreign)),
        (json!({ "aud": [] }), Some(Flaw::Foreign)),
        (json!({ "aud": ["service", 1] }), Some(Flaw::Foreign)),
        (json!({ "aud": null }), Some(Flaw::Foreign)),
        (json!({ "sub": "" }), Some(Flaw::Claims)),
        (json!({ "client_id": null }), Some(Flaw::Claims)),
        (json!({ "jti": 1 }), Some(Flaw::Claims)),
    ] {
        let (token, verifier) = es256(&change).await;
        assert_eq!(verifier.verify(&token, NOON).await.err(), flaw, "{change}");
    }
}

#[tokio::test]
async fn keys_come_over_tls_or_from_this_machine() {
    for good in
        ["https://issuer.example/jwks", "http://127.0.0.1/k", "http://[::1]:1/", "http://localhost"]
    {
        assert!(RemoteKeys::at(good).is_ok(), "{good}");
    }
    for bad in [
        "http://issuer.example/jwks",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "https://user:password@issuer.example/",
        "ftp://127.0.0.1/",
        "/jwks",
        "",
    ] {
        assert!(RemoteKeys::at(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn keys_that_share_a_name_are_both_refused() {
    let world = World::new().await;
    let (issuer, verifier) = issuer(&world);
    let access = world.login("ann").await.access;
    let mut twice = world.state.issuer.keys.jwks(NOON_SECONDS);
    let key = twice["keys"][0].clone();
    twice["keys"].as_array_mut().unwrap().push(key);
    issuer.publish(twice);
    assert_eq!(verifier.verify(&access, NOON).await, Err(Flaw::Key));
}

/// An issuer's key set, and how often it was asked for.
#[derive(Default)]
struct Issuer {
    set: Mutex<Value>,
    failing: Mutex<bool>,
    asked: AtomicUsize,
}

impl Issuer {
    fn publish(&self, set: Value) {
        *self.set.lock().unwrap() = set;
    }

    fn fail(&self, failing: bool) {
        *self.failing.lock().unwrap() = failing;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Fetch for Issuer {
    fn get<'a>(
        &'a self,
        _: &'a Uri,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Bytes, FetchError>> + Send + 'a>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let failing = *self.failing.lock().unwrap();
        let answer = if failing {
            Err(FetchError("out of order"))
        } else {
            Ok(self.set.lock().unwrap().to_string().into())
        };
        Box::pin(std::future::ready(answer))
    }
}

fn issuer(world: &World) -> (Arc<Issuer>, Verifier) {
    let issuer = Arc::new(Issuer::default());
    issuer.publish(world.state.issuer.keys.jwks(NOON_SECONDS));
    let keys = RemoteKeys::fetched_with("https://issuer.example/jwks", issuer.clone()).unwrap();
    (issuer, Verifier::new(ISSUER, ISSUER, keys))
}

/// A token of an issuer with a key on P-256; what is null in the change is left out.
async fn es256(change: &Value) -> (String, Verifier) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
    let key = key.unwrap();
    let point = key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let issuer = Arc::new(Issuer::default());
    issuer
        .publish(json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y }] }));
    let keys = RemoteKeys::fetched_with("https://issuer.example/jwks", issuer).unwrap();

    let mut payload = json!({
        "iss": "https://issuer.example", "aud": "service", "sub": "ann", "client_id": "web",
        "jti": "1", "iat": NOON_SECONDS - 60, "exp": NOON_SECONDS + 60,
    });
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(name);
        } else {
            payload[name] = value.clone();
        }
    }
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&payload));
    let signature = key.sign(&random, message.as_bytes()).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    (token, Verifier::new("https://issuer.example", "service", keys))
}
