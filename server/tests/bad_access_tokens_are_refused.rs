//! A corpus of tokens that must not open anything, each signed with the right key where that makes
//! it more dangerous.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use everfresh_server::AppState;
use everfresh_server::config::Settings;
use everfresh_server::jwt::Keyring;
use everfresh_server::store::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;
use world::{NOON_SECONDS, World, claims, refused};

#[tokio::test]
async fn only_the_plain_token_is_accepted() {
    let forge = Forge::new().await;
    let (header, payload) = (forge.header.clone(), forge.payload.clone());
    assert_eq!(forge.world.me(&forge.sign(&header, &payload)).await.status, 200);
    let upper = with(&header, "typ", json!("application/AT+JWT"));
    assert_eq!(forge.world.me(&forge.sign(&upper, &payload)).await.status, 200);
    let located = with(&header, "jku", json!("https://evil.example/jwks.json"));
    assert_eq!(forge.world.me(&forge.sign(&located, &payload)).await.status, 200);
}

#[tokio::test]
async fn headers_of_another_kind() {
    let forge = Forge::new().await;
    let kid = |kid: Value| with(&forge.header, "kid", kid);
    let mut headers = vec![
        kid(json!("../../../dev/null")),
        kid(json!("' OR 1=1 --")),
        kid(json!("\u{0}")),
        kid(json!("k".repeat(200))),
        kid(json!(1)),
        kid(json!(null)),
        without(&forge.header, "kid"),
        without(&forge.header, "typ"),
        without(&forge.header, "alg"),
        with(&forge.header, "crit", json!(["exp"])),
        with(&forge.header, "crit", json!([])),
        with(&forge.header, "crit", json!("b64")),
        with(&forge.header, "b64", json!(false)),
        with(&forge.header, "zip", json!("DEF")),
        with(&forge.header, "enc", json!("A128GCM")),
    ];
    for alg in ["none", "None", "nOnE", "HS256", "RS256", "ES256", "eddsa", "Ed448", ""] {
        headers.push(with(&forge.header, "alg", json!(alg)));
    }
    for typ in ["JWT", "rt", "dpop+jwt", "at+jwt ", "", "application/application/at+jwt"] {
        headers.push(with(&forge.header, "typ", json!(typ)));
    }
    for header in headers {
        forge.refuses(&forge.sign(&header, &forge.payload), &header.to_string()).await;
    }
}

#[tokio::test]
async fn claims_that_do_not_fit() {
    let forge = Forge::new().await;
    let good = &forge.payload;
    let mut payloads = vec![
        with(good, "iss", json!("https://evil.example")),
        with(good, "aud", json!("https://other.example")),
        with(good, "aud", json!(["http://127.0.0.1:8080", "https://other.example"])),
        with(good, "sub", json!("")),
        with(good, "sub", json!("u_somebody_else")),
        with(good, "sid", json!("../..")),
        with(good, "sid", json!(URL_SAFE_NO_PAD.encode([8; 16]))),
        with(good, "exp", json!(NOON_SECONDS)),
        with(good, "exp", json!(-1)),
        with(good, "exp", json!("9999999999")),
        with(good, "exp", json!(1e300)),
        with(good, "exp", json!(null)),
        with(good, "iat", json!(NOON_SECONDS + 1)),
        with(good, "nbf", json!(NOON_SECONDS + 1)),
        with(good, "nbf", json!("soon")),
    ];
    for name in ["iss", "aud", "sub", "sid", "exp", "iat", "jti", "client_id", "auth_time"] {
        payloads.push(without(good, name));
    }
    for payload in payloads {
        forge.refuses(&forge.sign(&forge.header, &payload), &payload.to_string()).await;
    }
}

#[tokio::test]
async fn the_description_names_what_is_wrong_with_the_claims() {
    let forge = Forge::new().await;
    let early = "the times of the access token lie in the future; compare the clocks";
    let foreign = "the access token is not meant for this server";
    let broken = "a claim of the access token is missing, mistyped or contradictory";
    for (name, value, description) in [
        ("iat", json!(NOON_SECONDS + 1), early),
        ("nbf", json!(NOON_SECONDS + 1), early),
        ("iss", json!("https://evil.example"), foreign),
        ("aud", json!("https://other.example"), foreign),
        ("exp", json!(NOON_SECONDS), broken),
        ("exp", json!("soon"), broken),
        ("nbf", json!("soon"), broken),
        ("jti", json!(""), broken),
        ("sid", json!("../.."), broken),
    ] {
        let payload = with(&forge.payload, name, value);
        let answer = forge.world.me(&forge.sign(&forge.header, &payload)).await;
        refused(&answer, 401, "invalid_token", "");
        assert_eq!(answer.json()["error_description"], description, "{name}");
    }
}

