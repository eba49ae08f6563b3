//! What tabs say to each other on the session's channel.

use super::record::Record;

/// Tells a question from a record.
const ASK: &str = "everfresh 1 ask";

/// One message. No step of the protocol needs an answer to come.
#[derive(Clone, Debug)]
pub enum Message {
    /// Does anybody hold the newest tokens?
    TokensWanted,
    /// This is what I know.
    Record(Box<Record>),
}

impl Message {
    /// Reads what was said; what other versions say is nothing to us.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text == ASK {
            return Some(Self::TokensWanted);
        }
        Record::decode(text).map(|record| Self::Record(Box::new(record)))
    }
}

/// The question; what is told is a record's text.
pub(crate) fn ask() -> String {
    String::from(ASK)
}
