//! Signatures in compact form: the vectors of Project Wycheproof, and the examples of the RFCs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everfresh_server::jwt::{Algorithm, VerifyingKey, verify_jws};
use serde_json::{Value, json};
use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};

/// Valid vectors that are refused: what the key is for, or how the token is written, is not ours.
const STRICTER: &[usize] = &[346, 350, 372, 373];
/// Said to be invalid, and byte for byte the same well-formed token with a good signature.
const IDENTICAL: &[usize] = &[367, 370];

#[test]
fn all_vectors_of_known_algorithms() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    let mut odd = Vec::new();
    for group in &set.test_groups {
        let Some(key) = key(group.public_key.as_ref().or(group.private_key.as_ref())) else {
            continue;
        };
        for test in &group.tests {
            // The JSON serialisation is not a text, and no token of ours.
            let token = test.jws.as_ref().and_then(Value::as_str).unwrap_or_default();
            let good = verify_jws(token, &key).is_ok();
            let (accepts, refuses) = if good { (1, 0) } else { (0, 1) };
            (accepted, refused) = (accepted + accepts, refused + refuses);
            if good == test.result.must_fail() {
                odd.push(test.tc_id);
            }
        }
    }
    println!("{accepted} accepted, {refused} refused");
    odd.retain(|id| !STRICTER.contains(id) && !IDENTICAL.contains(id));
    assert_eq!(odd, [] as [usize; 0], "decided otherwise than the vectors say");
    assert!(accepted >= 20 && refused >= 250, "{accepted} accepted, {refused} refused");
}

/// RFC 7515, A.3: ECDSA on P-256 with SHA-256.
#[test]
fn the_example_for_es256() {
    let key = public(&json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    assert_eq!(key.algorithm(), Algorithm::Es256);
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3\
                     -Kg6NU1Q";
    accepts_it_and_nothing_like_it(&format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{signature}"), &key);
}

/// RFC 8037, A.5: Ed25519.
#[test]
fn the_example_for_eddsa() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = public(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
    assert_eq!(key.algorithm(), Algorithm::EdDsa);
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1P\
                 POt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    accepts_it_and_nothing_like_it(token, &key);
}

/// An empty or doubled header algorithm, a key of another kind, a changed part.
fn accepts_it_and_nothing_like_it(token: &str, key: &VerifyingKey) {
    assert!(verify_jws(token, key).is_ok());
    let last = if token.ends_with('A') { "B" } else { "A" };
    for other in [
        format!("{token}="),
        format!("{}{last}", &token[..token.len() - 1]),
        token.replacen('.', ".A", 1),
        token.replacen("eyJ", "eyK", 1),
        token[..token.rfind('.').unwrap() + 1].to_owned(),
    ] {
        assert!(verify_jws(&other, key).is_err(), "{other}");
    }
    let shared = VerifyingKey::shared(&[7; 32]).unwrap();
    assert!(verify_jws(token, &shared).is_err(), "the header does not choose the key");
}

fn public(jwk: &Value) -> VerifyingKey {
    VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}

/// The group's key, with the secret of those that share one; none if the kind is not known here.
fn key(jwk: Option<&Value>) -> Option<VerifyingKey> {
    let jwk = jwk?.as_object()?;
    if jwk.get("kty")? != "oct" {
        return VerifyingKey::from_jwk(jwk).ok();
    }
    let secret = URL_SAFE_NO_PAD.decode(jwk.get("k")?.as_str()?).unwrap();
    Some(VerifyingKey::shared(&secret).unwrap())
}

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS\
                       9pc19yb290Ijp0cnVlfQ";
