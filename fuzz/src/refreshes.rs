use anyhow::{Result, ensure};
use axum::body::Body;
use http::Request;

use crate::dice::Dice;
use crate::world::World;

/// Random histories of refreshes over HTTP, each answer compared with a model of the rules: a list
/// of rotations and nothing else.
pub(crate) async fn run(dice: &mut Dice, cases: u64) -> Result<()> {
    let world = World::new("limits = \"off\"\nidle_ttl = \"1h\"").await?;
    let mut done = 0;
    while done < cases {
        let mut family = Family::begin(&world).await?;
        for _ in 0..=dice.below(40) {
            family.step(&world, dice).await?;
            done += 1;
        }
    }
    Ok(())
}

/// Tokens that were damaged, or are another server's, change nothing at all.
pub(crate) async fn forgeries(dice: &mut Dice, cases: u64) -> Result<()> {
    let world = World::new("limits = \"off\"\nclient = [\"gateway:key\"]").await?;
    let stranger = World::new("limits = \"off\"").await?.login().await?;
    let mut held = Vec::new();
    for _ in 0..5 {
        let answer = world.login().await?;
        held.extend([answer.text("access_token"), answer.text("refresh_token")]);
    }
    let before = world.state.store.sessions(None).await?;
    for _ in 0..cases {
        let mut token = match dice.below(4) {
            0 => stranger.text("access_token"),
            1 => stranger.text("refresh_token"),
            _ => {
                let genuine = &held[dice.below(held.len())];
                String::from_utf8_lossy(&dice.damaged(genuine.as_bytes())).into_owned()
            }
        };
        // Blanks around a bearer are no damage.
        if held.iter().any(|held| held == token.trim()) {
            token.push('x');
        }
        let field = if dice.once_in(2) { "token" } else { "refresh_token" };
        let fields = [("grant_type", "refresh_token"), (field, &token)];
        let path = dice.pick(&[
            "/oauth/token",
            "/oauth/revoke",
            "/auth/logout",
            "/auth/logout-everywhere",
        ]);
        world.form(path, &fields).await?;
        let bearer = format!("Bearer {token}");
        if let Ok(bearer) = http::HeaderValue::from_str(&bearer) {
            let path = dice.pick(&["/auth/logout", "/auth/renew", "/auth/logout-everywhere"]);
            let request = Request::post(path).header("authorization", bearer);
            world.send(request.body(Body::empty())?).await?;
        }
    }
    ensure!(world.state.store.sessions(None).await? == before, "a forged token changed something");
    Ok(())
}

struct Family {
    tokens: Vec<String>,
    /// The key of each rotation; its place is the generation that was traded in.
    keys: Vec<Option<u32>>,
    over: Option<&'static str>,
    now: u64,
    last_used: u64,
}

impl Family {
    async fn begin(world: &World) -> Result<Self> {
        let first = world.login().await?.text("refresh_token");
        Ok(Self { tokens: vec![first], keys: Vec::new(), over: None, now: 0, last_used: 0 })
    }

    async fn step(&mut self, world: &World, dice: &mut Dice) -> Result<()> {
        if dice.once_in(6) {
            let wait = dice.pick(&[1, 1_000, 59_999, 3_599_999, 3_600_000]);
            world.clock.advance(wait);
            self.now += wait.unsigned_abs();
        }
        let age = if dice.once_in(2) { 0 } else { dice.below(12) };
        let presented = self.tokens.len().saturating_sub(1 + age);
        let key = (!dice.once_in(8)).then(|| dice.below(5) as u32);
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

    /// Status and code that the rules demand; notes what becomes of the family.
    fn expected(&mut self, presented: usize, key: Option<u32>) -> (u16, &'static str) {
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
