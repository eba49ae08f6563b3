//! The server: the real rotation code on the real memory store; only the wire is made up.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use everfresh::core::{clock::Millis, grant::TokenResponse};
use everfresh_server::{
    rotation::{
        Attempt, Ended, Pepper, RefreshToken, Refusal, Revocation, RotationKey, SessionId,
        Transition,
    },
    store::{MemoryStore, Outcome, RotationContext, SessionSelector},
};

use crate::{
    plan::{Hints, Plan},
    rng::Rng,
    wire::Tokens,
};

/// When the worlds begin, milliseconds since the Unix epoch.
pub const EPOCH: Millis = 1_767_225_600_000;

/// Who presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    Thief,
}

/// What the server says, before anybody has written it down.
#[derive(Debug)]
pub(crate) enum Reply {
    Granted(Granted),
    Refused { status: u16, error: &'static str, error_code: &'static str },
}

/// Tokens that it has issued.
pub(crate) struct Granted {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Seconds, as all durations here.
    pub(crate) expires_in: Option<f64>,
    pub(crate) refresh_in: Option<f64>,
    pub(crate) session_expires_in: Option<f64>,
}

/// Issues and rotates tokens in virtual time.
#[derive(Debug)]
pub struct Server {
    store: MemoryStore,
    rng: Rng,
    access_ttl: u32,
    hints: Hints,
    tokens: Tokens,
    in_cookie: bool,
    /// What the last refresh came to.
    pub(crate) last_transition: Option<Transition>,
    issued: u32,
    /// Access tokens: whose, of which session, until when.
    access: HashMap<String, (String, SessionId, Millis)>,
    /// Refresh tokens: of which session.
    refresh: HashMap<String, SessionId>,
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
        let terms = RotationContext { pepper: pepper(), rules: plan.rules };
        Self {
            store: MemoryStore::new(terms),
            rng: Rng::new(seed),
            access_ttl: plan.access_ttl,
            hints: plan.hints,
            tokens: plan.wire.tokens,
            in_cookie: plan.wire.cookie,
            last_transition: None,
            issued: 0,
            access: HashMap::new(),
            refresh: HashMap::new(),
            users: HashMap::new(),
            advances: HashMap::new(),
            transitions: BTreeMap::new(),
        }
    }

    pub(crate) fn sign_in(&mut self, user: &str, now: Millis) -> (Granted, SessionId) {
        let mut sid = [0; 16];
        sid.copy_from_slice(&self.rng.bytes()[..16]);
        let sid = SessionId(sid);
        let secret = self.rng.bytes();
        let refresh = self.store.begin(user, "default", sid, secret, (EPOCH + now) as u64);
        self.users.insert(sid, (user.to_owned(), now));
        (self.grant(user, sid, refresh, now), sid)
    }

    /// One refresh request that arrived.
    pub(crate) fn refresh(&mut self, token: &str, key: &str, who: Who, now: Millis) -> Reply {
        let salt = self.rng.bytes();
        let outcome = match RefreshToken::parse(token, &pepper()) {
            Ok(token) => self.store.decide_now(&Attempt {
                token,
                key: RotationKey::parse(key).map(|key| key.digest()),
                in_cookie: self.in_cookie,
                client_id: None,
                now: (EPOCH + now) as u64,
                salt,
            }),
            Err(_) => Outcome::refuse(Transition::NotAuthentic, Refusal::Malformed),
        };
        *self.transitions.entry(outcome.transition).or_default() += 1;
        self.last_transition = Some(outcome.transition);
        match outcome.answer {
            Ok(renewed) => {
                let sid = renewed.row.sid;
                let advances = outcome.transition == Transition::Rotated && who == Who::Owner;
                if advances && !key.is_empty() {
                    *self.advances.entry((sid, key.to_owned())).or_default() += 1;
                }
                let refresh = self.store.encode(&renewed.token);
                let user = renewed.row.user_id;
                Reply::Granted(self.grant(&user, sid, refresh, now))
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

    /// The session of a token of either kind.
    pub(crate) fn session_of(&self, token: &str) -> Option<SessionId> {
        let of_access = self.access.get(token).map(|(_, sid, _)| *sid);
        of_access.or_else(|| self.refresh.get(token).copied())
    }

    /// Whether a refresh token comes before another one of the same session.
    pub(crate) fn is_older(&self, token: &str, than: &str) -> bool {
        let read = |token| RefreshToken::parse(token, &pepper()).ok();
        let (token, than) = (read(token), read(than));
        token.zip(than).is_some_and(|(token, than)| {
            token.sid == than.sid && token.generation < than.generation
        })
    }

    pub(crate) fn user_of(&self, access_token: &str) -> Option<&str> {
        self.access.get(access_token).map(|(user, ..)| user.as_str())
    }

    pub(crate) fn revoke(&self, sid: SessionId) {
        self.store.end_now(&SessionSelector::Session(sid), Revocation::Logout);
    }

    /// How long the session may live on, seconds.
    fn left(&self, sid: SessionId, now: Millis) -> Option<f64> {
        let age = now - self.users.get(&sid)?.1;
        let max_age = self.hints.max_age?;
        Some(f64::from(max_age) - age as f64 / 1_000.0)
    }

    fn grant(&mut self, user: &str, sid: SessionId, refresh: String, now: Millis) -> Granted {
        self.issued += 1;
        let access = self.access_token(user, now);
        let until = now + Millis::from(self.access_ttl) * 1_000;
        self.access.insert(access.clone(), (user.to_owned(), sid, until));
        self.refresh.insert(refresh.clone(), sid);
        let says_life = !matches!(self.tokens, Tokens::ExpAlone | Tokens::Endless);
        Granted {
            access,
            refresh,
            expires_in: says_life.then(|| f64::from(self.access_ttl)),
            refresh_in: self.hints.refresh_in.map(f64::from),
            session_expires_in: self.left(sid, now),
        }
    }

    fn access_token(&self, user: &str, now: Millis) -> String {
        match self.tokens {
            Tokens::Opaque | Tokens::Endless => format!("access-{}", self.issued),
            Tokens::Dotted => format!("v2.{}.{user}", self.issued),
            Tokens::Jwt | Tokens::ExpAlone => {
                let iat = (EPOCH + now) / 1_000;
                let exp = iat + Millis::from(self.access_ttl);
                let jti = self.issued;
                let claims = format!(r#"{{"sub":"{user}","iat":{iat},"exp":{exp},"jti":"{jti}"}}"#);
                format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
            }
        }
    }
}

impl Granted {
    /// As an application hands it over after a sign-in.
    pub(crate) fn response(&self) -> TokenResponse {
        TokenResponse {
            access_token: self.access.clone(),
            refresh_token: Some(self.refresh.clone()),
            expires_in: self.expires_in,
            refresh_in: self.refresh_in,
            session_expires_in: self.session_expires_in,
            ..TokenResponse::default()
        }
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Granted(..)")
    }
}

fn pepper() -> Pepper {
    Pepper::new(1, [7; 32])
}

fn refused(refusal: Refusal) -> Reply {
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
    Reply::Refused { status, error, error_code }
}
