//! Page load: storage, then other tabs, then, with a cookie, one refresh.

use super::{
    context::Context,
    ending::{Ended, STORAGE_WAIT},
    live::Live,
    refreshing::PEER_WAIT,
};
use crate::core::{
    clock::{Millis, Moment},
    effect::{Effect, RevokeRequest},
    entropy::Entropy,
    ids::ReadId,
    input::ReadResult,
    peers::{self, Message},
    policy::Credential,
    reason::EndReason,
    record::{Backoff, End, Key, NOTHING_ISSUED, Pending, Record, SID_BITS, Sends, TokenSet},
    timer::Timer,
};

/// Where a cookie may know the user, other tabs are not waited for as long.
const SHORT_PEER_WAIT: Millis = 100;

/// Looks for a session.
#[derive(Clone, Debug, Hash)]
pub(super) struct Restoring {
    stage: Stage,
    /// What storage holds and what other tabs have said meanwhile: no tab may say it again.
    known: Option<Box<Record>>,
    /// A sign-out came first: whatever is found is signed out.
    pub(super) leaving: Option<Leaving>,
    /// What to go back to if nothing is found.
    before: Option<Ended>,
}

#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Leaving {
    pub(super) everywhere: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Reading {
        read: ReadId,
        until: Moment,
    },
    /// There is a session whose tokens only other tabs hold, or nobody knows.
    AskingPeers {
        until: Moment,
    },
}

/// What became of the search.
#[derive(Debug)]
pub(super) enum Search {
    On(Box<Restoring>),
    Found(Box<Live>),
    NotFound(Box<Ended>),
}

