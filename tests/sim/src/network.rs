//! The network between the tabs and the server.

use everfresh::{
    core::{
        ids::{Attempt, RevokeId},
        stats::Refreshes,
    },
    engine::endpoint::{Exchange, Request, Response},
};

use crate::{
    browser::TabId,
    server::Reply,
    wire::{Asked, Letter},
    world::{Event, Sent, World},
};

impl World {
    pub(crate) fn send(&mut self, id: TabId, attempt: Attempt, request: &Request) {
        self.statistics.refreshes += 1;
        if self.plan.wire.lapses {
            self.broken("nothing is sent without a refresh token", format!("tab {id}"));
        }
        let Some(asked) = self.plan.wire.refresh(request, self.jar.as_deref()) else {
            self.broken("a refresh is a request that the server reads", format!("tab {id}"));
            return;
        };
        let token =
            self.tabs[id].engine.session(|session| session.access_token().map(str::to_owned));
        let unspent = !self.uses.contains_key(&asked.token);
        let asked = Box::new(Asked { access_token: token, unspent, ..asked });
        self.note_reason(id);
        self.watch_send(id);
        self.tabs[id].attempt = Some(attempt);
        self.thief_sees_request(id);
        let odds = self.plan.odds;
        if self.now < self.offline_until {
            self.after(1, 50, Event::Answered(id, attempt, Letter::lost().into()));
        } else if self.strikes(odds.lost_request, "request lost") {
            self.after(50, 15_000, Event::Answered(id, attempt, Letter::lost().into()));
        } else if self.strikes(odds.refused, "answered on the way") {
            let letter = self.detour();
            self.after(5, 100, Event::Answered(id, attempt, letter.into()));
        } else {
            if self.strikes(odds.duplicated, "request arrives twice") {
                let copy = asked.clone();
                self.after(100, 40_000, Event::Arrives(id, attempt, copy, false));
            }
            let slow = self.strikes(odds.slow, "slow request");
            let most = if slow { 30_000 } else { 100 };
            self.after(5, most, Event::Arrives(id, attempt, asked, true));
        }
    }

    /// Why this tab refreshes does not travel: it shows in its counters.
    fn note_reason(&mut self, id: TabId) {
        let tab = &mut self.tabs[id];
        let begun = tab.engine.stats().refreshes;
        if begun != tab.begun {
            tab.asked_for = Refreshes { explicit: tab.begun.explicit, ..begun.clone() } != begun;
            tab.begun = begun;
        }
    }

    pub(crate) fn arrives(&mut self, tab: TabId, attempt: Attempt, asked: &Asked, counts: bool) {
        let reply = self.owner_comes(asked, counts);
        // What was given up is overtaken by what was sent in its place.
        let overtaken = asked.unspent && self.tabs[tab].attempt != Some(attempt);
        let shows = counts && !overtaken;
        self.watch_foreign(tab, asked, matches!(reply, Reply::Granted(_)), shows);
        self.watch_reuse(asked);
        self.tell(|| format!("server     {reply:?}, key {}", asked.key));
        if !counts {
            return;
        }
        let mut letter = self.plan.wire.letter(&reply);
        letter.sid = self.server.session_of(&asked.token);
        if matches!(reply, Reply::Refused { status: 429, .. }) {
            self.ask_for_patience(&mut letter, 60);
        }
        if self.strikes(self.plan.odds.lost_response, "response lost") {
            // A token service's no that is cut off is no sign that it has spoken.
            let cut = letter.granted && self.rng.chance(250);
            let letter = if cut { letter.cut() } else { Letter::lost() };
            self.after(50, 15_000, Event::Answered(tab, attempt, letter.into()));
            return;
        }
        let slow = self.strikes(self.plan.odds.slow, "slow response");
        let most = if slow { 30_000 } else { 100 };
        self.after(5, most, Event::Answered(tab, attempt, letter.into()));
    }

