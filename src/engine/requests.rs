//! What goes to the token endpoint, and what becomes of its answers.

use super::{
    Engine, Happening, Origin,
    endpoint::{Exchange, Judged, Response, Style},
    host::{Host, Line},
};
use crate::core::{
    clock::Millis,
    effect::RefreshRequest,
    grant::{Heals, TokenResponse},
    ids::Attempt,
    input::Input,
    peers::Message,
    policy::Credential,
    verdict::Answer,
};

/// What the application's refresh function came to.
#[derive(Clone, Debug)]
pub enum Called {
    /// It gave tokens; `None` when it gave something else.
    Tokens(Option<TokenResponse>),
    /// It failed.
    Failed {
        /// It said that there is no point in trying again.
        terminal: bool,
    },
}

impl<H: Host> Engine<H> {
    pub(super) fn send_refresh(&self, attempt: Attempt, request: RefreshRequest) {
        let sent = {
            let endpoint = &self.state().settings.endpoint;
            let is_function = endpoint.style == Style::Function;
            (!is_function).then(|| endpoint.refresh::<H::Formats>(&request))
        };
        match sent {
            Some(request) => self.host.send(Exchange::Refresh(attempt), request),
            None => self.host.call(attempt, request),
        }
    }

    /// The answer to a request, or none: then the network failed.
    pub fn responded(&self, exchange: Exchange, response: Option<Response>) {
        match exchange {
            Exchange::Refresh(attempt) => {
                let Some(response) = response else {
                    return self.answered(attempt, Answer::Unreachable);
                };
                match response.judge::<H::Formats>(self.host.now().wall) {
                    Judged::Tokens(tokens) => {
                        let date = response.date::<H::Formats>();
                        self.granted(attempt, Some(tokens), date);
                    }
                    Judged::Refused(refusal, mut refused) => {
                        let state = self.state();
                        for text in [&mut refused.error, &mut refused.description] {
                            // Some services repeat the token that they do not know.
                            if state.session.has_token_in(text) {
                                text.clear();
                            }
                        }
                        drop(state);
                        self.host.log(Line::Refused(refused));
                        self.answered(attempt, Answer::Refused(refusal));
                    }
                }
            }
            Exchange::Revoke(revoke) => {
                // A server that does not know the credentials any more has nothing left to end.
                let ends = |status| (200..300).contains(&status) || status == 401;
                let revoked = response.is_some_and(|response| ends(response.status));
                self.feed(Input::RevokeAnswered { revoke, revoked });
            }
        }
    }

    /// The application's refresh function has ended.
    pub fn called(&self, attempt: Attempt, called: Called) {
        match called {
            Called::Tokens(tokens) => self.granted(attempt, tokens, None),
            Called::Failed { terminal } => self.answered(attempt, Answer::Failed { terminal }),
        }
    }

    /// Another tab said something on the session's channel.
    pub fn heard(&self, text: &str) {
        if let Some(message) = Message::decode(text) {
            self.feed(Input::PeerMessage(message));
        }
    }

    fn granted(&self, attempt: Attempt, tokens: Option<TokenResponse>, date: Option<Millis>) {
        match tokens.map(|tokens| self.accept(tokens, Heals::Unauthorized)) {
            Some(Ok((mut grant, claims))) => {
                grant.date = date;
                self.happen(Happening::Tokens { grant, claims, from: Origin::Refresh(attempt) });
            }
            _ => self.answered(attempt, Answer::Unusable),
        }
    }

    fn answered(&self, attempt: Attempt, answer: Answer) {
        self.feed(Input::RefreshAnswered { attempt, answer });
    }
}

impl Style {
    /// What a refresh of this style needs to be tried at all.
    #[must_use]
    pub const fn credential(self) -> Credential {
        match self {
            Self::OAuth2 | Self::Json => Credential::RefreshToken,
            Self::Renew => Credential::AccessToken,
            Self::Cookie => Credential::Cookie,
            Self::Function => Credential::Function,
        }
    }
}
