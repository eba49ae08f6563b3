//! The network between the tabs and the server.

use everfresh::core::{
    effect::{Attempt, RefreshRequest},
    input::{Answer, Input},
};

use crate::{
    browser::TabId,
    world::{Event, Sent, World},
};

impl World {
    pub(crate) fn send(&mut self, id: TabId, attempt: Attempt, request: RefreshRequest) {
        self.tally.refreshes += 1;
        self.watch_send(id, &request);
        self.tabs[id].attempt = Some(attempt);
        self.thief_sees_request(id);
        let odds = self.plan.odds;
        if self.now < self.offline_until {
            self.after(1, 50, Event::Answered(id, attempt, Answer::Unreachable.into()));
        } else if self.strikes(odds.lost_request, "request lost") {
            self.after(50, 15_000, Event::Answered(id, attempt, Answer::Unreachable.into()));
        } else if self.strikes(odds.refused, "refused on the way") {
            let answer = self.detour();
            self.after(5, 100, Event::Answered(id, attempt, answer.into()));
        } else {
            let request = Box::new(request);
            if self.strikes(odds.duplicated, "request arrives twice") {
                let copy = request.clone();
                self.after(100, 40_000, Event::Arrives(id, attempt, copy, false));
            }
            let slow = self.strikes(odds.slow, "slow request");
            let most = if slow { 30_000 } else { 100 };
            self.after(5, most, Event::Arrives(id, attempt, request, true));
        }
    }

    /// What proxies, gateways and captive portals say.
    fn detour(&mut self) -> Answer {
        let status = self.dice.pick(&[408, 429, 500, 502, 503, 200]);
        if status == 200 {
            return Answer::Unusable;
        }
        let retry_after =
            (status == 429 || status == 503).then(|| self.dice.between(0, 30) * 1_000);
        Answer::Refused { status, error: String::new(), error_code: String::new(), retry_after }
    }

    pub(crate) fn arrives(
        &mut self,
        tab: TabId,
        attempt: Attempt,
        request: &RefreshRequest,
        counts: bool,
    ) {
        let answer = self.owner_comes(request, counts);
        self.tell(|| match &answer {
            Answer::Granted(_) => format!("server     grants, key {}", request.rotation_key),
            answer => format!("server     {answer:?}, key {}", request.rotation_key),
        });
        if !counts {
            return;
        }
        if self.strikes(self.plan.odds.lost_response, "response lost") {
            self.after(50, 15_000, Event::Answered(tab, attempt, Answer::Unreachable.into()));
            return;
        }
        let slow = self.strikes(self.plan.odds.slow, "slow response");
        let most = if slow { 30_000 } else { 100 };
        self.after(5, most, Event::Answered(tab, attempt, answer.into()));
    }

    /// An answer reaches the tab that asked. To give an attempt up does not unsay its answer: the
    /// tab may hear it all the same, and may hear any answer twice.
    pub(crate) fn answered(&mut self, tab: TabId, attempt: Attempt, answer: Answer) {
        if self.tabs[tab].attempt == Some(attempt) {
            self.tabs[tab].attempt = None;
            self.watch_answer(tab, &answer);
            if self.strikes(self.plan.odds.duplicated, "answer comes twice") {
                self.after(0, 20_000, Event::Answered(tab, attempt, answer.clone().into()));
            }
        } else if self.dice.chance(500) {
            self.tally.fault("answer to nobody");
        } else {
            return;
        }
        self.feed(tab, Input::RefreshAnswered { attempt, answer });
    }

    pub(crate) fn call_server(&mut self, tab: TabId, request: Sent) {
        if self.now >= self.offline_until {
            self.after(5, 100, Event::Called { tab, request });
        }
    }
}
