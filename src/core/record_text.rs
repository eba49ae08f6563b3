//! The record as text, for storage and for the channel between tabs: a version line, then one
//! `key value` line a field. Readers skip keys that they do not know.

use super::{
    reason::EndReason,
    record::{End, Hold, Pending, Record, Sends, Term, Tokens},
};

/// First line of every record; another version is another format.
const VERSION: &str = "everfresh 1";

/// Larger numbers are refused.
const LARGEST: i64 = 1 << 60;

impl Record {
    /// The record as text; without tokens where they must not be kept, or once it has ended.
    #[must_use]
    pub fn encode(&self, with_tokens: bool) -> String {
        let mut lines = Lines(String::from(VERSION));
        lines.line("sid", &self.sid);
        lines.number("started", self.started_at);
        lines.number("active", self.last_activity);
        let term = &self.term;
        lines.number("generation", term.generation);
        lines.number("issued", term.issued_at);
        lines.number("life", term.lifetime);
        lines.number("unusable", term.unusable_for);
        lines.number("claims", term.claims);
        for (key, value) in
            [("refresh-in", term.refresh_in), ("lead", term.lead), ("ends", term.ends_at)]
        {
            if let Some(value) = value {
                lines.number(key, value);
            }
        }
        lines.option("subject", term.subject.as_deref());
        lines.option("rotated-by", term.rotated_by.as_deref());
        if let Some(tokens) = term.tokens.as_ref().filter(|_| with_tokens && self.ended().is_none())
        {
            lines.line("access", &tokens.access);
            lines.option("refresh", tokens.refresh.as_deref());
        }
        if let Some(pending) = &self.pending {
            lines.number("pending-generation", pending.generation);
            lines.number("pending-made", pending.made_at);
            lines.line("pending-key", &pending.key);
        }
        if let Some(hold) = &self.hold {
            lines.number("hold-generation", hold.generation);
            lines.number("hold-until", hold.until);
            lines.number("hold-since", hold.since);
            lines.number("hold-server", i64::from(hold.by_server));
            lines.number("hold-failures", i64::from(hold.failures));
        }
        for at in self.sends.0.into_iter().filter(|at| *at > 0) {
            lines.number("sent", at);
        }
        if let Some(end) = &self.end {
            lines.number("end-fence", end.fence);
            lines.line("end-reason", end.reason.as_str());
            lines.number("end-settled", i64::from(end.settled));
        }
        lines.0
    }

    /// Reads what `encode` wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let fields = text.strip_prefix(VERSION)?.strip_prefix('\n')?;
        let fields = Fields(fields);
        let tokens =
            fields.text("access").map(|access| Tokens { access, refresh: fields.text("refresh") });
        let term = Term {
            generation: fields.number("generation")?,
            tokens,
            issued_at: fields.number("issued")?,
            lifetime: fields.number("life")?,
            unusable_for: fields.number("unusable")?,
            refresh_in: fields.number("refresh-in"),
            lead: fields.number("lead"),
            ends_at: fields.number("ends"),
            subject: fields.text("subject"),
            claims: fields.number("claims").unwrap_or(0),
            rotated_by: fields.text("rotated-by"),
        };
        let pending = fields.text("pending-key").and_then(|key| {
            let generation = fields.number("pending-generation")?;
            Some(Pending { generation, made_at: fields.number("pending-made")?, key })
        });
        let hold = fields.number("hold-until").and_then(|until| {
            Some(Hold {
                generation: fields.number("hold-generation")?,
                until,
                since: fields.number("hold-since")?,
                by_server: fields.number("hold-server") == Some(1),
                failures: fields.number("hold-failures")? as u32,
            })
        });
        let end = fields.text("end-reason").and_then(|reason| {
            let reason = EndReason::parse(&reason)?;
            let settled = fields.number("end-settled") == Some(1);
            Some(End { fence: fields.number("end-fence")?, reason, settled })
        });
        let mut sends = Sends::default();
        fields.all("sent").for_each(|at| sends.add(at));
        Some(Self {
            sid: fields.text("sid").filter(|sid| !sid.is_empty())?,
            started_at: fields.number("started")?,
            term,
            pending,
            hold,
            sends,
            last_activity: fields.number("active")?,
            end,
        })
    }
}

struct Lines(String);

impl Lines {
    fn key(&mut self, key: &str) {
        self.0.push('\n');
        self.0.push_str(key);
        self.0.push(' ');
    }

    fn line(&mut self, key: &str, value: &str) {
        self.key(key);
        for c in value.chars() {
            match c {
                '\n' => self.0.push_str("\\n"),
                '\\' => self.0.push_str("\\\\"),
                c => self.0.push(c),
            }
        }
    }

    fn option(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    fn number(&mut self, key: &str, value: i64) {
        self.key(key);
        if value < 0 {
            self.0.push('-');
        }
        self.digits(value.unsigned_abs());
    }

    fn digits(&mut self, value: u64) {
        if value > 9 {
            self.digits(value / 10);
        }
        self.0.push(char::from(b'0' + (value % 10) as u8));
    }
}

struct Fields<'a>(&'a str);

/// A whole number no larger than any time or count can be: sums of them do not overflow.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let value = digits.bytes().try_fold(0_i64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10 && sum < LARGEST / 10).then(|| sum * 10 + i64::from(digit))
    })?;
    Some(if digits.len() < text.len() { -value } else { value })
}

impl<'a> Fields<'a> {
    fn raw(&self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.split(['\n']).filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '))
    }

    fn text(&self, key: &'a str) -> Option<String> {
        let raw = self.raw(key).next()?;
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw.chars();
        while let Some(c) = rest.next() {
            out.push(match c {
                '\\' if rest.next()? == 'n' => '\n',
                c => c,
            });
        }
        Some(out)
    }

    fn all(&self, key: &'a str) -> impl Iterator<Item = i64> {
        self.raw(key).filter_map(integer)
    }

    fn number(&self, key: &'a str) -> Option<i64> {
        integer(self.raw(key).next()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::record::tests::records, *};

    proptest! {
        #[test]
        fn what_is_written_can_be_read(record in records()) {
            let text = record.encode(true);
            let mut record = record;
            if record.ended().is_some() {
                record.term.tokens = None;
            }
            prop_assert_eq!(Record::decode(&text), Some(record));
        }

        #[test]
        fn without_tokens_nothing_else_is_lost(mut record in records()) {
            let text = record.encode(false);
            record.term.tokens = None;
            prop_assert_eq!(Record::decode(&text), Some(record));
        }

        #[test]
        fn reading_never_panics(text in "(everfresh 1\n)?(\\PC|\n)*") {
            let _ = Record::decode(&text);
        }
    }

    #[test]
    fn foreign_and_newer_records_are_refused() {
        for text in ["", "{}", "everfresh 2\nsid a", "everfresh 1", "everfresh 1\nsid a"] {
            assert_eq!(Record::decode(text), None, "{text:?}");
        }
    }
}
