//! A proxy on loopback between an HTTP client and a node, which delays, truncates, resets, refuses and falsifies answers
//! by a seeded plan.
//!
//! It reads requests and answers whole, with `content-length`, as nodes and their clients here send them.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

/// Forwards requests to a node until it is dropped or shut down.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy to `node` on an ephemeral port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn start(node: SocketAddr, plan: FaultPlan) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let state = State { plan, requests: 0, hits: BTreeMap::new() };
        let shared = Arc::new(Shared { node, state: Mutex::new(state) });
        Ok(Self { addr, task: runtime.spawn(serve(listener, Arc::clone(&shared))), shared })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns `http://127.0.0.1:port`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Follows another plan from the next request on.
    pub fn set_plan(&self, plan: FaultPlan) {
        self.shared.state().plan = plan;
    }

    /// Returns how often each fault was done, by its name as [`Fault::name`] says.
    #[must_use]
    pub fn hits(&self) -> BTreeMap<&'static str, u64> {
        self.shared.state().hits.clone()
    }

    /// Returns how many requests came.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.state().requests
    }

    /// Stops at once: closes the port and every connection, and returns when that is done.
    ///
    /// # Cancel safety
    /// Dropping the future stops the proxy all the same, a moment later.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // The only outcome is that the task was cancelled.
        drop((&mut self.task).await);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// States which requests meet a fault. The default is none.
///
/// The n-th request meets the same fault whenever the same plan is followed.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    /// Varies what happens to whom.
    pub seed: u64,
    /// Is how many requests in a hundred meet a fault.
    pub percent: u8,
    /// Holds the faults to choose from.
    pub faults: Vec<Fault>,
}

/// Says what happens to one request.
#[derive(Clone)]
pub enum Fault {
    /// The answer comes late by so much.
    Delay(Duration),
    /// The connection is reset before the node is asked.
    Reset,
    /// The node is asked, and the connection is reset instead of an answer: the effect is there, the word of it is not.
    ResetAfter,
    /// The answer's body is changed, and is whole.
    Rewrite(Rewrite),
    /// The answer is this status, such as 429 or 503, with a `retry-after` in seconds if it is given.
    Status(u16, Option<u64>),
    /// The answer breaks off in the middle of its body.
    Truncate,
}

/// Changes the body of an answer; what it draws from the generator is the same for the same request of a plan.
pub type Rewrite = Arc<dyn Fn(&mut Vec<u8>, &mut fastrand::Rng) + Send + Sync>;

impl Fault {
    /// Makes a fault that changes bodies.
    #[must_use]
    pub fn rewrite(change: impl Fn(&mut Vec<u8>, &mut fastrand::Rng) + Send + Sync + 'static) -> Self {
        Self::Rewrite(Arc::new(change))
    }

    /// Returns the fault's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::Reset => "reset",
            Self::ResetAfter => "reset after",
            Self::Rewrite(_) => "rewrite",
            Self::Status(..) => "status",
            Self::Truncate => "truncate",
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(delay) => write!(f, "Delay({delay:?})"),
            Self::Status(status, wait) => write!(f, "Status({status}, {wait:?})"),
            Self::Reset | Self::ResetAfter | Self::Rewrite(_) | Self::Truncate => f.write_str(self.name()),
        }
    }
}

#[derive(Debug)]
struct Shared {
    node: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: FaultPlan,
    requests: u64,
    hits: BTreeMap<&'static str, u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws what happens to the next request.
    fn draw(&self) -> (Option<Fault>, fastrand::Rng) {
        let state = &mut *self.state();
        let mut rng = fastrand::Rng::with_seed(state.plan.seed ^ state.requests.wrapping_mul(SPREAD));
        state.requests += 1;
        let met = rng.u8(..100) < state.plan.percent;
        let fault = rng.choice(&state.plan.faults).filter(|_| met).cloned();
        if let Some(fault) = &fault {
            *state.hits.entry(fault.name()).or_default() += 1;
        }
        (fault, rng)
    }
}

