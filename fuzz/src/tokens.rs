use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::{RemoteKeys, Verifier, VerifyingKey, verify_jws};
use everfresh_server::rotation::RefreshToken;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::world::{NOON, World};

/// Parsers of tokens and keys. A token that was damaged never opens anything.
pub(crate) async fn run(dice: &mut Dice, cases: u64) -> Result<()> {
    let world = World::new("limits = \"off\"").await?;
    let answer = world.login().await?;
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    let jwks = world.state.issuer.keys.jwks(NOON / 1_000);
    let key = jwks["keys"][0].as_object().map(VerifyingKey::from_jwk);
    let Some(Ok(key)) = key else { anyhow::bail!("the server publishes no key: {jwks}") };
    let keys = RemoteKeys::at("http://127.0.0.1:1/")?;
    let verifier = Verifier::new("http://127.0.0.1:8080", "http://127.0.0.1:8080", keys);
    for _ in 0..cases {
        let token = forged(dice, &access, &refresh);
        let text = String::from_utf8_lossy(&token).into_owned();
        if text != access {
            ensure!(world.state.issuer.authenticate(&text, NOON).is_err(), "accepted: {text}");
            ensure!(verify_jws(&text, &key).is_err(), "verified: {text}");
        }
        if text != refresh {
            ensure!(RefreshToken::parse(&text, &world.state.pepper).is_err(), "parsed: {text}");
        }
        // A header that asks for a key would ask the network for it.
        if !text.starts_with("eyJ") {
            ensure!(verifier.verify(&text, NOON).await.is_err(), "verified elsewhere: {text}");
        }
        if let Value::Object(jwk) = jwk(dice) {
            let _ = VerifyingKey::from_jwk(&jwk);
        }
    }
    Ok(())
}

/// Configuration files: read or refused, never a panic.
pub(crate) fn configuration(dice: &mut Dice, cases: u64) {
    for _ in 0..cases {
        let mut text = String::new();
        for _ in 0..dice.below(8) {
            let value = match dice.below(5) {
                0 => dice.pick(VALUES).to_owned(),
                1 => format!("{:?}", dice.text()),
                2 => dice.next().to_string(),
                3 => format!("[{:?}, {:?}]", dice.text(), dice.text()),
                _ => format!("{:?}", dice.pick(VALUES)),
            };
            text.push_str(&format!("{} = {value}\n", dice.pick(NAMES)));
        }
        if dice.once_in(3) {
            text = String::from_utf8_lossy(&dice.damaged(text.as_bytes())).into_owned();
        }
        let from_file = Layer::from_toml(&text);
        let pairs = [(format!("EVERFRESH_{}", dice.pick(NAMES).to_uppercase()), dice.text())];
        let from_environment = Layer::from_environment(pairs);
        if let (Ok(file), Ok(environment)) = (from_file, from_environment) {
            let _ = Settings::resolve(environment.over(file));
        }
    }
}

fn forged(dice: &mut Dice, access: &str, refresh: &str) -> Vec<u8> {
    match dice.below(5) {
        0 => dice.damaged(access.as_bytes()),
        1 => dice.damaged(refresh.as_bytes()),
        2 => {
            let header = json!({ (dice.text()): dice.text(), "alg": dice.pick(ALGORITHMS) });
            let payload = json!({ "sub": dice.text(), "exp": dice.next() });
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signature = URL_SAFE_NO_PAD.encode(dice.bytes(80));
            format!("{}.{}.{signature}", part(&header), part(&payload)).into_bytes()
        }
        3 => format!("rt_{}", URL_SAFE_NO_PAD.encode(dice.bytes(100))).into_bytes(),
        _ => dice.bytes(300),
    }
}

fn jwk(dice: &mut Dice) -> Value {
    let mut number = || URL_SAFE_NO_PAD.encode(dice.bytes(300));
    let (x, y, n, e) = (number(), number(), number(), number());
    let mut key = json!({ "x": x, "y": y, "n": n, "e": e });
    key["kty"] = json!(dice.pick(&["OKP", "EC", "RSA", "oct", ""]));
    key["crv"] = json!(dice.pick(&["Ed25519", "P-256", "X25519"]));
    key["alg"] = json!(dice.pick(ALGORITHMS));
    key
}

const ALGORITHMS: &[&str] = &["EdDSA", "ES256", "RS256", "HS256", "none", "None", ""];
const NAMES: &[&str] = &[
    "listen",
    "data",
    "store",
    "policy",
    "set",
    "access_ttl",
    "idle_ttl",
    "absolute_ttl",
    "leeway",
    "rotation",
    "cookie",
    "allow_origin",
    "serve",
    "user",
    "client",
    "issuer",
    "limits",
    "control",
    "login_rate",
    "signing",
    "rotate_keys",
    "audit",
    "audit_keep",
    "allow_long_access",
    "nonsense",
];
const VALUES: &[&str] = &[
    "15m",
    "never",
    "0",
    "-1",
    "true",
    "127.0.0.1:0",
    "0.0.0.0:1",
    "memory:",
    "sqlite:",
    "redis://x",
    "keyed+grace",
    "https://a.example",
    "a:b",
    ":",
    "10/6",
    "1/0",
    "HS256",
    "silent-refresh",
    "99999999999999999999",
    "1e9",
];
