//! Token services of other people: what they do instead of the companion server. They know nothing
//! of rotation keys, so what they end by their own rules is no fault of the session; whether the
//! session gave them a reason is looked at here.

use everfresh::core::clock::Millis;
use everfresh_server::rotation::{Profile, Rules, SessionId, Transition};

use crate::{
    browser::TabId,
    plan::{Action, Locks, Odds, Plan, Storage},
    rng::Rng,
    wire::{Asked, Letter, Tokens},
    world::World,
};

/// How a service of other people answers. It ignores rotation keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What its answers say of the refresh token.
    pub renews: Renews,
    /// How it says no.
    pub refusal: Refusal,
}

/// What an answer says of the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renews {
    /// Another one, each time: the old one is spent.
    Another,
    /// The same one.
    Same,
    /// Nothing (RFC 6749 section 6): it stays as it is.
    Nothing,
    /// The empty text, which says nothing.
    Empty,
    /// `null`, which says nothing.
    Null,
}

/// A no: the status and the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub &'static str);

/// Of tests/token-services: each way of saying no, those that are believed after a minute last.
const REFUSALS: [Refusal; 11] = [
    Refusal(400, r#"{"error":"invalid_grant","error_description":"Token is not active"}"#),
    Refusal(400, r#"{"error":"invalid_grant"}"#),
    Refusal(403, r#"{"error":"invalid_grant","error_description":"Unknown refresh token."}"#),
    Refusal(401, r#"{"errors":[{"extensions":{"code":"INVALID_CREDENTIALS"}}]}"#),
    Refusal(401, ""),
    Refusal(403, "Forbidden"),
    Refusal(200, r#"{"error":"bad_refresh_token"}"#),
    Refusal(400, r#"{"error":{"code":400,"message":"TOKEN_EXPIRED"}}"#),
    Refusal(400, r#"{"error":"invalid_request"}"#),
    Refusal(404, r#"{"error":"NotFound"}"#),
    Refusal(422, r#"{"msg":"Signature verification failed"}"#),
];

/// Makes one world in five another one: chance of its own, so that the rest stays what it was.
pub(crate) fn draw(plan: &mut Plan) {
    let mut rng = Rng::new(plan.seed ^ 0x0f0e_e160);
    match rng.between(0, 19) {
        0 => lapsing(plan, &mut rng),
        1..=3 => foreign(plan, &mut rng),
        _ => {}
    }
}

/// Sessions that are an access token and nothing else: such a world is not long.
fn lapsing(plan: &mut Plan, rng: &mut Rng) {
    plan.wire.lapses = true;
    let life = Millis::from(plan.access_ttl) * 1_000;
    let length = plan.length.min(life * rng.between(1, 4));
    for (at, _) in &mut plan.actions {
        *at = *at * length / plan.length;
    }
    plan.length = length;
    drop_thieves(plan);
}

fn foreign(plan: &mut Plan, rng: &mut Rng) {
    let renews = rng.pick(&[
        Renews::Another,
        Renews::Another,
        Renews::Another,
        Renews::Same,
        Renews::Nothing,
        Renews::Nothing,
        Renews::Empty,
        Renews::Null,
    ]);
    plan.wire.foreign = Some(Foreign { renews, refusal: rng.pick(&REFUSALS) });
    plan.wire.cookie = false;
    if rng.chance(150) {
        plan.wire.tokens = Tokens::Endless;
    }
    plan.rules = Rules {
        profile: Profile::Grace,
        grace: rng.pick(&[0, 0, 10_000, 30_000, 60_000]),
        reusable: renews != Renews::Another,
        max_login_age: rng.chance(200).then(|| plan.length.unsigned_abs() / 2),
        ..plan.rules
    };
    // Most of these services meet no network that loses their answers.
    if rng.chance(700) {
        plan.odds = Odds { lost_response: 0, duplicated: 0, slow: 0, ..plan.odds };
    }
    drop_thieves(plan);
}

/// What such a service makes of a thief is its own affair.
fn drop_thieves(plan: &mut Plan) {
    plan.actions.retain(|(_, action)| !matches!(action, Action::Steal(..)));
}

impl Foreign {
    /// What stands in an answer in the place of the refresh token, as JSON.
    pub(crate) fn refresh_token(self, token: &str) -> Option<String> {
        match self.renews {
            Renews::Another | Renews::Same => Some(format!("\"{token}\"")),
            Renews::Nothing => None,
            Renews::Empty => Some("\"\"".to_owned()),
            Renews::Null => Some("null".to_owned()),
        }
    }
}

impl World {
    /// A service without keys has answered a refresh. What it refused for good is a cause for the
    /// end of the session; that a tab has shown it a spent token needs a cause of its own.
    pub(crate) fn watch_foreign(&mut self, tab: TabId, asked: &Asked, granted: bool, shows: bool) {
        if self.plan.wire.foreign.is_none() {
            return;
        }
        let sid = self.server.session_of(&asked.token);
        if granted {
            self.astray.extend(sid);
            return;
        }
        match self.server.last_transition {
            Some(Transition::Reused | Transition::LateDuplicate) => {
                if shows && !self.may_be_spent(sid) {
                    let seen = format!("tab {tab} shows what another answer has replaced");
                    self.broken("a spent refresh token is not shown again", seen);
                }
                self.statistics.fault("session ended by a service without keys");
            }
            Some(Transition::Expired) => self.statistics.fault("session ended by its service"),
            Some(Transition::UnknownOrEnded) => {}
            _ => return,
        }
        self.truth.revoked = true;
    }

    /// Its answer has reached a tab that waited for it.
    pub(crate) fn watch_delivery(&mut self, letter: &Letter) {
        if letter.granted
            && let Some(sid) = letter.sid
        {
            self.astray.remove(&sid);
        }
    }

    /// Whether a tab cannot know that its refresh token was spent: the answer that spent it reached
    /// no tab, or none that could hand it on.
    fn may_be_spent(&self, sid: Option<SessionId>) -> bool {
        let hands_on = (self.plan.storage == Storage::Local || self.facts.all_hear)
            && self.plan.storage != Storage::Broken
            && self.plan.locks == Locks::Working
            && self.plan.odds.read_lag == 0
            && self.facts.locks_keep_apart
            && !self.plan.actions.iter().any(|(_, action)| matches!(action, Action::Wipe(_)));
        sid.is_none_or(|sid| self.astray.contains(&sid)) || !hands_on || self.is_strained()
    }

    /// Whether this end needs no other cause: the token that was all there is has run out.
    pub(crate) fn has_lapsed(&self) -> bool {
        let life = Millis::from(self.plan.access_ttl) * 1_000;
        let age = self.now + self.truth.leaps - self.truth.signed_in_at;
        self.plan.wire.lapses && (age >= life - LAPSE_SLACK || self.truth.sign_ins > 1)
    }

    /// Whether a session that cannot be renewed has outlived its token.
    pub(crate) fn outlives_its_token(&self) -> bool {
        let life = Millis::from(self.plan.access_ttl) * 1_000;
        let age = self.now + self.truth.leaps - self.truth.signed_in_at;
        self.plan.wire.lapses && age > life + LAPSE_SLACK
    }
}

/// Slack of a lifetime that JWTs count in whole seconds.
const LAPSE_SLACK: Millis = 3_000;

#[cfg(test)]
mod tests {
    use everfresh::core::ids::Attempt;

    use super::*;

    #[test]
    fn a_token_that_was_sent_before_it_was_spent_and_given_up_is_not_shown_again() {
        let is_kept = |unspent, given_up: bool| {
            let mut plan = Plan::day(1);
            plan.wire.foreign = Some(Foreign { renews: Renews::Another, refusal: REFUSALS[0] });
            plan.rules = Rules { profile: Profile::Grace, grace: 0, ..plan.rules };
            let mut world = World::new(plan);
            world.open(None);
            let (granted, sid) = world.server.sign_in("ana", 0);
            let asked = Asked { token: granted.refresh, unspent, ..Asked::default() };
            let (slow, retry) = (Attempt(1), Attempt(2));
            world.arrives(0, retry, &asked, true);
            assert!(world.astray.remove(&sid), "it is granted, and the tab hears of it");
            world.now += 1;
            world.tabs[0].attempt = (!given_up).then_some(slow);
            world.arrives(0, slow, &asked, true);
            assert!(world.truth.revoked);
            world.broken.is_none()
        };
        assert!(is_kept(true, true));
        assert!(!is_kept(true, false) && !is_kept(false, true));
    }
}