/// Accepts connections; dropping this future drops the set and with it every connection.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let shared = Arc::clone(&shared);
        // A connection that breaks is what this proxy is for.
        connections.spawn(async move { drop(carry(client, &shared).await) });
    }
}

/// Carries the requests of one connection, one after the other, over one connection to the node.
async fn carry(client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = Wire { stream: client, unread: Vec::new() };
    let mut node: Option<Wire> = None;
    while let Some(request) = client.message().await? {
        let (fault, mut rng) = shared.draw();
        match fault {
            Some(Fault::Reset) => return client.reset(),
            Some(Fault::Status(status, wait)) => {
                let wait = wait.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
                let answer = format!("HTTP/1.1 {status} Refused\r\n{wait}content-length: 0\r\n\r\n");
                client.stream.write_all(answer.as_bytes()).await?;
                if request.closes() {
                    return client.stream.shutdown().await;
                }
                continue;
            }
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            _ => {}
        }
        let upstream = match &mut node {
            Some(node) => node,
            none => none.insert(Wire { stream: TcpStream::connect(shared.node).await?, unread: Vec::new() }),
        };
        upstream.stream.write_all(&request.head).await?;
        upstream.stream.write_all(&request.body).await?;
        let Some(mut answer) = upstream.message().await? else { return client.reset() };
        let closes = request.closes() || answer.closes();
        match fault {
            Some(Fault::ResetAfter) => return client.reset(),
            Some(Fault::Truncate) => {
                answer.body.truncate(rng.usize(..answer.body.len().max(1)));
                client.stream.write_all(&answer.head).await?;
                client.stream.write_all(&answer.body).await?;
                return client.stream.shutdown().await;
            }
            Some(Fault::Rewrite(change)) => {
                change(&mut answer.body, &mut rng);
                answer.head = answer.head_with_length(answer.body.len());
            }
            _ => {}
        }
        client.stream.write_all(&answer.head).await?;
        client.stream.write_all(&answer.body).await?;
        if closes {
            return client.stream.shutdown().await;
        }
    }
    Ok(())
}

/// Is one end of a connection, with what was read too far.
struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// Holds a request or an answer.
struct Message {
    /// Holds everything up to the empty line, and that too.
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Wire {
    /// Reads the next message; `None` when the connection ends before it.
    async fn message(&mut self) -> io::Result<Option<Message>> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end.saturating_add(4);
            }
            if self.unread.len() > MAX_HEAD {
                return Err(io::Error::other("a head without end"));
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        };
        let rest = self.unread.split_off(end);
        let mut message = Message { head: core::mem::replace(&mut self.unread, rest), body: Vec::new() };
        let length = message.length()?;
        while self.unread.len() < length {
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.unread.split_off(length);
        message.body = core::mem::replace(&mut self.unread, rest);
        Ok(Some(message))
    }

    fn reset(&self) -> io::Result<()> {
        // With nothing lingering, closing sends RST instead of FIN.
        self.stream.set_zero_linger()
    }
}

impl Message {
    fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.head);
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    }

    fn length(&self) -> io::Result<usize> {
        if self.header("transfer-encoding").is_some() {
            return Err(io::Error::other("only messages with content-length are carried"));
        }
        match self.header("content-length").map(|text| text.parse::<usize>()) {
            None => Ok(0),
            Some(Ok(length)) if length <= MAX_BODY => Ok(length),
            Some(_) => Err(io::Error::other("a body too long, or of no length")),
        }
    }

    fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    fn head_with_length(&self, length: usize) -> Vec<u8> {
        let text = String::from_utf8_lossy(&self.head);
        let kept = text.lines().filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            !line.is_empty() && !name.eq_ignore_ascii_case("content-length")
        });
        let mut head: String = kept.flat_map(|line| [line, "\r\n"]).collect();
        head.push_str(&format!("content-length: {length}\r\n\r\n"));
        head.into_bytes()
    }
}

/// The longest head that is read, in bytes: far above what any client here sends.
const MAX_HEAD: usize = 64 << 10;

