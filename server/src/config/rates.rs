use super::{ConfigError, Layer};
use crate::limits::{Rate, Rates};

impl Rates {
    pub(super) fn of(layer: &Layer) -> Result<Self, ConfigError> {
        let defaults = Self::default();
        let rate = |name, text: &Option<String>, rate| match text {
            Some(text) => parse(text).ok_or_else(|| {
                let remedy = "give BURST/SECONDS, like 10/6: ten at once, then one each 6 seconds";
                ConfigError::value(name, text, remedy)
            }),
            None => Ok(rate),
        };
        Ok(Self {
            login: rate("login_rate", &layer.login_rate, defaults.login)?,
            refresh: rate("refresh_rate", &layer.refresh_rate, defaults.refresh)?,
            introspection: rate(
                "introspection_rate",
                &layer.introspection_rate,
                defaults.introspection,
            )?,
            failure: rate("failure_rate", &layer.failure_rate, defaults.failure)?,
            forgery: rate("forgery_rate", &layer.forgery_rate, defaults.forgery)?,
            client_secret: rate(
                "client_secret_rate",
                &layer.client_secret_rate,
                defaults.client_secret,
            )?,
        })
    }
}

fn parse(text: &str) -> Option<Rate> {
    let (burst, seconds) = text.split_once('/')?;
    let burst: u32 = burst.parse().ok()?;
    let seconds: f64 = seconds.parse().ok()?;
    let sensible = burst > 0 && (0.000_001..=86_400.0).contains(&seconds);
    sensible.then(|| Rate { burst: f64::from(burst), millis_each: seconds * 1_000.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_burst_and_a_pace() {
        assert_eq!(parse("10/6"), Some(Rate { burst: 10.0, millis_each: 6_000.0 }));
        assert_eq!(parse("1/0.5"), Some(Rate { burst: 1.0, millis_each: 500.0 }));
        for bad in ["", "10", "0/1", "10/0", "10/-1", "10/inf", "10/NaN", "1.5/1", "10/6/2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
