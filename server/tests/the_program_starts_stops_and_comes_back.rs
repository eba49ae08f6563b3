//! The binary itself: what it prints, what it refuses, and that a kill costs nobody a session.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output};

use program::{Server, command};

#[test]
fn a_kill_at_any_moment_keeps_every_session() {
    let folder = Folder::new("kill");
    let data = folder.0.to_str().unwrap();
    let issuer = ["--issuer", "http://127.0.0.1:1", "--data", data, "--user", "ann:secret"];
    let mut token = {
        let server = Server::start(&issuer);
        server.login()["refresh_token"].as_str().unwrap().to_owned()
    };
    for round in 0..5 {
        let key = format!("rotation key {round:08}");
        let server = Server::start(&issuer);
        server.control("/faults", r#"{"route":"/oauth/token","kind":"drop-after-commit"}"#);
        assert_eq!(server.refresh(&token, &key), None, "round {round}");
        drop(server);

        let server = Server::start(&issuer);
        let next = server.refresh(&token, &key).unwrap();
        assert_eq!(server.refresh(&token, &key), Some(next.clone()));
        token = next;
    }
}

#[test]
fn files_are_served_and_nothing_outside_of_them() {
    let folder = Folder::new("serve");
    std::fs::write(folder.0.join("secret"), "hidden").unwrap();
    let site = folder.0.join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(site.join("everfresh.wasm"), "\0asm").unwrap();
    let server = Server::start(&["--store", "memory:", "--serve", site.to_str().unwrap()]);
    let get = |path: &str| {
        let answer = server.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        answer.to_ascii_lowercase()
    };
    assert!(get("/").contains("text/html") && get("/").ends_with("<!doctype html>"));
    assert!(get("/everfresh.wasm").contains("content-type: application/wasm"));
    assert!(get("/").contains("script-src 'self' 'wasm-unsafe-eval'"));
    for path in ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "//secret", "/%00", "/nope"] {
        let answer = get(path);
        assert!(
            answer.starts_with("http/1.1 404") && !answer.contains("hidden"),
            "{path} {answer}"
        );
        assert!(answer.ends_with(r#"{"error":"not_found"}"#), "{path} {answer}");
    }
    assert!(get("/healthz").contains("200 ok"));
}

/// As `--serve .` would, in the folder that everything else is in too.
#[cfg(unix)]
#[test]
fn nothing_of_the_server_itself_is_served() {
    let folder = Folder::new("own");
    let site = &folder.0;
    let write = |name: &str| std::fs::write(site.join(name), "hidden").unwrap();
    for name in ["outside", "site", "site/.git", "site/.well-known", "site/private"] {
        std::fs::create_dir(site.join(name)).unwrap();
    }
    for name in [
        "outside/secret",
        "outside/index.html",
        "site/.env",
        "site/.git/config",
        "site/everfresh.toml",
        "site/seal",
        "site/index.html",
        "site/.well-known/security.txt",
    ] {
        write(name);
    }
    let (outside, site) = (site.join("outside"), site.join("site"));
    std::fs::write(site.join("seal"), [7; 32]).unwrap();
    std::fs::write(site.join("everfresh.toml"), "user = [\"ann:secret\"]").unwrap();
    let link = |to: &PathBuf, name: &str| {
        std::os::unix::fs::symlink(to, site.join(name)).unwrap();
    };
    link(&outside.join("secret"), "link");
    link(&outside, "linked");
    link(&site.join(".git"), "dot");
    link(&site.join("index.html"), "same");
    std::os::unix::fs::symlink(outside.join("secret"), site.join("private/index.html")).unwrap();
    let at = |name: &str| site.join(name).to_str().unwrap().to_owned();
    let store = format!("sqlite:{}", at("users.db"));
    let server = Server::start(&[
        "--data",
        &at("data"),
        "--store",
        &store,
        "--serve",
        &at(""),
        "--config",
        &at("everfresh.toml"),
        "--seal-key-file",
        &at("seal"),
    ]);
    assert!(site.join("data/keys.json").exists() && site.join("users.db").exists());
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        server.send(&request)
    };
    for path in [
        "/.env",
        "/.git/config",
        "/%2egit/config",
        "/dot/config",
        "/link",
        "/linked/secret",
        "/linked/",
        "/private/",
        "/data/keys.json",
        "/data%2fkeys.json",
        "/data/../data/keys.json",
        "/users.db",
        "/users.db-wal",
        "/everfresh.toml",
        "/seal",
    ] {
        let answer = get(path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    for path in ["/", "/index.html", "/same", "/.well-known/security.txt"] {
        assert!(get(path).ends_with("hidden"), "{path}");
    }
}

/// The shell takes the place of a full disk: no file may grow beyond so many blocks.
#[cfg(unix)]
#[test]
fn a_server_that_cannot_write_is_not_ready() {
    let folder = Folder::new("full");
    let data = folder.0.to_str().unwrap();
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"";
    limited.args(["-c", script]).arg(Server::PROGRAM);
    let server = Server::start_by(limited, &["--data", data, "--user", "ann:secret"]);
    let ready = || {
        let request = "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        server.send(request)
    };
    assert!(ready().starts_with("HTTP/1.1 200"));
    let answers: Vec<String> = (0..1_000).map(|_| ready()).collect();
    let last = answers.last().unwrap();
    assert!(last.starts_with("HTTP/1.1 503"), "{last}");
    assert!(last.contains("temporarily_unavailable"), "{last}");
}

#[test]
fn a_dropped_answer_is_a_cut_connection() {
    let server = Server::start(&["--store", "memory:"]);
    server.control("/faults", r#"{"route":"/healthz","kind":"drop-before-commit"}"#);
    assert_eq!(server.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"), "");
    let answer = server.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"));
}

#[test]
fn a_mistake_is_named_with_its_remedy() {
    for (arguments, words) in [
        (&["--control", "0.0.0.0:0"][..], "only loopback"),
        (&["--policy", "nope"], "--list-policies"),
        (&["--access-ttl", "5 minutes"], "like 15m"),
        (&["--policy", "endless-deny-list"], "ERR_ENDLESS_DENY_LIST"),
        (&["--policy", "long-access"], "ERR_LONG_ACCESS"),
        (&["--set", "soft_ttl=5m"], "ERR_SOFT_EXPIRY"),
        (&["--set", "colour=red"], "ERR_POLICY_FIELD"),
        (&["--access-ttl", "180d"], "--allow-long-access"),
        (&["--access-ttl", "0"], "at least 1"),
        (&["--idle-ttl", "never", "--absolute-ttl", "never"], "--dangerously-eternal-refresh"),
        (&["--rotation", "loose"], "keyed+grace"),
        (
            &["--store", "mysql:"],
            "memory:, sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, red",
        ),
        (&["--store", "postgres:///x"], "names no host"),
        (&["--store", "postgres://127.0.0.1:1/x"], "the store"),
        (&["--store", "rediss://127.0.0.1:1"], "the store"),
        (&["--store-ca", "ca.pem"], "rediss://"),
        (&["--store", "rediss://127.0.0.1:1", "--store-ca", "/no/such/file"], "No such file"),
        (&["--store", "rediss://127.0.0.1:1", "--store-ca", "Cargo.toml"], "no PEM"),
        (&["--store", "redis://127.0.0.1:1"], "the store"),
        (&["--serve", "/no/such/folder"], "no such folder"),
        (&["--allow-origin", "*"], "https://app.example"),
        (&["--allow-origin", "https://a.example/path"], "https://app.example"),
        (&["--user", "ann"], "NAME:PASSWORD"),
        (&["--leeway", "1h"], "broken clock"),
        (&["--listen", "0.0.0.0:0", "--store", "memory:"], "--issuer"),
        (&["--listen", "[::]:0", "--store", "memory:"], "--issuer"),
        (&["--trusted-proxy", "my-proxy"], "10.0.0.0/8"),
        (&["--max-connections", "0"], "above 0"),
        (&["--client-secret-rate", "10"], "BURST/SECONDS"),
        (&["--data", "src", "--serve", "src/jwt"], "data folder"),
        (&["--listen", "here"], "give an IP address and a port"),
        (&["--config", "/no/such/file"], "No such file"),
        (&["--lisen", "x"], "--listen"),
        (&["--login-rate", "10"], "BURST/SECONDS"),
        (&["--signing", "none"], "EdDSA or HS256"),
        (&["--rotate-keys", "1m"], "an hour or more"),
        (&["--audit", "some"], "all, ends or off"),
    ] {
        let output = run(arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
    let output = run(&[], &[("EVERFRESH_POLIZY", "x")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("polizy") && said.contains("expected one of"), "{said}");
}

#[test]
fn the_strategies_are_listed() {
    let output = run(&["--list-policies"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() == 41 && text.contains("\nsilent-refresh "));
}

#[cfg(unix)]
#[test]
fn keys_and_database_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new("mode");
    let data = folder.0.join("data");
    drop(Server::start(&["--data", data.to_str().unwrap()]));
    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("keys.json")), 0o600);
    assert_eq!(mode(&data.join("everfresh.db")), 0o600);
}

#[cfg(unix)]
#[test]
fn asked_to_stop_it_finishes_what_it_has_begun() {
    let mut server = Server::start(&["--store", "memory:"]);
    let delay = r#"{"route":"/healthz","kind":"delay-before-commit","delay_ms":300}"#;
    server.control("/faults", delay);
    let mut socket = server.connect();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    while !server.control_get("/stats").contains("GET /healthz") {}
    let killed = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn asked_to_stop_it_does_not_wait_for_those_who_listen_to_events() {
    let mut server = Server::start(&["--store", "memory:", "--client", "gateway:key"]);
    let mut socket = server.connect();
    let credentials = "Z2F0ZXdheTprZXk=";
    let request = format!(
        "GET /oauth/events HTTP/1.1\r\nhost: x\r\nauthorization: Basic {credentials}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut heard = String::new();
    let mut bytes = [0; 1_024];
    while !heard.contains(": subscribed") {
        let length = socket.read(&mut bytes).unwrap();
        assert!(length > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    let killed = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    socket.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the stream ends in order: {rest:?}");
    assert!(server.child.wait().unwrap().success());
}

/// On a free port, unless it is told another.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = command(arguments);
    command.env("EVERFRESH_LISTEN", "127.0.0.1:0");
    command.envs(environment.iter().copied()).output().unwrap()
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("everfresh-program-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
