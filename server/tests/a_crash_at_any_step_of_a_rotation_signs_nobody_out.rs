//! The real program dies at each step of a rotation, over each store that outlives it. Whoever
//! comes back with the same token and key is let in again, and the family has moved on once.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;

use std::os::unix::process::ExitStatusExt as _;

use program::{Server, json};
use stores::postgres::{DURABLE, Postgres};
use stores::{ALWAYS, Folder, Redis};

/// When the process dies, and which rule decides about the retry.
const STEPS: [(&str, &str); 4] = [
    ("drop-before-commit", "T5"),
    ("crash-before-commit", "T5"),
    ("crash-after-commit", "T6"),
    ("crash-before-answer", "T6"),
];

#[test]
fn over_sqlite() {
    let folder = Folder::new();
    let data = folder.0.to_str().unwrap();
    die_at_every_step(&["--data", data], &mut || ());
}

#[test]
fn over_redis_that_lives_on() {
    let (redis, folder) = (Redis::start(ALWAYS), Folder::new());
    let (store, data) = (redis.url(), folder.0.to_str().unwrap());
    die_at_every_step(&["--store", &store, "--data", data], &mut || ());
}

#[test]
fn over_redis_that_dies_too() {
    let (mut redis, folder) = (Redis::start(ALWAYS), Folder::new());
    let (store, data) = (redis.url(), folder.0.to_str().unwrap());
    die_at_every_step(&["--store", &store, "--data", data], &mut || redis.restart());
}

#[test]
fn over_postgres_that_lives_on() {
    let (postgres, folder) = (Postgres::start(DURABLE), Folder::new());
    let (store, data) = (postgres.database(), folder.0.to_str().unwrap());
    die_at_every_step(&["--store", &store, "--data", data], &mut || ());
}

#[test]
fn over_postgres_that_dies_too() {
    let (mut postgres, folder) = (Postgres::start(DURABLE), Folder::new());
    let (store, data) = (postgres.database(), folder.0.to_str().unwrap());
    die_at_every_step(&["--store", &store, "--data", data], &mut || postgres.restart());
}

fn die_at_every_step(arguments: &[&str], and_besides: &mut dyn FnMut()) {
    let settings = ["--issuer", "http://127.0.0.1:1", "--user", "ann:secret"];
    let arguments = [arguments, &settings].concat();
    let server = Server::start(&arguments);
    let mut token = server.login()["refresh_token"].as_str().unwrap().to_owned();
    drop(server);

    for (moves, (step, rule)) in (1..).zip([STEPS, STEPS].concat()) {
        let key = format!("rotation key {moves:08}");
        let server = Server::start(&arguments);
        server.control("/faults", &format!(r#"{{"route":"/oauth/token","kind":"{step}"}}"#));
        assert_eq!(server.refresh(&token, &key), None, "{step}");
        if step.starts_with("crash") {
            assert_eq!(server.died().signal(), Some(SIGABRT), "{step}: it should have died");
        } else {
            drop(server);
        }
        and_besides();

        let server = Server::start(&arguments);
        let next = server.refresh(&token, &key).unwrap();
        assert_eq!(server.count(rule), 1, "{step}");
        // And once more: killed after the answer was sent and before it was taken in.
        drop(server);
        and_besides();
        let server = Server::start(&arguments);
        assert_eq!(server.refresh(&token, &key), Some(next.clone()), "{step}");
        let sessions = json(&server.control_get("/sessions"));
        assert_eq!(sessions["sessions"][0]["generation"], moves, "{step}");
        assert_eq!(sessions["sessions"][0]["status"], "active", "{step}");
        token = next;
    }
}

const SIGABRT: i32 = 6;
