use anyhow::{Result, ensure};
use arbitrary::{Arbitrary, Unstructured};

use crate::world::{World, runtime};

/// A history of refreshes over HTTP, each answer compared with a model of the rules: a list of
/// rotations and nothing else.
pub(crate) fn run(input: &[u8]) -> Result<()> {
    runtime()?.block_on(async {
        let world = World::new("limits = \"off\"\nidle_ttl = \"1h\"").await?;
        let mut family = Family::begin(&world).await?;
        let mut steps = Unstructured::new(input);
        while !steps.is_empty() {
            let was_over = family.over.is_some();
            family.follow(&world, steps.arbitrary()?).await?;
            // An end is looked at once more, and then there is nothing new to see.
            if was_over {
                family = Family::begin(&world).await?;
            }
        }
        Ok(())
    })
}

/// A refresh.
#[derive(Debug, Arbitrary)]
struct Step {
    wait: Wait,
    presented: Presented,
}

/// Which token, and by which key.
#[derive(Debug, Arbitrary)]
enum Presented {
    Newest(Option<u8>),
    Older { age: u8 },
    OlderByAnotherKey { age: u8, key: Option<u8> },
}

/// Mostly none: else each session would end at its idle limit.
#[derive(Debug, Arbitrary)]
struct Wait(u8);

impl Wait {
    fn millis(&self) -> i64 {
        match self.0 {
            0 => 3_600_000,
            1 => 3_599_999,
            2..8 => 59_999,
            8..32 => 1_000,
            32..64 => 1,
            _ => 0,
        }
    }
}

struct Family {
    tokens: Vec<String>,
    /// The key of each rotation; its place is the generation that was traded in.
    keys: Vec<Option<u8>>,
    over: Option<&'static str>,
    now: u64,
    last_used: u64,
}

impl Family {
    async fn begin(world: &World) -> Result<Self> {
        let first = world.login().await?.text("refresh_token");
        Ok(Self { tokens: vec![first], keys: Vec::new(), over: None, now: 0, last_used: 0 })
    }

    async fn follow(&mut self, world: &World, step: Step) -> Result<()> {
        let wait = step.wait.millis();
        world.clock.advance(wait);
        self.now += wait.unsigned_abs();
        let (presented, key) = self.choice(&step.presented);
        let text = key.map(|key| format!("rotation key {key:08}"));
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", self.tokens[presented].as_str()),
        ];
        fields.extend(text.as_deref().map(|text| ("rotation_key", text)));
        let answer = world.form("/oauth/token", &fields).await?;

        let expected = self.expected(presented, key);
        let told = (answer.status, answer.text("error_code"));
        ensure!(told == (expected.0, expected.1.to_owned()), "{told:?} but {expected:?}");
        let next = answer.text("refresh_token");
        match self.tokens.get(presented + 1) {
            _ if answer.status != 200 => ensure!(next.is_empty()),
            Some(known) => ensure!(*known == next, "a replay gave another token"),
            None => self.tokens.push(next),
        }
        Ok(())
    }

    /// The token's place and the key that comes with it.
    fn choice(&self, presented: &Presented) -> (usize, Option<u8>) {
        let older = |age: u8| self.keys.len().saturating_sub(usize::from(age % 12));
        let same = |place: usize| self.keys.get(place).copied().flatten();
        match presented {
            Presented::Newest(key) => (self.keys.len(), *key),
            Presented::Older { age } => (older(*age), same(older(*age))),
            Presented::OlderByAnotherKey { age, key } => (older(*age), *key),
        }
    }

    /// Status and code that the rules demand; notes what becomes of the family.
    fn expected(&mut self, presented: usize, key: Option<u8>) -> (u16, &'static str) {
        if let Some(code) = self.over {
            return (400, code);
        }
        if self.now - self.last_used >= 3_600_000 {
            self.over = Some("");
            return (400, "");
        }
        let newest = self.keys.len();
        if presented == newest {
            self.keys.push(key);
            self.last_used = self.now;
            return (200, "");
        }
        let same = key.is_some() && key == self.keys[presented];
        match newest - presented {
            1 if same => (200, ""),
            2..=8 if same => (400, "superseded"),
            _ => {
                self.over = Some("reuse_detected");
                (400, "reuse_detected")
            }
        }
    }
}
