//! What pkg/src/engine.ts calls. Sessions have numbers, counted up from 0 by the caller.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]

use wasm_bindgen::prelude::*;

use crate::{
    core::{
        clock::Millis,
        error::Error,
        grant::{Grant, TokenResponse},
        input::{Answer, Found, Input},
        policy::{Credential, IdleMode, Policy},
        session::Session,
        token::Jwt,
    },
    web::{
        effects,
        host::{self, Crypto, now},
        inputs,
        realm::Realm,
    },
};

/// Begins a session, or gives it newer options. Durations are in milliseconds; infinite ones
/// switch off what can be switched off.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "numbers cross the border for free, objects do not")]
pub fn configure(
    session: usize,
    lead: f64,
    jitter: f64,
    min_interval: f64,
    idle: f64,
    end_when_idle: bool,
    warn: f64,
    max_session: f64,
    timeout: f64,
    wait: f64,
    credential: u32,
) {
    let policy = Policy {
        lead: lead as Millis,
        jitter: jitter as Millis,
        min_interval: min_interval as Millis,
        idle: finite(idle),
        idle_mode: if end_when_idle { IdleMode::End } else { IdleMode::Lapse },
        warn: warn as Millis,
        max_session: finite(max_session),
        timeout: timeout as Millis,
        wait: finite(wait),
        credential: match credential {
            0 => Credential::RefreshToken,
            1 => Credential::AccessToken,
            2 => Credential::Cookie,
            _ => Credential::Function,
        },
    };
    Realm::with(|realm| {
        if let Some(known) = realm.session(session) {
            known.set_policy(policy);
        } else if session == realm.sessions.len() {
            realm.sessions.push(Some(Box::new(Session::new(policy, Crypto, now()))));
        }
    });
}

/// Parses a token response, for the next input that takes one. Says the payload if the token is a
/// JWT; when it cannot be used says the error and returns false. What is no number is not there.
#[wasm_bindgen]
pub fn grant(
    access_token: String,
    refresh_token: Option<String>,
    expires_in: f64,
    refresh_in: f64,
    session_expires_in: f64,
) -> bool {
    let seconds = |seconds: f64| (!seconds.is_nan()).then_some(seconds);
    let grant = Grant::parse(TokenResponse {
        access_token,
        refresh_token,
        expires_in: seconds(expires_in),
        refresh_in: seconds(refresh_in),
        session_expires_in: seconds(session_expires_in),
    });
    match &grant {
        Ok(grant) => host::option(grant.jwt.as_ref().map(|jwt| &*jwt.payload)),
        Err(error) => host::error(*error),
    }
    let usable = grant.is_ok();
    Realm::with(|realm| realm.grant = grant);
    usable
}

/// Reads a stored text, for the next input that takes a record; several are joined. Returns false
/// when it is no record.
#[wasm_bindgen]
pub fn record(text: &str) -> bool {
    Realm::with(|realm| realm.find(text))
}

/// Takes what was read back, and says it joined: with tokens, and without.
#[wasm_bindgen]
pub fn joined() {
    if let Found::Record(record) = Realm::with(Realm::take_found) {
        host::text(&record.encode(true));
        host::text(&record.encode(false));
    }
}

/// Something happened.
#[wasm_bindgen]
pub fn input(session: usize, kind: u32, id: u32, value: f64) {
    if let Some(input) = Realm::with(|realm| inputs::parse(realm, kind, id, value)) {
        feed(session, input);
    }
}

/// The token endpoint refused.
#[wasm_bindgen]
pub fn refused(
    session: usize,
    attempt: u32,
    status: u16,
    error: String,
    error_code: String,
    retry_after: f64,
) {
    let retry_after = finite(retry_after);
    let answer = Answer::Refused { status, error, error_code, retry_after };
    feed(session, Input::RefreshAnswered { attempt, answer });
}

/// Another tab said something.
#[wasm_bindgen(js_name = peerSaid)]
pub fn peer_said(session: usize, message: String) {
    feed(session, Input::PeerMessage(message));
}

/// Says the next effect and returns its kind; -1 when there is none.
#[wasm_bindgen]
pub fn poll(session: usize) -> i32 {
    Realm::with(|realm| {
        let effect = realm.session(session).and_then(Session::poll);
        effect.map_or(-1, |effect| effects::say(effect) as i32)
    })
}

/// Says what the session looks like, and returns how long it may sleep; NaN is for ever.
#[wasm_bindgen]
pub fn rest(session: usize) -> f64 {
    Realm::with(|realm| {
        let session = realm.session(session)?;
        effects::show(session);
        Some(session.next_deadline()?.after as f64)
    })
    .unwrap_or(f64::NAN)
}

/// Says the counters.
#[wasm_bindgen]
pub fn stats(session: usize) {
    Realm::with(|realm| {
        if let Some(session) = realm.session(session) {
            effects::count(session.stats());
        }
    });
}

/// Drops a session.
#[wasm_bindgen]
pub fn close(session: usize) {
    Realm::with(|realm| {
        if let Some(place) = realm.sessions.get_mut(session) {
            *place = None;
        }
    });
}

/// Says the payload of a JWT, unverified; when it is none says the error and returns false.
#[wasm_bindgen]
pub fn decode(token: &str) -> bool {
    match Jwt::decode(token) {
        Ok(jwt) => {
            host::text(&jwt.payload);
            true
        }
        Err(malformed) => {
            host::error(Error::Malformed(malformed));
            false
        }
    }
}

fn feed(session: usize, input: Input) {
    Realm::with(|realm| {
        if let Some(session) = realm.session(session) {
            session.handle(input, now());
        }
    });
}

/// A duration in milliseconds, unless it is none or has no end.
fn finite(value: f64) -> Option<Millis> {
    value.is_finite().then_some(value as Millis)
}
