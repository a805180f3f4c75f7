//! One Dash node on loopback: JSON-RPC and REST over what it knows.

mod rest;
mod rpc;
mod state;
mod tx;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nodewright_testkit::loopback::{HttpServer, Request, Response};

pub use self::state::NodeState;

/// Serves a [`NodeState`] over HTTP on an ephemeral port of 127.0.0.1.
#[derive(Debug)]
pub struct DashNode {
    state: Arc<Mutex<NodeState>>,
    twin: Arc<Mutex<Option<Twin>>>,
    options: NodeOptions,
    addr: SocketAddr,
    server: Option<HttpServer>,
}

/// Says how a node serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOptions {
    /// Says whether the REST interface is on, as `-rest=1` does.
    pub rest: bool,
    /// Holds what the `Authorization` header must be, if anything is asked for.
    pub authorization: Option<String>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { rest: true, authorization: None }
    }
}

impl DashNode {
    /// Starts to serve `state`.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn start(state: NodeState, options: NodeOptions) -> io::Result<Self> {
        let (state, twin) = (Arc::new(Mutex::new(state)), Arc::default());
        let server = HttpServer::start(handler(&state, &twin, &options))?;
        Ok(Self { state, twin, options, addr: server.addr(), server: Some(server) })
    }

    /// Returns the node's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Gives access to what the node knows.
    pub fn state(&self) -> MutexGuard<'_, NodeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets each request be answered by this node or by one that knows `twin`, as behind a load balancer; `None` ends it.
    /// Which of the two answers is drawn from `seed`.
    pub fn split(&mut self, twin: Option<NodeState>, seed: u64) {
        let twin = twin.map(|state| Twin { state, rng: fastrand::Rng::with_seed(seed) });
        *self.twin.lock().unwrap_or_else(PoisonError::into_inner) = twin;
    }

    /// Stops to serve: the port is closed.
    ///
    /// # Cancel safety
    /// Dropping the future stops the server all the same.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
    }

    /// Serves again on the same port, as a restarted node does: every ChainLock is forgotten, and the first `warm_up`
    /// calls are told that the node is loading.
    ///
    /// # Errors
    /// When the port cannot be bound again.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the node stopped.
    pub async fn restart(&mut self, warm_up: u32) -> io::Result<()> {
        self.stop().await;
        self.serve_again(warm_up)
    }

    /// Takes out the server, to be shut down by the caller.
    pub(super) fn take_server(&mut self) -> Option<HttpServer> {
        self.server.take()
    }

    /// Serves again after the server was shut down.
    pub(super) fn serve_again(&mut self, warm_up: u32) -> io::Result<()> {
        self.state().restart(warm_up);
        self.server = Some(HttpServer::start_at(self.addr, handler(&self.state, &self.twin, &self.options))?);
        Ok(())
    }
}

/// Is the other node behind the same URL.
#[derive(Debug)]
struct Twin {
    state: NodeState,
    rng: fastrand::Rng,
}

fn handler(
    state: &Arc<Mutex<NodeState>>,
    twin: &Arc<Mutex<Option<Twin>>>,
    options: &NodeOptions,
) -> impl Fn(Request) -> core::future::Ready<Response> + Send + Sync + 'static {
    let (state, twin, options) = (Arc::clone(state), Arc::clone(twin), options.clone());
    move |request| {
        let mut twin = twin.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = twin.as_mut().and_then(|twin| twin.rng.bool().then_some(&mut twin.state));
        core::future::ready(match drawn {
            Some(state) => answer(state, &options, &request),
            None => answer(&mut state.lock().unwrap_or_else(PoisonError::into_inner), &options, &request),
        })
    }
}

fn answer(state: &mut NodeState, options: &NodeOptions, request: &Request) -> Response {
    let path = request.path.as_str();
    if request.method == "GET" {
        return match path.strip_prefix("/rest/").filter(|_| options.rest) {
            Some(path) => rest::answer(state, path),
            None if path.starts_with("/rest/") => Response::new(404, ""),
            None => Response::new(405, "JSONRPC server handles only POST requests"),
        };
    }
    if options.authorization.as_deref().is_some_and(|wanted| request.header("authorization") != Some(wanted)) {
        return Response::new(401, "");
    }
    rpc::answer(state, &request.body)
}
