use anyhow::{Result, ensure};
use arbitrary::Unstructured;
use axum::body::Body;
use http::{HeaderValue, Request};

use crate::choices::Choices as _;
use crate::world::{World, runtime};

/// Tokens that were damaged, or are another server's, change nothing at all.
pub(crate) fn run(input: &[u8]) -> Result<()> {
    runtime()?.block_on(present(&mut Unstructured::new(input)))
}

async fn present(choices: &mut Unstructured<'_>) -> Result<()> {
    let world = World::new("limits = \"off\"\nclient = [\"gateway:key\"]").await?;
    let stranger = World::new("limits = \"off\"").await?.login().await?;
    let mut held = Vec::new();
    for _ in 0..2 {
        let answer = world.login().await?;
        held.extend([answer.text("access_token"), answer.text("refresh_token")]);
    }
    let before = world.state.store.sessions(None).await?;
    while !choices.is_empty() {
        let mut token = match choices.below(6) {
            0 => stranger.text("access_token"),
            1 => stranger.text("refresh_token"),
            _ => {
                let genuine = &held[choices.below(held.len())];
                String::from_utf8_lossy(&choices.damaged(genuine.as_bytes())).into_owned()
            }
        };
        // Blanks around a bearer are no damage.
        if held.iter().any(|held| held == token.trim()) {
            token.push('x');
        }
        let field = choices.pick(&["token", "refresh_token"]);
        let fields = [("grant_type", "refresh_token"), (field, &token)];
        world.form(choices.pick(FORMS), &fields).await?;
        if let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) {
            let request = Request::post(choices.pick(BEARERS)).header("authorization", bearer);
            world.send(request.body(Body::empty())?).await?;
        }
    }
    ensure!(world.state.store.sessions(None).await? == before, "a forged token changed something");
    Ok(())
}

const FORMS: &[&str] =
    &["/oauth/token", "/oauth/revoke", "/auth/logout", "/auth/logout-everywhere"];
const BEARERS: &[&str] = &["/auth/logout", "/auth/renew", "/auth/logout-everywhere"];
