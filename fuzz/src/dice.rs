/// Random choices that follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one less than the limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(crate) fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// A text of the kind that breaks parsers, or of printable letters.
    pub(crate) fn text(&mut self) -> String {
        if self.once_in(2) {
            return self.pick(NASTY).to_owned();
        }
        let length = self.below(40);
        (0..length).map(|_| char::from(b' ' + self.below(95) as u8)).collect()
    }

    /// The bytes with some damage done to them.
    pub(crate) fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, self.next() as u8),
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
