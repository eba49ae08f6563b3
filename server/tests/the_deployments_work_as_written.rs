//! The files of `server/examples/deploy`, run as they stand but for ports, paths and certificates.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use program::{Server, exchange, json};
use serde_json::json as value;
use stores::Folder;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/deploy");

/// A proxy before a server in cookie mode, as the files say; gone with the test.
struct Proxy {
    child: Child,
    address: String,
    server: Server,
    _folder: Folder,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    /// `configure` writes the files for a port and says how to start the proxy, which tells with a
    /// line like `ready` that it listens.
    fn before_a_server(ready: &str, configure: fn(&Folder, u16, &Server) -> Command) -> Self {
        let server = Server::start(&[
            "--store",
            "memory:",
            "--cookie",
            "--trusted-proxy",
            "127.0.0.1",
            "--issuer",
            "https://auth.example.com",
            "--user",
            "ann:secret",
            "--limits",
            "on",
        ]);
        let folder = Folder::new();
        // Between choosing a port and taking it, another program may be faster.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut command = configure(&folder, port, &server);
            let program = command.get_program().to_owned();
            let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
            let mut child = started.unwrap_or_else(|error| missing(&program, &error.to_string()));
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            if lines.by_ref().map_while(Result::ok).any(|line| line.contains(ready)) {
                // What it says further must not fill the pipe.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                let address = format!("127.0.0.1:{port}");
                return Self { child, address, server, _folder: folder };
            }
            let _ = child.wait();
        }
        panic!("the proxy starts on no port");
    }

    /// Posts JSON as a client of this address, as another balancer in front would have it.
    fn post(&self, path: &str, client: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        exchange(
            &self.address,
            &format!(
                "POST {path} HTTP/1.1\r\nhost: auth.example.com\r\nconnection: close\r\n\
                 x-forwarded-for: {client}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n{headers}\r\n{body}"
            ),
        )
    }

    fn sign_in(&self, client: &str, headers: &str, password: &str) -> String {
        let body = value!({ "username": "ann", "password": password }).to_string();
        self.post("/auth/login", client, headers, &body)
    }

    fn keeps_its_promises(&self) {
        let answer = self.sign_in("203.0.113.1", "", "secret");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let cookie = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie:"));
        let cookie = cookie.and_then(|line| line.split([' ', ';']).nth(1)).unwrap().to_owned();
        assert!(cookie.starts_with("__Host-everfresh="), "{cookie}");

        let refresh = |origin: &str| {
            let headers = format!("x-everfresh: 1\r\ncookie: {cookie}\r\norigin: {origin}\r\n");
            self.post("/auth/refresh", "203.0.113.1", &headers, "")
        };
        let foreign = refresh("https://evil.example");
        assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
        let own = refresh("https://auth.example.com");
        assert!(own.starts_with("HTTP/1.1 200"), "{own}");
        assert!(json(&own.replace("transfer-encoding", ""))["access_token"].is_string());

        // An attacker who guesses from one address locks no other client out, and cannot name another one.
        for number in 0..12 {
            let named = format!("forwarded: for=198.51.100.{number}\r\n");
            self.sign_in("203.0.113.2", &named, "guess");
        }
        let locked = self.sign_in("203.0.113.2", "forwarded: for=198.51.100.99\r\n", "secret");
        assert!(locked.starts_with("HTTP/1.1 429"), "{locked}");
        for headers in ["", "forwarded: for=198.51.100.99\r\n"] {
            let other = self.sign_in("203.0.113.3", headers, "secret");
            assert!(other.starts_with("HTTP/1.1 200"), "{other}");
        }

        let request =
            "GET /metrics HTTP/1.1\r\nhost: auth.example.com\r\nconnection: close\r\n\r\n";
        let metrics = exchange(&self.address, request);
        assert!(metrics.starts_with("HTTP/1.1 404"), "{metrics}");
        assert!(self.server.send(request).starts_with("HTTP/1.1 200"));
    }
}

fn missing(program: &OsString, error: &str) -> ! {
    let program = program.display();
    panic!("{program}: {error}; `cargo xtask test` fetches it, or name one with NGINX or CADDY")
}

