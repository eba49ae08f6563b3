use anyhow::{Result, ensure};
use arbitrary::Unstructured;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use everfresh_server::policy::Policy;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

use crate::choices::Choices as _;
use crate::world::{World, runtime};

/// Requests of every shape to every route, under any policy.
pub(crate) fn run(input: &[u8]) -> Result<()> {
    runtime()?.block_on(send(&mut Unstructured::new(input)))
}

async fn send(choices: &mut Unstructured<'_>) -> Result<()> {
    let world = World::new(&settings(choices)).await?;
    let mut tokens = Tokens::default();
    while !choices.is_empty() {
        if tokens.access.is_empty() || choices.once_in(200) {
            tokens.learn(&world.login().await?);
        }
        if choices.once_in(20) {
            world.clock.advance(choices.pick(&[0, 1, 1_000, 60_000, 301_000, 90_000_000, -5_000]));
        }
        let answer = world.send(request(choices, &tokens)?).await?;
        ensure!(answer.headers.contains_key("x-request-id"));
        if answer.status == 200 {
            tokens.learn(&answer);
        }
    }
    Ok(())
}

fn settings(choices: &mut Unstructured<'_>) -> String {
    let names: Vec<_> = Policy::all().map(|policy| policy.name).collect();
    let policy = choices.pick(&names);
    // One strategy is refused as it stands, on purpose.
    let end = if policy == "endless-deny-list" { "absolute_ttl = \"30d\"\n" } else { "" };
    let cookie = if choices.once_in(2) { "cookie = true\n" } else { "" };
    format!(
        "policy = \"{policy}\"\n{end}{cookie}limits = \"off\"\nclient = [\"gateway:key\"]\n\
         allow_origin = [\"https://app.example\"]\nallow_long_access = true\n\
         dangerously_eternal_refresh = true\n"
    )
}

/// What a client that did everything right would hold.
#[derive(Default)]
struct Tokens {
    access: String,
    refresh: String,
    cookie: String,
}

impl Tokens {
    fn learn(&mut self, answer: &crate::world::Answer) {
        let mut keep = |token: String, place: fn(&mut Self) -> &mut String| {
            if !token.is_empty() {
                *place(self) = token;
            }
        };
        keep(answer.text("access_token"), |tokens| &mut tokens.access);
        keep(answer.text("refresh_token"), |tokens| &mut tokens.refresh);
        let cookie = answer.headers.get("set-cookie").and_then(|value| value.to_str().ok());
        let pair = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
        keep(pair.to_owned(), |tokens| &mut tokens.cookie);
    }

    fn any(&self, choices: &mut Unstructured<'_>) -> String {
        let whole = match choices.below(4) {
            0 => self.access.clone(),
            1 => self.refresh.clone(),
            2 => {
                self.cookie.split_once('=').map_or_else(String::new, |(_, value)| value.to_owned())
            }
            _ => return choices.text(),
        };
        if choices.once_in(3) {
            String::from_utf8_lossy(&choices.damaged(whole.as_bytes())).into_owned()
        } else {
            whole
        }
    }
}

