//! The promises, looked at after every step.

use std::fmt;

use everfresh::core::{
    clock::Millis, effect::Outcome, event::Event, policy::IdleMode, reason::EndReason,
    snapshot::Status,
};

use crate::{
    browser::TabId,
    plan::{Action, Plan, Storage},
    server::EPOCH,
    tab::{Tab, What},
    wire::Tokens,
    world::World,
};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub promise: &'static str,
    /// When, virtual milliseconds.
    pub at: Millis,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s: {}: {}", self.at as f64 / 1_000.0, self.promise, self.seen)
    }
}

/// What the world knows to be true of the session, whatever the tabs believe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// Time as the device feels it: true time and every leap of its clock ahead.
    pub(crate) leaps: Millis,
    /// Last user input in any tab, and the sign-in, in felt time.
    pub(crate) last_input: Millis,
    /// Last input in a page that was still looking for the session: it counts where that knew of one.
    pub(crate) last_early_input: Millis,
    pub(crate) signed_in_at: Millis,
    /// The sign-in in true time.
    pub(crate) signed_in: Millis,
    /// When something was last held that is held no longer, in felt time.
    pub(crate) last_held: Millis,
    /// The user signed out, or an administrator did, or a thief used another key than the owner.
    pub(crate) signed_out: bool,
    pub(crate) revoked: bool,
    pub(crate) stolen: bool,
    /// The server has taken for a thief a tab that could not know better.
    pub(crate) mistaken: bool,
    /// Where the application cancels at this moment.
    pub(crate) cancelling: Option<TabId>,
    /// The sign-in that the user signed out of, and where.
    pub(crate) signed_out_of: Option<u32>,
    pub(crate) signed_out_by: Option<TabId>,
    /// A page that no tab could tell of the session has begun one of its own with the cookie.
    pub(crate) begun_anew: bool,
    /// Users who signed in after the first.
    pub(crate) sign_ins: u32,
    /// The sign-in that has ended as idle for all tabs; 0 before.
    pub(crate) idled_out: u32,
    pub(crate) newest: Newest,
}

/// The newest tokens that any tab has taken into use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest {
    pub(crate) at: Millis,
    generation: i64,
    pub(crate) access_token: Option<String>,
}

/// So long a tab waits to hear what storage holds.
pub(crate) const STORAGE_WAIT: Millis = 2_000;

/// So long it takes at most until slow storage shows what was written, a page has read it, and a refresh
/// that began before is over.
const SLOWEST: Millis = 30_000;

/// Slack of everything that is measured across tabs.
const SLACK: Millis = 3_000;

