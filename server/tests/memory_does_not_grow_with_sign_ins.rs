//! Each password is hashed in 19 MiB; there are two such buffers, and never a third.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::thread;

use program::{Server, post};

#[test]
fn two_buffers_serve_any_number_of_sign_ins() {
    let server = Server::start(&["--store", "memory:", "--user", "ann:secret"]);
    for _ in 0..60 {
        server.login();
    }
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let body = r#"{"username":"ann","password":"secret"}"#;
                for _ in 0..5 {
                    let answer = server.send(&post("/auth/login", "json", body));
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                }
            });
        }
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: u32 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 96 * 1_024, "{kibibytes} KiB at the peak");
}
