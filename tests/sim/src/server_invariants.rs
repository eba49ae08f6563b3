//! The promises about how the tabs treat the server, the application and each other.

use std::collections::{HashSet, VecDeque};

use everfresh::core::{clock::Millis, event::Event, reason::EndReason};
use everfresh_server::rotation::{SessionFamily, Transition};

use crate::{
    browser::TabId,
    invariants::STORAGE_WAIT,
    plan::Storage,
    server::Who,
    tab::{Running, Tab},
    wire::{Asked, Letter, Patience},
    world::World,
};

/// The breaker lets N refreshes through ...
const MOST_SENDS: usize = 10;

/// ... in so long; half a second may pass between deciding to send and sending.
const WINDOW: Millis = 29_000;

/// What one tab hears reaches the others in less, where nothing is lost.
const HEARD: Millis = 100;

/// After N cycles some must have drawn another jitter than the rest.
const ENOUGH: u32 = 8;

/// How long a lock may be held beyond the longest attempt.
const HOLD_SLACK: Millis = 3_000;

/// What storage of the application's own may add: it is waited for before the key, with it, and with
/// the tokens.
const STORAGE_SLACK: Millis = 3 * STORAGE_WAIT;

/// What the world remembers of the tabs' conduct.
#[derive(Debug, Default)]
pub(crate) struct ServerInvariants {
    /// Who was told to wait by the server: since when, and until when.
    patience: Option<(TabId, Millis, Millis)>,
    sends: VecDeque<(Millis, TabId)>,
    /// When new tokens last came.
    granted_at: Millis,
    /// How long before the end of its token each cycle wanted to refresh.
    margins: HashSet<Millis>,
    cycles: u32,
    /// Who has the lock, and since when.
    pub(crate) lock: Option<(TabId, Millis)>,
}

impl World {
    /// A refresh leaves a tab.
    pub(crate) fn watch_send(&mut self, tab: TabId) {
        let now = self.now;
        // The key is stored between deciding and sending.
        let window = WINDOW - if self.plan.storage == Storage::Custom { STORAGE_WAIT } else { 0 };
        self.server_invariants.sends.retain(|(at, _)| now - at < window);
        // Who asks in person may try once in half a minute.
        let probes = self.tabs[tab].asked_for && self.server_invariants.sends.is_empty();
        if let Some((told, since, until)) = self.server_invariants.patience
            && now < until
            && !probes
            && !self.facts.clock_is_set
            && (tab == told || self.facts.all_hear && now > since + HEARD)
        {
            self.broken("the server's Retry-After is kept", format!("tab {tab} sends before"));
        }
        let own = self.server_invariants.sends.iter().filter(|(_, sender)| *sender == tab).count();
        // Between deciding and sending a hidden page may be left to wait for a minute.
        if own >= MOST_SENDS
            && !self.tabs[tab].hidden
            && !self.tabs[tab].asked_for
            && !self.facts.clock_is_set
        {
            self.broken("ten refreshes in thirty seconds are enough", format!("tab {tab}"));
        }
        // What a hidden page sends is on record since then, up to a minute ago.
        if !self.tabs[tab].hidden {
            self.server_invariants.sends.push_back((now, tab));
        }
    }

    /// An answer reaches the tab that waits for it.
    pub(crate) fn watch_answer(&mut self, tab: TabId, letter: &Letter) {
        let until = match letter.patience {
            Patience::For(wait) => self.now + wait,
            Patience::Until(until) => until,
            Patience::Unsaid if letter.granted => {
                self.server_invariants.granted_at = self.now;
                return self.server_invariants.patience = None;
            }
            Patience::Unsaid => return,
        };
        self.trouble(until - self.now);
        // Of two attempts at once the one was granted: what the other was told is of old tokens.
        let sent = self.server_invariants.sends.iter().rev().find(|(_, sender)| *sender == tab);
        if !self.facts.locks_keep_apart
            && sent.is_some_and(|(at, _)| *at < self.server_invariants.granted_at)
        {
            return;
        }
        self.server_invariants.patience = Some((tab, self.now, until));
    }

    /// The server has judged an owner's request. One that came with a cookie which the browser has put
    /// in the place of a newer one looks like a thief's, and so does one of a tab that no news has reached,
    /// and one that arrives when the server has forgotten its rotation.
    pub(crate) fn watch_reuse(&mut self, asked: &Asked) {
        let reused = self.server.last_transition == Some(Transition::Reused);
        let known = self.uses.get(&asked.token).filter(|used| used.who == Who::Owner);
        self.truth.mistaken |= reused
            && (self.brought_back.as_ref() == Some(&asked.token)
                || known.is_some_and(|used| {
                    let since = self.uses.len() - used.before - 1;
                    used.key == asked.key && since >= SessionFamily::RING
                        || self.could_not_know(&asked.key, &used.key)
                }));
    }

    /// A user signs in: what was said of the session before is over.
    pub(crate) fn watch_sign_in(&mut self) {
        self.server_invariants.patience = None;
        self.server_invariants.sends.clear();
    }

