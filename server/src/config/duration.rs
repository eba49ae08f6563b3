use super::ConfigError;
use crate::duration::lasting;

/// Whole seconds: `300`, `300s`, `15m`, `48h`, `30d` or `1w`.
pub(super) fn seconds(name: &str, text: &str) -> Result<u64, ConfigError> {
    lasting(text).ok_or_else(|| {
        ConfigError::value(name, text, "give seconds, or a number with s, m, h, d or w, like 15m")
    })
}

/// As [`seconds`], or `never`.
pub(super) fn seconds_or_never(name: &str, text: &str) -> Result<Option<u64>, ConfigError> {
    if text == "never" { Ok(None) } else { seconds(name, text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_an_answer_where_it_is_allowed() {
        assert_eq!(seconds_or_never("idle_ttl", "never"), Ok(None));
        assert!(seconds("access_ttl", "never").is_err());
    }
}
