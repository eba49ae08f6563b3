//! Revocations that the server has not confirmed yet.

use crate::core::{clock::Moment, effect::RevokeRequest, ids::RevokeId, record::Record};

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Revocations(pub(super) Vec<Revocation>);

#[derive(Clone, Debug, Hash)]
pub(super) struct Revocation {
    pub(super) request: RevokeRequest,
    /// The record to mark once the server knows.
    pub(super) record: Record,
    pub(super) failures: u32,
    /// The request under way; absent between two tries.
    pub(super) sent: Option<RevokeId>,
    /// When that request counts as failed, or the next one is due.
    pub(super) until: Moment,
}

impl Revocations {
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn rename(&mut self, rename: &mut dyn FnMut(u32) -> u32) {
        for sent in self.0.iter_mut().filter_map(|revocation| revocation.sent.as_mut()) {
            sent.0 = rename(sent.0);
        }
    }

    pub(super) fn next_deadline(&self) -> Moment {
        self.0.iter().map(|it| it.until).min().unwrap_or(Moment::NEVER)
    }
}
