//! What goes wrong, for front ends in Rust.

use core::fmt;
use std::borrow::Cow;

use crate::{core::error, engine::options::InvalidOption};

/// A failure with a stable code. It never holds a token, and can be sent anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: &'static str,
    message: Cow<'static, str>,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The calling code's.
    Caller,
    /// The server's.
    Server,
    /// The network's, or what stands in between.
    Network,
    /// This browser's or runtime's.
    Environment,
}

impl Error {
    /// What went wrong, `ERR_...`; the same codes as in the npm package.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self.code {
            "ERR_REFRESH_UNAVAILABLE" | "ERR_REFRESH_TIMEOUT" | NETWORK => Fault::Network,
            "ERR_REFRESH_REJECTED" | "ERR_BAD_REFRESH_RESPONSE" | "ERR_SIGNED_OUT_BY_SERVER" => {
                Fault::Server
            }
            NO_BROWSER => Fault::Environment,
            _ => Fault::Caller,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.fault() == Fault::Network || self.code == "ERR_BAD_REFRESH_RESPONSE"
    }

    /// There is no browser here: on a server, and on other threads than the session's.
    pub(super) const fn no_browser() -> Self {
        Self {
            code: NO_BROWSER,
            message: Cow::Borrowed(
                "there is no browser here: sessions live in WebAssembly, on the thread that made \
                 them; call this from an effect or an event",
            ),
        }
    }

    /// `fetch` itself failed.
    pub(super) const fn network(message: &'static str) -> Self {
        Self { code: NETWORK, message: Cow::Borrowed(message) }
    }
}

const NO_BROWSER: &str = "ERR_NO_BROWSER";
const NETWORK: &str = "ERR_NETWORK";

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self { code: error.code(), message: Cow::Borrowed(error.message()) }
    }
}

impl From<InvalidOption> for Error {
    fn from(error: InvalidOption) -> Self {
        Self { code: "ERR_INVALID_OPTION", message: Cow::Owned(error.text()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// As for people: what `expect` prints is read by them.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}
