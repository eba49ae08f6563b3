use arbitrary::Unstructured;

/// Choices that follow from the bytes of an input. Where those have run out, the first choice is
/// taken, and loops come to their end.
pub(crate) trait Choices {
    /// From 0 to one less than the limit.
    fn below(&mut self, limit: usize) -> usize;
    /// True once in N times.
    fn once_in(&mut self, times: usize) -> bool;
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T;
    fn some_bytes(&mut self, longest: usize) -> Vec<u8>;
    fn number(&mut self) -> u64;
    /// A text of the kind that breaks parsers, or any.
    fn text(&mut self) -> String;
    /// The bytes with some damage done to them.
    fn damaged(&mut self, bytes: &[u8]) -> Vec<u8>;
}

impl Choices for Unstructured<'_> {
    fn below(&mut self, limit: usize) -> usize {
        self.int_in_range(0..=limit.max(1) - 1).unwrap_or_default()
    }

    fn once_in(&mut self, times: usize) -> bool {
        !self.is_empty() && self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn some_bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1).min(self.len());
        self.bytes(length).unwrap_or_default().to_vec()
    }

    fn number(&mut self) -> u64 {
        self.arbitrary().unwrap_or_default()
    }

    fn text(&mut self) -> String {
        if self.once_in(2) {
            return self.pick(NASTY).to_owned();
        }
        String::from_utf8_lossy(&self.some_bytes(40)).into_owned()
    }

    fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, self.below(256) as u8),
                3 => bytes.truncate(at),
                4 => {
                    let tail = bytes[at..].to_vec();
                    bytes.extend(tail);
                }
                _ => {
                    let word = self.pick(NASTY).as_bytes();
                    bytes.splice(at..at, word.iter().copied());
                }
            }
        }
        bytes.truncate(20_000);
        bytes
    }
}

const NASTY: &[&str] = &[
    "",
    " ",
    "\0",
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551616",
    "\u{feff}",
    "\u{202e}",
    "\r\nSet-Cookie: a=b",
    "../../etc/passwd",
    "' OR 1=1 --",
    "%00%ff%",
    "a=b&a=b",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}",
    "eyJhbGciOiJub25lIn0.e30.",
    "rt_",
    "rt_AAAA",
    "__Host-everfresh=",
    "Bearer ",
    "Basic Og==",
    "\"",
    "\\u0000",
    "\u{1f4f1}",
];
