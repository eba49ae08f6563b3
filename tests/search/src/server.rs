//! The server: its real rotation code over one row. Only the wire is made up.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use everfresh::core::{
    clock::Millis,
    grant::{Grant, TokenResponse},
    input::Answer,
};
use everfresh_server::rotation::{
    Attempt, Decision, Ended, Pepper, RefreshToken, Refusal, Revocation, RotationKey, Row, Rules,
    SessionId, Standing, Status, Transition, decide,
};

use crate::setup::{Defect, LIFE, Setup};

/// When a search begins, milliseconds since the Unix epoch.
pub const EPOCH: Millis = 1_767_225_600_000;

/// One family, and how it came to its end.
#[derive(Clone, Debug)]
pub struct Server {
    pub(crate) row: Row,
}

/// A refresh under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub(crate) token: Arc<str>,
    pub(crate) key: Arc<str>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Tokens.
    Granted {
        /// The access token says which generation it is of and when it was made.
        access: Arc<str>,
        /// The refresh token.
        refresh: Arc<str>,
    },
    /// The server's no.
    Refused(&'static str),
    /// Another server's words: a proxy on the way.
    Proxy(u16),
    /// Nothing.
    Unreachable,
}

impl Server {
    /// A family that begins now, and its first tokens.
    #[must_use]
    pub fn sign_in() -> (Self, Reply) {
        let first = RefreshToken::first(SessionId([1; 16]), EPOCH as u64, [2; 32]);
        let row = Row::opened(&first, "ana".to_owned(), "default".to_owned());
        let reply = granted(&first, 0);
        (Self { row }, reply)
    }

    /// One request that arrived: what the server did, and what it says.
    pub fn refresh(
        &mut self,
        request: &Request,
        now: Millis,
        setup: &Setup,
    ) -> (Transition, Reply) {
        let Ok(token) = RefreshToken::parse(&request.token, &pepper()) else {
            return (Transition::T0, Reply::Refused(""));
        };
        let mut decision = self.decide(token, request, now, setup);
        if setup.has(Defect::ServerRotatesAgain)
            && decision.transition == Transition::T6
            && let Ok(grant) = &decision.answer
        {
            decision = self.decide(grant.token.clone(), request, now, setup);
        }
        if let Some(row) = decision.row {
            self.row = row;
        }
        let reply = match decision.answer {
            Ok(grant) => granted(&grant.token, now),
            Err(Refusal::Superseded) => Reply::Refused("superseded"),
            Err(Refusal::Reused | Refusal::Ended(Ended::Revoked(Revocation::Reuse))) => {
                Reply::Refused("reuse_detected")
            }
            Err(Refusal::TooManyReplays) => Reply::Proxy(429),
            Err(_) => Reply::Refused(""),
        };
        (decision.transition, reply)
    }

    fn decide(
        &self,
        token: RefreshToken,
        request: &Request,
        now: Millis,
        setup: &Setup,
    ) -> Decision {
        let key = RotationKey::parse(&request.key).map(|key| key.digest());
        let attempt = Attempt {
            token,
            key: key.filter(|_| !setup.has(Defect::ServerForgetsKeys)),
            client_id: None,
            now: (EPOCH + now) as u64,
            // Always the same, so that equal histories make equal tokens.
            salt: [3; 32],
        };
        decide(&self.row, &attempt, Standing::default(), &rules(), &pepper())
    }

    /// The user signed out.
    pub fn revoke(&mut self) {
        if self.row.status.ended().is_none() {
            self.row.status = Status::Revoked(Revocation::Logout);
        }
    }

    /// Whether the family lives.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.row.status.ended().is_none()
    }

    /// Two parties held one token, as far as the server can tell.
    #[must_use]
    pub fn saw_reuse(&self) -> bool {
        self.row.status == Status::Revoked(Revocation::Reuse)
    }

    /// Whether one rotation key has advanced the family twice.
    #[must_use]
    pub fn advanced_twice(&self) -> bool {
        let keys: Vec<_> = self.row.ring.iter().filter_map(|entry| entry.key).collect();
        (1..keys.len()).any(|at| keys[..at].contains(&keys[at]))
    }
}

impl Hash for Server {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Row { status, generation, digest, parent, ring, replays, keyed, seen, .. } = &self.row;
        (generation, digest, replays, keyed, seen).hash(state);
        status.ended().map(|ended| format!("{ended:?}")).hash(state);
        parent.as_ref().map(|parent| (parent.digest, parent.salt)).hash(state);
        for entry in ring {
            (entry.generation, entry.key.map(|key| key.0), entry.rotated_at).hash(state);
        }
    }
}

impl Reply {
    /// The same as the machine hears it.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let refused = |status, error: &str, error_code: &str| Answer::Refused {
            status,
            error: error.to_owned(),
            error_code: error_code.to_owned(),
            retry_after: None,
        };
        match self {
            Self::Granted { access, refresh } => Answer::Granted(grant(access, refresh)),
            Self::Refused(code) => refused(400, "invalid_grant", code),
            Self::Proxy(status) => refused(*status, "", ""),
            Self::Unreachable => Answer::Unreachable,
        }
    }
}

/// A token response as the package parses it.
#[must_use]
pub fn grant(access: &str, refresh: &str) -> Grant {
    Grant::parse(TokenResponse {
        access_token: access.to_owned(),
        refresh_token: Some(refresh.to_owned()),
        expires_in: Some(f64::from(LIFE)),
        ..TokenResponse::default()
    })
    .unwrap_or_else(|error| panic!("the server's own tokens are good: {error}"))
}

fn granted(token: &RefreshToken, now: Millis) -> Reply {
    Reply::Granted {
        access: format!("access-{}-{now}", token.generation).into(),
        refresh: token.encode(&pepper()).into(),
    }
}

fn pepper() -> Pepper {
    Pepper::new(1, [7; 32])
}

fn rules() -> Rules {
    Rules { idle: None, ..Rules::default() }
}
