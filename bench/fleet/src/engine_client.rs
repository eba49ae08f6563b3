//! One client with the engine that is shipped.

use everfresh::{
    core::{
        clock::{Millis, Now},
        effect::Outcome,
        entropy::{Entropy, Seeded},
        grant::TokenResponse,
        ids::{Attempt, LeaseId, WaiterId},
        input::Input,
        policy::Policy,
    },
    engine::{
        Engine, Settings,
        endpoint::{Endpoint, Exchange, Response},
    },
};

use crate::{
    host::LeanHost,
    load::{Load, Token},
    scenario::{Course, LATENCY, Said, below},
};

/// When the worlds begin, milliseconds since the Unix epoch.
const EPOCH: Millis = 1_767_225_600_000;

/// The shortest pause between two requests of the application, and what is drawn on top.
pub const REQUESTS: (Millis, Millis) = (15_000, 30_000);

/// One tab of one user, who is there all the time.
#[derive(Debug)]
pub struct EngineClient {
    engine: Engine<LeanHost>,
    course: Course,
    now: Millis,
    /// What the token service is going to say, and when.
    answer: Option<(Millis, Attempt, Said)>,
    /// The access token that came last.
    token: Token,
}

impl EngineClient {
    /// Signs in at `now`.
    #[must_use]
    pub fn sign_in(course: Course, seed: u64, now: Millis) -> Self {
        let policy = Policy { idle: None, ..Policy::default() };
        let endpoint = Endpoint { url: "/oauth/token".to_owned(), ..Endpoint::default() };
        let settings = Settings { policy, endpoint, ..Settings::default() };
        let engine = Engine::new(LeanHost::new(clocks(now)), Seeded(seed), settings);
        let tokens = TokenResponse {
            access_token: access_token(now),
            refresh_token: Some("refresh".to_owned()),
            expires_in: Some(course.lifetime as f64 / 1_000.0),
            ..TokenResponse::default()
        };
        engine.start_late(tokens);
        Self { engine, course, now, answer: None, token: Token::issued(now) }
    }

    /// How long it is from one refresh to the next, on average.
    #[must_use]
    pub fn period(lifetime: Millis) -> Millis {
        let Policy { lead, jitter, .. } = Policy::default();
        lifetime - lead - jitter / 2
    }

    /// Lives to the end of the course.
    pub fn run(mut self, seed: u64, load: &mut Load) {
        let mut entropy = Seeded(seed);
        let mut request = self.now + pause(&mut entropy);
        self.settle(load);
        loop {
            let timer = self.engine.host.wake_after.get().map(|after| self.now + after.max(1));
            let answer = self.answer.map(|(at, ..)| at);
            let next = [timer, answer, Some(request)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next < self.course.end) else { break };
            self.now = next;
            self.engine.host.now.set(clocks(next));
            if let Some((at, attempt, said)) = self.answer
                && at == next
            {
                self.answer = None;
                if said == Said::Tokens {
                    self.token.renew(next, &self.course, load);
                }
                self.engine.responded(Exchange::Refresh(attempt), self.response(said));
            } else if request == next {
                request += pause(&mut entropy);
                self.request(load);
            } else {
                self.engine.wake();
            }
            self.settle(load);
        }
        load.sign_outs += u64::from(self.engine.host.ends.get());
    }

    fn request(&self, load: &mut Load) {
        load.requests += 1;
        let wall = clocks(self.now).wall;
        let lent = self
            .engine
            .host
            .lease
            .borrow()
            .as_ref()
            .and_then(|lease| (lease.from..lease.until).contains(&wall).then_some(lease.id));
        match lent {
            Some(_) if self.course.accepts(self.token.issued, self.now) => {}
            Some(lease) => self.ask(|waiter| unauthorized(waiter, lease)),
            None => self.ask(|waiter| Input::TokenWanted { waiter, min_validity: 0 }),
        }
    }

    fn ask(&self, input: impl Fn(WaiterId) -> Input) {
        self.engine.ask(WaiterId(0), input);
    }

    /// Does what the engine wants.
    fn settle(&mut self, load: &mut Load) {
        while let Some(ticket) = self.engine.host.lock.take() {
            self.engine.feed(Input::LockGranted(ticket));
        }
        if let Some(attempt) = self.engine.host.sent.take() {
            load.refresh(self.now);
            self.answer = Some((self.now + LATENCY, attempt, self.course.says(self.now)));
        }
        for (_, outcome) in self.engine.host.settled.take() {
            load.lost += u64::from(!matches!(outcome, Outcome::Token(_)));
        }
    }

    fn response(&self, said: Said) -> Option<Response> {
        let (status, body) = match said {
            Said::Nothing => return None,
            Said::Unavailable => (503, String::new()),
            Said::Tokens => {
                let (token, seconds) = (access_token(self.now), self.course.lifetime / 1_000);
                let body = format!(
                    r#"{{"access_token":"{token}","refresh_token":"refresh","expires_in":{seconds}}}"#
                );
                (200, body)
            }
        };
        Some(Response { status, body, ..Response::default() })
    }
}

const fn unauthorized(waiter: WaiterId, lease: LeaseId) -> Input {
    Input::Unauthorized { waiter: Some(waiter), lease }
}

const fn clocks(now: Millis) -> Now {
    Now { wall: EPOCH + now, monotonic: now }
}

/// An opaque token; no two are alike.
fn access_token(now: Millis) -> String {
    format!("token-{now}")
}

/// From one request of the application to the next.
pub fn pause(entropy: &mut impl Entropy) -> Millis {
    REQUESTS.0 + below(entropy, REQUESTS.1)
}
