use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection that is kept open, with one request on it at a time.
pub(crate) struct Connection {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, read: Vec::new() })
    }

    /// Sends head lines and a body; the answer must be 200. Gives its body, chunks as they came.
    pub(crate) async fn exchange(&mut self, head: &str, body: &str) -> Result<Vec<u8>> {
        let length = body.len();
        let request = format!("{head}host: localhost\r\ncontent-length: {length}\r\n\r\n{body}");
        self.socket.write_all(request.as_bytes()).await?;
        self.read.clear();
        let mut needed = None;
        loop {
            ensure!(self.socket.read_buf(&mut self.read).await? > 0, "the server hung up");
            if needed.is_none() {
                needed = whole(&self.read)?;
            }
            match needed {
                Some((head, Some(whole))) if self.read.len() >= whole => {
                    return Ok(self.read[head..whole].to_vec());
                }
                Some((head, None)) if self.read.ends_with(LAST_CHUNK) => {
                    return Ok(self.read[head..].to_vec());
                }
                _ => {}
            }
        }
    }
}

/// A member of a JSON body.
pub(crate) fn text(body: &[u8], name: &str) -> Result<String> {
    let body: Value = serde_json::from_slice(body)?;
    Ok(body[name].as_str().with_context(|| format!("no {name}"))?.to_owned())
}

/// Where head and answer end, once the head is there; one in chunks does not say where.
fn whole(read: &[u8]) -> Result<Option<(usize, Option<usize>)>> {
    let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&read[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(read));
    if head.contains("\r\ntransfer-encoding: chunked") {
        return Ok(Some((end + 4, None)));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("no content-length")?.parse()?;
    Ok(Some((end + 4, Some(end + 4 + length))))
}

const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
