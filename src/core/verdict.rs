//! What an answer of the token endpoint means. It ends a session only when it shows that the token
//! service itself spoke.

use super::{clock::Millis, error::Error, grant::Grant, reason::EndReason};

/// The words by which services say that a refresh token is dead, or that the user has to sign in.
const REFUSED: [&str; 18] = [
    "invalid_grant",
    "invalid_token",
    "login_required",
    "interaction_required",
    "consent_required",
    "access_denied",
    "bad_refresh_token",
    "invalid_refresh_token",
    "token_expired",
    "token_revoked",
    "refresh_token_not_found",
    "refresh_token_already_used",
    "session_not_found",
    "session_expired",
    "user_banned",
    "user_disabled",
    "user_not_found",
    "token_not_valid",
];

/// The words that ask for another try.
const PASSING: [&str; 3] = ["temporarily_unavailable", "server_error", "slow_down"];

/// The words for a set-up that the developer can mend.
const SET_UP: [&str; 2] = ["invalid_client", "unauthorized_client"];

/// The one of five things that follows from an answer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// New tokens.
    Granted(Box<Grant>),
    /// Keep everything and try again.
    Transient { error: Error, retry_after: Option<Millis> },
    /// The same, unless nothing else has been heard for long: it may be the service's no, or
    /// a proxy's in its way.
    Doubtful { error: Error, retry_after: Option<Millis> },
    /// Another tab was faster: look at the shared record.
    Superseded,
    /// The server has said no.
    Final { error: Error, reason: EndReason },
}

/// An answer that brought no tokens.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// The HTTP status; 0 for a redirect that was not followed.
    pub status: u16,
    /// What stands where services put the code of an error, in lower case and with `_` for `-`;
    /// empty where it is no text.
    pub words: Vec<String>,
    /// The body is a page for people, not for programs.
    pub is_page: bool,
    /// How long to wait, if it says so.
    pub retry_after: Option<Millis>,
}

/// What a refresh brought back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Success with a usable token.
    Granted(Grant),
    /// Success without one.
    Unusable,
    /// Anything else that the endpoint said.
    Refused(Refusal),
    /// The application's refresh function failed.
    Failed {
        /// It said that there is no point in trying again.
        terminal: bool,
    },
    /// No answer: offline, DNS, connection cut, CORS.
    Unreachable,
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Self {
        let transient = |error| Self::Transient { error, retry_after: None };
        match answer {
            Answer::Granted(grant) => Self::Granted(Box::new(grant)),
            Answer::Unusable => transient(Error::BadResponse),
            Answer::Unreachable | Answer::Failed { terminal: false } => {
                transient(Error::Unavailable)
            }
            Answer::Failed { terminal: true } => signed_out(EndReason::Revoked),
            Answer::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for Verdict {
    fn from(Refusal { status, words, is_page, retry_after }: Refusal) -> Self {
        let says = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        let error = if status < 400 { Error::BadResponse } else { Error::Unavailable };
        match status {
            _ if says(&["superseded"]) => Self::Superseded,
            _ if says(&["reuse_detected"]) => signed_out(EndReason::Reuse),
            _ if says(&["login_required"]) => signed_out(EndReason::LoginRequired),
            _ if says(&REFUSED) => signed_out(EndReason::Revoked),
            _ if says(&PASSING) => Self::Transient { error, retry_after },
            408 | 409 | 421 | 423 | 425 | 429 => Self::Transient { error, retry_after },
            500..=599 => Self::Transient { error, retry_after },
            200..=299 if words.is_empty() => Self::Transient { error, retry_after },
            // What home-made servers answer.
            401 | 403 if !is_page && !says(&SET_UP) => signed_out(EndReason::Revoked),
            _ => Self::Doubtful { error, retry_after },
        }
    }
}

fn signed_out(reason: EndReason) -> Verdict {
    Verdict::Final { error: Error::SignedOutByServer, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, words: &[&str], is_page: bool) -> Verdict {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Verdict::from(Refusal { status, words, is_page, retry_after: Some(20_000) })
    }

    #[test]
    fn only_the_servers_word_is_final() {
        for status in [408, 409, 421, 423, 425, 429, 500, 502, 503, 504, 599] {
            let verdict = verdict(status, &[], false);
            assert!(matches!(verdict, Verdict::Transient { error: Error::Unavailable, .. }));
        }
        for answer in [Answer::Unreachable, Answer::Unusable, Answer::Failed { terminal: false }] {
            assert!(matches!(Verdict::from(answer), Verdict::Transient { .. }));
        }
        for status in [200, 204] {
            let verdict = verdict(status, &[], true);
            assert!(matches!(verdict, Verdict::Transient { error: Error::BadResponse, .. }));
        }
        for word in PASSING {
            assert!(matches!(verdict(400, &[word], false), Verdict::Transient { .. }), "{word}");
        }
    }

    #[test]
    fn what_may_have_been_said_by_something_in_between_is_doubtful() {
        for status in [0, 100, 302, 400, 402, 404, 405, 407, 411, 413, 415, 422, 431, 600] {
            assert!(matches!(verdict(status, &[], false), Verdict::Doubtful { .. }), "{status}");
        }
        for (status, word, is_page) in [
            (401, "", true),
            (403, "", true),
            (400, "invalid_request", false),
            (400, "invalid_scope", false),
            (200, "incorrect_client_credentials", false),
            (401, "invalid_client", false),
            (403, "unauthorized_client", false),
        ] {
            assert!(
                matches!(verdict(status, &[word], is_page), Verdict::Doubtful { .. }),
                "{word}"
            );
        }
    }

    #[test]
    fn verdicts_keep_their_reason() {
        for (status, words, expected) in [
            (400, &["invalid_grant"][..], EndReason::Revoked),
            (400, &["invalid_grant", "reuse_detected"], EndReason::Reuse),
            (401, &["login_required"], EndReason::LoginRequired),
            (200, &["bad_refresh_token"], EndReason::Revoked),
            (503, &["invalid_grant"], EndReason::Revoked),
            (400, &["", "token_expired"], EndReason::Revoked),
            (401, &["invalid_request"], EndReason::Revoked),
            (401, &[], EndReason::Revoked),
            (403, &[], EndReason::Revoked),
        ] {
            let Verdict::Final { error, reason } = verdict(status, words, false) else {
                panic!("{status} {words:?} is final")
            };
            assert_eq!((reason, error), (expected, Error::SignedOutByServer), "{status} {words:?}");
        }
    }

    #[test]
    fn superseded_is_no_verdict() {
        for status in [400, 401, 403] {
            let verdict = verdict(status, &["invalid_grant", "superseded"], false);
            assert!(matches!(verdict, Verdict::Superseded));
        }
    }

    #[test]
    fn retry_after_is_passed_on() {
        for status in [429, 404] {
            let (Verdict::Transient { retry_after, .. } | Verdict::Doubtful { retry_after, .. }) =
                verdict(status, &[], false)
            else {
                panic!("{status} is not final")
            };
            assert_eq!(retry_after, Some(20_000));
        }
    }
}
