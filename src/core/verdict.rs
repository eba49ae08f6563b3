//! What an answer of the token endpoint means.

use super::{clock::Millis, error::Error, grant::Grant, input::Answer, reason::EndReason};

/// The one of four things that follows from an answer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// New tokens.
    Granted(Box<Grant>),
    /// Keep everything and try again.
    Transient { error: Error, retry_after: Option<Millis> },
    /// Another tab was faster: look at the shared record.
    Superseded,
    /// The server has said no.
    Final { error: Error, reason: EndReason },
}

impl From<Answer> for Verdict {
    /// Only the server's explicit word ends a session (RFC 6749 section 5.2); whatever may be a
    /// fault of the way to it is worth another try.
    fn from(answer: Answer) -> Self {
        let transient = |error, retry_after| Self::Transient { error, retry_after };
        match answer {
            Answer::Granted(grant) => Self::Granted(Box::new(grant)),
            Answer::Unusable => transient(Error::BadResponse, None),
            Answer::Unreachable | Answer::Failed { terminal: false } => {
                transient(Error::Unavailable, None)
            }
            Answer::Failed { terminal: true } => {
                Self::Final { error: Error::SignedOutByServer, reason: EndReason::Revoked }
            }
            Answer::Refused { status, error, error_code, retry_after } => match status {
                408 | 429 => transient(Error::Unavailable, retry_after),
                400 | 401 | 403 if error_code == "superseded" => Self::Superseded,
                401 | 403 => signed_out(&error_code),
                400 if error == "invalid_grant" => signed_out(&error_code),
                400..=499 => Self::Final { error: Error::Rejected, reason: EndReason::Revoked },
                500..=599 => transient(Error::Unavailable, retry_after),
                _ => transient(Error::BadResponse, retry_after),
            },
        }
    }
}

fn signed_out(error_code: &str) -> Verdict {
    let reason = match error_code {
        "reuse_detected" => EndReason::Reuse,
        "login_required" => EndReason::LoginRequired,
        _ => EndReason::Revoked,
    };
    Verdict::Final { error: Error::SignedOutByServer, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, error: &str, error_code: &str) -> Verdict {
        Verdict::from(Answer::Refused {
            status,
            error: error.to_owned(),
            error_code: error_code.to_owned(),
            retry_after: Some(20_000),
        })
    }

    #[test]
    fn only_the_servers_word_is_final() {
        for status in [408, 429, 500, 502, 503, 504, 302, 0] {
            assert!(matches!(refused(status, "", ""), Verdict::Transient { .. }), "{status}");
        }
        for (status, expected) in [(503, Error::Unavailable), (302, Error::BadResponse)] {
            let verdict = refused(status, "", "");
            assert!(matches!(verdict, Verdict::Transient { error, .. } if error == expected));
        }
        for answer in [Answer::Unreachable, Answer::Unusable, Answer::Failed { terminal: false }] {
            assert!(matches!(Verdict::from(answer), Verdict::Transient { .. }));
        }
    }

    #[test]
    fn verdicts_keep_their_reason_and_code() {
        for (status, error, error_code, reason, cause) in [
            (400, "invalid_grant", "", EndReason::Revoked, Error::SignedOutByServer),
            (400, "invalid_grant", "reuse_detected", EndReason::Reuse, Error::SignedOutByServer),
            (401, "", "login_required", EndReason::LoginRequired, Error::SignedOutByServer),
            (403, "", "", EndReason::Revoked, Error::SignedOutByServer),
            (400, "invalid_request", "", EndReason::Revoked, Error::Rejected),
            (404, "", "", EndReason::Revoked, Error::Rejected),
        ] {
            let Verdict::Final { error: why, reason: found } = refused(status, error, error_code)
            else {
                panic!("{status} {error} is final")
            };
            assert_eq!((found, why), (reason, cause), "{status} {error} {error_code}");
        }
    }

    #[test]
    fn superseded_is_no_verdict() {
        for status in [400, 401, 403] {
            let verdict = refused(status, "invalid_grant", "superseded");
            assert!(matches!(verdict, Verdict::Superseded));
        }
    }

    #[test]
    fn retry_after_is_passed_on() {
        let Verdict::Transient { retry_after, .. } = refused(429, "", "") else { panic!() };
        assert_eq!(retry_after, Some(20_000));
    }
}
