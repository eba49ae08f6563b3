//! Any number of server processes over one Redis, or one database of Postgres, are one server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;

use std::collections::HashSet;
use std::thread;

use program::{Server, command, json, post};
use stores::postgres::{database, shared};
use stores::{ALWAYS, Folder, Redis};

fn of_64_refreshes_at_once_over_both_one_advances_and_all_get_the_same(shared: &Shared) {
    let (_folders, servers) = two(shared);
    let mut token = servers[0].login()["refresh_token"].as_str().unwrap().to_owned();
    for round in 0_u64..5 {
        let key = format!("rotation key {round:08}");
        let answers: HashSet<Option<String>> = thread::scope(|scope| {
            let requests: Vec<_> = (0..64)
                .map(|number| {
                    let (server, token, key) = (&servers[number % 2], &token, &key);
                    scope.spawn(move || server.refresh(token, key))
                })
                .collect();
            requests.into_iter().map(|request| request.join().unwrap()).collect()
        });
        assert_eq!(answers.len(), 1, "{answers:?}");
        let counts = |rule| servers.iter().map(|server| server.count(rule)).sum::<u64>();
        assert_eq!((counts("T5"), counts("T6")), (round + 1, 63 * (round + 1)));
        token = answers.into_iter().next().unwrap().unwrap();
    }
}

fn of_64_refreshes_at_once_with_different_keys_one_advances_and_the_family_dies(shared: &Shared) {
    let (_folders, servers) = two(shared);
    let token = servers[0].login()["refresh_token"].as_str().unwrap().to_owned();
    thread::scope(|scope| {
        for number in 0..64 {
            let (server, token) = (&servers[number % 2], &token);
            scope.spawn(move || {
                let form = format!(
                    "grant_type=refresh_token&refresh_token={token}&rotation_key=a+key+of+its+own+{number}"
                );
                server.send(&post("/oauth/token", "x-www-form-urlencoded", &form))
            });
        }
    });
    let counts = |rule| servers.iter().map(|server| server.count(rule)).sum::<u64>();
    assert_eq!((counts("T5"), counts("T9"), counts("T1")), (1, 1, 62));
}

fn what_one_signs_the_other_verifies_and_what_one_ends_is_over_for_both(shared: &Shared) {
    let (_folders, servers) = two(shared);
    let tokens = servers[0].login();
    let access = tokens["access_token"].as_str().unwrap();
    let me = |server: &Server| {
        let request = format!(
            "GET /api/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {access}\r\n\r\n"
        );
        server.send(&request)[9..12].to_owned()
    };
    assert_eq!((me(&servers[0]), me(&servers[1])), ("200".to_owned(), "200".to_owned()));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = format!("token={refresh}");
    let revoked = servers[1].send(&post("/oauth/revoke", "x-www-form-urlencoded", &form));
    assert!(revoked.starts_with("HTTP/1.1 200"), "{revoked}");
    assert_eq!((me(&servers[0]), me(&servers[1])), ("401".to_owned(), "401".to_owned()));
}

