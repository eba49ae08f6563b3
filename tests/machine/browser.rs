//! Several tabs of one browser: one lock, one channel, one server that knows rotation keys.

use std::collections::VecDeque;

use everfresh::core::{
    clock::Millis,
    ids::Attempt,
    input::{Input, Wake},
    policy::Policy,
    reason::EndReason,
};

use crate::{
    rig::{Store, Tab},
    wire::{Answer, Sent, granted, refusal},
};

/// More wake-ups than this in one stretch of time are a livelock.
const MAX_WAKES: u32 = 10_000;

pub(crate) struct Browser {
    pub(crate) tabs: Vec<Tab>,
    pub(crate) frozen: Vec<bool>,
    /// Whether requests reach the server at all; else they hang.
    pub(crate) online: bool,
    /// What a proxy answers in the place of the server.
    pub(crate) proxy: Answer,
    /// How often the server rotated.
    pub(crate) rotations: u32,
    /// How many refreshes it saw.
    pub(crate) refreshes: u32,
    /// Messages that were sent on the channel.
    pub(crate) messages: u32,
    /// Two tabs came with one token and different keys, or with one that is long gone.
    pub(crate) reuse: bool,
    /// What waits for a tab that does not run.
    mail: Vec<VecDeque<String>>,
    queue: VecDeque<usize>,
    holder: Option<usize>,
    newest: String,
    last: Option<(String, String, Answer)>,
}

impl Browser {
    /// So many tabs, all signed in with one five-minute token.
    pub(crate) fn new(tabs: usize, policy: &Policy) -> Self {
        Self::with(tabs, policy, |_| {})
    }

    pub(crate) fn with(tabs: usize, policy: &Policy, prepare: impl Fn(&mut Tab)) -> Self {
        let store = Store::default();
        let tabs = (1..=tabs as u64)
            .map(|seed| {
                let mut tab = Tab::with_store(policy.clone(), seed, store.clone());
                tab.grants_locks = false;
                prepare(&mut tab);
                tab
            })
            .collect::<Vec<_>>();
        let count = tabs.len();
        let mut browser = Self {
            tabs,
            frozen: vec![false; count],
            online: true,
            proxy: None,
            rotations: 0,
            refreshes: 0,
            messages: 0,
            reuse: false,
            mail: vec![VecDeque::new(); count],
            queue: VecDeque::new(),
            holder: None,
            newest: String::new(),
            last: None,
        };
        browser.start(0);
        for tab in 1..count {
            browser.restore(tab);
        }
        browser.messages = 0;
        browser
    }

    fn start(&mut self, tab: usize) {
        let tokens = self.tabs[0].tokens(300);
        self.newest = tokens.refresh_token.clone().unwrap_or_default();
        self.act(tab, |tab| tab.start_with(tokens));
    }

    pub(crate) fn restore(&mut self, tab: usize) {
        self.act(tab, Tab::restore);
    }

    /// Loads the page of a tab again.
    pub(crate) fn reload(&mut self, tab: usize, policy: &Policy) {
        let old = &self.tabs[tab];
        let mut page = Tab::with_store(policy.clone(), 99, old.store.clone());
        page.now = old.now;
        page.grants_locks = old.grants_locks;
        page.own.clone_from(&old.own);
        page.keep_tokens(old.keeps_tokens());
        self.tabs[tab] = page;
        self.release(tab);
        self.mail[tab].clear();
        self.restore(tab);
    }

    /// A tab, or a worker, is no more.
    pub(crate) fn close(&mut self, tab: usize) {
        self.frozen[tab] = true;
        self.tabs[tab].ticket = None;
        self.release(tab);
    }

    pub(crate) fn feed(&mut self, tab: usize, input: Input) {
        self.act(tab, |tab| tab.feed(input));
    }

    /// One of them does something; what needs no time follows.
    pub(crate) fn act<T>(&mut self, tab: usize, act: impl FnOnce(&mut Tab) -> T) -> T {
        let made = act(&mut self.tabs[tab]);
        self.settle();
        made
    }

    /// Lets everything happen that needs no time.
    pub(crate) fn settle(&mut self) {
        while self.deliver() || self.lock() || self.serve() {}
    }

    fn deliver(&mut self) -> bool {
        for from in 0..self.tabs.len() {
            while let Some(text) = self.tabs[from].said.pop_front() {
                self.messages += 1;
                for to in (0..self.tabs.len()).filter(|to| *to != from) {
                    self.mail[to].push_back(text.clone());
                }
            }
        }
        for to in 0..self.tabs.len() {
            if !self.frozen[to]
                && let Some(text) = self.mail[to].pop_front()
            {
                self.tabs[to].hear(&text);
                return true;
            }
        }
        false
    }

