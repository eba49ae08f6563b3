//! What the operator decides: flags over environment over file over policy.

mod duration;
mod layer;
mod rates;
mod settings;

pub use layer::Layer;
pub use settings::{Settings, StoreKind};

/// A setting that cannot be used. The text says what is wrong and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    fn value(name: &str, value: &str, remedy: &str) -> Self {
        let flag = name.replace('_', "-");
        Self(format!("--{flag}: {value:?} does not do; {remedy}"))
    }
}