fn request(choices: &mut Unstructured<'_>, tokens: &Tokens) -> Result<Request<Body>> {
    let (method, path) = &ROUTES[choices.below(ROUTES.len())];
    let method = if choices.once_in(8) {
        METHODS[choices.below(METHODS.len())].clone()
    } else {
        method.clone()
    };
    let query = if choices.once_in(12) {
        format!("?{}", form_urlencoded::byte_serialize(&choices.some_bytes(30)).collect::<String>())
    } else if choices.once_in(30) {
        format!(
            "?access_token={}",
            form_urlencoded::byte_serialize(tokens.access.as_bytes()).collect::<String>()
        )
    } else {
        String::new()
    };
    let id: String = form_urlencoded::byte_serialize(choices.text().as_bytes()).collect();
    let path = path.replace("{id}", if id.is_empty() { "x" } else { &id });
    let mut request = Request::builder().method(method).uri(format!("{path}{query}"));
    let (kind, body) = body(choices, tokens);
    if let Some(headers) = request.headers_mut() {
        if let Ok(kind) = HeaderValue::from_str(kind) {
            headers.insert("content-type", kind);
        }
        for _ in 0..choices.below(4) {
            let (name, value) = header(choices, tokens);
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
    }
    Ok(request.body(Body::from(body))?)
}

fn header(choices: &mut Unstructured<'_>, tokens: &Tokens) -> (&'static str, Vec<u8>) {
    let token = tokens.any(choices);
    match choices.below(9) {
        0 | 1 => ("authorization", format!("Bearer {token}").into_bytes()),
        2 => {
            let pair = if choices.once_in(2) { "gateway:key".to_owned() } else { choices.text() };
            ("authorization", format!("Basic {}", STANDARD.encode(pair)).into_bytes())
        }
        3 => ("cookie", tokens.cookie.clone().into_bytes()),
        4 => {
            let line = format!("a=b; {}; everfresh={token}", tokens.cookie);
            ("cookie", choices.damaged(line.as_bytes()))
        }
        5 => ("x-everfresh", b"1".to_vec()),
        6 => ("idempotency-key", choices.text().into_bytes()),
        7 => {
            let origins =
                ["https://app.example", "https://evil.example", "null", "http://127.0.0.1:8080"];
            ("origin", choices.pick(&origins).as_bytes().to_vec())
        }
        _ => ("authorization", choices.some_bytes(60)),
    }
}

fn body(choices: &mut Unstructured<'_>, tokens: &Tokens) -> (&'static str, Vec<u8>) {
    let (kind, mut body) = match choices.below(4) {
        0 => ("application/json", json_body(choices, tokens).to_string().into_bytes()),
        1 | 2 => ("application/x-www-form-urlencoded", form_body(choices, tokens).into_bytes()),
        _ => (choices.pick(KINDS), choices.some_bytes(200)),
    };
    if choices.once_in(4) {
        body = choices.damaged(&body);
    }
    if choices.once_in(500) {
        body = vec![b'x'; 70_000];
    }
    (if choices.once_in(10) { choices.pick(KINDS) } else { kind }, body)
}

fn form_body(choices: &mut Unstructured<'_>, tokens: &Tokens) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    if !choices.once_in(4) {
        form.append_pair("grant_type", "refresh_token");
    }
    for _ in 0..choices.below(5) {
        let value = if choices.once_in(3) { choices.text() } else { tokens.any(choices) };
        form.append_pair(choices.pick(FIELDS), &value);
    }
    form.finish()
}

fn json_body(choices: &mut Unstructured<'_>, tokens: &Tokens) -> Value {
    if choices.once_in(6) {
        return json!({ "username": "ann", "password": "secret", "device_name": choices.text() });
    }
    let mut body = serde_json::Map::new();
    for _ in 0..choices.below(6) {
        let value = match choices.below(7) {
            0 => json!(choices.number()),
            1 => json!(choices.number() as f64 / 3.0),
            2 => Value::Null,
            3 => json!([choices.text()]),
            4 => json!(tokens.any(choices)),
            _ => json!(choices.text()),
        };
        body.insert(choices.pick(FIELDS).to_owned(), value);
    }
    Value::Object(body)
}

const ROUTES: &[(Method, &str)] = &[
    (Method::POST, "/auth/login"),
    (Method::POST, "/oauth/token"),
    (Method::POST, "/oauth/token"),
    (Method::POST, "/auth/refresh"),
    (Method::POST, "/auth/renew"),
    (Method::POST, "/auth/logout"),
    (Method::POST, "/auth/logout-everywhere"),
    (Method::GET, "/auth/devices"),
    (Method::DELETE, "/auth/devices/{id}"),
    (Method::POST, "/auth/password"),
    (Method::PATCH, "/auth/profile"),
    (Method::POST, "/oauth/revoke"),
    (Method::POST, "/oauth/introspect"),
    (Method::GET, "/oauth/events"),
    (Method::GET, "/api/me"),
    (Method::PUT, "/api/echo"),
    (Method::GET, "/.well-known/jwks.json"),
    (Method::GET, "/.well-known/oauth-authorization-server"),
    (Method::GET, "/openapi.json"),
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::GET, "/metrics"),
    (Method::GET, "/nowhere/{id}"),
];
const METHODS: &[Method] = &[
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::TRACE,
];
const KINDS: &[&str] = &[
    "application/json",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
];
const FIELDS: &[&str] = &[
    "refresh_token",
    "rotation_key",
    "client_id",
    "scope",
    "token",
    "everywhere",
    "username",
    "password",
    "current_password",
    "new_password",
    "device_name",
    "name",
    "phone",
    "exp",
    "token_type_hint",
];
