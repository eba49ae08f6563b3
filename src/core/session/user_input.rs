//! User input, in this tab and in the others.

use super::{
    activity::CLOCK_SLACK,
    context::Context,
    live::{Live, Sharing},
    refresh_state::RefreshState,
};
use crate::core::{
    clock::{Millis, Moment},
    entropy::Entropy,
    event::Event,
    policy::IdleMode,
    reason::EndReason,
};

/// Input is made known to the other tabs at once, and then not more often than this.
const SHARE_AT_LEAST: Millis = 1_000;
const SHARE_AT_MOST: Millis = 30_000;

impl Live {
    /// The user did something here. `at_once` tells the other tabs without delay.
    pub(super) fn input<E: Entropy>(&mut self, at_once: bool, ctx: &mut Context<E>) {
        self.activity.last = ctx.now();
        let extended = self.extend(ctx);
        if (at_once || extended || self.share_at(ctx) <= ctx.now()) && ctx.policy.idle.is_some() {
            self.share(Sharing::WithoutTokens, ctx);
        }
    }

    /// When to tell the others of input next.
    pub(super) fn share_at<E: Entropy>(&self, ctx: &Context<E>) -> Moment {
        match ctx.policy.idle {
            Some(idle) if ctx.holds > 0 || self.activity.lag() > 0 => {
                self.activity.shared + (idle / 60).clamp(SHARE_AT_LEAST, SHARE_AT_MOST)
            }
            _ => Moment::NEVER,
        }
    }

    /// Another tab's record tells of input up to `wall`.
    pub(super) fn heard<E: Entropy>(&mut self, wall: Millis, ctx: &mut Context<E>) {
        // A time that is still to come was written before the clock was set back: no news.
        let at = ctx.clock.at_wall(wall);
        if at <= ctx.now() + CLOCK_SLACK && self.activity.heard(at.min(ctx.now())) {
            self.extend(ctx);
        }
    }

    /// Takes the warning back if the end has moved away.
    fn extend<E: Entropy>(&mut self, ctx: &mut Context<E>) -> bool {
        let extended = self.warned == Some(EndReason::Idle) && self.approaching(ctx).is_none();
        if extended {
            self.warned = None;
            ctx.emit(Event::Extended);
        }
        extended
    }

    /// The end that is near enough to be warned of. A refresh that is still to come before the
    /// idle deadline will move the end, so it is not near yet.
    pub(super) fn approaching<E: Entropy>(&self, ctx: &Context<E>) -> Option<(Moment, EndReason)> {
        let (end, reason) = self.end(ctx);
        // Who was not told of a session is not told of its end.
        let told = self.current.is_some() && ctx.policy.warn > 0;
        if !told || end - ctx.policy.warn > ctx.now() {
            return None;
        }
        let moves = ctx.policy.idle_mode == IdleMode::Lapse
            && self.refresh_at < self.idle_deadline(ctx)
            && !self.expired(ctx);
        match reason {
            EndReason::MaxAge => Some((end, reason)),
            EndReason::Idle if !moves => Some((end, reason)),
            _ => None,
        }
    }

    /// Tells observers what time alone has changed, and the other tabs what they missed.
    pub(super) fn observe<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        let trying = !matches!(self.refresh_state, RefreshState::BackingOff(_));
        if !self.stale && !trying && self.expired(ctx) {
            self.stale = true;
            ctx.emit(Event::Stale);
        }
        let approaching = self.approaching(ctx);
        if let Some((end, reason)) = approaching
            && self.warned != Some(reason)
        {
            ctx.emit(Event::Warning { reason, ends_at: ctx.clock.wall_at(end) });
        }
        self.warned = approaching.map(|(_, reason)| reason);
        if self.share_at(ctx) <= ctx.now() {
            self.share(Sharing::WithoutTokens, ctx);
        }
    }
}
