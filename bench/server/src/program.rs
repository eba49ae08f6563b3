use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// The server as a process; stopped when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    pub(crate) fn start(
        server: &Path,
        data: &Path,
        store: Option<&str>,
        more: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(server);
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        command
            .args(["--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1:1"])
            .args(more)
            .arg("--data")
            .arg(data);
        Self::spawn(&mut command)
    }

    /// Any program whose first line says where it listens.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().display()))?;
        let mut line = String::new();
        let output = child.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.with_context(|| format!("it says: {line}"))?.to_owned();
        Ok(Self { child, address })
    }

    /// What is resident, as Linux counts it.
    pub(crate) fn memory(&self) -> Result<String> {
        Ok(format!("{:.1} MiB", self.mebibytes()?))
    }

    /// CPU time that it has taken so far, as Linux counts it, in hundredths of a second.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold anything: user and system time are the 12th and 13th.
        let (_, rest) = stat.rsplit_once(')').context("no name")?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    pub(crate) fn mebibytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().split(' ').next()).context("no VmRSS")?;
        Ok(kibibytes.parse::<f64>()? / 1_024.0)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How busy the machine is with other things: the figures mean little when it is.
pub(crate) fn idleness() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load before: {}", load.split(' ').next().unwrap_or("unknown"))
}

/// An empty folder that goes away.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

pub(crate) fn folder(name: &str) -> Result<Folder> {
    let name = format!("everfresh-bench-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::create_dir_all(&path)?;
    Ok(Folder { path })
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
