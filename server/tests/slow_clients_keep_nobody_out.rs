//! Clients that begin and do not go on: their bodies have a deadline, and their connections make room.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod world;

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use everfresh_server::app;
use everfresh_server::serve::{Listening, serve};
use http::Request;
use hyper::body::Frame;
use program::{Server, exchange};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use world::{World, refused};

/// The clock of the runtime stands still until everybody waits, and then jumps to what comes next.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with("samples = true").await;
    let access = world.login("ann").await.access;
    for (path, seconds) in [("/auth/login", 10), ("/oauth/token", 10), ("/api/echo", 60)] {
        let kind = if path == "/oauth/token" { "x-www-form-urlencoded" } else { "json" };
        let request = Request::post(path)
            .header("content-type", format!("application/{kind}"))
            .header("authorization", format!("Bearer {access}"));
        let began = Instant::now();
        let answer = world.send(request.body(Body::new(Never)).unwrap()).await;
        refused(&answer, 408, "request_timeout", "");
        assert_eq!(began.elapsed().as_secs(), seconds, "{path}");
    }
}

#[tokio::test]
async fn connections_that_wait_make_room_for_those_that_come() {
    let world = Arc::new(World::with("client = [\"gateway:key\"]").await);
    let address = listen(&world, Listening { most: 8, ..Listening::default() }).await;
    let mut listener = TcpStream::connect(address).await.unwrap();
    let subscribe = "GET /oauth/events HTTP/1.1\r\nhost: x\r\n\
                     authorization: Basic Z2F0ZXdheTprZXk=\r\n\r\n";
    listener.write_all(subscribe.as_bytes()).await.unwrap();
    until(&mut listener, ": subscribed").await;

    let mut stalled = Vec::new();
    for number in 0..40 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let begun = match number % 3 {
            0 => "",
            1 => "GET /healthz HTTP/1.1\r\nho",
            _ => {
                "POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                  content-length: 50\r\n\r\n{\"user"
            }
        };
        socket.write_all(begun.as_bytes()).await.unwrap();
        stalled.push(socket);
        let answer = tokio::task::spawn_blocking(move || {
            exchange(&address.to_string(), "GET /healthz HTTP/1.0\r\n\r\n")
        });
        let answer = answer.await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{number}: {answer:?}");
    }
    let tokens = world.login("ann").await;
    world.call(http::Method::POST, "/auth/logout", &tokens.access).await;
    until(&mut listener, "logout").await;
}

/// However much of an answer is still to come.
#[tokio::test]
async fn answers_that_nobody_takes_make_room_for_those_that_come() {
    let world = World::new().await;
    let endless = async || Body::new(Endless);
    let router = app(world.state.clone()).route("/endless", get(endless).with_state(()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listening = Listening { most: 4, ..Listening::default() };
    tokio::spawn(serve(listener, router, listening, std::future::pending()));
    let mut stalled = Vec::new();
    for number in 0..12 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        until(&mut socket, "on and on").await;
        stalled.push(socket);
        let answer = tokio::task::spawn_blocking(move || {
            exchange(&address.to_string(), "GET /healthz HTTP/1.0\r\n\r\n")
        });
        let answer = answer.await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{number}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let world = World::new().await;
    let address = listen(&world, Listening::default()).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let began = Instant::now();
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer).await;
    assert_eq!(answer, "");
    assert!((10..11).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

/// As `ulimit -n 64` would have it.
#[cfg(unix)]
#[test]
fn more_connections_than_files_silence_nobody() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).arg(Server::PROGRAM);
    let server = Server::start_by(limited, &["--store", "memory:"]);
    let mut stalled = Vec::new();
    for _ in 0..100 {
        let mut socket = server.connect();
        socket.write_all(b"POST /auth/login HTTP/1.1\r\ncontent-length: 9\r\n\r\n").unwrap();
        stalled.push(socket);
    }
    let answer = server.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}

async fn listen(world: &World, listening: Listening) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, app(world.state.clone()), listening, std::future::pending()));
    address
}

/// Reads until a word has come.
async fn until(socket: &mut TcpStream, word: &str) {
    let (mut heard, mut bytes) = (String::new(), [0; 1_024]);
    while !heard.contains(word) {
        let read = tokio::time::timeout(Duration::from_secs(60), socket.read(&mut bytes));
        let length = read.await.unwrap().unwrap();
        assert!(length > 0, "the connection ended after {heard:?}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}

/// A body that is announced and never comes.
struct Never;

impl hyper::body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A body that has always more.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"on and on ")))))
    }
}