/// The longest body that is carried, in bytes: far above any block.
const MAX_BODY: usize = 256 << 20;

/// Spreads consecutive request numbers over the seeds; an odd number, so that none meets another. It is the increment of
/// `SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::{HttpServer, Request, Response};

    async fn node() -> HttpServer {
        HttpServer::start(|request: Request| async move { Response::new(200, request.body) }).unwrap()
    }

    /// Sends one request on a connection of its own; returns what came back before the connection ended.
    async fn ask(proxy: &FaultProxy, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(proxy.addr()).await?;
        let length = body.len();
        let request =
            format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    fn always(fault: Fault) -> FaultPlan {
        FaultPlan { seed: 1, percent: 100, faults: vec![fault] }
    }

    #[tokio::test]
    async fn without_a_plan_requests_and_answers_pass_unchanged_over_one_connection() {
        let node = node().await;
        let proxy = FaultProxy::start(node.addr(), FaultPlan::default()).unwrap();
        let mut wire = Wire { stream: TcpStream::connect(proxy.addr()).await.unwrap(), unread: Vec::new() };
        for size in [0, 3, 3_000_000] {
            let head = format!("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n");
            wire.stream.write_all(head.as_bytes()).await.unwrap();
            wire.stream.write_all(&vec![b'a'; size]).await.unwrap();
            assert_eq!(wire.message().await.unwrap().unwrap().body, vec![b'a'; size]);
        }
        assert_eq!((proxy.requests(), proxy.hits().len()), (3, 0));
        proxy.shutdown().await;
    }

    #[tokio::test]
    async fn each_fault_does_what_it_says() {
        let node = node().await;
        let proxy = FaultProxy::start(node.addr(), FaultPlan::default()).unwrap();
        for fault in [Fault::Reset, Fault::ResetAfter] {
            proxy.set_plan(always(fault));
            assert_eq!(ask(&proxy, "hello").await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        }
        proxy.set_plan(always(Fault::Status(429, Some(7))));
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut wire = Wire { stream, unread: Vec::new() };
        let refused = wire.message().await.unwrap().unwrap();
        assert!(refused.head.starts_with(b"HTTP/1.1 429 ") && refused.header("retry-after").as_deref() == Some("7"));

        proxy.set_plan(always(Fault::Truncate));
        let answer = ask(&proxy, "hello").await.unwrap();
        assert!(answer.contains("content-length: 5\r\n") && !answer.ends_with("hello"), "{answer}");
        proxy.set_plan(always(Fault::rewrite(|body, _| body.extend_from_slice(b" world"))));
        let answer = ask(&proxy, "hello").await.unwrap();
        assert!(answer.contains("content-length: 11\r\n") && answer.ends_with("hello world"), "{answer}");
        proxy.set_plan(always(Fault::Delay(Duration::from_millis(1))));
        assert!(ask(&proxy, "hello").await.unwrap().ends_with("hello"));
        assert_eq!(proxy.hits().values().sum::<u64>(), 6);
    }

    #[tokio::test]
    async fn a_plan_does_the_same_again_for_the_same_seed() {
        let node = node().await;
        let faults = || vec![Fault::Reset, Fault::Status(503, None), Fault::Truncate];
        let mut seen = Vec::new();
        for seed in [1, 1, 2] {
            let proxy = FaultProxy::start(node.addr(), FaultPlan { seed, percent: 50, faults: faults() }).unwrap();
            let mut answers = Vec::new();
            for _ in 0..30 {
                answers.push(match ask(&proxy, "hello").await {
                    Ok(answer) => answer.lines().next().unwrap_or_default().len() + answer.len(),
                    Err(_) => 0,
                });
            }
            seen.push((proxy.hits(), answers));
        }
        assert_eq!(seen[0].0, seen[1].0);
        assert_ne!(seen[0].1, seen[2].1);
        assert!(seen[0].0.len() == 3 && seen[0].0.values().all(|hits| *hits >= 2), "{:?}", seen[0].0);
    }
}
