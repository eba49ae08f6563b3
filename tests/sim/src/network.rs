//! The network between the tabs and the server.

use everfresh::core::{
    effect::{Attempt, RefreshRequest},
    input::{Answer, LeaseId},
};

use crate::{
    browser::TabId,
    world::{Event, World},
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
            Answer::Granted(_) => "server     grants".to_owned(),
            answer => format!("server     {answer:?}"),
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

    pub(crate) fn call_server(
        &mut self,
        tab: TabId,
        lease: LeaseId,
        token: String,
        user: Option<String>,
        resent: bool,
    ) {
        if self.now >= self.offline_until {
            self.after(5, 100, Event::Called { tab, lease, token, user, resent });
        }
    }
}
