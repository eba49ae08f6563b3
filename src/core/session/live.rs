//! A session that somebody is signed in to.

use super::{
    activity::{Activity, CLOCK_SLACK},
    context::Context,
    refresh_state::RefreshState,
};
use crate::core::{
    clock::{Millis, Moment},
    effect::Lease,
    entropy::{self, Entropy},
    error::Error,
    event::Event,
    grant::{ENDLESS, Grant, millis},
    ids::{LeaseId, ReadId, StartId, WriteId},
    policy::{Credential, IdleMode},
    reason::{EndReason, RefreshReason},
    record::{Generation, Key, Record, TokenSet, Tokens},
    schedule::Cycle,
    token::Jwt,
};

/// How long a token may be held back for an `nbf` in the future.
const MAX_NBF_DELAY: Millis = 60_000;

#[derive(Clone, Debug, Hash)]
pub(super) struct Live {
    /// All that this tab knows of the session.
    pub(super) record: Record,
    /// The token set in use; absent while a cookie is all there is.
    pub(super) current: Option<CurrentTokens>,
    /// The start that this session came from, if this tab made it.
    pub(super) start: Option<StartId>,
    pub(super) refresh_at: Moment,
    pub(super) activity: Activity,
    pub(super) refresh_state: RefreshState,
    /// When this tab itself last sent a refresh, as the record has it.
    pub(super) last_send: Millis,
    /// The write that makes this sign-in known.
    pub(super) opening: Option<WriteId>,
    /// The shared record is being read again, and nothing is decided before.
    pub(super) pending_reread: Option<PendingReread>,
    /// The end that observers were warned of.
    pub(super) warned: Option<EndReason>,
    /// Observers were told that the token is gone.
    pub(super) stale: bool,
    pub(super) last_error: Option<Error>,
    /// The first lease of this user: requests with an older one are somebody else's.
    pub(super) first_lease: LeaseId,
}

/// A token set in use, with its times on our own time line.
#[derive(Clone, Debug, Hash)]
pub(super) struct CurrentTokens {
    pub(super) lease: LeaseId,
    pub(super) generation: Generation,
    pub(super) tokens: Tokens,
    pub(super) claims: i64,
    pub(super) usable: Moment,
    pub(super) expires: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PendingReread {
    pub(super) read: ReadId,
    pub(super) until: Moment,
    /// The user came back, which counts once it is sure that there is a session.
    pub(super) input: bool,
    /// Continuous inputs from then on, if they changed meanwhile.
    pub(super) holds: Option<u32>,
}

impl Live {
    pub(super) fn new<E: Entropy>(record: Record, ctx: &Context<E>) -> Self {
        let now = ctx.now();
        let last = ctx.clock.at_wall(record.last_activity).min(now);
        Self {
            record,
            current: None,
            start: None,
            refresh_at: Moment::NEVER,
            activity: Activity::new(last),
            refresh_state: RefreshState::Idle,
            last_send: 0,
            opening: None,
            pending_reread: None,
            warned: None,
            stale: false,
            last_error: None,
            first_lease: LeaseId(0),
        }
    }

