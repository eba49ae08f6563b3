//! RFC 9112, 3.2: a server that reads such a request in another way than a proxy before us can be led astray.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use everfresh_server::app;
use everfresh_server::serve::{Listening, serve};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use world::World;

#[tokio::test]
async fn one_host_is_what_a_request_needs() {
    let address = listen().await;
    for head in [
        "HTTP/1.1\r\nhost: auth.example.com",
        "HTTP/1.1\r\nHost: 127.0.0.1:8080",
        "HTTP/1.1\r\nhost: [2001:db8::1]:8080",
        "HTTP/1.1\r\nhost: [::1]",
        "HTTP/1.1\r\nhost: my_service.local:",
        "HTTP/1.1\r\nhost: xn--bcher-kva.example",
        "HTTP/1.1\r\nhost:",
        "HTTP/1.0\r\nhost: x",
        "HTTP/1.0\r\naccept: */*",
    ] {
        assert_eq!(asked(address, head).await.0, 200, "{head}");
    }
}

#[tokio::test]
async fn none_two_and_what_is_no_host_are_refused() {
    let address = listen().await;
    for head in [
        "HTTP/1.1\r\naccept: */*",
        "HTTP/1.1\r\nhost: a\r\nhost: b",
        "HTTP/1.1\r\nhost: a\r\nHost: a",
        "HTTP/1.1\r\nhost: a\r\naccept: */*\r\nhost:",
        "HTTP/1.0\r\nhost: a\r\nhost: b",
        "HTTP/1.1\r\nhost: a, b",
        "HTTP/1.1\r\nhost: a/b",
        "HTTP/1.1\r\nhost: user@a",
        "HTTP/1.1\r\nhost: a:http",
        "HTTP/1.1\r\nhost: a:80:80",
        "HTTP/1.1\r\nhost: [a]",
        "HTTP/1.1\r\nhost: [::1",
        "HTTP/1.1\r\nhost: b\u{fc}cher.example",
    ] {
        let (status, rest) = asked(address, head).await;
        assert_eq!(status, 400, "{head}");
        assert!(rest.to_ascii_lowercase().contains("connection: close"), "{head}: {rest}");
        let body: Value = serde_json::from_str(rest.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["error"], "invalid_request", "{head}");
    }
}

#[tokio::test]
async fn what_follows_a_request_of_two_hosts_is_not_read() {
    let address = listen().await;
    let body = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: {}\r\n\r\n{body}{body}",
        body.len()
    );
    let heard = exchanged(address, &request).await;
    assert!(heard.starts_with("HTTP/1.1 400 "), "{heard}");
    assert_eq!(heard.matches("HTTP/1.").count(), 1, "{heard}");
}

/// What a request for `/healthz` with such a head is answered with.
async fn asked(address: SocketAddr, head: &str) -> (u16, String) {
    let request = format!("GET /healthz {head}\r\nconnection: close\r\n\r\n");
    let heard = exchanged(address, &request).await;
    (heard.split(' ').nth(1).unwrap().parse().unwrap(), heard)
}

async fn exchanged(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // What was sent and not read may make the end a reset.
    let _ = timeout(Duration::from_secs(60), socket.read_to_end(&mut heard)).await.unwrap();
    String::from_utf8_lossy(&heard).into_owned()
}

async fn listen() -> SocketAddr {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, app(world.state.clone()), Listening::default(), pending()));
    address
}
