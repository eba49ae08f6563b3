//! The server beside servers in Node.js: the same client, the same cores, in turns.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::client::Connection;
use crate::filled::sign_in;
use crate::program::{Folder, Program, folder};
use crate::{Caller, load};

/// What each contender had of each load, as medians over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    note: &'static str,
    verify: Option<Figures>,
    refresh: Option<Figures>,
    mebibytes: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    per_second: f64,
    /// Of the server alone, without the client's.
    cpu_microseconds: f64,
    p50_milliseconds: f64,
    p99_milliseconds: f64,
}

struct Contender {
    name: &'static str,
    note: &'static str,
    program: Program,
    seed: Seed,
    rounds: (Vec<Figures>, Vec<Figures>),
}

/// How to load a server, and with which tokens.
#[derive(Debug, Deserialize)]
struct Seed {
    verify: String,
    /// Absent where there are no refresh tokens.
    refresh: Option<String>,
    /// Parameters beside `grant_type` and `refresh_token`.
    form: serde_json::Map<String, serde_json::Value>,
    tokens: Vec<Tokens>,
}

#[derive(Clone, Debug, Deserialize)]
struct Tokens {
    access_token: String,
    #[serde(default)]
    refresh_token: String,
}

/// Loads each in turns of `length`; prints the table.
pub(crate) async fn run(
    server: &Path,
    node: &Path,
    scripts: &Path,
    connections: usize,
    length: Duration,
) -> Result<Vec<Row>> {
    let data = folder("beside")?;
    let mut contenders = Vec::new();
    for (name, store) in
        [("everfresh-server, SQLite", "sqlite"), ("everfresh-server, memory", "memory")]
    {
        contenders.push(ours(server, name, store, &data, connections).await?);
    }
    for (name, note, script, arguments) in PEERS {
        let mut command = Command::new(node);
        command.args(["--disable-warning=ExperimentalWarning"]).arg(scripts.join(script));
        for argument in *arguments {
            command.arg(argument.replace("FOLDER", &data.path.to_string_lossy()));
        }
        let program = Program::spawn(&mut command).with_context(|| (*name).to_owned())?;
        let mut connection = Connection::open(&program.address).await?;
        let head = format!("GET /seed?count={connections} HTTP/1.1\r\n");
        let seed = serde_json::from_slice(&connection.exchange(&head, "").await?)?;
        contenders.push(Contender { name, note, program, seed, rounds: (Vec::new(), Vec::new()) });
    }
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        for contender in &mut contenders {
            contender.turn(connections, length).await?;
        }
    }
    let rows: Vec<_> = contenders.iter().map(Contender::row).collect::<Result<_>>()?;
    print(&rows);
    Ok(rows)
}

async fn ours(
    server: &Path,
    name: &'static str,
    store: &str,
    data: &Folder,
    connections: usize,
) -> Result<Contender> {
    let place = data.path.join(store);
    let store = (store == "memory").then_some("memory:");
    // All rounds check the same tokens: they must live as long.
    let more = ["--limits", "off", "--user", "ann:secret", "--access-ttl", "1h"];
    let program = Program::start(server, &place, store, &more)?;
    let mut connection = Connection::open(&program.address).await?;
    let mut tokens = Vec::new();
    for _ in 0..connections {
        let signed_in = sign_in(&mut connection).await?;
        tokens.push(serde_json::from_slice(&signed_in)?);
    }
    let seed = Seed {
        verify: "/api/me".to_owned(),
        refresh: Some("/oauth/token".to_owned()),
        form: serde_json::Map::new(),
        tokens,
    };
    let note = "rotation with keys, reuse detection, limits off";
    Ok(Contender { name, note, program, seed, rounds: (Vec::new(), Vec::new()) })
}