fn a_new_signing_key_of_one_is_known_to_the_other(shared: &Shared) {
    let (_folders, servers) = two(shared);
    servers[0].control("/keys/rotate", r#"{"now":true}"#);
    let keys = || servers.each_ref().map(published);
    assert_eq!(keys()[0].len(), 2);
    while keys()[0] != keys()[1] {}
    let both = [servers[0].login(), servers[1].login()];
    assert!(both.iter().all(|tokens| tokens["access_token"].is_string()));
}

fn sealed_keys_are_shared_by_those_who_have_the_seal(shared: &Shared) {
    let folder = Folder::new();
    let seal = folder.0.join("seal");
    std::fs::write(&seal, [b'x'; 32]).unwrap();
    let (store, data) = (shared.url(), folder.0.to_str().unwrap());
    let seal = ["--seal-key-file", seal.to_str().unwrap()];
    let arguments = [&["--store", &store, "--data", data][..], &seal].concat();
    let servers = [Server::start(&arguments), Server::start(&arguments)];
    assert_eq!(published(&servers[0]), published(&servers[1]));
    assert!(shared.keyring().contains("sealed"));

    let without = command(&["--store", &store, "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8_lossy(&without.stderr);
    assert!(!without.status.success() && said.contains("seal"), "{said}");
}

fn the_keys_in_the_store_are_changed_by_commands_too(shared: &Shared) {
    let (folders, servers) = two(shared);
    let before = published(&servers[0]);
    let (store, data) = (shared.url(), folders[0].0.to_str().unwrap());
    let keys = |words: &[&str]| {
        let arguments = [&["--store", &store, "--data", data, "keys"][..], words].concat();
        let output = command(&arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!((keys(&["rotate"]), keys(&["list"])), (2, 2));
    while servers.iter().any(|server| published(server).len() != 2) {}
    // It was the one that signs, so a fresh one takes its place.
    assert_eq!(keys(&["drop", &before[0]]), 2);
    while servers.iter().any(|server| published(server).contains(&before[0])) {}
}

fn an_emptied_store_gets_its_keys_back_from_those_who_run(shared: &Shared) {
    let (_folders, servers) = two(shared);
    let before = published(&servers[0]);
    // Each has looked at the keys when it has a later one.
    servers[0].control("/keys/rotate", "{}");
    while published(&servers[1]) == before {}
    shared.empty();
    while shared.keyring().is_empty() {}
    assert!(shared.keyring().contains("pepper"));
    assert_eq!(published(&servers[0]), published(&servers[1]));
}

/// The store is emptied while one server stands still, and another starts in it before the first can
/// put its keys back: two servers with two peppers. The older one must not go on as if nothing had
/// happened.
fn a_server_that_finds_the_keys_of_another_refuses_everything_until_it_is_restarted(
    shared: &Shared,
) {
    let (store, folder) = (shared.url(), Folder::new());
    let issuer = ["--issuer", "http://127.0.0.1:1", "--user", "ann:secret"];
    let data = ["--store", &store, "--data", folder.0.to_str().unwrap()];
    let start = || Server::start(&[data, issuer].concat());
    let older = start();
    let tokens = older.login();
    assert_eq!(readiness(&older), 200);

    older.signal("-STOP");
    shared.empty();
    let newer = start();
    older.signal("-CONT");
    while readiness(&older) == 200 {}
    assert_eq!((readiness(&older), readiness(&newer)), (503, 200));
    let login = post("/auth/login", "json", r#"{"username":"ann","password":"secret"}"#);
    assert!(older.send(&login).contains("temporarily_unavailable"));
    let access = tokens["access_token"].as_str().unwrap();
    let head = format!("GET /api/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {access}\r\n");
    let me = older.send(&format!("{head}connection: close\r\n\r\n"));
    assert!(me.starts_with("HTTP/1.1 503"), "{me}");

    drop(older);
    let older = start();
    assert_eq!(published(&older), published(&newer));
    let token = newer.login()["refresh_token"].as_str().unwrap().to_owned();
    assert!(older.refresh(&token, "a-random-rotation-key").is_some());
}

fn readiness(server: &Server) -> u16 {
    let request = "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    server.send(request)[9..12].parse().unwrap()
}

fn published(server: &Server) -> Vec<String> {
    let request = "GET /.well-known/jwks.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let jwks = json(&server.send(request));
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn two(shared: &Shared) -> ([Folder; 2], [Server; 2]) {
    let (store, folders) = (shared.url(), [Folder::new(), Folder::new()]);
    let servers = folders.each_ref().map(|folder| {
        let data = folder.0.to_str().unwrap();
        let issuer = ["--issuer", "http://127.0.0.1:1", "--user", "ann:secret"];
        Server::start(&[&["--store", &store, "--data", data][..], &issuer].concat())
    });
    (folders, servers)
}

/// What two servers share.
enum Shared {
    Redis(Redis),
    /// A database, by its address.
    Postgres(String),
}

impl Shared {
    fn redis() -> Self {
        Self::Redis(Redis::start(ALWAYS))
    }

    fn postgres() -> Self {
        Self::Postgres(database())
    }

    fn url(&self) -> String {
        match self {
            Self::Redis(redis) => redis.url(),
            Self::Postgres(url) => url.clone(),
        }
    }

    fn keyring(&self) -> String {
        match self {
            Self::Redis(redis) => redis.say(&["GET", "{everfresh}:keyring"]),
            Self::Postgres(_) => {
                self.sql("SELECT convert_from(content, 'UTF8') FROM everfresh.keyring")
            }
        }
    }

    fn empty(&self) {
        match self {
            Self::Redis(redis) => redis.say(&["FLUSHALL"]),
            Self::Postgres(_) => self.sql(
                "TRUNCATE everfresh.users, everfresh.sessions, everfresh.notes, \
                 everfresh.keyring",
            ),
        };
    }

    fn sql(&self, sql: &str) -> String {
        let Self::Postgres(url) = self else { panic!("not on Postgres") };
        shared().say(url, sql)
    }
}

/// Each promise, over each store.
macro_rules! kept {
    ($($promise:ident)*) => {
        mod over_redis {
            $(#[test]
            fn $promise() {
                super::$promise(&super::Shared::redis());
            })*
        }

        mod over_postgres {
            $(#[test]
            fn $promise() {
                super::$promise(&super::Shared::postgres());
            })*
        }
    };
}

kept! {
    of_64_refreshes_at_once_over_both_one_advances_and_all_get_the_same
    of_64_refreshes_at_once_with_different_keys_one_advances_and_the_family_dies
    what_one_signs_the_other_verifies_and_what_one_ends_is_over_for_both
    a_new_signing_key_of_one_is_known_to_the_other
    sealed_keys_are_shared_by_those_who_have_the_seal
    the_keys_in_the_store_are_changed_by_commands_too
    an_emptied_store_gets_its_keys_back_from_those_who_run
    a_server_that_finds_the_keys_of_another_refuses_everything_until_it_is_restarted
}
