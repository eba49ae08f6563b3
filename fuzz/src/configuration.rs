use anyhow::Result;
use arbitrary::Unstructured;
use everfresh_server::config::{Layer, Settings};

use crate::choices::Choices as _;

/// Configuration files and variables: read or refused, never a panic.
pub(crate) fn run(input: &[u8]) -> Result<()> {
    if let Ok(text) = str::from_utf8(input) {
        let _ = Layer::from_toml(text).map(Settings::resolve);
    }
    let mut choices = Unstructured::new(input);
    let mut text = String::new();
    for _ in 0..choices.below(8) {
        text.push_str(&format!("{} = {}\n", choices.pick(NAMES), value(&mut choices)));
    }
    if choices.once_in(3) {
        text = String::from_utf8_lossy(&choices.damaged(text.as_bytes())).into_owned();
    }
    let variable = format!("EVERFRESH_{}", choices.pick(NAMES).to_uppercase());
    let from_environment = Layer::from_environment([(variable, choices.text())]);
    if let (Ok(file), Ok(environment)) = (Layer::from_toml(&text), from_environment) {
        let _ = Settings::resolve(environment.over(file));
    }
    Ok(())
}

fn value(choices: &mut Unstructured<'_>) -> String {
    match choices.below(5) {
        0 => choices.pick(VALUES).to_owned(),
        1 => format!("{:?}", choices.text()),
        2 => choices.number().to_string(),
        3 => format!("[{:?}, {:?}]", choices.text(), choices.text()),
        _ => format!("{:?}", choices.pick(VALUES)),
    }
}

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
