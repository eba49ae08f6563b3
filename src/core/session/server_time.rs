//! What the server's clock shows: learnt from what it says, and never from a guess.

use super::context::Context;
use crate::core::{
    clock::{Millis, Moment},
    entropy::Entropy,
    grant::Grant,
};

/// An `iat` that moved by as much as our own clock, give or take this, is the time of issue; one that
/// did not may be that of the sign-in, or of a token from a cache.
const STEADY: Millis = 5_000;

impl<E: Entropy> Context<E> {
    /// The server's wall clock at the moment of a grant that was `received` then or, for a token that
    /// a cache may have kept, given to us then. `None` when all that it says of its end is that the
    /// local clock is wrong.
    pub(super) fn server_time(
        &mut self,
        grant: &Grant,
        moment: Moment,
        received: bool,
    ) -> Option<Millis> {
        let local = self.clock.wall_at(moment);
        let iat = grant.issued_at();
        let moved = |(iat, (last, then)): (Millis, (Millis, Moment))| {
            iat > last && ((iat - last) - (moment - then)).abs() <= STEADY
        };
        let steady = iat.filter(|_| received && iat.zip(self.last_issue).is_some_and(moved));
        self.last_issue = iat.map(|iat| (iat, moment));
        let shown = grant.date.or(steady);
        let assumed = if self.skew_is_bound { local } else { local + self.skew };
        let mut server = shown.unwrap_or(assumed);
        // No token is from the future, and none that was just received has run out.
        server = server.max(iat.unwrap_or(server));
        if let Some(end) = grant.expires_at.filter(|end| received && server >= *end) {
            let Some(issued) = grant.expires_in.map(|life| end - life).or(iat) else {
                self.skew_is_bound = true;
                self.learn_skew(end - local);
                return None;
            };
            server = issued;
        }
        if shown.is_some() || server != assumed {
            self.skew_is_bound = false;
            self.learn_skew(server - local);
        }
        Some(server)
    }
}
