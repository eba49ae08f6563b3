//! The server: the real rotation code on the real memory store; only the wire is made up.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use everfresh::core::{
    clock::Millis,
    grant::{Grant, TokenResponse},
    input::Answer,
};
use everfresh_server::{
    rotation::{Ended, Pepper, Refusal, Revocation, SessionId, Transition},
    store::{MemoryStore, Terms, Whose},
};

use crate::{
    dice::Dice,
    plan::{Hints, Plan},
};

/// When the worlds begin, milliseconds since the Unix epoch.
pub const EPOCH: Millis = 1_767_225_600_000;

/// Who presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    Thief,
}

/// Issues and rotates tokens in virtual time.
#[derive(Debug)]
pub struct Server {
    store: MemoryStore,
    dice: Dice,
    access_ttl: u32,
    hints: Hints,
    issued: u32,
    /// Access tokens: whose, of which session, until when.
    access: HashMap<String, (String, SessionId, Millis)>,
    /// Sessions: whose, and since when.
    users: HashMap<SessionId, (String, Millis)>,
    /// How often each session advanced by each key of its owner: more than once is a double
    /// advance.
    pub(crate) advances: HashMap<(SessionId, String), u32>,
    /// What the rotation came to, by rule.
    pub(crate) transitions: BTreeMap<Transition, u32>,
}

impl Server {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let terms = Terms { pepper: Pepper::new(1, [7; 32]), rules: plan.rules };
        Self {
            store: MemoryStore::new(terms),
            dice: Dice::new(seed),
            access_ttl: plan.access_ttl,
            hints: plan.hints,
            issued: 0,
            access: HashMap::new(),
            users: HashMap::new(),
            advances: HashMap::new(),
            transitions: BTreeMap::new(),
        }
    }

    pub(crate) fn sign_in(&mut self, user: &str, now: Millis) -> (Grant, SessionId) {
        let mut sid = [0; 16];
        sid.copy_from_slice(&self.dice.bytes()[..16]);
        let sid = SessionId(sid);
        let secret = self.dice.bytes();
        let refresh = self.store.begin(user, "default", sid, secret, (EPOCH + now) as u64);
        self.users.insert(sid, (user.to_owned(), now));
        (self.grant(user, sid, refresh, now), sid)
    }

    /// One refresh request that arrived.
    pub(crate) fn refresh(&mut self, token: &str, key: &str, who: Who, now: Millis) -> Answer {
        let salt = self.dice.bytes();
        let outcome = self.store.refresh_now(token, Some(key), (EPOCH + now) as u64, salt);
        *self.transitions.entry(outcome.transition).or_default() += 1;
        match outcome.answer {
            Ok(renewed) => {
                let sid = renewed.row.sid;
                if outcome.transition == Transition::T5 && who == Who::Owner {
                    *self.advances.entry((sid, key.to_owned())).or_default() += 1;
                }
                let refresh = self.store.encode(&renewed.token);
                let user = renewed.row.user_id;
                Answer::Granted(self.grant(&user, sid, refresh, now))
            }
            Err(refusal) => refused(refusal),
        }
    }

    /// Whether a resource server takes the token.
    pub(crate) fn accepts(&self, token: &str, now: Millis) -> bool {
        self.access.get(token).is_some_and(|(_, sid, until)| now < *until && self.alive(*sid))
    }

    pub(crate) fn alive(&self, sid: SessionId) -> bool {
        self.store.row(sid).is_some_and(|row| row.status.ended().is_none())
    }

    pub(crate) fn session_of(&self, access_token: &str) -> Option<SessionId> {
        self.access.get(access_token).map(|(_, sid, _)| *sid)
    }

    pub(crate) fn user_of(&self, access_token: &str) -> Option<&str> {
        self.access.get(access_token).map(|(user, ..)| user.as_str())
    }

    pub(crate) fn revoke(&self, sid: SessionId) {
        self.store.end_now(&Whose::Session(sid), Revocation::Logout);
    }

    /// How long the session may live on, seconds.
    fn left(&self, sid: SessionId, now: Millis) -> Option<f64> {
        let age = now - self.users.get(&sid)?.1;
        let max_age = self.hints.max_age?;
        Some(f64::from(max_age) - age as f64 / 1_000.0)
    }

    fn grant(&mut self, user: &str, sid: SessionId, refresh: String, now: Millis) -> Grant {
        self.issued += 1;
        let iat = (EPOCH + now) / 1_000;
        let exp = iat + Millis::from(self.access_ttl);
        let claims =
            format!(r#"{{"sub":"{user}","iat":{iat},"exp":{exp},"jti":"{}"}}"#, self.issued);
        let access_token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let until = now + Millis::from(self.access_ttl) * 1_000;
        self.access.insert(access_token.clone(), (user.to_owned(), sid, until));
        Grant::parse(TokenResponse {
            access_token,
            refresh_token: Some(refresh),
            expires_in: (!self.hints.only_exp).then(|| f64::from(self.access_ttl)),
            refresh_in: self.hints.refresh_in.map(f64::from),
            session_expires_in: self.left(sid, now),
        })
        .unwrap_or_else(|error| panic!("the server's own tokens are good: {error}"))
    }
}

fn refused(refusal: Refusal) -> Answer {
    let (status, error_code) = match refusal {
        Refusal::TooManyReplays => (429, ""),
        Refusal::Superseded => (400, "superseded"),
        Refusal::Reused | Refusal::Ended(Ended::Revoked(Revocation::Reuse)) => {
            (400, "reuse_detected")
        }
        Refusal::LoginRequired => (400, "login_required"),
        Refusal::StoreBehind => (400, "store_behind"),
        _ => (400, ""),
    };
    let error = if status == 400 { "invalid_grant" } else { "slow_down" };
    Answer::Refused {
        status,
        error: error.to_owned(),
        error_code: error_code.to_owned(),
        retry_after: (status == 429).then_some(60_000),
    }
}
