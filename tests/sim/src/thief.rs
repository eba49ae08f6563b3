//! Somebody who has copied the stored session and refreshes with it.

use everfresh::core::{clock::Millis, input::Answer, record::Record};
use everfresh_server::rotation::SessionId;

use crate::{
    dice::Dice,
    plan::Theft,
    server::{Server, Who},
};

/// A thief and what it has.
#[derive(Debug)]
pub struct Thief {
    access_token: String,
    refresh_token: String,
    pending_key: Option<String>,
    /// Advanced the family with a key of its own, and the owner has not been heard since.
    ahead: bool,
    /// The owner came after that: whoever keeps the rules has seen two parties.
    collided: bool,
    refused: bool,
}

impl Thief {
    pub(crate) fn new(record: &Record, how: Theft) -> Option<Self> {
        let text = record.encode(true);
        // As src/core/record_text.rs writes it.
        let lines: Vec<_> = text.lines().collect();
        let [.., access, _, refresh, _, _] = lines[..] else { return None };
        if !access.contains('.') {
            return None;
        }
        let word = |line: usize| lines[line].parse::<i64>().map_or(0, i64::cast_unsigned);
        let pending = word(14) == word(4);
        Some(Self {
            access_token: access.to_owned(),
            refresh_token: refresh.to_owned(),
            pending_key: (how == Theft::PendingKey && pending)
                .then(|| format!("{:016x}{:016x}", word(16), word(17))),
            ahead: false,
            collided: false,
            refused: false,
        })
    }

    /// The owner's request has arrived at the server.
    pub(crate) const fn owner_came(&mut self) {
        self.collided |= self.ahead;
        self.ahead = false;
    }

    pub(crate) fn refresh(&mut self, server: &mut Server, dice: &mut Dice, now: Millis) {
        if self.refused {
            return;
        }
        let stolen = self.pending_key.take();
        let own = stolen.is_none();
        let key = stolen.unwrap_or_else(|| format!("thief-{:016x}", dice.seed()));
        match server.refresh(&self.refresh_token, &key, Who::Thief, now) {
            Answer::Granted(grant) => {
                self.ahead |= own;
                self.refresh_token = grant.refresh_token.unwrap_or_default();
            }
            _ => self.refused = true,
        }
    }

    pub(crate) const fn must_be_noticed(&self) -> bool {
        self.collided
    }

    pub(crate) fn sid(&self, server: &Server) -> Option<SessionId> {
        server.session_of(&self.access_token)
    }
}
