use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// Why something could not be done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another step was faster; this one may begin again.
    Conflict,
    /// The connection is no good any more.
    Broken(String),
    /// Something else, which a second attempt does not mend.
    Fatal(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Fatal(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::Broken(with_causes(&error));
        };
        let code = db.code();
        if *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::T_R_DEADLOCK_DETECTED
            || *code == SqlState::UNIQUE_VIOLATION
        {
            return Self::Conflict;
        }
        let said = format!("{} ({})", db.message(), code.code());
        // Class 57: somebody stopped the server or this connection.
        if code.code().starts_with("57P") {
            return Self::Broken(said);
        }
        Self::Fatal(StoreError::Postgres(said))
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Conflict => Self::Contended,
            Trouble::Broken(why) => Self::Postgres(why),
            Trouble::Fatal(error) => error,
        }
    }
}

/// An error of the driver says "error connecting to server" and leaves the rest to its causes.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
