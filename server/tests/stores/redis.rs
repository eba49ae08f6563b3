//! A Redis of our own: its own port, its own folder, gone with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::folder::Folder;

/// A running server and its files.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    options: Vec<String>,
    pub(crate) folder: Folder,
}

/// Every write is on the disk before it is answered, as `docs/stores.md` advises.
pub(crate) const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];
/// Nothing is written to the disk.
pub(crate) const NEVER: &[&str] = &["--appendonly", "no"];

impl Redis {
    pub(crate) fn start(options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned());
        Self::started(options.collect())
    }

    /// One that speaks nothing but TLS, with a certificate and its key in PEM.
    pub(crate) fn start_over_tls(certificate: &Path, key: &Path) -> Self {
        let [certificate, key] = [certificate, key].map(|file| file.display().to_string());
        let options = ["--appendonly", "no", "--tls-auth-clients", "no", "--tls-cert-file"];
        let mut options = options.map(str::to_owned).to_vec();
        options.extend([certificate, "--tls-key-file".to_owned(), key]);
        Self::started(options)
    }

    fn started(options: Vec<String>) -> Self {
        let folder = Folder::new();
        // Between choosing a port and taking it, another program may be faster.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if let Some(child) = launch(port, &options, &folder) {
                return Self { child, port, options, folder };
            }
        }
        panic!("redis-server starts on no port: try `redis-server --port 0` by hand");
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if speaks_tls(&self.options) { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// By SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Again, on the same port and in the same folder.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let child = launch(self.port, &self.options, &self.folder);
        self.child = child.expect("the port was taken meanwhile; run the test again");
    }

    /// Its append-only files as they are now.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = std::fs::read_dir(self.folder.0.join("appendonlydir")).unwrap();
        let paths = folder.map(|file| file.unwrap().path());
        paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    /// Puts the files back as they were; while it is down.
    pub(crate) fn put_back(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, content) in files {
            std::fs::write(path, content).unwrap();
        }
    }

    /// A command by hand, and its answer.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn speaks_tls(options: &[String]) -> bool {
    options.iter().any(|option| option == "--tls-cert-file")
}

/// Starts one and waits until it says that it is ready.
fn launch(port: u16, options: &[String], folder: &Folder) -> Option<Child> {
    let name = if speaks_tls(options) { "--tls-port" } else { "--port" };
    let mut child = Command::new("redis-server")
        .args(["--port", "0", name, &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .arg("--dir")
        .arg(&folder.0)
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect(
            "these tests need redis-server: `cargo xtask test` installs it as root; otherwise run \
             sudo apt-get install --yes redis-server",
        );
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    if lines.any(|line| line.contains("Ready to accept connections")) {
        // Whatever else it says must find a reader, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(child);
    }
    let _ = child.wait();
    None
}