    fn lock(&mut self) -> bool {
        for tab in 0..self.tabs.len() {
            let asks = self.tabs[tab].ticket.is_some();
            if asks && self.holder != Some(tab) && !self.queue.contains(&tab) {
                self.queue.push_back(tab);
            } else if !asks {
                self.release(tab);
            }
        }
        let next = self.queue.front().copied().filter(|_| self.holder.is_none());
        let Some(tab) = next.filter(|tab| !self.frozen[*tab]) else { return false };
        self.queue.pop_front();
        self.holder = Some(tab);
        let ticket = self.tabs[tab].ticket.unwrap_or_default();
        self.tabs[tab].feed(Input::LockGranted(ticket));
        true
    }

    fn release(&mut self, tab: usize) {
        self.queue.retain(|waiting| *waiting != tab);
        self.holder = self.holder.filter(|holder| *holder != tab);
    }

    fn serve(&mut self) -> bool {
        if !self.online {
            return false;
        }
        let sends = |tab: &usize| !self.frozen[*tab] && !self.tabs[*tab].sent.is_empty();
        let Some(tab) = (0..self.tabs.len()).find(sends) else { return false };
        let answer = match (self.proxy.clone(), self.tabs[tab].sent.front().cloned()) {
            (Some(answer), _) => Some(answer),
            (None, Some((_, request))) => self.refresh(&request),
            (None, None) => return false,
        };
        self.tabs[tab].answer(answer);
        true
    }

    /// What the server does with a request; the answer has still to be delivered.
    pub(crate) fn refresh(&mut self, request: &Sent) -> Answer {
        self.refreshes += 1;
        let token = request.refresh_token.clone().unwrap_or_default();
        let same = self.last.as_ref().filter(|(old, key, _)| {
            (old.as_str(), key.as_str()) == (token.as_str(), request.rotation_key.as_str())
        });
        if let Some((_, _, answer)) = same {
            return answer.clone();
        }
        if token == self.newest {
            let tokens = self.tabs[0].tokens(300);
            self.rotations += 1;
            self.newest = tokens.refresh_token.clone().unwrap_or_default();
            let answer = granted(&tokens);
            self.last = Some((token, request.rotation_key.clone(), answer.clone()));
            return answer;
        }
        self.reuse = true;
        refusal(400, "invalid_grant", "reuse_detected")
    }

    /// The request of a tab arrives, and its answer does not.
    pub(crate) fn lose_answer(&mut self, tab: usize) -> (Attempt, Answer) {
        let (attempt, request) = self.tabs[tab].sent.front().cloned().expect("a refresh was sent");
        (attempt, self.refresh(&request))
    }

    /// Lets time pass in all tabs, and wakes those that run when they want to be woken.
    pub(crate) fn advance(&mut self, seconds: f64) {
        let mut left = (seconds * 1_000.0) as Millis;
        for _ in 0..MAX_WAKES {
            let next = (0..self.tabs.len())
                .filter(|tab| !self.frozen[*tab])
                .filter_map(|tab| self.tabs[tab].deadline())
                .map(|deadline| deadline.at.0 - self.tabs[0].now.monotonic)
                .min();
            let step = next.unwrap_or(Millis::MAX).clamp(0, left);
            left -= step;
            for tab in &mut self.tabs {
                tab.pass(step);
            }
            // All timers of one moment fire before anything else can happen.
            for tab in 0..self.tabs.len() {
                if !self.frozen[tab] {
                    self.tabs[tab].feed(Input::TimerFired);
                }
            }
            self.settle();
            if left == 0 {
                return;
            }
        }
        panic!("livelock: {MAX_WAKES} wake-ups without an end");
    }

    pub(crate) fn resume(&mut self, tab: usize) {
        self.frozen[tab] = false;
        self.feed(tab, Input::Woken(Wake::Resumed));
    }

    pub(crate) fn count(&self, kind: &str) -> Vec<usize> {
        self.tabs.iter().map(|tab| tab.count(kind)).collect()
    }

    pub(crate) fn ends(&self) -> Vec<Option<EndReason>> {
        self.tabs.iter().map(Tab::ended).collect()
    }

    pub(crate) fn generations(&self) -> Vec<i64> {
        self.tabs.iter().map(|tab| tab.snapshot().generation).collect()
    }
}
