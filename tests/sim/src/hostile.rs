//! What others say in the place of the server: proxies, gateways, captive portals, and attackers who
//! have no token to give.

use everfresh::{core::clock::Millis, engine::endpoint::Response};

use crate::{
    wire::{Letter, Patience, date},
    world::World,
};

/// An endpoint reads bodies up to this long.
const LONGEST: usize = 1 << 20;

/// Bodies without usable tokens.
const BODIES: [&str; 24] = [
    "",
    " ",
    "<!doctype html><title>Sign in to the guest network</title><h1>Welcome</h1>",
    "upstream connect error or disconnect/reset before headers",
    "null",
    "true",
    "[]",
    "{}",
    "{",
    "\"access_token\"",
    "1e400",
    r#"{"access_token":null,"refresh_token":null,"expires_in":null}"#,
    r#"{"access_token":7,"expires_in":1e308}"#,
    r#"{"access_token":true,"expires_in":60}"#,
    r#"{"access_token":{"toString":0},"expires_in":60}"#,
    r#"{"access_token":["a"],"expires_in":[]}"#,
    r#"{"access_token":"","expires_in":60}"#,
    r#"{"access_token":"a\nb","expires_in":60}"#,
    r#"{"access_token":"\u0000","expires_in":60}"#,
    r#"{"access_token":"good","refresh_token":"\ud83d\ude00","expires_in":60}"#,
    r#"{"access_token":"no life"}"#,
    r#"{"access_token":"a.b.c","expires_in":"soon"}"#,
    r#"{"access_token":"e30.e30.e30","expires_in":{}}"#,
    r#"{"error":{"code":{"code":[]}},"error_code":null,"errors":[[]]}"#,
];

/// Values of `Retry-After` that say nothing.
const NONSENSE: [&str; 8] =
    ["", "soon", "-30", "1.5", "0x10", "Thu, 99 Foo 2026 00:00:00 GMT", "1e3", "\u{661}\u{662}"];

impl World {
    /// The way to the server answers in its place.
    pub(crate) fn detour(&mut self) -> Letter {
        let statuses =
            [408, 409, 421, 429, 500, 502, 503, 504, 200, 200, 204, 0, 302, 404, 407, 431];
        let mut status = self.rng.pick(&statuses);
        let body = self.hostile_body();
        // Three of them over a minute, and nothing else, are taken for the server's word.
        if status < 400 && body.contains("error") || [0, 302, 404, 407, 431].contains(&status) {
            self.doubtful += 1;
            status = if self.doubtful < 3 { status } else { 503 };
        }
        let response = Response { status, headers: Vec::new(), body };
        let patience = Patience::Unsaid;
        let mut letter =
            Letter { response: Some(response), granted: false, patience, cookie: None, sid: None };
        // Nobody asks those to wait who were not refused.
        if status >= 400 && self.rng.chance(500) {
            let seconds = self.rng.between(0, 30);
            self.ask_for_patience(&mut letter, seconds);
        }
        letter
    }

    fn hostile_body(&mut self) -> String {
        match self.rng.between(0, 399) {
            0 => "x".repeat(LONGEST + 1),
            1..=9 => format!("[{}", "[],".repeat(20_000)),
            10..=19 => format!(r#"{{"access_token":"{}"}}"#, "\u{e9}".repeat(30_000)),
            20..=39 => "[".repeat(20_000),
            40..=59 => r#"{"expires_in":"#.repeat(2_000),
            60..=79 => format!(r#"{{"expires_in":1{}}}"#, "0".repeat(2_000)),
            _ => self.rng.pick(&BODIES).to_owned(),
        }
    }

    /// Asks to wait, in one of the ways in which that is said (RFC 9110 section 10.2.3).
    pub(crate) fn ask_for_patience(&mut self, letter: &mut Letter, seconds: Millis) {
        let at = self.now / 1_000 + seconds;
        // Without the server's own date, a date says something to whose clock is right.
        let right = self.plan.skew == 0 && !self.facts.clock_is_set;
        let (value, patience) = match self.rng.between(0, 4) {
            0 | 1 => (seconds.to_string(), Patience::For(seconds * 1_000)),
            2 if right => (date(at * 1_000), Patience::Until(at * 1_000)),
            2 | 3 => {
                letter.header("date", date(self.now));
                (date(at * 1_000), Patience::For(seconds * 1_000))
            }
            _ => (self.rng.pick(&NONSENSE).to_owned(), Patience::Unsaid),
        };
        letter.header("retry-after", value);
        letter.patience = patience;
    }
}
