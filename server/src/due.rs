//! What a successful answer is to bring along.

use std::sync::{Arc, Mutex, PoisonError};

use crate::jwt::Claims;
use crate::rotation::RefreshToken;

/// A renewal that a request is to bring; shared between the extractor and [`crate::renewing()`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Due(Arc<Mutex<Option<Renewal>>>);

impl Due {
    pub(crate) fn set(&self, renewal: Renewal) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewal);
    }

    pub(crate) fn take(&self) -> Option<Renewal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What is renewed.
#[derive(Debug)]
pub(crate) enum Renewal {
    Header(Claims),
    Cookie(RefreshToken),
}