#[tokio::test]
async fn texts_that_are_almost_a_token() {
    let forge = Forge::new().await;
    let good = forge.sign(&forge.header, &forge.payload);
    let [header, payload, signature] = parts(&good);
    let (head, body) = (forge.header.to_string(), forge.payload.to_string());
    let duplicate = body.replacen('{', "{\"sub\":\"admin\",", 1);
    let nested = body.replacen('}', ",\"x\":{\"a\":1,\"a\":2}}", 1);
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut texts = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{good}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{good} "),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        forge.sign_text(&head.replacen('{', "{\"alg\":\"none\",", 1), body.as_bytes()),
        forge.sign_text(&head, duplicate.as_bytes()),
        forge.sign_text(&head, nested.as_bytes()),
        forge.sign_text(&head, &utf16),
        forge.sign_text(&head, format!("\u{feff}{body}").as_bytes()),
        forge.sign_text(&head, b"[]"),
        forge.sign_text(&head, good.as_bytes()),
        forge.sign_text("null", body.as_bytes()),
        forge.sign_text(&head, &[b'x'; 1_000_000]),
        "A".repeat(1_000_000),
    ];
    let stray = STANDARD.encode(body.as_bytes());
    texts.push(format!("{header}.{stray}.{signature}"));
    texts.push(format!("{header}.{}.{signature}", URL_SAFE.encode(body.as_bytes())));
    // The last character of 64 bytes in base64 has four bits to spare; they must be zero.
    let (kept, last) = signature.split_at(signature.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    texts.push(format!("{header}.{payload}.{kept}{next}"));
    for text in texts {
        let name: String = text.chars().take(120).collect();
        forge.refuses(&text, &name).await;
    }
}

#[tokio::test]
async fn a_token_of_another_key_or_another_server() {
    let forge = Forge::new().await;
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let foreign = sign(&stranger, &forge.header.to_string(), forge.payload.to_string().as_bytes());
    forge.refuses(&foreign, "another key under our kid").await;
    let elsewhere = World::new().await;
    forge.refuses(&elsewhere.login("ann").await.access, "another server").await;
}

struct Forge {
    world: World,
    key: SigningKey,
    header: Value,
    payload: Value,
}

impl Forge {
    /// A server whose signing key is known, and the parts of a good token of a living session.
    async fn new() -> Self {
        let file = std::env::temp_dir().join(format!(
            "everfresh-forge-{}-{}.json",
            std::process::id(),
            URL_SAFE_NO_PAD.encode(everfresh_server::secret::random::<6>().unwrap())
        ));
        let key = SigningKey::from_bytes(&[3; 32]);
        let stored = json!({
            "pepper": URL_SAFE_NO_PAD.encode([1; 32]),
            "keys": [{ "seed": URL_SAFE_NO_PAD.encode([3; 32]), "signs_from": 0 }],
        });
        std::fs::write(&file, stored.to_string()).unwrap();
        let (keys, fresh) = Keyring::open(&file).unwrap();
        assert!(!fresh);
        std::fs::remove_file(&file).unwrap();

        let settings = Settings::default();
        let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
        let world = World::around(settings, keys, store).await;
        let good = world.login("ann").await.access;
        let header = URL_SAFE_NO_PAD.decode(parts(&good)[0]).unwrap();
        let header = serde_json::from_slice(&header).unwrap();
        Self { payload: claims(&good), world, key, header }
    }

    fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_text(&header.to_string(), payload.to_string().as_bytes())
    }

    fn sign_text(&self, header: &str, payload: &[u8]) -> String {
        sign(&self.key, header, payload)
    }

    async fn refuses(&self, token: &str, name: &str) {
        let answer = self.world.me(token).await;
        assert_eq!(answer.status, 401, "{name}");
        refused(&answer, 401, "invalid_token", "");
    }
}

fn sign(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    [(); 3].map(|()| parts.next().unwrap())
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name);
    object
}
