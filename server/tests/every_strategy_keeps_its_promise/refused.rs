//! Strategies that the server refuses, or only takes when told to.

use everfresh_server::config::{Layer, Settings};

use super::*;

#[tokio::test]
async fn s19_endless_deny_list_is_refused_by_name() {
    let endless = "idle_ttl = \"never\"\nabsolute_ttl = \"never\"";
    for settings in [
        "policy = \"endless-deny-list\"".to_owned(),
        "policy = \"endless-deny-list\"\ndangerously_eternal_refresh = true".to_owned(),
        format!("policy = \"deny-listable-refresh\"\n{endless}"),
        format!("set = [\"revocation=jti_deny\"]\ndangerously_eternal_refresh = true\n{endless}"),
    ] {
        let error = resolve(&settings).unwrap_err();
        assert!(error.contains("ERR_ENDLESS_DENY_LIST"), "{settings}: {error}");
    }
    assert!(resolve("policy = \"endless-deny-list\"\nidle_ttl = \"30d\"").is_ok());
    let error = resolve(&format!("policy = \"device-tokens\"\n{endless}")).unwrap_err();
    assert!(error.contains("ERR_ENDLESS_SESSION"), "{error}");
    let insisting = format!("dangerously_eternal_refresh = true\n{endless}");
    assert!(resolve(&insisting).is_ok());
}

#[tokio::test]
async fn s31_long_access_needs_insistence() {
    for settings in ["policy = \"long-access\"", "access_ttl = \"180d\"", "access_ttl = \"8d\""] {
        let error = resolve(settings).unwrap_err();
        assert!(error.contains("ERR_LONG_ACCESS"), "{settings}: {error}");
    }
    assert!(resolve("access_ttl = \"7d\"").is_ok());

    let world = under("long-access", "allow_long_access = true").await;
    let tokens = world.login("ann").await;
    world.advance(180 * DAY - 1);
    assert_eq!(world.me(&tokens.access).await.status, 200);
    world.advance(1);
    unauthorized(&world.me(&tokens.access).await);
}

#[tokio::test]
async fn s13_soft_expiry_has_to_come_before_the_hard_one() {
    for settings in [
        "policy = \"soft-expiry\"\nset = [\"soft_ttl=30m\"]",
        "policy = \"soft-expiry\"\naccess_ttl = 300",
    ] {
        let error = resolve(settings).unwrap_err();
        assert!(error.contains("ERR_SOFT_EXPIRY"), "{settings}: {error}");
    }
    let error = resolve("set = [\"no_such=1\"]").unwrap_err();
    assert!(error.contains("ERR_POLICY_FIELD"), "{error}");
}

fn resolve(toml: &str) -> Result<Settings, String> {
    Settings::resolve(Layer::from_toml(toml).unwrap()).map_err(|error| error.to_string())
}
