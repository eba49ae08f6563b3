//! Loads a server that runs beside it, over loopback and on the same cores, and prints figures.
//! Nothing here passes or fails by time.

mod abuse;
mod beside;
mod client;
mod filled;
#[path = "../../../server/tests/stores/folder.rs"]
#[allow(clippy::unwrap_used, reason = "what the tests of the server start their stores with")]
mod folder;
#[path = "../../../server/tests/stores/postgres.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "see above")]
mod postgres;
mod program;
#[path = "../../../server/tests/stores/redis.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "see above")]
mod redis;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use crate::client::Connection;
use crate::filled::{Filled, sign_in};
use crate::postgres::Postgres;
use crate::program::{Program, folder};
use crate::redis::{ALWAYS, Redis};

/// Measures start time, checks of access tokens, durable refreshes, and memory, on every store that
/// outlives the process.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program to measure
    #[arg(long)]
    server: PathBuf,
    /// How long each load lasts, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Live sessions in the store
    #[arg(long, default_value_t = 100_000)]
    sessions: u32,
    /// Sign-ins, one after the other
    #[arg(long, default_value_t = 1_000)]
    sign_ins: u32,
    /// Measure an honest client beside attackers instead
    #[arg(long)]
    abuse: bool,
    /// Measure beside the servers in this folder instead
    #[arg(long, requires = "node")]
    beside: Option<PathBuf>,
    /// The Node.js that runs those
    #[arg(long)]
    node: Option<PathBuf>,
    /// Also write the figures of that to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The load comes from one address.
const UNLIMITED: &[&str] = &["--limits", "off"];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores for server and client together; {}", program::idleness());

    if arguments.abuse {
        return abuse::run(&arguments.server, Duration::from_secs(arguments.seconds)).await;
    }
    if let (Some(scripts), Some(node)) = (&arguments.beside, &arguments.node) {
        let length = Duration::from_secs(arguments.seconds);
        let (server, connections) = (&arguments.server, arguments.connections);
        let rows = beside::run(server, node, scripts, connections, length).await?;
        if let Some(file) = &arguments.json {
            let report = serde_json::json!({ "part": "server", "cores": cores, "rows": rows });
            std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
        }
        return Ok(());
    }
    let starts = starts(&arguments)?;
    println!("start, first time (makes keys and database): {:.1} ms", starts[0]);
    let mut again = starts[1..].to_vec();
    again.sort_by(f64::total_cmp);
    println!("start, again: median {:.1} ms of {}", again[again.len() / 2], again.len());

    measure("SQLite", None, &arguments).await?;
    let postgres = Postgres::start(&[]);
    measure("Postgres", Some(&postgres.database()), &arguments).await?;
    drop(postgres);
    measure("Redis, appendfsync always", Some(&Redis::start(ALWAYS).url()), &arguments).await
}

/// One store, durable as `docs/stores.md` advises, on this machine.
async fn measure(name: &str, store: Option<&str>, arguments: &Arguments) -> Result<()> {
    println!("\n{name}");
    let data = folder("load")?;
    let filled = Filled::make(&data.path, store, arguments.sessions).await?;
    let server = Program::start(&arguments.server, &data.path, store, UNLIMITED)?;
    println!("memory with {} live sessions, idle: {}", arguments.sessions, server.memory()?);
    let access = filled.sign_in(&server.address).await?;
    let length = Duration::from_secs(arguments.seconds);
    let connections = arguments.connections.min(filled.tokens.len());

    let verify = load(connections, length, |_| {
        let (address, access) = (server.address.clone(), access.clone());
        async move {
            let connection = Connection::open(&address).await?;
            Ok(Caller::Verify { connection, path: "/api/me".to_owned(), access })
        }
    });
    report("verify (GET /api/me)", verify.await?, length);

    let refresh = load(connections, length, |number| {
        let (address, token) = (server.address.clone(), filled.tokens[number].clone());
        async move {
            let connection = Connection::open(&address).await?;
            let (path, form) = ("/oauth/token".to_owned(), serde_json::Map::new());
            Ok(Caller::Refresh { connection, path, form, token, number: 0 })
        }
    });
    report("refresh (POST /oauth/token, durable)", refresh.await?, length);

    let mut connection = Connection::open(&server.address).await?;
    for _ in 0..arguments.sign_ins {
        sign_in(&mut connection).await?;
    }
    println!("memory after that and {} sign-ins: {}", arguments.sign_ins, server.memory()?);
    Ok(())
}

/// Milliseconds from the start of the process to its word that it listens.
fn starts(arguments: &Arguments) -> Result<Vec<f64>> {
    let data = folder("start")?;
    let mut starts = Vec::new();
    for _ in 0..11 {
        let began = Instant::now();
        let server = Program::start(&arguments.server, &data.path, None, UNLIMITED)?;
        starts.push(began.elapsed().as_secs_f64() * 1_000.0);
        drop(server);
    }
    Ok(starts)
}

enum Caller {
    Verify {
        connection: Connection,
        path: String,
        access: String,
    },
    Refresh {
        connection: Connection,
        path: String,
        /// Parameters of the service's own.
        form: serde_json::Map<String, serde_json::Value>,
        token: String,
        number: u64,
    },
}

impl Caller {
    async fn call(&mut self) -> Result<()> {
        match self {
            Self::Verify { connection, path, access } => {
                let head = format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {access}\r\n");
                connection.exchange(&head, "").await.map(drop)
            }
            Self::Refresh { connection, path, form, token, number } => {
                *number += 1;
                let own = form.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
                let body = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", token)
                    .append_pair("rotation_key", &format!("a rotation key {number:08}"))
                    .extend_pairs(own)
                    .finish();
                let head = format!(
                    "POST {path} HTTP/1.1\r\n\
                     content-type: application/x-www-form-urlencoded\r\n"
                );
                let answer = connection.exchange(&head, &body).await?;
                *token = client::text(&answer, "refresh_token")?;
                Ok(())
            }
        }
    }
}

/// Calls over N connections for a while; gives each connection's calls in microseconds, and
/// its caller as it is then.
async fn load<F, C>(
    connections: usize,
    length: Duration,
    caller: F,
) -> Result<Vec<(Vec<u32>, Caller)>>
where
    F: Fn(usize) -> C,
    C: Future<Output = Result<Caller>> + Send + 'static,
{
    let mut tasks = Vec::new();
    for number in 0..connections {
        let caller = caller(number);
        tasks.push(tokio::spawn(async move {
            let mut caller = caller.await?;
            let began = Instant::now();
            let mut times = Vec::new();
            while began.elapsed() < length {
                let sent = Instant::now();
                caller.call().await?;
                times.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            anyhow::Ok((times, caller))
        }));
    }
    let mut loads = Vec::new();
    for task in tasks {
        loads.push(task.await.context("a connection's task died")??);
    }
    Ok(loads)
}

fn report(what: &str, loads: Vec<(Vec<u32>, Caller)>, length: Duration) {
    let mut times: Vec<_> = loads.into_iter().flat_map(|(times, _)| times).collect();
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        f64::from(times[index.min(times.len() - 1)]) / 1_000.0
    };
    let rate = times.len() as f64 / length.as_secs_f64();
    println!("{what}: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
}
