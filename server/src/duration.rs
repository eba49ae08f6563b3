//! Durations as operators write them.

/// Whole seconds: `300`, `300s`, `15m`, `48h`, `30d` or `1w`.
pub(crate) fn lasting(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).filter(|seconds| *seconds <= LONGEST)
}

/// A hundred years; more is a slip of the pen.
const LONGEST: u64 = 100 * 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units() {
        for (text, seconds) in
            [("0", 0), ("300", 300), ("5s", 5), ("15m", 900), ("48h", 172_800), ("1w", 604_800)]
        {
            assert_eq!(lasting(text), Some(seconds), "{text}");
        }
        for bad in ["", "m", "-1", "1.5h", "1y", "1 h", "99999999999999999999", "9999999999w"] {
            assert_eq!(lasting(bad), None, "{bad}");
        }
    }
}