impl World {
    pub(crate) fn broken(&mut self, promise: &'static str, seen: String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { promise, at: self.now, seen });
        }
    }

    /// A page that is about to stop may have what is due left to do, but no lock: others wait for it.
    pub(crate) fn watch_leaving(&mut self, tab: TabId) {
        if self.locks.is_held_by(tab) || self.locks.is_wanted_by(tab) {
            self.broken("a page that leaves has no lock", format!("tab {tab}"));
        }
    }

    pub(crate) fn watch_event(&mut self, tab: TabId, event: &Event) {
        self.watch_change(tab, event);
        match event {
            Event::Started => {
                if self.tabs[tab].signed_in {
                    self.watch_restart(tab);
                }
                self.tabs[tab].signed_in = true;
                if self.plan.wire.cookie {
                    self.watch_found(tab);
                }
                self.truth.begun_anew |= self.may_begin_anew(tab);
                self.took(tab);
                self.tabs[tab].token = self.tabs[tab].access_token();
            }
            Event::StorageDegraded if !self.tabs[tab].signed_in => {
                self.tabs[tab].is_blind = true;
                self.tabs[tab].loaded_felt = self.now + self.truth.leaps;
            }
            Event::Refreshed { .. } => {
                self.watch_refreshed(tab, self.tabs[tab].snapshot().generation);
                self.took(tab);
            }
            Event::SignedOut { reason } => {
                let asked = self.tabs[tab].calls.values().any(|call| call.what == What::SignOut);
                if !self.tabs[tab].signed_in && *reason != EndReason::Cancelled && !asked {
                    self.broken("an end is told once", format!("tab {tab}: {}", reason.as_str()));
                }
                let held = self.tabs[tab].signed_in && self.tabs[tab].held;
                self.tabs[tab].signed_in = false;
                *self.statistics.ends.entry(reason.as_str()).or_default() += 1;
                self.watch_end(tab, *reason);
                if held {
                    self.let_go();
                }
            }
            _ => {}
        }
    }

    fn took(&mut self, tab: TabId) {
        let generation = self.tabs[tab].snapshot().generation;
        self.tabs[tab].generation = generation;
        if generation > self.truth.newest.generation {
            let access_token = self.tabs[tab].access_token();
            self.truth.newest = Newest { at: self.now, generation, access_token };
        }
    }

    fn watch_restart(&mut self, tab: TabId) {
        if self.truth.sign_ins < 2 {
            self.broken("a session starts once", format!("tab {tab} started again"));
        }
    }

    /// No end without its cause.
    pub(crate) fn watch_end(&mut self, tab: TabId, reason: EndReason) {
        let felt = self.now + self.truth.leaps;
        let truth = &self.truth;
        let policy = &self.plan.policy;
        let slack = self.age_slack();
        let share = policy.idle.map_or(0, |idle| (idle / 60).clamp(1_000, 30_000));
        let cause = match reason {
            EndReason::Cancelled => truth.cancelling == Some(tab),
            EndReason::SignedOut => truth.signed_out,
            EndReason::Idle => policy.idle.is_some_and(|idle| {
                let held = self.facts.calm && !self.facts.leaps;
                let last = if held { self.last_input() } else { truth.last_input };
                // Input that no message has told of yet, and storage does not show: it lags, or has
                // a time that is not believed since the clock was set back.
                let blind = if self.set_back { 10 } else { self.plan.odds.read_lag };
                let unseen = felt - last < blind;
                // Input that comes to a page which knows no session is none of this one.
                let over = truth.idled_out == truth.sign_ins;
                over || unseen || !self.hears_all_input() || felt - last >= idle - share - SLACK
            }),
            EndReason::MaxAge => self
                .plan
                .max_age()
                .is_some_and(|max| felt - truth.signed_in_at >= max - slack || truth.sign_ins > 1),
            EndReason::Revoked => truth.revoked || truth.stolen || truth.signed_out,
            // A refresh that leaves with the cookie of a sign-in that its tab has not heard of.
            EndReason::Reuse => {
                truth.stolen || truth.mistaken || self.plan.wire.cookie && truth.sign_ins > 1
            }
            EndReason::SubjectChanged => truth.sign_ins > 1 || truth.begun_anew,
            EndReason::LoginRequired if self.has_lapsed() => true,
            EndReason::LoginRequired => self.tokens_were_lost(tab) || self.missed_the_tokens(tab),
            _ => false,
        };
        if !cause {
            self.broken("no end without a cause", format!("tab {tab}: {}", reason.as_str()));
        }
        // A cookie would sign the next page load in.
        let shared = self.plan.policy.idle_mode == IdleMode::End || self.plan.wire.cookie;
        if reason == EndReason::Idle && shared {
            self.truth.idled_out = self.truth.sign_ins;
        }
        // The server is told, and may be the one that the other tabs hear it from.
        self.truth.revoked |= match reason {
            EndReason::Idle => shared,
            EndReason::MaxAge => true,
            _ => false,
        };
    }

    /// A page that nobody told of a session tells nobody of its end, but revokes it for all.
    pub(crate) fn watch_untold_end(&mut self, tab: TabId) {
        if let Some(reason @ (EndReason::Idle | EndReason::MaxAge)) =
            self.tabs[tab].snapshot().reason
            && !self.tabs[tab].signed_in
            && !self.truth.revoked
        {
            self.watch_end(tab, reason);
        }
    }

    /// Soon after a sign-in, a page that neither storage, which takes its time, nor a message, which was
    /// lost or late, has told of it begins anew with the cookie. Tokens that name no user do not say that it
    /// is the same user; the other tabs take it for another user whenever they hear of it.
    fn may_begin_anew(&self, id: TabId) -> bool {
        let Plan { wire, storage, .. } = &self.plan;
        let tab = &self.tabs[id];
        let deaf = *storage == Storage::Custom && tab.missed_news && !tab.told;
        let soon = self.now - self.truth.signed_in <= SLOWEST;
        let named = matches!(wire.tokens, Tokens::Jwt | Tokens::ExpAlone);
        soon && deaf && wire.cookie && !named
    }

    /// Slack of the maximum age: what the server says of it is counted from the middle of its
    /// request, which a hidden page gives up a minute late.
    fn age_slack(&self) -> Millis {
        let late = if self.facts.calm { 0 } else { 60_000 };
        SLACK + self.plan.hints.max_age.map_or(0, |_| (self.plan.policy.timeout + late) / 2)
    }

    /// When the user was last there, in felt time.
    pub(crate) fn last_input(&self) -> Millis {
        let held = |tab: &Tab| tab.held && tab.is_running() && tab.is_live();
        if self.tabs.iter().any(held) {
            return self.now + self.truth.leaps;
        }
        self.truth.last_input.max(self.truth.last_held)
    }

    /// What was held in a tab is held no longer, or by no tab that could say so.
    pub(crate) fn let_go(&mut self) {
        self.truth.last_held = self.now + self.truth.leaps;
    }

    fn did(&self, what: impl Fn(&Action) -> bool) -> bool {
        self.plan.actions.iter().any(|(_, action)| what(action))
    }

    /// Input reaches the other tabs unless everything that carries it fails at once.
    fn hears_all_input(&self) -> bool {
        // A page that is loaded later has heard nothing of what storage refused.
        let deaf = |action: &Action| {
            matches!(action, Action::Freeze(..) | Action::Open | Action::Clone(_))
        };
        let lossy = self.plan.odds.lost_message > 0 || self.did(deaf);
        // What does not answer in time is not read.
        let forgets = self.plan.odds.failed_storage > 0
            || self.plan.odds.slow_storage > 0
            || self.plan.storage == Storage::Broken
            || self.did(|a| matches!(a, Action::Wipe(_) | Action::SetClock(_)));
        !(lossy && forgets) && self.truth.sign_ins < 2
    }

    /// In memory mode the newest tokens go with the last tab that had them.
    fn tokens_were_lost(&self, tab: TabId) -> bool {
        let newest = self.truth.newest.access_token.as_deref();
        let has_them =
            |other: &Tab| other.id != tab && other.is_running() && other.has_token(newest);
        !self.plan.wire.cookie
            && !self.plan.storage.shares_tokens()
            && !self.tabs.iter().any(has_them)
    }

    /// Where messages get lost a tab that is behind may have asked for the newest tokens in vain.
    fn missed_the_tokens(&self, tab: TabId) -> bool {
        !self.plan.wire.cookie
            && !self.plan.storage.shares_tokens()
            && self.plan.odds.lost_message > 0
            && self.tabs[tab].generation < self.truth.newest.generation
    }

    /// A caller got an answer.
    pub(crate) fn watch_settled(
        &mut self,
        tab: TabId,
        what: &What,
        asked_at: Millis,
        outcome: &Outcome,
    ) {
        let wait = self.plan.policy.wait.unwrap_or(Millis::MAX);
        let bound = match what {
            What::SignOut => self.plan.policy.timeout + 3_000,
            _ => wait,
        };
        if self.ran_since(tab, asked_at) && self.now - asked_at > bound + SLACK {
            self.broken("nobody waits beyond the bound", format!("tab {tab}: {what:?}"));
        }
        if let (Outcome::Token(lease), What::Request { user: Some(user), .. }) = (outcome, what)
            && self.server.user_of(&lease.access_token) != Some(user)
        {
            self.broken("no request is sent as somebody else", format!("tab {tab}: as {user}"));
        }
    }

    /// Whether the tab's code could run and its timers were on time from then on.
    pub(crate) fn ran_since(&self, id: TabId, then: Millis) -> bool {
        let tab = &self.tabs[id];
        !tab.hidden && tab.held_back_at < then && self.asleep_until < then
    }

    /// After every step of a tab.
    pub(crate) fn watch_tab(&mut self, id: TabId) {
        self.decide_input(id);
        let tab = &self.tabs[id];
        let over = tab.status() == Status::SignedOut;
        let (leased, refreshing) = (tab.lease.is_some(), tab.attempt.is_some());
        let called = tab.engine.host.was_read();
        if tab.status() != Status::Warning {
            self.tabs[id].warned = None;
        }
        if over && leased {
            self.broken("no token after the end", format!("tab {id}"));
        }
        if over && refreshing {
            self.broken("no refresh after the end", format!("tab {id}"));
        }
        if !leased && called && self.has_good_token(id) && !self.looks_up(id) {
            self.broken("a valid token is never withheld", format!("tab {id} lends none"));
        }
        self.watch_lateness(id);
        self.watch_relief(id);
        self.watch_lock();
        if self.facts.locks_keep_apart && self.truth.sign_ins < 2 && !self.is_strained() {
            let flies = |tab: &&Tab| tab.is_running() && tab.attempt.is_some();
            let flying = self.tabs.iter().filter(flies).count();
            if flying > 1 {
                self.broken("one refresh at a time", format!("{flying} under way"));
            }
        }
    }

    /// Whether the tab has a token that is good by its own clock, and that no server has refused.
    pub(crate) fn has_good_token(&self, id: TabId) -> bool {
        let tab = &self.tabs[id];
        let expires_at = tab.snapshot().expires_at;
        tab.is_live()
            && expires_at.is_some_and(|at| at > self.wall())
            && !tab.has_token(tab.denied.as_deref())
    }

    /// Whether a tab that has just woken waits to hear from storage of the application's own, and so
    /// does not know yet whether its session is over.
    pub(crate) fn looks_up(&self, id: TabId) -> bool {
        let tab = &self.tabs[id];
        let waits = self.now - tab.read_at <= STORAGE_WAIT || !self.ran_since(id, tab.read_at);
        self.plan.storage == Storage::Custom && tab.engine.is_reading() && waits
    }

    /// A tab that runs knows that its session is over.
    fn watch_lateness(&mut self, id: TabId) {
        let felt = self.now + self.truth.leaps;
        let tab = &self.tabs[id];
        // A page that has nothing but, perhaps, a cookie cannot know.
        let knows = tab.signed_in;
        // A machine that was not called, because storage answered its writes, cannot feel a leap.
        if !tab.engine.host.was_read() {
            return;
        }
        if !tab.is_live() || !knows || self.truth.sign_ins > 1 || self.looks_up(id) {
            return;
        }
        let policy = &self.plan.policy;
        let life = Millis::from(self.plan.access_ttl) * 1_000;
        // A refresh that was sent just before the deadline may bring one more token.
        let grace = if policy.idle_mode == IdleMode::Lapse { life + policy.timeout } else { 0 };
        // A page that no storage tells of what was before it counts from its load.
        let knows_nothing = self.plan.wire.cookie && tab.is_blind;
        let since = if knows_nothing { tab.loaded_felt } else { 0 };
        let last = self.last_input().max(self.truth.last_early_input).max(since);
        let idle = policy.idle.is_some_and(|idle| felt - last > idle + grace + SLACK);
        let slack = self.age_slack();
        // What the server says anew with each token knows nothing of clocks that were set ahead.
        let age = self.now - self.truth.signed_in;
        let aged = felt - self.truth.signed_in_at.max(since);
        let old = policy.max_session.is_some_and(|max| aged > max + slack)
            || self.plan.hints.max_age().is_some_and(|max| age > max + slack);
        if (idle || old || self.outlives_its_token()) && !self.set_back {
            self.broken("an end is never missed", format!("tab {id} is still signed in"));
        }
    }

    /// Once per world, after the network has been well for a while and every tab is awake.
    pub(crate) fn watch_the_end(&mut self) {
        for ((sid, _), count) in self.server.advances.clone() {
            if count > 1 {
                self.broken("one advance per rotation key", format!("{sid:?}: {count}"));
            }
        }
        for id in 0..self.tabs.len() {
            let tab = &self.tabs[id];
            if !tab.is_running() {
                continue;
            }
            if let Some(call) = tab
                .calls
                .values()
                .find(|call| self.now - call.asked_at > self.plan.policy.wait.unwrap_or(0) + 15_000)
            {
                self.broken("everybody who waits is settled", format!("tab {id}: {:?}", call.what));
            } else if let Some(lack) = self.lacks(id) {
                let seen = format!("tab {id} has {lack}: {:?}", tab.snapshot());
                self.broken("a tab gets its token when the network is well", seen);
            }
        }
        self.watch_server_at_the_end();
        self.watch_theft();
    }

    /// What a tab does not have though nothing has been in its way for long.
    pub(crate) fn lacks(&self, id: TabId) -> Option<&'static str> {
        let tab = &self.tabs[id];
        let felt = EPOCH + self.now + self.skewed();
        let snapshot = tab.snapshot();
        // The user has not gone away for good: the session is meant to be kept.
        let kept = snapshot.idle_at.is_none_or(|at| at > felt + 5_000)
            && snapshot.ends_at.is_none_or(|at| at > felt + 5_000);
        // Where storage lags or is not there, tabs repeat each other's refreshes until the breaker
        // holds them.
        if self.plan.odds.read_lag > 0 || self.plan.storage == Storage::Broken || !kept {
            return None;
        }
        let token = tab.lease.as_ref().map(|lease| lease.access_token.as_str());
        // Some services take three answers to be believed.
        let refused = self.truth.revoked && self.plan.wire.foreign.is_some();
        match tab.status() {
            Status::SignedOut => None,
            _ if refused => None,
            Status::Unknown => Some("neither a session nor a reason"),
            _ if self.tokens_were_lost(id) => None,
            _ if token.is_none() => Some("no token"),
            // No tab can tell how long a sleep was in which the clock was set back.
            _ if self.set_back => None,
            _ if self.truth.revoked || self.truth.stolen || self.truth.mistaken => None,
            _ if self.truth.sign_ins > 1 => None,
            // Its next 401 will tell.
            _ if snapshot.expires_at.is_none() => None,
            _ => {
                token.filter(|token| !self.server.accepts(token, self.now)).map(|_| "a dead token")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use everfresh::core::input::Input;

    use std::rc::Rc;

    use everfresh::{
        core::policy::Credential,
        engine::host::{Load, Loaded, Place},
    };

    use super::*;
    use crate::{plan::Odds, queue::Next, world::Event as Happening};

    /// Beside a page that is loading a user signs in, and gets a cookie and tokens of this kind.
    fn world(tokens: Tokens, storage: Storage, odds: Odds) -> World {
        let mut plan = Plan { storage, odds, ..Plan::day(1) };
        (plan.wire.cookie, plan.policy.credential) = (true, Credential::Cookie);
        plan.wire.tokens = tokens;
        let mut world = World::new(plan);
        world.open(None);
        world.open(None);
        world.sign_in(0, "ana");
        world
    }

    fn lost() -> Odds {
        Odds { lost_message: 1_000, ..Odds::default() }
    }

    fn late() -> Odds {
        Odds { late_message: 1_000, ..Odds::default() }
    }

    /// The page begins a session: has a tab that takes it for another user's, a day later, a cause?
    fn is_a_cause(mut world: World) -> bool {
        world.watch_event(1, &Event::Started);
        world.now += 24 * 3_600_000;
        world.watch_end(0, EndReason::SubjectChanged);
        world.broken.is_none()
    }

    #[test]
    fn a_page_that_could_not_be_told_of_a_sign_in_is_taken_for_another_user() {
        for odds in [lost(), late()] {
            assert!(is_a_cause(world(Tokens::Opaque, Storage::Custom, odds)));
            assert!(is_a_cause(world(Tokens::Dotted, Storage::Custom, odds)));
        }
    }

    #[test]
    fn one_that_could_is_not() {
        assert!(!is_a_cause(world(Tokens::Opaque, Storage::Custom, Odds::default())));
        assert!(!is_a_cause(world(Tokens::Opaque, Storage::Local, lost())));
        for tokens in [Tokens::Jwt, Tokens::ExpAlone] {
            assert!(!is_a_cause(world(tokens, Storage::Custom, lost())), "it names the user");
        }
        let mut world = world(Tokens::Opaque, Storage::Custom, lost());
        world.now += SLOWEST + 1;
        assert!(!is_a_cause(world), "by then storage has told it");
    }

    #[test]
    fn nor_is_one_that_was_told() {
        const LOAD: Load = Load { place: Place::Custom, id: 1 };
        let told = |how: fn(Rc<str>) -> Happening| {
            let mut world = world(Tokens::Opaque, Storage::Custom, late());
            let said = loop {
                let (_, next) = world.queue.next().expect("the sign-in is told");
                if let Next::Event(Happening::Message(1, said)) = next {
                    break said;
                }
            };
            world.happen(how(said));
            world
        };
        assert!(!is_a_cause(told(|said| Happening::Message(1, said))));
        assert!(!is_a_cause(told(|said| {
            Happening::Loaded(1, LOAD, Loaded::Text(said.to_string()))
        })));
        assert!(is_a_cause(told(|_| Happening::Message(1, "everfresh 1 ask".into()))));
    }

    #[test]
    fn an_end_is_missed_by_a_machine_that_was_called() {
        let mut world = world(Tokens::Jwt, Storage::Local, Odds::default());
        world.truth.leaps += 24 * 3_600_000;
        world.turn(0, |_| {});
        assert_eq!(world.broken, None);
        world.feed(0, Input::TimerFired);
        assert_eq!(world.broken.expect("it is signed in").promise, "an end is never missed");
    }

    #[test]
    fn a_token_is_withheld_by_a_machine_that_was_called() {
        let mut world = world(Tokens::Jwt, Storage::Local, Odds::default());
        world.tabs[0].lease = None;
        world.turn(0, |_| {});
        assert_eq!(world.broken, None);
        world.feed(0, Input::TimerFired);
        assert_eq!(world.broken.expect("it lends none").promise, "a valid token is never withheld");
    }

    #[test]
    fn an_end_is_not_missed_for_input_in_a_page_that_looks_for_the_session() {
        let mut world = world(Tokens::Jwt, Storage::Local, Odds::default());
        world.truth.leaps += 24 * 3_600_000;
        world.truth.last_early_input = world.truth.leaps;
        world.feed(0, Input::TimerFired);
        assert_eq!(world.broken, None);
    }

    #[test]
    fn a_page_counts_from_its_load_only_where_nothing_tells_it_of_the_time_before() {
        for is_told in [false, true] {
            let mut world = world(Tokens::Jwt, Storage::Local, Odds::default());
            world.truth.leaps += 24 * 3_600_000;
            world.tabs[0].signed_in = is_told;
            world.watch_event(0, &Event::StorageDegraded);
            world.tabs[0].signed_in = true;
            world.feed(0, Input::TimerFired);
            assert_eq!(world.broken.is_some(), is_told);
        }
    }
}