    /// The browser keeps the cookie of an answer before the page hears of it, unless the page is
    /// gone or has given the attempt up. It keeps it once, also where the page hears of it later.
    pub(crate) fn keep_cookie(&mut self, tab: TabId, attempt: Attempt, letter: &mut Letter) {
        if self.tabs[tab].attempt == Some(attempt)
            && let Some(cookie) = letter.cookie.take()
        {
            // A page that stands still gives nothing up: its answer may come after newer ones.
            let still = !self.tabs[tab].is_running();
            if still && self.jar.as_deref().is_some_and(|jar| self.server.is_older(&cookie, jar)) {
                self.statistics.fault("older cookie brought back");
                self.brought_back = Some(cookie.clone());
            }
            self.jar = Some(cookie);
        }
    }

    /// An answer reaches the tab that asked. To give an attempt up does not unsay its answer: the
    /// tab may hear it all the same, and may hear any answer twice.
    pub(crate) fn answered(&mut self, tab: TabId, attempt: Attempt, letter: Letter) {
        if self.tabs[tab].attempt == Some(attempt) {
            self.tabs[tab].attempt = None;
            self.watch_answer(tab, &letter);
            self.watch_delivery(&letter);
            if self.strikes(self.plan.odds.duplicated, "answer comes twice") {
                self.after(0, 20_000, Event::Answered(tab, attempt, letter.clone().into()));
            }
        } else if self.rng.chance(500) {
            self.statistics.fault("answer to nobody");
        } else {
            return;
        }
        self.tell(|| format!("tab {tab} <- {letter:?}"));
        let exchange = Exchange::Refresh(attempt);
        self.turn(tab, |engine| engine.responded(exchange, letter.response));
    }

    /// A revocation leaves a tab.
    pub(crate) fn send_revocation(&mut self, id: TabId, revoke: RevokeId, request: &Request) {
        let Some(token) = self.plan.wire.revoke(request, self.jar.as_deref()) else {
            self.broken("a revocation is a request that the server reads", format!("tab {id}"));
            return;
        };
        self.watch_untold_end(id);
        if self.now < self.offline_until
            || self.strikes(self.plan.odds.lost_request, "request lost")
        {
            self.after(5, 50, Event::RevokeAnswered(id, revoke, None));
        } else if self.strikes(self.plan.odds.refused, "answered on the way") {
            let letter = self.detour();
            // A proxy that says 200 to everything ends nothing, and nobody can tell.
            let status =
                letter.response.map_or(0, |it| if it.status < 300 { 503 } else { it.status });
            self.after(5, 50, Event::RevokeAnswered(id, revoke, Some(status)));
        } else {
            self.after(5, 100, Event::RevokeArrives(id, revoke, token));
        }
    }

    pub(crate) fn revoke_arrives(&mut self, tab: TabId, revoke: RevokeId, token: &str) {
        let ended = self.server.session_of(token);
        if let Some(sid) = ended {
            self.server.revoke(sid);
        }
        // The cookie of another session stays.
        if self.jar.as_deref().and_then(|token| self.server.session_of(token)) == ended {
            self.jar = None;
        }
        let lost = self.strikes(self.plan.odds.lost_response, "response lost");
        self.after(5, 100, Event::RevokeAnswered(tab, revoke, (!lost).then_some(200)));
    }

    pub(crate) fn revoke_answered(&mut self, tab: TabId, revoke: RevokeId, status: Option<u16>) {
        let response = status.map(|status| Response { status, ..Response::default() });
        self.tell(|| format!("tab {tab} <- revocation answered {status:?}"));
        self.turn(tab, |engine| engine.responded(Exchange::Revoke(revoke), response));
    }

    pub(crate) fn call_server(&mut self, tab: TabId, request: Sent) {
        if self.now >= self.offline_until {
            self.after(5, 100, Event::Called { tab, request });
        }
    }
}
