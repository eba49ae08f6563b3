//! What pkg/src/engine.ts calls. Sessions have numbers, counted up from 0 by the caller.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]

use wasm_bindgen::prelude::*;

use crate::{
    core::{
        clock::Millis,
        error::Error,
        grant::{Grant, TokenResponse},
        input::Found,
        policy::{Credential, IdleMode, Policy},
        session::Session,
        token::Jwt,
    },
    web::{
        effects,
        host::{self, Crypto, now},
        inputs::{self, finite},
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

/// Says a text to the next call that takes one; where several are taken they come in order.
#[wasm_bindgen]
pub fn hear(text: String) {
    Realm::with(|realm| realm.texts.push(text));
}

/// Takes an access token, a refresh token if there is one, and a subject if the access token has
/// one (`named`); accepts them for the next input that takes a grant. Says the error when they
/// cannot be used. `flaw` is 0 for a JWT; numbers that are NaN are not there.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "numbers cross the border for free, objects do not")]
pub fn grant(
    expires_in: f64,
    refresh_in: f64,
    session_expires_in: f64,
    flaw: u32,
    fingerprint: f64,
    exp: f64,
    iat: f64,
    nbf: f64,
    session_expiry: f64,
    named: bool,
) {
    Realm::with(|realm| {
        let subject = named.then(|| realm.take_text());
        let more = realm.texts.len() > 1;
        let response = TokenResponse {
            refresh_token: more.then(|| realm.take_text()),
            access_token: realm.take_text(),
            expires_in: number(expires_in),
            refresh_in: number(refresh_in),
            session_expires_in: number(session_expires_in),
        };
        let jwt = if flaw == 0 {
            Ok(Jwt {
                exp: number(exp),
                iat: number(iat),
                nbf: number(nbf),
                session_expiry: number(session_expiry),
                subject,
                fingerprint: fingerprint as i64,
            })
        } else {
            Err(Error::flaw(flaw))
        };
        realm.grant = Grant::accept(response, jwt);
        if let Err(error) = &realm.grant {
            host::error(*error);
        }
    });
}

/// Takes a stored text, for the next input that takes a record; several are joined. Returns false
/// when it is no record.
#[wasm_bindgen]
pub fn record() -> bool {
    Realm::with(Realm::find)
}

/// Takes what was read back, and says it joined: with tokens, and without.
#[wasm_bindgen]
pub fn joined() {
    Realm::with(|realm| {
        if let Found::Record(record) = realm.take_found() {
            host::text(&record.encode(true));
            host::text(&record.encode(false));
        }
    });
}

/// Something happened.
#[wasm_bindgen]
pub fn input(session: usize, kind: u32, id: u32, value: f64, wait: f64) {
    Realm::with(|realm| {
        let input = inputs::parse(realm, kind, id, value, wait)?;
        realm.session(session)?.handle(input, now());
        Some(())
    });
}

/// Says the next effect and returns its kind; -1 when there is none.
#[wasm_bindgen]
pub fn poll(session: usize) -> i32 {
    Realm::with(|realm| {
        let effect = realm.session(session)?.poll();
        Some(effects::say(effect?) as i32)
    })
    .unwrap_or(-1)
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

fn number(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}
