//! One client with the rules of another package.

use everfresh::core::{clock::Millis, entropy::Seeded};

use crate::{
    engine_client::pause,
    load::{Load, Token},
    peers::{Peer, Retry},
    scenario::{Course, LATENCY, Said},
};

/// One page of one user, who is there all the time.
#[derive(Debug)]
pub struct RuleClient<'a> {
    peer: &'a Peer,
    course: Course,
    now: Millis,
    token: Token,
    /// When it refreshes by itself.
    timer: Option<Millis>,
    /// What the token service is going to say, and when.
    answer: Option<(Millis, Said)>,
    /// Failures in a row.
    failures: u32,
    /// No refresh before this.
    blocked: Millis,
    /// Requests that wait for the refresh.
    waiting: u64,
    signed_in: Millis,
}

impl<'a> RuleClient<'a> {
    /// Signs in at `now`.
    #[must_use]
    pub fn sign_in(peer: &'a Peer, course: Course, now: Millis) -> Self {
        let mut client = Self {
            peer,
            course,
            now,
            token: Token::issued(now),
            timer: None,
            answer: None,
            failures: 0,
            blocked: 0,
            waiting: 0,
            signed_in: now,
        };
        client.timer = client.due();
        client
    }

    /// When the token in use is refreshed unasked.
    fn due(&self) -> Option<Millis> {
        let at = self.token.issued + self.course.lifetime - self.peer.lead?;
        Some(self.on_tick(at.max(self.now)))
    }

    /// The first look at this time or later.
    const fn on_tick(&self, at: Millis) -> Millis {
        let tick = self.peer.tick;
        if tick == 0 {
            return at;
        }
        self.signed_in + (at - self.signed_in + tick - 1) / tick * tick
    }

    /// Lives to the end of the course.
    pub fn run(mut self, seed: u64, load: &mut Load) {
        let mut entropy = Seeded(seed);
        let mut request = self.now + pause(&mut entropy);
        loop {
            let answer = self.answer.map(|(at, _)| at);
            let timer = self.timer.filter(|_| answer.is_none());
            let next = [timer, answer, Some(request)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next < self.course.end) else { break };
            self.now = next;
            if let Some((at, said)) = self.answer
                && at == next
            {
                self.answer = None;
                self.answered(said, load);
            } else if request == next {
                request += pause(&mut entropy);
                self.request(load);
            } else {
                self.timer = None;
                self.send(load);
            }
        }
        let gone = self.timer.is_none() && self.answer.is_none() && self.peer.demand.is_none();
        load.sign_outs += u64::from(gone && !self.token.is_good(self.now, &self.course));
    }

    fn request(&mut self, load: &mut Load) {
        load.requests += 1;
        let left = self.token.issued + self.course.lifetime - self.now;
        let asks = self.peer.demand.is_some_and(|within| left <= within);
        if asks && (self.answer.is_some() || self.now >= self.blocked && self.failures == 0) {
            self.waiting += 1;
            if self.answer.is_none() {
                self.send(load);
            }
        } else if !self.token.is_good(self.now, &self.course) {
            load.lost += 1;
        }
    }

    fn send(&mut self, load: &mut Load) {
        load.refresh(self.now);
        self.answer = Some((self.now + LATENCY, self.course.says(self.now)));
    }

    fn answered(&mut self, said: Said, load: &mut Load) {
        if said == Said::Tokens {
            self.token.renew(self.now, &self.course, load);
            (self.failures, self.waiting) = (0, 0);
            self.timer = self.due();
            return;
        }
        self.failures += 1;
        let doubled = |first: Millis| first << (self.failures - 1).min(16);
        let final_word = self.peer.network_only && said == Said::Unavailable;
        self.timer = match self.peer.retry {
            _ if final_word => None,
            Retry::Never => None,
            Retry::Doubling { first, longest } => Some(self.now + doubled(first).min(longest)),
            Retry::Series { first, count, .. } if self.failures < count => {
                return self.timer = Some(self.now + doubled(first));
            }
            Retry::Series { pause, .. } => {
                self.blocked = self.now + pause;
                Some(self.on_tick(self.blocked))
            }
            Retry::Pause(pause) => {
                self.blocked = self.now + pause;
                None
            }
        };
        if !matches!(self.peer.retry, Retry::Doubling { .. }) || final_word {
            self.failures = 0;
        }
        let waited = std::mem::take(&mut self.waiting);
        if !self.token.is_good(self.now, &self.course) {
            load.lost += waited;
        }
    }
}
