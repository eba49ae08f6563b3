//! The server as a program of its own, which can be killed.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    control: String,
}

impl Server {
    pub(crate) const PROGRAM: &'static str = env!("CARGO_BIN_EXE_everfresh-server");

    /// On free ports, with the switchboard open.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_by(Command::new(Self::PROGRAM), arguments)
    }

    /// The same by a command that takes the arguments on.
    pub(crate) fn start_by(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let address = line("listening on http://");
        let control = line("control on http://");
        Self { child, address, control }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends a request; a cut connection is an empty answer.
    pub(crate) fn send(&self, request: &str) -> String {
        exchange(&self.address, request)
    }

    pub(crate) fn control(&self, path: &str, body: &str) {
        let answer = exchange(&self.control, &post(path, "json", body));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn control_get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        exchange(&self.control, &request)
    }

    /// How many refreshes a rule has decided in this process.
    pub(crate) fn count(&self, transition: &str) -> u64 {
        json(&self.control_get("/stats"))["refreshes"][transition].as_u64().unwrap()
    }

    pub(crate) fn login(&self) -> Value {
        let body = r#"{"username":"ann","password":"secret"}"#;
        json(&self.send(&post("/auth/login", "json", body)))
    }

    pub(crate) fn refresh(&self, token: &str, key: &str) -> Option<String> {
        let key = key.replace(' ', "+");
        let form = format!("grant_type=refresh_token&refresh_token={token}&rotation_key={key}");
        let answer = self.send(&post("/oauth/token", "x-www-form-urlencoded", &form));
        if answer.is_empty() {
            return None;
        }
        Some(json(&answer)["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).into())
    }

    /// Stops it where it stands, or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has died by itself.
    pub(crate) fn died(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// By SIGKILL, so that every test that uses it twice is a crash test.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn exchange(address: &str, request: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn post(path: &str, kind: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/{kind}\
         \r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn json(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap()
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(Server::PROGRAM);
    command.args(arguments);
    command
}