impl Contender {
    async fn turn(&mut self, connections: usize, length: Duration) -> Result<()> {
        let address = self.program.address.clone();
        let spent = self.program.cpu()?;
        let verified = load(connections, length, |number| {
            let tokens = &self.seed.tokens;
            let access = tokens[number % tokens.len()].access_token.clone();
            let (address, path) = (address.clone(), self.seed.verify.clone());
            async move {
                let connection = Connection::open(&address).await?;
                Ok(Caller::Verify { connection, path, access })
            }
        });
        let times: Vec<_> = verified.await?.into_iter().flat_map(|(times, _)| times).collect();
        self.rounds.0.push(figures(times, self.program.cpu()? - spent, length));
        let Some(path) = &self.seed.refresh else { return Ok(()) };
        let spent = self.program.cpu()?;
        let refreshed = load(connections, length, |number| {
            let token = self.seed.tokens[number].refresh_token.clone();
            let (address, path) = (address.clone(), path.clone());
            let form = self.seed.form.clone();
            async move {
                let connection = Connection::open(&address).await?;
                Ok(Caller::Refresh { connection, path, form, token, number: 0 })
            }
        });
        let mut times = Vec::new();
        for (number, (spans, caller)) in refreshed.await?.into_iter().enumerate() {
            times.extend(spans);
            if let Caller::Refresh { token, .. } = caller {
                self.seed.tokens[number].refresh_token = token;
            }
        }
        self.rounds.1.push(figures(times, self.program.cpu()? - spent, length));
        Ok(())
    }

    fn row(&self) -> Result<Row> {
        Ok(Row {
            name: self.name.to_owned(),
            note: self.note,
            verify: median(&self.rounds.0),
            refresh: median(&self.rounds.1),
            mebibytes: self.program.mebibytes()?,
        })
    }
}

fn figures(mut times: Vec<u32>, cpu: Duration, length: Duration) -> Figures {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        f64::from(times[index.min(times.len() - 1)]) / 1_000.0
    };
    Figures {
        per_second: times.len() as f64 / length.as_secs_f64(),
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / times.len() as f64,
        p50_milliseconds: at(0.5),
        p99_milliseconds: at(0.99),
    }
}

/// The round in the middle, by calls a second.
fn median(rounds: &[Figures]) -> Option<Figures> {
    let mut rounds: Vec<_> = rounds.to_vec();
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.get(rounds.len() / 2).cloned()
}

fn print(rows: &[Row]) {
    table("verify", rows, |row| row.verify.as_ref());
    table("refresh", rows, |row| row.refresh.as_ref());
    println!("\nresident memory at the end");
    for Row { name, mebibytes, .. } in rows {
        println!("{name:<34}{mebibytes:>9.1} MiB");
    }
}

fn table(what: &str, rows: &[Row], of: impl Fn(&Row) -> Option<&Figures>) {
    let base = rows.first().and_then(&of).map_or(f64::NAN, |ours| ours.per_second);
    let heads =
        ["a second", "CPU us each", "p50 ms", "p99 ms", "ratio"].map(|head| format!("{head:>13}"));
    println!("\n{what:<34}{}", heads.concat());
    for row in rows {
        let name = &row.name;
        let Some(found) = of(row) else {
            println!("{name:<34}{:>13}   {}", "none", row.note);
            continue;
        };
        let figures = [
            format!("{:.0}", found.per_second),
            format!("{:.0}", found.cpu_microseconds),
            format!("{:.2}", found.p50_milliseconds),
            format!("{:.2}", found.p99_milliseconds),
            format!("{:.2}", found.per_second / base),
        ];
        println!(
            "{name:<34}{}   {}",
            figures.map(|figure| format!("{figure:>13}")).concat(),
            row.note
        );
    }
}

type Peer = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// Name, what the reader has to know, script, arguments.
const PEERS: &[Peer] = &[
    ("fastify + jose, SQLite", "by hand", "fastify.mjs", &["jose", "sqlite:FOLDER/jose.db"]),
    ("fastify + jose, memory", "by hand", "fastify.mjs", &["jose", "memory:"]),
    (
        "fastify + @fastify/jwt, SQLite",
        "by hand",
        "fastify.mjs",
        &["fastify-jwt", "sqlite:FOLDER/jwt.db"],
    ),
    ("fastify + @fastify/jwt, memory", "by hand", "fastify.mjs", &["fastify-jwt", "memory:"]),
    ("oidc-provider, memory", "userinfo looks an opaque token up", "oidc-provider.mjs", &[]),
    (
        "better-auth, SQLite",
        "a session is looked up",
        "better-auth.mjs",
        &["sqlite:FOLDER/better.db"],
    ),
];
const ROUNDS: usize = 3;
