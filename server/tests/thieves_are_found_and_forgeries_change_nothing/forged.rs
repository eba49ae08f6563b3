//! Forged, foreign and random tokens on every route that takes one, under policies of every kind.

use axum::body::Body;
use everfresh_server::rotation::{RefreshToken, SessionFamily, SessionId};
use everfresh_server::store::{MarkKind, User};
use http::{Method, Request};
use serde_json::json;

use super::Rng;
use super::world::{World, claims};

#[tokio::test]
async fn nothing_that_the_server_did_not_make_changes_anything() {
    let mut rng = Rng::seeded("forged tokens");
    for policy in POLICIES {
        let toml = format!("policy = \"{policy}\"\nlimits = \"off\"\nsamples = true");
        let (world, other) = (World::with(&toml).await, World::with(&toml).await);
        let own = world.login("ann").await;
        let foreign = other.login("ann").await;
        let sid = claims(&own.access)["sid"].as_str().unwrap().to_owned();
        let sid = SessionId::parse(&sid).unwrap();
        let invented = RefreshToken::first(sid, world.clock.now(), [9; 32]);

        let mut tokens = vec![
            foreign.access.clone(),
            foreign.refresh.clone(),
            invented.encode(&other.state.pepper),
            unsigned(&own.access),
            foreign.access.rsplit_once('.').unwrap().0.to_owned()
                + "."
                + own.access.rsplit_once('.').unwrap().1,
        ];
        for _ in 0..40 {
            let real = rng.pick(&[&own.access, &own.refresh, &foreign.access]).clone();
            tokens.push(spoiled(&real, &mut rng));
            tokens.push(noise(&mut rng));
        }
        let before = state(&world).await;
        for token in tokens.iter().filter(|token| **token != own.access && **token != own.refresh) {
            for request in requests(token) {
                let asked = format!("{} {}", request.method(), request.uri());
                let answer = world.send(request).await;
                let status = answer.status.as_u16();
                let harmless = matches!(status, 400..=499)
                    || asked.contains("/logout") && status == 204
                    || asked.contains("/revoke") && status == 200;
                assert!(harmless, "{policy}: {asked} with {token}: {status} {}", answer.text());
                assert!(!answer.text().contains("access_token\":"), "{policy}: {asked}");
            }
        }
        assert_eq!(state(&world).await, before, "{policy}");
    }
}

/// Families, users, and how many notes there are of each kind.
async fn state(world: &World) -> (Vec<SessionFamily>, Vec<Option<User>>, Vec<usize>) {
    let store = &world.state.store;
    let mut users = Vec::new();
    for name in ["ann", "ben"] {
        users.push(store.user_named(name.to_owned()).await.unwrap());
    }
    let mut notes = Vec::new();
    for kind in [MarkKind::Denied, MarkKind::Allowed, MarkKind::Latest, MarkKind::Agent] {
        notes.push(store.notes(kind, world.clock.now()).await.unwrap());
    }
    (store.sessions(None).await.unwrap(), users, notes)
}

/// The token wherever a request can carry one.
fn requests(token: &str) -> Vec<Request<Body>> {
    let mut requests = Vec::new();
    let password = json!({ "current_password": "secret", "new_password": "x" });
    for (method, path, body) in [
        (Method::GET, "/api/me", json!({})),
        (Method::POST, "/api/echo", json!({})),
        (Method::POST, "/auth/renew", json!({})),
        (Method::GET, "/auth/devices", json!({})),
        (Method::DELETE, "/auth/devices/AQEBAQEBAQEBAQEBAQEBAQ", json!({})),
        (Method::PATCH, "/auth/profile", json!({ "phone": "1" })),
        (Method::POST, "/auth/password", password),
        (Method::POST, "/auth/logout", json!({})),
        (Method::POST, "/auth/logout-everywhere", json!({})),
    ] {
        for carrier in ["authorization", "cookie"] {
            let value = match carrier {
                "cookie" => format!("everfresh={token}"),
                _ => format!("Bearer {token}"),
            };
            let request = Request::builder().method(method.clone()).uri(path);
            let request = request.header("content-type", "application/json");
            let request = request.header("x-everfresh", "1").header(carrier, value);
            requests.extend(request.body(Body::from(body.to_string())));
        }
    }
    let text = form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>();
    for (path, form) in [
        ("/oauth/token", format!("grant_type=refresh_token&refresh_token={text}")),
        ("/oauth/revoke", format!("token={text}&everywhere=true")),
        ("/auth/logout", format!("refresh_token={text}")),
    ] {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        requests.extend(request.body(Body::from(form)));
    }
    let refresh = Request::post("/auth/refresh").header("x-everfresh", "1");
    requests.extend(refresh.header("cookie", format!("everfresh={token}")).body(Body::empty()));
    requests
}

/// A real token with one character changed, one left out, or some more at its end.
fn spoiled(token: &str, rng: &mut Rng) -> String {
    if token.is_empty() {
        return noise(rng);
    }
    let mut bytes = token.as_bytes().to_vec();
    let at = rng.below(bytes.len() as u64) as usize;
    match rng.below(3) {
        0 => {
            let other = rng.pick(ALPHABET);
            bytes[at] = if bytes[at] == other { b'.' } else { other };
        }
        1 => {
            bytes.remove(at);
        }
        _ => bytes.extend([b'A'; 4]),
    }
    String::from_utf8(bytes).unwrap()
}

fn noise(rng: &mut Rng) -> String {
    let prefix = rng.pick(&["", "rt_", "ey", "e30.e30.", "rt_AQ"]);
    let letters = (0..rng.below(160)).map(|_| char::from(rng.pick(ALPHABET)));
    letters.fold(prefix.to_owned(), |mut text, letter| {
        text.push(letter);
        text
    })
}

/// The claims under a header that asks for no signature.
fn unsigned(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.")
}

const POLICIES: [&str; 10] = [
    "silent-refresh",
    "device-tokens",
    "short-and-long",
    "user-version",
    "jti-deny-list",
    "jti-allow-list",
    "latest-only",
    "response-header-roll",
    "cookie-roll",
    "last-access",
];
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
