//! `everfresh-server user add|disable|enable|password|bump-version NAME`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;

use std::io::Write as _;
use std::process::{Output, Stdio};

use program::{Server, command, json, post};
use serde_json::Value;
use stores::postgres::database;
use stores::{Folder, NEVER, Redis};

#[test]
fn over_sqlite() {
    everything(None);
}

#[test]
fn over_postgres() {
    everything(Some(&database()));
}

#[test]
fn over_redis() {
    let redis = Redis::start(NEVER);
    everything(Some(&redis.url()));
}

fn everything(store: Option<&str>) {
    let operator = Operator::of(store);
    assert!(operator.user(&["add", "ann"], "secret\n").unwrap()["id"].is_string());
    let server = Server::start(&operator.arguments());
    let taken = operator.user(&["add", "ann"], "secret\n").unwrap_err();
    assert!(taken.contains("user password"), "{taken}");
    let unknown = operator.user(&["disable", "nobody"], "").unwrap_err();
    assert!(unknown.contains("there is no user \"nobody\""), "{unknown}");

    let tokens = server.login();
    assert_eq!(me(&server, &tokens), 200);
    assert_eq!(operator.user(&["disable", "ann"], "").unwrap()["disabled"], true);
    assert_eq!(me(&server, &tokens), 401, "at once");
    assert_eq!(sign_in(&server, "secret"), 401);
    let left_out = refresh(&server, &tokens);
    assert!(left_out.contains("login_required"), "{left_out}");
    assert_eq!(operator.user(&["enable", "ann"], "").unwrap()["disabled"], false);

    let tokens = server.login();
    operator.user(&["password", "ann"], "another\r\n").unwrap();
    assert_eq!(me(&server, &tokens), 401, "all sessions end");
    assert_eq!((sign_in(&server, "secret"), sign_in(&server, "another")), (401, 200));
    operator.user(&["password", "ann"], "secret").unwrap();

    let tokens = server.login();
    assert_eq!(operator.user(&["bump-version", "ann"], "").unwrap()["version"], 2);
    assert_eq!(me(&server, &tokens), 401);
    let ended = operator.run(&["audit"], "").stdout;
    assert!(String::from_utf8(ended).unwrap().contains("\"detail\":\"version\""));
}

#[test]
fn a_password_is_never_taken_from_the_command_line_and_never_empty() {
    let operator = Operator::of(None);
    let output = operator.run(&["user", "add", "ann", "secret"], "");
    assert!(!output.status.success());
    for nothing in ["", "\n"] {
        let refused = operator.user(&["add", "ann"], nothing).unwrap_err();
        assert!(refused.contains("the password is empty"), "{refused}");
    }
    let memory = operator.run(&["--store", "memory:", "user", "disable", "ann"], "");
    let said = String::from_utf8_lossy(&memory.stderr).into_owned();
    assert!(!memory.status.success() && said.contains("keeps its users to itself"), "{said}");
}

struct Operator {
    folder: Folder,
    store: Option<String>,
}

impl Operator {
    fn of(store: Option<&str>) -> Self {
        Self { folder: Folder::new(), store: store.map(str::to_owned) }
    }

    fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["--data", self.folder.0.to_str().unwrap()];
        arguments.extend(["--issuer", "http://127.0.0.1:1"]);
        if let Some(store) = &self.store {
            arguments.extend(["--store", store]);
        }
        arguments
    }

    fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = command(&[&self.arguments()[..], words].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What it prints, or how it complains.
    fn user(&self, words: &[&str], input: &str) -> Result<Value, String> {
        let output = self.run(&[&["user"], words].concat(), input);
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

fn me(server: &Server, tokens: &Value) -> u16 {
    let access = tokens["access_token"].as_str().unwrap();
    let head = "GET /api/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer";
    status(&server.send(&format!("{head} {access}\r\n\r\n")))
}

fn sign_in(server: &Server, password: &str) -> u16 {
    let body = format!(r#"{{"username":"ann","password":"{password}"}}"#);
    status(&server.send(&post("/auth/login", "json", &body)))
}

fn refresh(server: &Server, tokens: &Value) -> String {
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    let answer = server.send(&post("/oauth/token", "x-www-form-urlencoded", &form));
    json(&answer)["error_code"].to_string()
}

fn status(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}
