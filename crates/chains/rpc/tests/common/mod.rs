//! A scripted server on a loopback socket: it reads requests and does to each what the test says.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nodewright_core::Secret;
use nodewright_rpc::{Auth, CallLimits, Endpoint, HttpOptions, RetryOptions, RpcClient};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with one request.
pub(crate) enum Act {
    /// Sends these bytes and reads the next request from the same connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes, then resets the connection.
    SendAndReset(Vec<u8>),
    /// Sends these bytes, then goes on sending `x` without end.
    SendWithoutEnd(Vec<u8>),
    /// Waits until `count` requests wait like this one, then sends the bytes to all of them.
    SendTogether(usize, Vec<u8>),
    /// Says nothing.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The number of the request on this server, from 0.
    pub(crate) index: usize,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// Method and path.
    pub(crate) target: String,
    /// Header names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// The body.
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn id(&self) -> u64 {
        self.json()["id"].as_u64().unwrap()
    }

    pub(crate) fn authorization(&self) -> &str {
        self.headers.get("authorization").map_or("", String::as_str)
    }

    /// A JSON-RPC 1.0 answer with `result`, as the Bitcoin family sends it.
    pub(crate) fn result(&self, result: &str) -> Act {
        json(200, &format!(r#"{{"result":{result},"error":null,"id":{}}}"#, self.id()))
    }

    /// A JSON-RPC error under `status`.
    pub(crate) fn error(&self, status: u16, code: i64, message: &str) -> Act {
        let error = format!(r#"{{"code":{code},"message":{message:?}}}"#);
        json(status, &format!(r#"{{"result":null,"error":{error},"id":{}}}"#, self.id()))
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    accept: JoinHandle<()>,
}

impl Server {
    /// Starts a server that asks `script` about every request.
    pub(crate) async fn start(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Arc::default(),
            waiting: tokio::sync::watch::channel(0).0,
        });
        let seen = Arc::clone(&shared.seen);
        let accept = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, number, Arc::clone(&shared)));
            }
        });
        Self { address, seen, accept }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> RpcClient {
        self.client_with(options())
    }

    pub(crate) fn client_with(&self, options: HttpOptions) -> RpcClient {
        self.client_as(Auth::None, options)
    }

    pub(crate) fn client_as(&self, auth: Auth, options: HttpOptions) -> RpcClient {
        RpcClient::try_new(Endpoint::parse(&self.url()).unwrap().0, auth, options).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

struct Shared {
    script: Box<dyn Fn(&Request) -> Act + Send + Sync>,
    seen: Arc<Mutex<Vec<Request>>>,
    waiting: tokio::sync::watch::Sender<usize>,
}

/// Serves one connection until either side ends it; the client going away is no failure of the server.
async fn serve(mut stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    while let Some(mut request) = read(&mut stream, connection).await {
        {
            let mut seen = shared.seen.lock().unwrap();
            request.index = seen.len();
            seen.push(request.clone());
        }
        match (shared.script)(&request) {
            Act::Send(bytes) => drop(stream.write_all(&bytes).await),
            Act::SendAndClose(bytes) => {
                drop(stream.write_all(&bytes).await);
                drop(stream.shutdown().await);
                return;
            }
            Act::SendAndReset(bytes) => {
                drop(stream.write_all(&bytes).await);
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::SendWithoutEnd(bytes) => {
                drop(stream.write_all(&bytes).await);
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                return;
            }
            Act::SendTogether(count, bytes) => {
                let mut waiting = shared.waiting.subscribe();
                shared.waiting.send_modify(|waiting| *waiting += 1);
                drop(waiting.wait_for(|waiting| *waiting >= count).await);
                drop(stream.write_all(&bytes).await);
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream, connection: usize) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut lines = head.lines();
    let target = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { index: 0, connection, target, headers, body: String::from_utf8(bytes).unwrap() })
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &str) -> Act {
    Act::Send(answer(status, &[("Content-Type", "application/json")], body))
}

/// An answer with a plain body.
pub(crate) fn text(status: u16, body: &str) -> Act {
    Act::Send(answer(status, &[("Content-Type", "text/html; charset=ISO-8859-1")], body))
}

/// The bytes of an answer with its length.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// Options that retry without noticeable waits.
pub(crate) fn options() -> HttpOptions {
    let retry = RetryOptions::default().with_delays(Duration::from_millis(1), Duration::from_millis(2));
    HttpOptions::default().with_retry(retry.with_budget(3, 0, 0))
}

/// Limits for a call that is expected to be answered.
pub(crate) fn limits() -> CallLimits {
    CallLimits { timeout: Duration::from_secs(60), max_body: 64 * 1024 }
}

/// Limits for a call that is expected to run out of time.
pub(crate) fn brief() -> CallLimits {
    limits().with_timeout(Duration::from_millis(50))
}

pub(crate) fn basic(user: &str, password: &str) -> Auth {
    Auth::Basic { user: user.to_owned(), password: Secret::new(password.to_owned()) }
}
