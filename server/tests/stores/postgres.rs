//! A Postgres of our own: its own folder, its own socket and no port, gone with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server and its files.
pub(crate) struct Postgres {
    child: Option<Child>,
    options: Vec<String>,
    port: u16,
    pub(crate) folder: PathBuf,
    /// Stops the server and removes its files when the other end of this pipe is closed, however
    /// this process ends.
    watchdog: (Child, Option<ChildStdin>),
}

/// What is answered survives a kill of Postgres. A power cut is not what the tests are about, and
/// without it the operating system keeps what was written.
pub(crate) const DURABLE: &[&str] = &["fsync=off"];
/// For tests that are not about what survives.
pub(crate) const FAST: &[&str] = &["fsync=off", "full_page_writes=off", "synchronous_commit=off"];

/// A fresh database in the shared server.
pub(crate) fn database() -> String {
    shared().database()
}

/// A server that the tests of this program share.
pub(crate) fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| Postgres::start(FAST))
}

impl Postgres {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut postgres = Self::prepared();
        postgres.options = options.iter().map(|&option| option.to_owned()).collect();
        postgres.restart();
        postgres
    }

    /// One that a network reaches too, at the address of [`Postgres::url_over_tcp`]: over TLS, if
    /// there is a certificate and its key in PEM.
    pub(crate) fn start_over_tcp(tls: Option<(&str, &str)>) -> Self {
        let mut postgres = Self::prepared();
        let mut settings: Vec<String> = FAST.iter().map(|&option| option.to_owned()).collect();
        settings.push("listen_addresses=127.0.0.1".to_owned());
        if let Some((certificate, key)) = tls {
            settings.push("ssl=on".to_owned());
            for (setting, pem) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
                let mut write = as_owner("sh");
                let file = postgres.folder.join(setting);
                settings.push(format!("{setting}={}", file.display()));
                write.args(["-c", r#"umask 077; printf %s "$1" >"$0""#]).arg(file).arg(pem);
                run(&mut write);
            }
        }
        // Between choosing a port and taking it, another program may be faster.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            postgres.options = settings.clone();
            postgres.options.push(format!("port={port}"));
            postgres.port = port;
            if postgres.launch().is_ok() {
                return postgres;
            }
        }
        panic!("postgres starts on no port");
    }

    fn prepared() -> Self {
        let folder = run(as_owner("mktemp").args(["-d", "--suffix=-everfresh-test"]));
        let folder = PathBuf::from(folder);
        let mut init = as_owner(tool("initdb"));
        init.args(["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust"]);
        run(init.args(["--username=postgres", "-D"]).arg(folder.join("data")));
        let mut watch = as_owner("sh");
        let mut watch =
            watch.args(["-c", WATCH]).arg(&folder).stdin(Stdio::piped()).spawn().unwrap();
        let pipe = watch.stdin.take();
        let (options, port) = (Vec::new(), 5432);
        Self { child: None, options, port, folder, watchdog: (watch, pipe) }
    }

    /// The address of a fresh database.
    pub(crate) fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.say("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// The same database over the network.
    pub(crate) fn url_over_tcp(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// At once and without tidying up, as in a crash.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            run(Command::new("kill").args(["-QUIT", &child.id().to_string()]));
            child.wait().unwrap();
        }
    }

    /// Again, on the same socket and in the same folder.
    pub(crate) fn restart(&mut self) {
        self.kill();
        if let Err(said) = self.launch() {
            panic!("postgres does not start:\n{said}");
        }
    }

    /// The server stands still until it is told to go on; connections stay as they are.
    pub(crate) fn signal(&self, signal: &str) {
        let postmaster = self.child.as_ref().unwrap().id().to_string();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let mut all = vec![postmaster];
        let children = std::fs::read_to_string(children).unwrap();
        all.extend(children.split_whitespace().map(str::to_owned));
        run(Command::new("kill").arg(signal).args(all));
    }

    /// Starts it and waits until it says that it is ready; otherwise gives what it says.
    fn launch(&mut self) -> Result<(), String> {
        let mut command = as_owner(tool("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        for option in ["listen_addresses=", "max_connections=200"] {
            command.args(["-c", option]);
        }
        for option in &self.options {
            command.args(["-c", option]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut lines, mut said) = (lines.map_while(Result::ok), String::new());
        let ready = lines.any(|line| {
            said.push_str(&line);
            said.push('\n');
            line.contains("ready to accept connections")
        });
        if !ready {
            let _ = child.wait();
            return Err(said);
        }
        // Whatever else it says must find a reader, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
        Ok(())
    }

    /// A statement by hand to the database at an address, and its answer.
    pub(crate) fn say(&self, url: &str, sql: &str) -> String {
        let database = url.rsplit_once('/').map_or(url, |(_, database)| database);
        let mut psql = Command::new(tool("psql"));
        psql.args(["-X", "-A", "-t", "-U", "postgres", "-d", database, "-c", sql]);
        run(psql.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string()]))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Reaped before the watchdog looks: a process that nobody has waited for counts as running.
        self.kill();
        let (watch, pipe) = &mut self.watchdog;
        pipe.take();
        let _ = watch.wait();
    }
}

/// Postgres does not run as root, so root runs it as the user that Debian makes for it.
fn as_owner(program: impl AsRef<Path>) -> Command {
    let root = run(Command::new("id").arg("-u")) == "0";
    if !root {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command.arg(program.as_ref()).current_dir("/");
    command
}

/// Debian keeps the programs of each version in a folder of their own, off the PATH.
fn tool(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).max();
    newest
        .map(|folder| folder.join(name))
        .filter(|path| path.exists())
        .unwrap_or_else(|| name.into())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{command:?}: {error}. These tests need Postgres: `cargo xtask test` installs it as \
             root; otherwise run sudo apt-get install --yes postgresql"
        )
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

const WATCH: &str = r#"
read _
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
rm -rf "$0"
"#;
