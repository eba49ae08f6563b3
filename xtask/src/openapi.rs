//! `cargo xtask openapi`: requests made from the server's OpenAPI description, answers held
//! against it. The tool is schemathesis; what it must not complain of, and why, stands in
//! `server/tests/openapi/schemathesis.toml`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::process::{Group, check, observe};
use crate::report::Counts;
use crate::setup;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, seed: Option<u32>) -> Result<()> {
    hold(workspace, seed.unwrap_or_else(any_seed)).map(drop)
}

/// Each request whose answer was as described is a test that passed.
pub(crate) fn test(workspace: &Workspace) -> Result<Counts> {
    let cases = hold(workspace, SEED)?;
    Ok(Counts { passed: cases, failed: 0 })
}

/// Says how many requests were made.
fn hold(workspace: &Workspace, seed: u32) -> Result<u64> {
    let tool = setup::schemathesis(workspace)?;
    check(&mut workspace.cargo(&["build", "--package", "everfresh-server"]), BUILD)?;
    let scratch = workspace.target("openapi");
    std::fs::create_dir_all(&scratch)?;
    let log = scratch.join("server.log");
    let (_server, address) = start(&workspace.target("debug/everfresh-server"), &log)?;

    let mut command = Command::new(tool);
    command.current_dir(&scratch).arg("--no-color").arg("--config-file");
    command.arg(workspace.join("server/tests/openapi/schemathesis.toml"));
    command.arg("run").arg(format!("{address}/openapi.json")).args(["--seed", &seed.to_string()]);
    command.args(["--workers", "1", "--max-examples", "15", "--suppress-health-check", "all"]);
    command.args(["--generation-database", "none"]);
    let (status, output) = observe(&mut command, LIMIT)?;
    ensure!(
        status.success(),
        "the server does not do as it says; again with `cargo xtask openapi --seed {seed}`; the \
         server's log is {}",
        log.display()
    );
    let Found { operations, cases } = Found::of(&output).context("schemathesis gave no counts")?;
    ensure!(operations > 20 && cases > 500, "{cases} requests of {operations} operations are few");
    let served = served(&metrics(&address)?);
    ensure!(
        served.iter().all(|(_, count)| *count >= FLOOR),
        "hardly anything was granted, so hardly anything was tested: {served:?}"
    );
    println!("{cases} requests of {operations} operations, seed {seed}; granted: {served:?}");
    Ok(cases)
}

/// What the server counted.
fn metrics(address: &str) -> Result<String> {
    let host = address.strip_prefix("http://").context("the server speaks plain http")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// How many requests of each of [`PROTECTED`] got a 2xx: the tool's sign-in may end on the way, and a
/// run that only sees 401 says nothing.
fn served(metrics: &str) -> [(&'static str, u64); PROTECTED.len()] {
    PROTECTED.map(|labels| {
        let start = format!("everfresh_requests_total{{{labels},status=\"2");
        let counts = metrics.lines().filter(|line| line.starts_with(&start));
        let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        (labels, counts.sum())
    })
}

/// Another one each time.
fn any_seed() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}

/// A server in memory, and where it is.
fn start(program: &Path, log: &Path) -> Result<(Group, String)> {
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0", "--store", "memory:", "--limits", "off"]);
    command.args(["--user", "ann:secret", "--client", "gateway:s3cret", "--set", "renew=endpoint"]);
    command.arg("--samples");
    command.stdout(Stdio::piped()).stderr(File::create(log)?);
    let mut server = Group::spawn(&mut command)?;
    let mut line = String::new();
    BufReader::new(server.stdout()?).read_line(&mut line)?;
    let address = line.trim_end().strip_prefix("listening on ");
    let address = address.with_context(|| format!("no server: see {}", log.display()))?;
    Ok((server, address.to_owned()))
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    operations: u64,
    cases: u64,
}

impl Found {
    /// From the lines `Tested: 23` and `1251 generated, 1251 passed, 69 skipped`.
    fn of(output: &str) -> Option<Self> {
        let lines = || output.lines().map(str::trim);
        let tested = lines().find_map(|line| line.strip_prefix("Tested: "))?;
        let cases = lines().find(|line| line.contains(" generated, "))?;
        let passed = cases.split(", ").find_map(|part| part.strip_suffix(" passed"))?;
        Some(Self { operations: tested.parse().ok()?, cases: passed.parse().ok()? })
    }
}

const BUILD: Duration = Duration::from_secs(2_400);
const LIMIT: Duration = Duration::from_secs(300);

/// Operations that need a sign-in, as `/metrics` labels them.
const PROTECTED: [&str; 4] = [
    r#"method="POST",route="/auth/login""#,
    r#"method="GET",route="/auth/devices""#,
    r#"method="GET",route="/api/me""#,
    r#"method="PATCH",route="/auth/profile""#,
];

/// Each of them is granted so often at least.
const FLOOR: u64 = 3;

/// What the test command takes; by itself it is another one. With one worker it settles which
/// requests are made, but for the tokens and ids that the server draws.
const SEED: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_granted_is_read_from_the_metrics() {
        let line = |labels: &str, status: u16, count: u64| {
            format!("everfresh_requests_total{{{labels},status=\"{status}\"}} {count}\n")
        };
        let refused: String = PROTECTED.iter().map(|labels| line(labels, 401, 90)).collect();
        assert!(served(&refused).iter().all(|(_, count)| *count == 0));
        let granted = refused + &line(PROTECTED[1], 200, 4) + &line(PROTECTED[1], 204, 5);
        assert_eq!(served(&granted).map(|(_, count)| count), [0, 9, 0, 0]);
    }

    #[test]
    fn what_was_done_is_read_from_the_summary() {
        let summary = "API Operations:\n  Selected: 23/24\n  Tested: 23\n\nTest cases:\n  \
                       1251 generated, 1250 passed, 69 skipped\n\nSeed: 4\n";
        assert_eq!(Found::of(summary), Some(Found { operations: 23, cases: 1_250 }));
        let failed = "  Tested: 23\n  1735 generated, 6 found 6 unique failures, 102 skipped\n";
        assert_eq!(Found::of(failed), None);
        assert_eq!(Found::of(""), None);
    }
}