    /// A token set made of a grant that came at `moment`. Tokens that were `received` then are believed
    /// against the clock; others may have been kept by a cache.
    pub(super) fn token_set<E: Entropy>(
        &self,
        grant: Grant,
        moment: Moment,
        received: bool,
        ctx: &mut Context<E>,
    ) -> TokenSet {
        let refresh = grant
            .refresh_token
            .clone()
            .or_else(|| self.current.as_ref().and_then(|current| current.tokens.refresh.clone()));
        let server = ctx.server_time(&grant, moment, received);
        let issued_at = ctx.clock.wall_at(moment);
        let lifetime = match server {
            _ if grant.access_token.is_empty() => 0,
            Some(server) => grant.remaining(server),
            None => ENDLESS,
        };
        let claim = |read: fn(&Jwt) -> Option<f64>| grant.jwt.as_ref().and_then(read).map(millis);
        let nbf = claim(|jwt| jwt.nbf).zip(server);
        let unusable_for = nbf.map_or(0, |(nbf, now)| (nbf - now).clamp(0, MAX_NBF_DELAY));
        let stated = match grant.session_expires_in {
            Some(duration) => Some(issued_at + duration),
            None => claim(|jwt| jwt.session_expiry).map(|at| at - ctx.skew),
        };
        let limit = ctx.policy.max_session.map(|max| self.record.started_at + max);
        TokenSet {
            generation: self.record.token_set.generation + 1,
            issued_at,
            lifetime,
            unusable_for,
            refresh_in: grant.refresh_in,
            lead: grant.lead,
            // What the server said of it once holds until it says otherwise.
            ends_at: match (stated.or(self.record.token_set.ends_at), limit) {
                (Some(stated), Some(limit)) => Some(stated.min(limit)),
                (stated, limit) => stated.or(limit),
            },
            subject: grant
                .subject()
                .map(str::to_owned)
                .or_else(|| self.record.token_set.subject.clone()),
            rotated_by: Key::NONE,
            claims: grant.jwt.as_ref().map_or(0, |jwt| jwt.fingerprint),
            tokens: Some(Tokens { access: grant.access_token, refresh }),
        }
    }

    /// Takes the record's tokens into use. The first ones begin the session.
    pub(super) fn adopt<E: Entropy>(
        &mut self,
        reason: Option<RefreshReason>,
        ctx: &mut Context<E>,
    ) {
        let known = self.current.as_ref().map(|current| current.claims);
        self.install(ctx);
        ctx.emit(match known {
            Some(_) => Event::Refreshed { reason },
            None => Event::Started,
        });
        if known.is_some_and(|claims| claims != self.record.token_set.claims) {
            ctx.emit(Event::ClaimsChanged);
        }
    }

    /// The same without a word.
    pub(super) fn install<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        let token_set = &self.record.token_set;
        let Some(tokens) = token_set.tokens.clone() else { return };
        let issued = ctx.clock.at_wall(token_set.issued_at).min(ctx.now());
        let lease = ctx.lease_id();
        if self.first_lease == LeaseId(0) {
            self.first_lease = lease;
        }
        let cycle = Cycle {
            issued,
            lifetime: token_set.lifetime,
            refresh_in: token_set.refresh_in,
            lead: token_set.lead.unwrap_or(ctx.policy.lead),
            jitter: entropy::below(&mut ctx.entropy, ctx.policy.jitter),
            floor: self.record.sends.last().map_or(issued, |at| {
                ctx.clock.at_wall(at).min(ctx.now()) + ctx.policy.min_interval
            }),
        };
        let expires = token_set.expires(issued);
        let ends = expires.comes().is_some() || token_set.refresh_in.is_some();
        self.refresh_at = if ends { cycle.refresh_at() } else { Moment::NEVER };
        self.current = Some(CurrentTokens {
            lease,
            generation: token_set.generation,
            claims: token_set.claims,
            usable: issued + token_set.unusable_for,
            expires,
            tokens,
        });
        self.stale = false;
        self.last_error = None;
    }

    /// The session's tokens of a generation that this tab has not got.
    pub(super) fn behind(&self) -> Generation {
        let current = self.current.as_ref().map_or(0, |current| current.generation);
        (self.record.token_set.generation - current).max(0)
    }

    /// The token in use, if it may be used for `min_validity` from now.
    pub(super) fn valid<E: Entropy>(
        &self,
        min_validity: Millis,
        ctx: &Context<E>,
    ) -> Option<&CurrentTokens> {
        let now = ctx.now();
        let left = |current: &CurrentTokens| current.expires - now;
        self.current.as_ref().filter(|current| {
            current.usable <= now && left(current) > 0 && left(current) >= min_validity
        })
    }

