//! Signing keys: shared by processes, dropped when they leak, sealed, and never told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;
mod world;

use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everfresh_server::jwt::{Algorithm, KeyError, Keyring, Seal};
use hmac::{Hmac, KeyInit, Mac};
use program::Server;
use serde_json::{Value, json};
use sha2::Sha256;
use stores::Folder;
use world::{KEY, NOON_SECONDS, World, claims, refused};

#[tokio::test]
async fn what_a_dropped_key_signed_is_refused_at_once_and_nobody_is_signed_out() {
    let world = World::new().await;
    let tokens = world.login("ann").await;
    let kid = header(&tokens.access)["kid"].as_str().unwrap().to_owned();
    refused(&world.control("/keys/drop", json!({ "kid": "x" })).await, 404, "not_found", "");
    let keys = world.control("/keys/drop", json!({ "kid": kid })).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_ne!(keys["keys"][0]["kid"], kid.as_str());
    refused(&world.me(&tokens.access).await, 401, "invalid_token", "");
    let next = world.refresh(&tokens.refresh, Some(KEY)).await.tokens();
    assert_eq!(world.me(&next.access).await.status, 200);
}

#[tokio::test]
async fn hs256_is_signed_and_verified_when_asked_for_and_its_key_is_not_published() {
    let world = World::new().await;
    let public = world.state.issuer.keys.jwks(NOON_SECONDS)["keys"][0].clone();
    let ours = world.login("ann").await.access;
    refused(&world.me(&confused(&ours, &public)).await, 401, "invalid_token", "");

    world.state.issuer.keys.sign_with(Algorithm::Hs256, NOON_SECONDS, 300).unwrap();
    let shared = world.login("ann").await.access;
    assert_eq!(header(&shared)["alg"], "HS256");
    assert_eq!(world.me(&shared).await.status, 200);
    assert_eq!(world.me(&ours).await.status, 200, "the overlap");
    assert_eq!(world.state.issuer.keys.jwks(NOON_SECONDS)["keys"], json!([public]));
}

#[test]
fn processes_that_share_the_file_share_the_keys() {
    let folder = Folder::new();
    let file = folder.0.join("keys.json");
    let (first, fresh) = Keyring::open(&file).unwrap();
    let (second, found) = Keyring::open(&file).unwrap();
    assert!(fresh && !found && !first.reload().unwrap());
    second.rotate(100, true, 300).unwrap();
    assert!(first.reload().unwrap() && !first.reload().unwrap());
    assert_eq!(first.list(100), second.list(100));
    second.rotate(200, true, 300).unwrap();
    first.rotate(300, true, 300).unwrap();
    assert_eq!(first.list(300).len(), 4, "a change builds on what the other has written");
    assert!(second.reload().unwrap());

    std::fs::write(folder.0.join("other"), b"x").unwrap();
    std::fs::rename(folder.0.join("other"), &file).unwrap();
    assert!(matches!(first.reload(), Err(KeyError::Unreadable)));
    assert_eq!(first.list(300).len(), 4, "what cannot be read changes nothing");
}

#[test]
fn a_sealed_file_says_nothing_without_its_key() {
    let folder = Folder::new();
    let file = folder.0.join("keys.json");
    let (open, _) = Keyring::open(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("seed") && text.contains("pepper"));

    let seal = || Some(Seal::from_bytes(&[5; 32]).unwrap());
    let (sealed, fresh) = Keyring::open_sealed(&file, seal()).unwrap();
    assert!(!fresh && sealed.list(0) == open.list(0));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("seed") && !text.contains("pepper"), "sealed in passing");
    sealed.rotate(100, true, 300).unwrap();
    let (again, _) = Keyring::open_sealed(&file, seal()).unwrap();
    assert_eq!(again.list(100), sealed.list(100));

    assert!(matches!(Keyring::open(&file), Err(KeyError::IsSealed)));
    let other = Some(Seal::from_bytes(&[6; 32]).unwrap());
    assert!(matches!(Keyring::open_sealed(&file, other), Err(KeyError::WrongSeal)));
}

#[test]
fn the_program_lists_rotates_and_drops() {
    let folder = Folder::new();
    let data = folder.0.join("data");
    let run = |arguments: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everfresh-server"));
        command.arg("--data").arg(&data).args(arguments).output().unwrap()
    };
    let keys = |arguments: &[&str]| -> Vec<Value> {
        let output = run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    drop(Server::start(&["--data", data.to_str().unwrap()]));
    let first = keys(&["keys", "list"]);
    assert_eq!((first.len(), &first[0]["signs"]), (1, &json!(true)));
    let both = keys(&["keys", "rotate"]);
    assert_eq!((&both[0]["signs"], &both[1]["signs"]), (&json!(true), &json!(false)));
    let left = keys(&["keys", "drop", first[0]["kid"].as_str().unwrap()]);
    assert!(left.iter().all(|key| key["kid"] != first[0]["kid"]));
    assert_eq!(left.iter().filter(|key| key["signs"] == true).count(), 1);

    // One name in 64 begins with a hyphen, and is no option for that.
    for unknown in ["nonsense", "-Cnonsense", "--nonsense"] {
        let output = run(&["keys", "drop", unknown]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("keys list"), "{said}");
    }
    let output = run(&["--seal-key-file", "/no/such/file", "keys", "list"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("/no/such/file"), "{said}");
    assert!(run(&["audit"]).stdout.is_empty());
}

/// An operator who only looks need not know how the server is started.
#[test]
fn looking_changes_nothing() {
    let folder = Folder::new();
    let data = folder.0.join("data");
    let run = |arguments: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everfresh-server"));
        command.arg("--data").arg(&data).args(arguments).output().unwrap()
    };
    for command in [&["keys", "list"][..], &["keys", "rotate"], &["audit"]] {
        let output = run(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("--data"), "{said}");
        assert!(!data.exists(), "{command:?} has made a folder");
    }
    drop(Server::start(&["--data", data.to_str().unwrap(), "--signing", "HS256"]));
    let kept = || {
        let keys = std::fs::read(data.join("keys.json")).unwrap();
        (keys, std::fs::read(data.join("everfresh.db")).unwrap())
    };
    let before = kept();
    let seal = folder.0.join("seal");
    std::fs::write(&seal, [7; 32]).unwrap();
    let seal = seal.to_str().unwrap();
    for command in [&["keys", "list"][..], &["audit"], &["--seal-key-file", seal, "keys", "list"]] {
        let output = run(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(kept(), before, "{command:?}");
    }
    let rotated = String::from_utf8(run(&["keys", "rotate"]).stdout).unwrap();
    assert_eq!(rotated.matches("HS256").count(), 2, "{rotated}");
}

/// The classic: HMAC with the public key, which the server does know.
fn confused(token: &str, public: &Value) -> String {
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    let mut header = header(token);
    header["alg"] = json!("HS256");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims(token)));
    let mut mac = Hmac::<Sha256>::new_from_slice(&x).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}