/// The program that the environment names, or the one on the PATH.
fn program(variable: &str, name: &str) -> Command {
    Command::new(env::var_os(variable).unwrap_or_else(|| name.into()))
}

fn written(name: &str) -> String {
    fs::read_to_string(Path::new(DEPLOY).join(name)).unwrap()
}

/// `text` with `old`, which is there once, replaced.
fn with(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
    text.replace(old, new)
}

#[test]
fn nginx_tells_clients_apart_and_keeps_the_cookie_rules() {
    let configure = |folder: &Folder, port: u16, server: &Server| {
        let mut site =
            with(&written("nginx.conf"), "listen 443 ssl", &format!("listen 127.0.0.1:{port}"));
        site = with(&site, "127.0.0.1:8080", &server.address);
        let lines = site.lines().filter(|line| !line.contains("ssl_certificate"));
        let site: String = lines.map(|line| format!("{line}\n")).collect();
        let here = folder.0.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
            .collect();
        let user = if is_root() { "user root;\n" } else { "" };
        let whole = format!(
            "daemon off;\n{user}pid {here}/pid;\nerror_log stderr notice;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{site}}}\n"
        );
        let file = folder.0.join("nginx.conf");
        fs::write(&file, whole).unwrap();
        let mut nginx = program("NGINX", "nginx");
        nginx.arg("-p").arg(&folder.0).arg("-e").arg("stderr").arg("-c").arg(file);
        nginx
    };
    Proxy::before_a_server("start worker process ", configure).keeps_its_promises();
}

#[test]
fn caddy_tells_clients_apart_and_keeps_the_cookie_rules() {
    let configure = |folder: &Folder, port: u16, server: &Server| {
        let here = format!("http://auth.example.com:{port} {{\n\tbind 127.0.0.1");
        let site = with(&written("Caddyfile"), "\nauth.example.com {", &format!("\n{here}"));
        // The other balancer in front, which `post` plays, is on this machine.
        let trusted = format!("{} {{\n\t\ttrusted_proxies 127.0.0.1/32", server.address);
        let site = with(&site, "127.0.0.1:8080 {", &trusted);
        let file = folder.0.join("Caddyfile");
        fs::write(&file, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}")).unwrap();
        let mut caddy = program("CADDY", "caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            caddy.env(variable, &folder.0);
        }
        caddy
    };
    Proxy::before_a_server("serving initial configuration", configure).keeps_its_promises();
}

#[test]
fn systemd_takes_the_unit() {
    let folder = Folder::new();
    let unit =
        with(&written("everfresh.service"), "/usr/local/bin/everfresh-server", Server::PROGRAM);
    let file = folder.0.join("everfresh.service");
    fs::write(&file, unit).unwrap();
    let verified = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours = said.lines().filter(|line| line.contains("everfresh.service"));
    assert!(verified.status.success() && ours.count() == 0, "{said}");
}

#[test]
fn the_container_starts_what_was_built_and_needs_the_issuer() {
    let text = written("Containerfile");
    assert!(text.contains("--manifest-path /src/server/Cargo.toml --target-dir /out"));
    assert!(text.contains("/out/release/everfresh-server /usr/local/bin/"));
    let entry = text.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).unwrap();
    let entry: Vec<String> = serde_json::from_str(entry).unwrap();
    let folder = Folder::new();
    let data = folder.0.display().to_string();
    let arguments: Vec<&str> = entry[1..]
        .iter()
        .map(|argument| match argument.as_str() {
            "/data" => data.as_str(),
            "0.0.0.0:8080" => "0.0.0.0:0",
            other => other,
        })
        .collect();
    let refused = Command::new(Server::PROGRAM).args(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("--issuer"), "{said}");

    let mut container = Command::new(Server::PROGRAM);
    container.env("EVERFRESH_ISSUER", "https://auth.example.com");
    // The last --listen counts: the test's own, on a free port.
    let server = Server::start_by(container, &arguments[..arguments.len() - 2]);
    let request = "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(json(&server.send(request))["issuer"], "https://auth.example.com");
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output().unwrap();
    user.stdout.starts_with(b"0\n")
}
