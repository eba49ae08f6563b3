//! Feeds the server what nobody should send. Whatever comes, it answers: no panic, no status of
//! 500 or more, no forged token that is accepted, no refresh that its rules do not explain.
//!
//! A target takes an input, any bytes, and follows them. libFuzzer looks for inputs that lead to
//! where none has led before (`cargo xtask fuzz`); the tests take a fixed number of random ones.

mod choices;
mod configuration;
mod forgeries;
mod refresh_sequence;
mod requests;
mod tokens;
mod world;

use anyhow::Result;

/// Follows an input to its end.
pub type Target = fn(&[u8]) -> Result<()>;

/// All targets by name: three parsers, the rules of refreshes, and the server over HTTP.
pub const TARGETS: [(&str, Target); 6] = [
    ("access_token", tokens::access_token),
    ("refresh_token", tokens::refresh_token),
    ("configuration", configuration::run),
    ("refresh_sequence", refresh_sequence::run),
    ("requests", requests::run),
    ("forgeries", forgeries::run),
];

/// Follows an input.
///
/// # Panics
/// If it breaks a promise, with what broke; or if there is no such target.
pub fn hold(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = target else { panic!("there is no target {name}") };
    if let Err(broken) = target(input) {
        panic!("{name}: {broken:#}");
    }
}
