//! Child processes that never outlive their use.
//!
//! Each child leads a process group of its own. The group is killed when its [`Group`] is dropped,
//! when its time is up, and, by a warden that waits for the end of a pipe, when this program dies.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// Runs to a successful end, or says what failed.
pub(crate) fn check(command: &mut Command, limit: Duration) -> Result<()> {
    let status = Group::spawn(command)?.wait(limit)?;
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status}); its own words are above", line(command))
}

/// Runs to a successful end and returns what it printed, showing nothing.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Result<String> {
    let (status, output) = listen(command, limit, false)?;
    if status.success() {
        return Ok(output);
    }
    bail!("`{}` failed ({status}): {}", line(command), output.trim())
}

/// Runs to any end, showing its output as it comes, and returns both.
pub(crate) fn observe(command: &mut Command, limit: Duration) -> Result<(ExitStatus, String)> {
    listen(command, limit, true)
}

/// A child process with all its descendants.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
    warden: Child,
    name: String,
}

impl Group {
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let name = line(command);
        let mut leader = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start `{name}`"))?;
        let warden = Command::new("sh")
            .args(["-c", WARDEN, &leader.id().to_string()])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match warden {
            Ok(warden) => Ok(Self { leader, warden, name }),
            Err(error) => {
                leader.kill().ok();
                Err(anyhow!(error).context("could not start `sh`"))
            }
        }
    }

    /// Waits for the leader; kills the group and fails when that takes longer than `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.signal("KILL");
                bail!("`{}` was stopped: it took longer than {} s", self.name, limit.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn poll(&mut self) -> Result<Option<ExitStatus>> {
        self.leader.try_wait().with_context(|| format!("could not wait for `{}`", self.name))
    }

    /// What the leader prints, if that is piped; once.
    pub(crate) fn stdout(&mut self) -> Result<ChildStdout> {
        self.leader
            .stdout
            .take()
            .with_context(|| format!("no pipe to the output of `{}`", self.name))
    }

    /// Sends a signal, by its name without SIG, to the whole group.
    pub(crate) fn signal(&self, name: &str) {
        Command::new("sh")
            .args(["-c", "kill -s \"$1\" -- \"-$0\"", &self.leader.id().to_string(), name])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("KILL");
        self.leader.wait().ok();
        self.warden.kill().ok();
        self.warden.wait().ok();
    }
}

fn listen(command: &mut Command, limit: Duration, show: bool) -> Result<(ExitStatus, String)> {
    command.stdout(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let stdout = group.stdout()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(read(stdout, show)));
    let status = group.wait(limit);
    drop(group);
    // With the group gone the pipe ends, unless a descendant left the group with it.
    let output = receiver.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
    Ok((status?, output))
}

fn read(stdout: ChildStdout, show: bool) -> String {
    let mut output = String::new();
    let mut reader = BufReader::new(stdout);
    if !show {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).ok();
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}");
        output.push_str(&text);
        bytes.clear();
    }
    output
}

fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

const WARDEN: &str = "read -r _; kill -s TERM -- \"-$0\"; sleep 2; kill -s KILL -- \"-$0\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_takes_too_long_is_stopped_with_its_descendants() {
        let began = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & echo $!; wait"]);
        let error = capture(&mut command, Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5), "the pipe was held by a descendant");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = check(Command::new("sh").args(["-c", "exit 3"]), LONG).unwrap_err();
        assert!(error.to_string().contains("sh -c exit 3"), "{error}");
    }

    #[test]
    fn output_is_returned_whole_whatever_its_end() {
        let (status, output) = observe(Command::new("sh").args(["-c", "exit 1"]), LONG).unwrap();
        assert!(!status.success());
        assert_eq!(output, "");
        assert_eq!(capture(Command::new("printf").arg("a\nb"), LONG).unwrap(), "a\nb");
    }

    const LONG: Duration = Duration::from_secs(30);
}
