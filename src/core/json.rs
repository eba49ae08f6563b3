//! A strict scanner for one JSON object (RFC 8259): enough to read a token's claims without
//! building a tree. Nesting is bounded, so that no input can overflow the stack.

/// Deeper than any honest token.
const MAX_DEPTH: u32 = 64;

/// Calls `member(key, value)` for each member of the object that `text` is, in order. `key` is
/// unescaped, `value` is the raw text of the value. `None` when `text` is not exactly one
/// well-formed object, or when `member` says so.
pub(crate) fn object<'a>(
    text: &'a str,
    mut member: impl FnMut(String, &'a str) -> Option<()>,
) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.space();
    scanner.members(MAX_DEPTH, &mut member)?;
    scanner.space();
    (scanner.at == text.len()).then_some(())
}

/// The string that the raw value is, unescaped.
pub(crate) fn string(raw: &str) -> Option<String> {
    let mut scanner = Scanner { text: raw, at: 0 };
    let inner = scanner.string()?;
    (scanner.at == raw.len()).then(|| unescape(inner)).flatten()
}

/// The finite number that the raw value is. Read digit by digit: exact for whole numbers below
/// 2^53, and near enough for fractions of a second.
pub(crate) fn number(raw: &str) -> Option<f64> {
    let mut value = 0.0;
    let mut scale = 0_i32;
    let mut exponent = 0_i32;
    let mut negative = false;
    let mut part = Part::Whole;
    for byte in raw.bytes() {
        let digit = byte.wrapping_sub(b'0');
        match (byte, part) {
            (b'0'..=b'9', Part::Exponent) => {
                exponent = (exponent * 10 + i32::from(digit)).min(9_999)
            }
            (b'0'..=b'9', _) => {
                value = value * 10.0 + f64::from(digit);
                scale -= i32::from(part == Part::Fraction);
            }
            (b'-', Part::Exponent) => negative = true,
            (b'-' | b'+', _) => {}
            (b'.', _) => part = Part::Fraction,
            (b'e' | b'E', _) => part = Part::Exponent,
            _ => return None,
        }
    }
    let power = (scale + if negative { -exponent } else { exponent }).clamp(-400, 400);
    for _ in 0..power.abs() {
        value = if power > 0 { value * 10.0 } else { value / 10.0 };
    }
    let value = if raw.starts_with('-') { -value } else { value };
    Some(value).filter(|value| value.is_finite())
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Whole,
    Fraction,
    Exponent,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn members(
        &mut self,
        depth: u32,
        member: &mut dyn FnMut(String, &'a str) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        self.space();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.space();
            let key = unescape(self.string()?)?;
            self.space();
            self.take(b':')?;
            self.space();
            let start = self.at;
            self.value(depth)?;
            member(key, self.text.get(start..self.at)?)?;
            self.space();
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'{' => self.members(depth, &mut |_, _| Some(())),
            b'[' => self.array(depth),
            b'"' => self.string().map(drop),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.space();
            self.value(depth)?;
            self.space();
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// The inside of a string, still escaped. The escapes are checked by `unescape`.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        let inner = self.text.get(start..self.at)?;
        self.at += 1;
        check(inner).then_some(inner)
    }
}

/// Whether every escape is one that JSON knows.
fn check(inner: &str) -> bool {
    !inner.contains('\\') || unescape(inner).is_some()
}

fn unescape(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        out.push(match c {
            '\\' => match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => unicode(&mut rest)?,
                c @ ('"' | '\\' | '/') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

/// What follows `\u`; a lone surrogate becomes U+FFFD, as a lenient UTF-16 reader would have it.
fn unicode(rest: &mut core::str::Chars<'_>) -> Option<char> {
    let unit = hex(rest)?;
    if (0xd800..0xdc00).contains(&unit) {
        let mut ahead = rest.clone();
        if ahead.next() == Some('\\')
            && ahead.next() == Some('u')
            && let Some(low @ 0xdc00..0xe000) = hex(&mut ahead)
        {
            *rest = ahead;
            return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        }
    }
    Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn hex(rest: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(text: &str) -> Option<Vec<(String, String)>> {
        let mut out = Vec::new();
        object(text, |key, value| {
            out.push((key, value.to_owned()));
            Some(())
        })?;
        Some(out)
    }

    #[test]
    fn reads_members_in_order() {
        let text = r#" { "a" : 1.5e3 , "b\u00e9" : [ {"x":[]} , null ], "c":"\ud83d\ude00" } "#;
        let members = keys(text).unwrap();
        assert_eq!(members[0], ("a".to_owned(), "1.5e3".to_owned()));
        assert_eq!(members[1], ("bé".to_owned(), r#"[ {"x":[]} , null ]"#.to_owned()));
        assert_eq!(string(&members[2].1).unwrap(), "😀");
    }

    #[test]
    fn a_quotation_mark_that_is_escaped_ends_no_string() {
        let members = keys(r#"{"a\"b":"c\\","d":"\""}"#).unwrap();
        assert_eq!(members[0], ("a\"b".to_owned(), r#""c\\""#.to_owned()));
        assert_eq!(string(&members[1].1).unwrap(), "\"");
    }

    #[test]
    fn reads_every_escape_and_every_kind_of_value() {
        assert_eq!(string(r#""\"\\\/\b\f\n\r\t""#).unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
        let text = r#"{"a":true,"b":false,"c":null,"d":-1e-5,"e":2E+3,"f":{},"g":[]}"#;
        let values: Vec<_> = keys(text).unwrap().into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["true", "false", "null", "-1e-5", "2E+3", "{}", "[]"]);
    }

    #[test]
    fn refuses_what_json_refuses() {
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{}x",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1,}",
            "{\"a\":+1}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":nul}",
            "{\"a\" 1}",
            "{\"a\":\"\\",
            "{\"a\":NaN}",
            "{'a':1}",
        ] {
            assert_eq!(keys(text), None, "{text:?}");
        }
    }

    #[test]
    fn refuses_endless_nesting_without_overflowing_the_stack() {
        assert_eq!(keys(&format!("{{\"a\":{}", "[".repeat(1_000_000))), None);
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number("-1.5e2"), Some(-150.0));
        assert_eq!(number("1300819380.5"), Some(1_300_819_380.5));
        assert_eq!(number("1E+2"), Some(100.0));
        assert_eq!(number("250e-2"), Some(2.5));
        assert_eq!(number("0e99999999999"), Some(0.0));
        for raw in ["1e400", "1e99999999999", "\"1\"", "true", "null", "[1]", "inf", "nan"] {
            assert_eq!(number(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = keys(&text);
            let _ = string(&text);
        }

        #[test]
        fn never_panics_on_near_json(text in r#"[{}\[\]",:0-9eE+.a-z\\ \u00e9-]{0,40}"#) {
            let _ = keys(&text);
        }
    }
}