    pub(super) fn expired<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        self.current.as_ref().is_none_or(|current| current.expires <= ctx.now())
    }

    /// The lease on the token in use: unasked until something is due that the machine must
    /// decide.
    pub(super) fn lease<E: Entropy>(&self, ctx: &Context<E>) -> Option<Lease> {
        let current = self.valid(0, ctx)?;
        let mut until = current.expires.min(self.end(ctx).0);
        if matches!(self.refresh_state, RefreshState::Idle) {
            until = until.min(self.refresh_at);
        }
        Some(Lease {
            id: current.lease,
            access_token: current.tokens.access.clone(),
            from: ctx.clock.wall(),
            until: ctx.clock.wall_at(until),
        })
    }

    /// When the user counts as idle; never while something is held.
    pub(super) fn idle_deadline<E: Entropy>(&self, ctx: &Context<E>) -> Moment {
        match ctx.policy.idle {
            Some(idle) if ctx.holds == 0 => self.activity.last() + idle,
            _ => Moment::NEVER,
        }
    }

    /// Whether the user is there enough for the session to be kept.
    pub(super) fn awake<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        self.idle_deadline(ctx) > ctx.now()
    }

    /// Whether the scheduled refresh will be made if nothing happens before.
    pub(super) fn will_refresh<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        self.renewable(ctx.policy.credential) && self.idle_deadline(ctx) > self.refresh_at
    }

    /// When the session ends if nothing happens, and why.
    pub(super) fn end<E: Entropy>(&self, ctx: &Context<E>) -> (Moment, EndReason) {
        let idle = self.idle_deadline(ctx);
        let expires = self.current.as_ref().map_or(idle, |current| current.expires);
        let mut end = (idle, EndReason::Idle);
        // A token whose end is not known does not outlive its user.
        if ctx.policy.idle_mode == IdleMode::Lapse && expires.comes().is_some() {
            end.0 = idle.max(expires);
        }
        if let Some(at) = self.record.token_set.ends_at.map(|at| ctx.clock.at_wall(at))
            && at < end.0
        {
            end = (at, EndReason::MaxAge);
        }
        let spent = !self.renewable(ctx.policy.credential) && self.behind() == 0;
        if spent && self.current.is_some() && expires < end.0 {
            end = (expires, EndReason::LoginRequired);
        }
        end
    }

    pub(super) fn has_refresh_token(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.tokens.refresh.is_some())
    }

    /// Whether a refresh has anything to show to the server.
    pub(super) fn renewable(&self, credential: Credential) -> bool {
        let current = self.current.as_ref();
        match credential {
            Credential::RefreshToken => self.has_refresh_token(),
            Credential::AccessToken => current.is_some(),
            Credential::Cookie | Credential::Function => true,
        }
    }

    /// Whether a refresh would be made for a caller who needs one.
    pub(super) fn may_refresh<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        self.awake(ctx) && self.renewable(ctx.policy.credential)
    }

    /// Makes what this tab knows known to the others, in storage and on the channel. Tokens go
    /// only with `Sharing::WithTokens`.
    pub(super) fn share<E: Entropy>(&mut self, announce: Sharing, ctx: &mut Context<E>) -> WriteId {
        let known = self.record.last_activity;
        let last =
            ctx.clock.wall_at(self.activity.shared(Some(ctx.now()).filter(|_| ctx.holds > 0)));
        let credible = known <= ctx.clock.wall_at(ctx.now()) + CLOCK_SLACK;
        self.record.last_activity = if credible { last.max(known) } else { last };
        let write = ctx.write(&self.record);
        self.announce(announce, ctx);
        write
    }

    pub(super) fn announce<E: Entropy>(&self, announce: Sharing, ctx: &mut Context<E>) {
        ctx.tell(&self.record, announce == Sharing::WithTokens);
    }
}

/// What a broadcast carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Everything but tokens.
    WithoutTokens,
    /// Tokens too: on the session's own channel and nowhere else.
    WithTokens,
}