    /// A tab has found the session. What it sent while it knew no more than a cookie is on no record of that.
    pub(crate) fn watch_found(&mut self, tab: TabId) {
        self.server_invariants.sends.retain(|(_, sender)| *sender != tab);
    }

    /// A tab has taken new tokens into use, of this generation.
    pub(crate) fn watch_refreshed(&mut self, id: TabId, generation: i64) {
        if !self.tabs[id].is_live() {
            // Observers are told when all is done: what came before an end can be seen no more.
            return;
        }
        let token = self.tabs[id].access_token();
        let tab = &mut self.tabs[id];
        let mut again = token == tab.token && self.truth.sign_ins < 2;
        if !again {
            tab.untold = generation - tab.generation - 1;
        } else if tab.untold > 0 {
            // Observers are told when all is done: of several at once they can see the last alone.
            tab.untold -= 1;
            again = false;
        }
        if again || !tab.signed_in {
            self.broken("events tell of changes", format!("tab {id}: nothing was refreshed"));
        }
        self.tabs[id].token = token;
        let snapshot = self.tabs[id].snapshot();
        if let (Some(refresh_at), Some(expires_at)) = (snapshot.refresh_at, snapshot.expires_at)
            // A smaller margin is owed to the pause between two refreshes, not to the jitter.
            && expires_at - refresh_at >= self.plan.policy.lead
        {
            self.server_invariants.margins.insert(expires_at - refresh_at);
            self.server_invariants.cycles += 1;
        }
    }

    /// No observer is told what it knows.
    pub(crate) fn watch_change(&mut self, id: TabId, event: &Event) {
        let tab = &mut self.tabs[id];
        let news = match event {
            Event::Warning { reason, ends_at } => {
                let said = Some((*reason, *ends_at));
                std::mem::replace(&mut tab.warned, said) != said
            }
            Event::Extended => tab.warned.take().is_some(),
            Event::Stale => !std::mem::replace(&mut tab.stale, true),
            Event::Refreshed { .. } => {
                tab.stale = false;
                true
            }
            Event::Started | Event::SignedOut { .. } => {
                (tab.warned, tab.stale) = (None, false);
                true
            }
            // The server's tokens never differ in anything but times.
            Event::ClaimsChanged => false,
            _ => true,
        };
        if !news {
            self.broken("events tell of changes", format!("tab {id}: {event:?}"));
        }
    }

    /// After every step: no tab sits on the lock.
    pub(crate) fn watch_lock(&mut self) {
        let Some((tab, since)) = self.server_invariants.lock else { return };
        let free = !self.locks.is_held_by(tab);
        if free || self.tabs[tab].running != Running::Yes || !self.ran_since(tab, since) {
            self.server_invariants.lock = None;
        } else if self.now - since > self.plan.policy.timeout + self.hold_slack() {
            self.broken("a lock is let go", format!("tab {tab} has had it for long"));
        }
    }

    const fn hold_slack(&self) -> Millis {
        HOLD_SLACK + if self.plan.odds.slow_storage > 0 { STORAGE_SLACK } else { 0 }
    }

    /// Once a world.
    pub(crate) fn watch_server_at_the_end(&mut self) {
        let ServerInvariants { margins, cycles, .. } = &self.server_invariants;
        if self.facts.jitter_shows && *cycles >= ENOUGH && margins.len() < 2 {
            let seen = format!("{cycles} cycles, one margin");
            self.broken("refreshes are spread", seen);
        }
        if self.facts.nothing_happens {
            // A refresh may be on its way when the session ends.
            let over = !self.tabs.iter().any(Tab::is_live);
            let calm = |rule: &Transition| match rule {
                Transition::Rotated => true,
                Transition::UnknownOrEnded => over,
                // The service has ended it by a rule of its own.
                Transition::Expired => self.plan.wire.foreign.is_some(),
                _ => false,
            };
            let odd = self.server.transitions.keys().find(|rule| !calm(rule)).copied();
            if let Some(rule) = odd {
                self.broken("a calm session repeats nothing", format!("{rule:?}"));
            }
        }
        self.watch_sign_out();
        self.watch_page_loads();
    }

    /// Everybody knows in the end.
    fn watch_sign_out(&mut self) {
        if self.truth.signed_out_of != Some(self.truth.sign_ins) {
            return;
        }
        let deaf = self.tabs.iter().find(|tab| tab.is_running() && tab.is_live());
        if let Some(seen) = deaf.map(|tab| format!("tab {} is still signed in", tab.id)) {
            self.broken("a sign-out reaches every tab", seen);
        }
        let told = self.truth.signed_out_by.is_some_and(|tab| self.tabs[tab].is_running());
        let knows = self.sessions.last().is_none_or(|sid| !self.server.alive(*sid));
        if told && !knows {
            self.broken("a sign-out reaches the server", "the session lives on".to_owned());
        }
    }

