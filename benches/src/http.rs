//! The least of HTTP that fetches from a node: one connection, one request after the other, no copy that can be spared.
//! What the fetch loop of `a_catch_up` is measured with, so that nothing of ours is in it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    authorization: &'static str,
    quick: bool,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(port: u16, authorization: &'static str) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            std::io::Result::Ok(stream)
        };
        let stream = open().map_err(|error| format!("connect: {error}"))?;
        Ok(Self { stream, authorization, quick: false, request: Vec::new(), reply: Vec::new() })
    }

    /// Acknowledges what arrives at once, where the system can.
    ///
    /// Nodes before Bitcoin Core 28 send with Nagle's algorithm: the last, partial segment of a long reply waits until
    /// the ones before it are acknowledged, which Linux otherwise puts off for 40 ms.
    pub(crate) fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// Fetches a path and returns the body.
    pub(crate) fn get(&mut self, path: &str) -> Result<&[u8], String> {
        self.request.clear();
        self.request.extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        self.exchange()
    }

    /// Posts a body to the JSON-RPC endpoint and returns the body of the reply.
    pub(crate) fn post(&mut self, body: &[u8]) -> Result<&[u8], String> {
        let (authorization, len) = (self.authorization, body.len());
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Length: {len}\r\n\r\n"
        );
        self.request.clear();
        self.request.extend_from_slice(head.as_bytes());
        self.request.extend_from_slice(body);
        self.exchange()
    }

    /// Calls one method.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({"id": 0, "method": method, "params": params}).to_string();
        let reply = self.post(body.as_bytes())?;
        result(serde_json::from_slice(reply).map_err(|error| format!("{method}: {error}"))?)
    }

    /// Calls methods in one request.
    pub(crate) fn batch(
        &mut self,
        calls: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<Vec<Value>, String> {
        let calls = calls.into_iter().map(|(method, params)| json!({"id": 0, "method": method, "params": params}));
        let body = Value::Array(calls.collect()).to_string();
        let reply: Vec<Value> = serde_json::from_slice(self.post(body.as_bytes())?).map_err(|e| e.to_string())?;
        reply.into_iter().map(result).collect()
    }

    fn exchange(&mut self) -> Result<&[u8], String> {
        self.stream.write_all(&self.request).map_err(|error| format!("send: {error}"))?;
        let mut filled = 0;
        let (body, end) = loop {
            if self.reply.len() < filled + READ {
                self.reply.resize(filled + READ, 0);
            }
            let some = self.read(filled, None)?;
            // The end of the head may be split between two reads.
            let from = filled.saturating_sub(3);
            filled += some;
            let end = self.reply[from..filled].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = end {
                let head = str::from_utf8(&self.reply[..from + at]).map_err(|error| error.to_string())?;
                let len = content_length(head)?;
                break (from + at + 4, from + at + 4 + len);
            }
        };
        if self.reply.len() < end {
            self.reply.resize(end, 0);
        }
        while filled < end {
            filled += self.read(filled, Some(end))?;
        }
        Ok(&self.reply[body..end])
    }

    /// Reads what is there into the reply from `from` on, up to `to` or its end.
    fn read(&mut self, from: usize, to: Option<usize>) -> Result<usize, String> {
        #[cfg(target_os = "linux")]
        if self.quick {
            // The system forgets it with each exchange.
            socket2::SockRef::from(&self.stream).set_tcp_quickack(true).map_err(|error| error.to_string())?;
        }
        let to = to.unwrap_or(self.reply.len());
        match self.stream.read(&mut self.reply[from..to]) {
            Ok(0) => Err("the node closed the connection".to_owned()),
            Ok(some) => Ok(some),
            Err(error) => Err(format!("receive: {error}")),
        }
    }
}

fn content_length(head: &str) -> Result<usize, String> {
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.contains(" 200 ") && !status.contains(" 500 ") {
        return Err(format!("the node answers {status:?}"));
    }
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(|| format!("no length in {head:?}"))
}

fn result(mut reply: Value) -> Result<Value, String> {
    match &reply["error"] {
        Value::Null => Ok(reply["result"].take()),
        error => Err(error.to_string()),
    }
}

const READ: usize = 64 * 1_024;
const TIMEOUT: Duration = Duration::from_secs(300);
