//! One honest client beside attackers: how long it waits, and what it is refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Connection, text};
use crate::program::{Program, folder};

/// Lets each attack run for so long on a server of its own, and prints what the honest client met.
pub(crate) async fn run(server: &Path, length: Duration) -> Result<()> {
    println!(
        "| attack | honest requests | refused | refresh p50, p99 | sign-in p50, worst | memory |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for attack in Attack::ALL {
        let data = folder("abuse")?;
        let program = Program::start(server, &data.path, None, &["--user", "ann:secret"])?;
        let address: SocketAddr = program.address.parse()?;
        let mut attackers = JoinSet::new();
        for number in 0..attack.clients() {
            attackers.spawn(attack.go_on(number, address));
        }
        let met = honest(&program.address, length).await?;
        attackers.shutdown().await;
        println!("| {} | {} | {} |", attack.name(), met.line(), program.memory()?);
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Attack {
    Nothing,
    JunkRefreshes,
    WrongPasswords,
    SlowBodies,
    Disconnects,
    FullQueue,
}

impl Attack {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::JunkRefreshes,
        Self::WrongPasswords,
        Self::SlowBodies,
        Self::Disconnects,
        Self::FullQueue,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::JunkRefreshes => "junk refreshes",
            Self::WrongPasswords => "wrong passwords from one address",
            Self::SlowBodies => "bodies that do not come",
            Self::Disconnects => "clients that hang up",
            Self::FullQueue => "wrong passwords from 64 networks",
        }
    }

    fn clients(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::SlowBodies => 250,
            _ => 64,
        }
    }

    /// One attacker, until it is stopped. None has the honest client's address.
    async fn go_on(self, number: u8, address: SocketAddr) {
        let network = if matches!(self, Self::FullQueue) { number } else { 0 };
        let own = Ipv4Addr::new(127, 1, network, 1);
        loop {
            // A connection that is closed is made again; that is the attack.
            let _ = self.attack(own, address).await;
        }
    }

    async fn attack(self, own: Ipv4Addr, address: SocketAddr) -> Result<()> {
        let mut socket = connect(own, address).await?;
        let guess = post("/auth/login", "json", r#"{"username":"ann","password":"guess"}"#);
        let junk = format!("grant_type=refresh_token&refresh_token=rt_AQE{}", "A".repeat(101));
        match self {
            Self::Nothing => {}
            Self::JunkRefreshes => loop {
                let request = post("/oauth/token", "x-www-form-urlencoded", &junk);
                socket.write_all(request.as_bytes()).await?;
                answered(&mut socket).await?;
            },
            Self::WrongPasswords | Self::FullQueue => loop {
                socket.write_all(guess.as_bytes()).await?;
                answered(&mut socket).await?;
            },
            Self::SlowBodies => {
                let (half, _) = guess.split_at(guess.len() - 9);
                socket.write_all(half.as_bytes()).await?;
                answered(&mut socket).await?;
            }
            Self::Disconnects => socket.write_all(guess.as_bytes()).await?,
        }
        Ok(())
    }
}

async fn connect(own: Ipv4Addr, address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((own, 0).into())?;
    Ok(timeout(PATIENCE, socket.connect(address)).await??)
}

async fn answered(socket: &mut TcpStream) -> Result<()> {
    let read = timeout(PATIENCE, socket.read(&mut [0; 4_096])).await??;
    anyhow::ensure!(read > 0, "the server hung up");
    Ok(())
}

fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/{kind}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// What the honest client met; times in microseconds.
#[derive(Default)]
struct Met {
    refreshes: Vec<u128>,
    sign_ins: Vec<u128>,
    refused: usize,
}

impl Met {
    fn line(mut self) -> String {
        let honest = self.refreshes.len() + self.sign_ins.len() + self.refused;
        let at = |times: &mut Vec<u128>, share: usize| {
            times.sort_unstable();
            let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(f64::NAN, |time| *time as f64 / 1_000.0)
        };
        format!(
            "{honest} | {} | {:.1} ms, {:.1} ms | {:.0} ms, {:.0} ms",
            self.refused,
            at(&mut self.refreshes, 50),
            at(&mut self.refreshes, 99),
            at(&mut self.sign_ins, 50),
            at(&mut self.sign_ins, 100),
        )
    }
}

/// Signs in each seven seconds, which the limits allow for ever, and refreshes ten times a second.
async fn honest(address: &str, length: Duration) -> Result<Met> {
    let (began, mut met) = (Instant::now(), Met::default());
    let (mut token, mut number) = (String::new(), 0);
    let mut signed_in = None::<Instant>;
    while began.elapsed() < length {
        let sent = Instant::now();
        if signed_in.is_none_or(|at| at.elapsed() > Duration::from_secs(7)) {
            signed_in = Some(sent);
            match sign_in(address).await {
                Ok(first) => {
                    met.sign_ins.push(sent.elapsed().as_micros());
                    token = first;
                }
                Err(_) => met.refused += 1,
            }
        } else if !token.is_empty() {
            number += 1;
            match refresh(address, &token, number).await {
                Ok(next) => {
                    met.refreshes.push(sent.elapsed().as_micros());
                    token = next;
                }
                Err(_) => met.refused += 1,
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(met)
}

async fn sign_in(address: &str) -> Result<String> {
    let head = "POST /auth/login HTTP/1.1\r\ncontent-type: application/json\r\n";
    let body = r#"{"username":"ann","password":"secret"}"#;
    exchange(address, head, body).await
}

async fn refresh(address: &str, token: &str, number: u64) -> Result<String> {
    let head = "POST /oauth/token HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", token)
        .append_pair("rotation_key", &format!("a rotation key {number:08}"))
        .finish();
    exchange(address, head, &form).await
}

/// Over a connection of its own, as a client that was away makes one.
async fn exchange(address: &str, head: &str, body: &str) -> Result<String> {
    let whole = async {
        let answer = Connection::open(address).await?.exchange(head, body).await?;
        text(&answer, "refresh_token")
    };
    timeout(PATIENCE, whole).await.context("no answer in time")?
}

/// After this time an answer is as good as none.
const PATIENCE: Duration = Duration::from_secs(30);
