//! The record as text, for storage and for the channel between tabs: a version line, then a line
//! for every number, then the texts, each after a line with its length. Readers ignore what follows
//! the last one.

use super::{
    reason::EndReason,
    record::{Backoff, Doubts, End, Key, Pending, Record, Sends, TokenSet, Tokens},
};

/// First line of every record; another version is another format.
const VERSION: &str = "everfresh 1";

/// Larger times, durations and counts are refused: sums of them do not overflow.
const LARGEST: u64 = 1 << 60;

/// Stands for a duration, a time or a text's length that is not there.
const NONE: i64 = -1;

impl Record {
    /// The record as text; without tokens where they must not be kept, or once it has ended.
    #[must_use]
    pub fn encode(&self, with_tokens: bool) -> String {
        let Self { token_set, pending, backoff, end, .. } = self;
        let mut lines = Lines(String::from(VERSION));
        for number in [
            self.sid,
            self.started_at,
            self.last_activity,
            token_set.generation,
            token_set.issued_at,
            token_set.lifetime,
            token_set.unusable_for,
            token_set.claims,
            token_set.refresh_in.unwrap_or(NONE),
            token_set.lead.unwrap_or(NONE),
            token_set.ends_at.unwrap_or(NONE),
            token_set.rotated_by.0.cast_signed(),
            token_set.rotated_by.1.cast_signed(),
            pending.generation,
            pending.made_at,
            pending.key.0.cast_signed(),
            pending.key.1.cast_signed(),
            backoff.generation,
            backoff.until,
            backoff.since,
            backoff.server_until,
            backoff.failures.into(),
            backoff.doubts.count.into(),
            backoff.doubts.since,
            backoff.doubts.superseded.into(),
            end.fence,
            end.reason as i64,
            end.settled.into(),
        ]
        .into_iter()
        .chain(self.sends.0)
        {
            lines.number(number);
        }
        let tokens = token_set.tokens.as_ref().filter(|_| with_tokens && self.ended().is_none());
        lines.text(tokens.map(|tokens| tokens.access.as_str()));
        lines.text(tokens.and_then(|tokens| tokens.refresh.as_deref()));
        lines.text(token_set.subject.as_deref());
        lines.0
    }

    /// Reads what `encode` wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut lines = Reader { rest: text.strip_prefix(VERSION)?, valid: true };
        let mut record = Self {
            sid: lines.number(),
            started_at: lines.number(),
            last_activity: lines.number(),
            token_set: TokenSet {
                // Far below the fence of an end: no generation may live beyond it.
                generation: (lines.number() as u32).into(),
                issued_at: lines.number(),
                lifetime: lines.number(),
                unusable_for: lines.number(),
                claims: lines.number(),
                refresh_in: lines.option(),
                lead: lines.option(),
                ends_at: lines.option(),
                rotated_by: lines.key(),
                tokens: None,
                subject: None,
            },
            pending: Pending {
                generation: lines.number(),
                made_at: lines.number(),
                key: lines.key(),
            },
            backoff: Backoff {
                generation: lines.number(),
                until: lines.number(),
                since: lines.number(),
                server_until: lines.number(),
                failures: (lines.number() as u16).into(),
                doubts: Doubts {
                    count: (lines.number() as u16).into(),
                    since: lines.number(),
                    superseded: (lines.number() as u16).into(),
                },
            }
            .bounded(),
            end: End {
                fence: lines.number(),
                reason: EndReason::from_number(lines.number()),
                settled: lines.number() > 0,
            },
            sends: Sends::default(),
        };
        // A rotation away from what is still to come could not be replaced by any other.
        lines.valid &= record.token_set.generation >= record.pending.generation;
        for _ in record.sends.0 {
            record.sends.add(lines.number());
        }
        let (access, refresh) = (lines.text(), lines.text());
        record.token_set.tokens = access.map(|access| Tokens { access, refresh });
        record.token_set.subject = lines.text();
        lines.valid.then_some(record)
    }
}

/// A whole number as text.
pub(crate) fn decimal(value: i64) -> String {
    let mut lines = Lines(String::new());
    lines.number(value);
    lines.0.split_off(1)
}

struct Lines(String);