impl Restoring {
    pub(super) fn begin<E: Entropy>(
        leaving: Option<Leaving>,
        before: Option<Ended>,
        ctx: &mut Context<E>,
    ) -> Box<Self> {
        let until = ctx.now() + STORAGE_WAIT;
        Box::new(Self {
            stage: Stage::Reading { read: ctx.read(), until },
            known: None,
            leaving,
            before,
        })
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn rename(&mut self, rename: &mut dyn FnMut(u32) -> u32) {
        if let Stage::Reading { read, .. } = &mut self.stage {
            read.0 = rename(read.0);
        }
    }

    pub(super) fn deadline(&self) -> (Timer, Moment) {
        match &self.stage {
            Stage::Reading { until, .. } => (Timer::StorageWait, *until),
            Stage::AskingPeers { until } => (Timer::PeerWait, *until),
        }
    }

    pub(super) fn record_read<E: Entropy>(
        mut self: Box<Self>,
        read: ReadId,
        found: ReadResult,
        ctx: &mut Context<E>,
    ) -> Search {
        match self.stage {
            Stage::Reading { read: asked, .. } if asked == read => {}
            _ => return Search::On(self),
        }
        let reason = match found {
            ReadResult::Record(record) => {
                ctx.storage_works();
                self.learn(*record);
                EndReason::None
            }
            ReadResult::Nothing => EndReason::None,
            ReadResult::Corrupt => EndReason::CorruptStorage,
            ReadResult::Unavailable => {
                ctx.storage_failed();
                return self.conclude(ctx);
            }
        };
        match self.known.is_some() {
            true => self.conclude(ctx),
            false => self.nowhere(reason, ctx),
        }
    }

    pub(super) fn heard<E: Entropy>(
        mut self: Box<Self>,
        message: Message,
        ctx: &mut Context<E>,
    ) -> Search {
        let Message::Record(told) = message else { return Search::On(self) };
        let tokens = self.learn(*told);
        match self.stage {
            Stage::AskingPeers { .. } if tokens => self.conclude(ctx),
            _ => Search::On(self),
        }
    }

    /// Takes in what was read or heard; whether the tokens are known now.
    fn learn(&mut self, mut record: Record) -> bool {
        if let Some(known) = self.known.take() {
            record.join(*known);
        }
        self.known.insert(Box::new(record)).token_set.tokens.is_some()
    }

    pub(super) fn overdue<E: Entropy>(self: Box<Self>, ctx: &mut Context<E>) -> Search {
        if self.deadline().1 > ctx.now() {
            return Search::On(self);
        }
        if let Stage::Reading { .. } = self.stage {
            ctx.storage_failed();
        }
        self.conclude(ctx)
    }

    /// Storage, or the other tabs, have said what they can: what is known now decides, or the other
    /// tabs are asked.
    fn conclude<E: Entropy>(mut self: Box<Self>, ctx: &mut Context<E>) -> Search {
        match self.known.take() {
            Some(record) if record.ended().is_some() => self.found_ended(*record, ctx),
            Some(record) if record.token_set.tokens.is_some() => {
                let mut live = Live::new(*record, ctx);
                match self.leaving {
                    // No observer is told of a session that ends before it began.
                    Some(_) => live.install(ctx),
                    None => live.adopt(None, ctx),
                }
                Search::Found(Box::new(live))
            }
            known if matches!(self.stage, Stage::AskingPeers { .. }) => {
                self.known = known;
                self.nowhere(EndReason::None, ctx)
            }
            known => {
                ctx.push(Effect::Broadcast(peers::ask()));
                let cookie = ctx.policy.credential == Credential::Cookie;
                let wait = if cookie { SHORT_PEER_WAIT } else { PEER_WAIT };
                self.stage = Stage::AskingPeers { until: ctx.now() + wait };
                self.known = known;
                Search::On(self)
            }
        }
    }

    /// A session that is over stays over. Only a cookie may be newer than the record: somebody
    /// may have signed in by other means since, once the server knows of the end.
    fn found_ended<E: Entropy>(
        mut self: Box<Self>,
        record: Record,
        ctx: &mut Context<E>,
    ) -> Search {
        let reason = record.ended().unwrap_or(EndReason::None);
        if ctx.policy.credential == Credential::Cookie {
            if record.end.settled {
                self.known = Some(Box::new(record));
                return self.nowhere(reason, ctx);
            }
            let request =
                RevokeRequest { access_token: None, refresh_token: None, everywhere: false };
            ctx.revoke(request, record.clone());
        }
        Search::NotFound(Box::new(Ended::without(reason, Some(record))))
    }

    /// No tokens anywhere in the browser: with a cookie the server may still know the user.
    fn nowhere<E: Entropy>(self: Box<Self>, reason: EndReason, ctx: &mut Context<E>) -> Search {
        let Self { known, before, .. } = *self;
        let record = known.map(|record| *record);
        let cookie = ctx.policy.credential == Credential::Cookie;
        if !cookie || record.is_none() {
            // Storage may have been cleared, or not show a sign-in yet: a tab that knows better will say so.
            ctx.push(Effect::Broadcast(peers::ask()));
        }
        if cookie {
            let mut record = match record {
                Some(record) if record.ended().is_none() => record,
                old => guess(old.as_ref(), ctx),
            };
            if record.is_guess() {
                // What an earlier page load sent is worth knowing, and not how long ago it was.
                record.last_activity = ctx.clock.wall_at(ctx.now());
            }
            return Search::Found(Box::new(Live::new(record, ctx)));
        }
        let ended = match before {
            Some(before) if reason == EndReason::None && before.reason != EndReason::Cancelled => {
                before
            }
            _ => Ended::without(reason, record),
        };
        Search::NotFound(Box::new(ended))
    }
}

/// A record without a user yet. All tabs that guess after the same end make the same one, so that they
/// share a rotation key, and it takes no sign-in's place. It keeps whose end that was and why: in storage it
/// lies where that stood.
fn guess<E: Entropy>(old: Option<&Record>, ctx: &mut Context<E>) -> Record {
    let mut record = blank(old, ctx);
    (record.sid, record.started_at) = old.map_or((0, 0), |old| (old.sid, old.started_at + 1));
    record.end.reason = old.map_or(EndReason::None, |old| old.end.reason);
    record.token_set.issued_at = NOTHING_ISSUED;
    record
}

/// Names a sign-in.
// A copy is smaller than a call.
#[inline(always)]
pub(super) fn new_sid<E: Entropy>(ctx: &mut Context<E>) -> i64 {
    (ctx.entropy.next() >> (64 - SID_BITS)).cast_signed()
}

/// A record of a session that begins now, in the place of `old`.
pub(super) fn blank<E: Entropy>(old: Option<&Record>, ctx: &mut Context<E>) -> Record {
    let wall = ctx.clock.wall_at(ctx.now());
    let mut record = Record {
        sid: new_sid(ctx),
        started_at: wall,
        token_set: TokenSet {
            generation: 0,
            tokens: None,
            issued_at: wall,
            lifetime: 0,
            unusable_for: 0,
            refresh_in: None,
            lead: None,
            ends_at: None,
            subject: None,
            claims: 0,
            rotated_by: Key::NONE,
        },
        pending: Pending::NONE,
        backoff: Backoff::NONE,
        sends: Sends::default(),
        last_activity: wall,
        end: End::NONE,
    };
    if let Some(old) = old {
        record.follow(old);
    }
    record
}