    /// A page that was loaded next to one that is signed in finds the session.
    fn watch_page_loads(&mut self) {
        if !self.facts.all_hear || self.truth.sign_ins > 1 || self.truth.signed_out {
            return;
        }
        let signed_in = self.tabs.iter().any(|tab| tab.is_running() && tab.is_live());
        let nobody = self
            .tabs
            .iter()
            .find(|tab| tab.is_running() && tab.snapshot().reason == Some(EndReason::None));
        if let Some(seen) = nobody.filter(|_| signed_in).map(|tab| format!("tab {}", tab.id)) {
            self.broken("a page load finds the session", seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use everfresh::core::{event::Event, ids::Attempt};

    use super::*;
    use crate::{plan::Plan, server::Reply, world::Event as Happening};

    #[test]
    fn a_session_that_is_found_knows_nothing_of_what_was_sent_to_find_it() {
        for (finds, cookie) in [(true, true), (false, true), (true, false)] {
            let mut world = World::new(Plan::day(1));
            world.plan.wire.cookie = cookie;
            world.open(None);
            world.watch_send(0);
            if finds {
                world.watch_event(0, &Event::Started);
            }
            (0..MOST_SENDS).for_each(|_| world.watch_send(0));
            assert_eq!(world.broken.is_none(), finds && cookie);
        }
    }

    /// Two rotations after a page was answered its answer comes, and the next refresh leaves with what
    /// the browser has then. Whether the end of the session has its cause.
    fn is_caused(page: Running) -> bool {
        let mut plan = Plan::day(1);
        plan.wire.cookie = true;
        let mut world = World::new(plan);
        world.open(None);
        world.sign_in(0, "ana");
        let mut cookies = Vec::new();
        for key in ["first", "second"] {
            let token = world.jar.clone().expect("a cookie");
            let reply =
                world.owner_comes(&Asked { token, key: key.into(), ..Asked::default() }, true);
            let Reply::Granted(granted) = reply else { panic!("{reply:?}") };
            world.jar = Some(granted.refresh.clone());
            cookies.push(Letter { cookie: Some(granted.refresh), ..Letter::lost() });
        }
        (world.tabs[0].running, world.tabs[0].attempt) = (page, Some(Attempt(1)));
        world.keep_cookie(0, Attempt(1), &mut cookies[0]);
        let token = world.jar.clone().expect("a cookie");
        world.arrives(
            0,
            Attempt(2),
            &Asked { token, key: "third".into(), ..Asked::default() },
            true,
        );
        assert_eq!(world.server.last_transition, Some(Transition::Reused));
        world.watch_end(0, EndReason::Reuse);
        world.broken.is_none()
    }

    /// A request arrives once more after so many rotations, with this key. What the server makes of it,
    /// and whether an end for reuse would have its cause then.
    fn arrives_late(rotations: usize, with: &str) -> (Option<Transition>, bool) {
        let mut plan = Plan::day(1);
        plan.wire.cookie = true;
        let mut world = World::new(plan);
        world.open(None);
        world.sign_in(0, "ana");
        let first = world.jar.clone().expect("a cookie");
        let mut token = first.clone();
        for number in 0..=rotations {
            let key = format!("a rotation key, number {number}");
            let asked = Asked { token, key, ..Asked::default() };
            let Reply::Granted(granted) = world.owner_comes(&asked, true) else { panic!() };
            token = granted.refresh;
        }
        let late = Asked { token: first, key: with.into(), ..Asked::default() };
        world.arrives(0, Attempt(2), &late, false);
        world.watch_end(0, EndReason::Reuse);
        (world.server.last_transition, world.broken.is_none())
    }

    #[test]
    fn a_request_may_come_when_the_server_has_forgotten_its_rotation() {
        assert_eq!(
            arrives_late(7, "a rotation key, number 0"),
            (Some(Transition::LateDuplicate), false)
        );
        assert_eq!(arrives_late(8, "a rotation key, number 0"), (Some(Transition::Reused), true));
        assert_eq!(arrives_late(8, "another rotation key"), (Some(Transition::Reused), false));
    }

    #[test]
    fn a_page_that_stands_still_may_bring_an_older_cookie_back() {
        assert!(is_caused(Running::Frozen));
        assert!(!is_caused(Running::Yes));
    }

    #[test]
    fn a_page_that_hears_late_of_an_answer_brings_no_cookie_with_it() {
        let mut world = World::new(Plan::day(1));
        world.open(None);
        (world.tabs[0].running, world.tabs[0].attempt) = (Running::Frozen, Some(Attempt(1)));
        while world.tabs[0].parked.is_empty() {
            let letter = Letter { cookie: Some("older".into()), ..Letter::lost() };
            world.happen(Happening::Answered(0, Attempt(1), letter.into()));
        }
        assert_eq!(world.jar.replace("newer".into()).as_deref(), Some("older"));
        world.tabs[0].running = Running::Yes;
        let heard = world.tabs[0].parked.remove(0);
        world.happen(heard);
        assert_eq!(world.jar.as_deref(), Some("newer"));
    }
}