impl Lines {
    fn number(&mut self, value: i64) {
        self.0.push('\n');
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

    fn text(&mut self, text: Option<&str>) {
        self.number(text.map_or(NONE, |text| text.len() as i64));
        if let Some(text) = text {
            self.0.push('\n');
            self.0.push_str(text);
        }
    }
}

/// Reads line by line. Whatever goes wrong is told at the end: `valid`.
struct Reader<'a> {
    rest: &'a str,
    valid: bool,
}

impl<'a> Reader<'a> {
    /// The next `length` bytes, after a line feed.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest.strip_prefix('\n').and_then(|rest| rest.split_at_checked(length));
        let (taken, rest) = taken.unwrap_or_else(|| {
            self.valid = false;
            ("", "")
        });
        self.rest = rest;
        taken
    }

    /// Any whole number, on a line of its own.
    fn any(&mut self) -> i64 {
        let bytes = self.rest.as_bytes();
        let negative = bytes.get(1) == Some(&b'-');
        let first = 1 + usize::from(negative);
        let (mut end, mut value) = (first, 0_u64);
        while let Some(byte @ b'0'..=b'9') = bytes.get(end) {
            value = value.wrapping_mul(10).wrapping_add((byte - b'0').into());
            end += 1;
        }
        let is_line = bytes.first() == Some(&b'\n') && matches!(bytes.get(end), None | Some(b'\n'));
        self.valid &= end > first && is_line;
        self.rest = self.rest.get(end..).unwrap_or_default();
        let value = value.cast_signed();
        if negative { value.wrapping_neg() } else { value }
    }

    /// A time, a duration, or a count.
    fn number(&mut self) -> i64 {
        let value = self.any();
        let in_range = value.unsigned_abs() <= LARGEST;
        self.valid &= in_range;
        if in_range { value } else { 0 }
    }

    // A copy is smaller than a call.
    #[inline(always)]
    fn option(&mut self) -> Option<i64> {
        Some(self.number()).filter(|value| *value != NONE)
    }

    // A copy is smaller than a call.
    #[inline(always)]
    fn key(&mut self) -> Key {
        Key(self.any().cast_unsigned(), self.any().cast_unsigned())
    }

    fn text(&mut self) -> Option<String> {
        self.option().map(|length| self.take(length as usize).to_owned())
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;

    use super::{super::record::tests::records, *};

    #[test]
    fn a_number_is_written_in_one_way() {
        let mut lines = Lines(String::new());
        for number in [0, 9, 10, -1, -10, i64::MIN, i64::MAX] {
            lines.number(number);
        }
        assert_eq!(lines.0, "\n0\n9\n10\n-1\n-10\n-9223372036854775808\n9223372036854775807");
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(record in records()) {
            let text = record.encode(true);
            prop_assert_eq!(Record::decode(&text), Some(record.kept(true)));
        }

        #[test]
        fn without_tokens_nothing_else_is_lost(record in records()) {
            let text = record.encode(false);
            prop_assert_eq!(Record::decode(&text), Some(record.kept(false)));
        }

        #[test]
        fn reading_never_panics(text in "(everfresh 1\n)?(\\PC|\n)*") {
            let _ = Record::decode(&text);
        }

        #[test]
        fn what_is_cut_short_is_refused(record in records(), at in 0..400_usize) {
            let text = record.encode(true);
            if let Some(cut) = text.get(..at.min(text.len() - 1)) && record.token_set.subject.is_some() {
                prop_assert_eq!(Record::decode(cut), None);
            }
        }

        #[test]
        fn a_line_that_is_no_number_in_range_is_refused(record in records(), at in 1..11_usize) {
            let text = record.encode(true);
            for bad in ["", "-", "x", "1x", "1:", "9999999999999999999", "-9999999999999999999"] {
                let mut lines: Vec<_> = text.split('\n').collect();
                lines[at] = bad;
                prop_assert_eq!(Record::decode(&lines.join("\n")), None, "{} at {}", bad, at);
            }
        }

        #[test]
        fn what_a_later_version_may_append_is_ignored(record in records()) {
            let text = record.encode(true);
            prop_assert_eq!(Record::decode(&format!("{text}\n7\nmore")), Record::decode(&text));
        }
    }

    #[test]
    fn foreign_and_newer_records_are_refused() {
        for text in ["", "{}", "everfresh 2\n7", "everfresh 1", "everfresh 1\n7"] {
            assert_eq!(Record::decode(text), None, "{text:?}");
        }
    }
}
