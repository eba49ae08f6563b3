use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use arbitrary::{Arbitrary, Unstructured};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everfresh_server::jwt::{Keyring, VerifyingKey, verify_jws};
use everfresh_server::rotation::{Pepper, RefreshToken, SessionId};
use serde_json::{Value, json};

use crate::choices::Choices as _;
use crate::world::{NOON, World, runtime};

/// Access tokens and published keys. What is not the genuine token opens nothing.
pub(crate) fn access_token(input: &[u8]) -> Result<()> {
    static GENUINE: LazyLock<Result<Genuine>> = LazyLock::new(Genuine::sign_in);
    let genuine = GENUINE.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let mut choices = Unstructured::new(input);
    let token = match choices.below(3) {
        0 => input.to_vec(),
        1 => choices.damaged(genuine.access.as_bytes()),
        _ => Forged::arbitrary(&mut choices)?.encoded().into_bytes(),
    };
    let text = String::from_utf8_lossy(&token);
    if text != genuine.access {
        let issuer = &genuine.world.state.issuer;
        ensure!(issuer.authenticate(&text, NOON).is_err(), "accepted: {text}");
        ensure!(verify_jws(&text, &genuine.key).is_err(), "verified: {text}");
    }
    let key = match choices.below(2) {
        0 => serde_json::from_slice(input).unwrap_or_default(),
        _ => JsonWebKey::arbitrary(&mut choices)?.members(),
    };
    if let Value::Object(members) = key {
        let _ = VerifyingKey::from_jwk(&members);
    }
    Ok(())
}

/// Refresh tokens. One text alone is a token, and reading it gives what was written.
pub(crate) fn refresh_token(input: &[u8]) -> Result<()> {
    static PEPPER: LazyLock<Result<Pepper>> = LazyLock::new(|| Ok(Keyring::ephemeral()?.pepper()));
    let pepper = PEPPER.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let mut choices = Unstructured::new(input);
    let token = RefreshToken::first(SessionId(choices.arbitrary()?), NOON, choices.arbitrary()?);
    let genuine = token.encode(pepper);
    let read = RefreshToken::parse(&genuine, pepper).context("its own token is not read")?;
    ensure!(read.encode(pepper) == genuine, "{genuine} is read as another");
    let text = match choices.below(3) {
        0 => String::from_utf8_lossy(input).into_owned(),
        1 => format!("rt_{}", URL_SAFE_NO_PAD.encode(choices.some_bytes(120))),
        _ => String::from_utf8_lossy(&choices.damaged(genuine.as_bytes())).into_owned(),
    };
    if text != genuine {
        ensure!(RefreshToken::parse(&text, pepper).is_err(), "parsed: {text}");
    }
    Ok(())
}

struct Genuine {
    world: World,
    access: String,
    key: VerifyingKey,
}

impl Genuine {
    fn sign_in() -> Result<Self> {
        runtime()?.block_on(async {
            let world = World::new("limits = \"off\"").await?;
            let access = world.login().await?.text("access_token");
            let jwks = world.state.issuer.keys.jwks(NOON / 1_000);
            let key = jwks["keys"][0].as_object().map(VerifyingKey::from_jwk);
            let key = key.context("the server publishes no key")??;
            Ok(Self { world, access, key })
        })
    }
}

/// A token that an attacker made up.
#[derive(Debug, Arbitrary)]
struct Forged {
    algorithm: Algorithm,
    member: (String, String),
    subject: String,
    expires: u64,
    #[arbitrary(with = number)]
    signature: Vec<u8>,
}

impl Forged {
    fn encoded(self) -> String {
        let (name, value) = self.member;
        let header = json!({ (name): value, "alg": self.algorithm.name() });
        let payload = json!({ "sub": self.subject, "exp": self.expires });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = URL_SAFE_NO_PAD.encode(self.signature);
        format!("{}.{}.{signature}", part(&header), part(&payload))
    }
}

/// A key that was published.
#[derive(Debug, Arbitrary)]
struct JsonWebKey {
    kind: KeyType,
    curve: Curve,
    algorithm: Algorithm,
    #[arbitrary(with = number)]
    x: Vec<u8>,
    #[arbitrary(with = number)]
    y: Vec<u8>,
    #[arbitrary(with = number)]
    n: Vec<u8>,
    #[arbitrary(with = number)]
    e: Vec<u8>,
}

impl JsonWebKey {
    fn members(self) -> Value {
        let text = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": format!("{:?}", self.kind),
            "crv": self.curve.name(),
            "alg": self.algorithm.name(),
            "x": text(self.x),
            "y": text(self.y),
            "n": text(self.n),
            "e": text(self.e),
        })
    }
}

/// As long as the number of some kind of key or signature, or nearly.
fn number(choices: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let length = choices.pick(&[0, 1, 3, 31, 32, 33, 64, 255, 256, 257]).min(choices.len());
    choices.bytes(length).map(<[u8]>::to_vec)
}

#[derive(Debug, Arbitrary)]
#[allow(clippy::upper_case_acronyms, reason = "as RFC 7518 writes them")]
enum KeyType {
    OKP,
    EC,
    RSA,
    #[allow(non_camel_case_types, reason = "see above")]
    oct,
}

#[derive(Debug, Arbitrary)]
enum Curve {
    Ed25519,
    P256,
    X25519,
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::P256 => "P-256",
            Self::X25519 => "X25519",
        }
    }
}

#[derive(Debug, Arbitrary)]
enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
    Hs256,
    None,
    Nothing,
}

impl Algorithm {
    fn name(&self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
            Self::None => "none",
            Self::Nothing => "",
        }
    }
}
