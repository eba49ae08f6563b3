//! The server: its real rotation code over one row. Only the wire is made up.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use everfresh::{
    core::{clock::Millis, grant::TokenResponse},
    engine::endpoint::{self, Response},
};
use everfresh_server::rotation::{
    Attempt, Decision, Ended, Pepper, RefreshToken, Refusal, Revocation, RotationKey, Rules,
    SessionFamily, SessionId, Status, Transition, UserStatus, decide,
};

use crate::setup::{Defect, LIFE, Setup};

/// When a search begins, milliseconds since the Unix epoch.
pub const EPOCH: Millis = 1_767_225_600_000;

/// One family, and how it came to its end.
#[derive(Clone, Debug)]
pub struct Server {
    pub(crate) row: SessionFamily,
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
        let row = SessionFamily::opened(&first, "ana".to_owned(), "default".to_owned());
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
            return (Transition::NotAuthentic, Reply::Refused(""));
        };
        let mut decision = self.decide(token, request, now, setup);
        if setup.has(Defect::ServerRotatesAgain)
            && decision.transition == Transition::Replayed
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
            in_cookie: false,
            client_id: None,
            now: (EPOCH + now) as u64,
            // Always the same, so that equal histories make equal tokens.
            salt: [3; 32],
        };
        decide(&self.row, &attempt, UserStatus::default(), &rules(), &pepper())
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
        let SessionFamily {
            status, generation, digest, parent, ring, replays, keyed, seen, ..
        } = &self.row;
        (generation, digest, replays, keyed, seen).hash(state);
        status.ended().map(|ended| format!("{ended:?}")).hash(state);
        parent.as_ref().map(|parent| (parent.digest, parent.salt)).hash(state);
        for entry in ring {
            (entry.generation, entry.key.map(|key| key.0), entry.rotated_at).hash(state);
        }
    }
}

impl Request {
    /// What stands in the form that a tab sent.
    ///
    /// # Panics
    /// When it is not what RFC 6749 section 6 asks for.
    #[must_use]
    pub fn read(sent: &endpoint::Request) -> Self {
        let body = sent.body.as_deref().unwrap_or_default();
        let fields = || form_urlencoded::parse(body.as_bytes());
        let field = |name: &str| fields().find(|(key, _)| key == name).map(|(_, value)| value);
        assert_eq!(field("grant_type").as_deref(), Some("refresh_token"), "{sent:?}");
        let text = |name| Arc::from(field(name).unwrap_or_default());
        Self { token: text("refresh_token"), key: text("rotation_key") }
    }
}

impl Reply {
    /// The same as it comes over the wire; `None` when nothing comes.
    #[must_use]
    pub fn response(&self) -> Option<Response> {
        let (status, body) = match self {
            Self::Granted { access, refresh } => (
                200,
                format!(
                    r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":{LIFE}}}"#
                ),
            ),
            Self::Refused(code) => {
                (400, format!(r#"{{"error":"invalid_grant","error_code":"{code}"}}"#))
            }
            // As home-made servers refuse: no page.
            Self::Proxy(401) => (401, "Please sign in".to_owned()),
            Self::Proxy(status) => (*status, "<h1>Please wait</h1>".to_owned()),
            Self::Unreachable => return None,
        };
        Some(Response { status, headers: Vec::new(), body })
    }

    /// The tokens in it, as an application reads them after a sign-in.
    #[must_use]
    pub fn tokens(&self) -> Option<TokenResponse> {
        let Self::Granted { access, refresh } = self else { return None };
        Some(TokenResponse {
            access_token: access.as_ref().to_owned(),
            refresh_token: Some(refresh.as_ref().to_owned()),
            expires_in: Some(f64::from(LIFE)),
            ..TokenResponse::default()
        })
    }
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
