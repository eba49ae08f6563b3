//! The engine of the SDK, driven natively, lives through each of the 41 strategies: its own requests
//! go to the real server, the responses go back as they are, one virtual clock is between them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kept;
mod page;
mod refreshed;
mod renewed;
mod rolled;
#[path = "../world/mod.rs"]
mod world;

use everfresh::core::input::Input;
use everfresh::core::reason::EndReason;
use everfresh::core::snapshot::Status;
use http::Method;
use page::{Options, Page, Refresh};
use serde_json::json;
use world::{World, claims};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A server under a policy and one page of it.
struct Life {
    world: World,
    page: Page,
}

impl Life {
    /// Signed in, with more settings of the server in TOML.
    async fn begin(policy: &str, more: &str, options: Options) -> Self {
        let world = World::with(&format!("policy = \"{policy}\"\n{more}")).await;
        let mut page = Page::open(&world, options);
        page.sign_in(&world, "ann's browser").await;
        assert_eq!(page.snapshot().status, Status::Active);
        Self { world, page }
    }

    /// Time passes, and the page is woken whenever it wants to be.
    async fn pass(&mut self, seconds: i64) {
        pass(&self.world, std::slice::from_mut(&mut self.page), seconds).await;
    }

    /// Time passes while the page is asleep; then it wakes.
    async fn sleep(&mut self, seconds: i64) {
        self.world.advance(seconds);
        self.page.feed(&self.world, Input::TimerFired).await;
    }

    async fn visit(&mut self) -> u16 {
        self.page.visit(&self.world).await
    }

    /// Requests in a steady rhythm, each of which must succeed.
    async fn work(&mut self, times: i64, every: i64) {
        for turn in 0..times {
            self.pass(every).await;
            assert_eq!(self.visit().await, 200, "turn {turn}");
        }
    }

    async fn reload(&mut self) {
        self.page.reload(&self.world).await;
    }

    fn access(&self) -> String {
        self.page.lease.as_ref().expect("a token in use").access_token.clone()
    }

    /// The session has ended for this reason, once, and asks for nothing any more.
    async fn is_over(&mut self, reason: EndReason) {
        assert_eq!(self.page.ended(), Some(reason));
        assert_eq!(self.page.count("signed-out"), 1);
        let sent = self.page.sent.len();
        self.pass(DAY).await;
        assert_eq!(self.page.sent.len(), sent, "nothing is sent after the end");
    }
}

/// Time passes for several pages of one server.
async fn pass(world: &World, pages: &mut [Page], seconds: i64) {
    let end = world.clock.now() + seconds as u64 * 1_000;
    let due = |page: &Page| Some(world.clock.now() + page.wait(world)? as u64);
    let mut alarms: Vec<Option<u64>> = pages.iter().map(due).collect();
    for _ in 0..200_000 {
        let set = alarms.iter().enumerate().filter_map(|(id, alarm)| Some(((*alarm)?, id)));
        let Some((at, id)) = set.min().filter(|(at, _)| *at <= end) else {
            world.clock.advance((end - world.clock.now()) as i64);
            return;
        };
        world.clock.advance((at - world.clock.now()) as i64);
        pages[id].feed(world, Input::TimerFired).await;
        alarms[id] = due(&pages[id]);
    }
    panic!("livelock: wake-ups without an end");
}

#[test]
fn every_policy_has_a_life_that_bears_its_number_and_its_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/the_sdk_lives_through_every_strategy");
    let mut source = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        source.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for policy in everfresh_server::policy::Policy::all() {
        let name = policy.name.replace('-', "_");
        let test = format!("\nasync fn s{:02}_{name}_", policy.number);
        assert!(source.contains(&test), "{test}");
    }
}
