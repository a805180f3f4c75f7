//! A simulated aggregator: it serves what it is given over real HTTP, in any version regime, and lies when asked to.

mod contents;
mod fault;
mod regime;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use nodewright_testkit::loopback::{HttpServer, Request, Response};

pub use contents::{BASE, SimContents};
pub use fault::SimFault;
pub use regime::SimRegime;

/// Is an aggregator whose contents, regime and faults a test edits. Clones are the same aggregator.
#[derive(Clone, Debug, Default)]
pub struct SimAggregator {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    contents: SimContents,
    regime: SimRegime,
    faults: Vec<(String, SimFault)>,
    requests: Vec<Request>,
}

impl SimAggregator {
    /// Makes an aggregator with these contents, in the regime of today, without faults.
    #[must_use]
    pub fn new(contents: SimContents) -> Self {
        let sim = Self::default();
        sim.lock().contents = contents;
        sim
    }

    /// Serves on a port of 127.0.0.1 until the returned server is dropped; several may serve at once.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn serve(&self) -> io::Result<SimServer> {
        let sim = self.clone();
        let server = HttpServer::start(move |request| {
            let sim = sim.clone();
            async move { sim.answer(request).await }
        })?;
        Ok(SimServer { server })
    }

    /// Changes the contents.
    pub fn update(&self, change: impl FnOnce(&mut SimContents)) {
        change(&mut self.lock().contents);
    }

    /// Returns the contents as they are.
    #[must_use]
    pub fn contents(&self) -> SimContents {
        self.lock().contents.clone()
    }

    /// Goes over to another version regime.
    pub fn speak(&self, regime: SimRegime) {
        self.lock().regime = regime;
    }

    /// Plants a fault on every path that begins with `path`, such as `/certificate/`; the last one planted counts.
    pub fn fail(&self, path: impl Into<String>, fault: SimFault) {
        self.lock().faults.push((path.into(), fault));
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Returns the requests that came since the last call, and forgets them. Paths are without the base.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.lock().requests)
    }

    async fn answer(&self, mut request: Request) -> Response {
        if let Some(path) = request.path.strip_prefix(ROOT).filter(|path| path.is_empty() || path.starts_with('/')) {
            request.path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        }
        let (response, stalled) = self.decide(&request);
        if stalled {
            std::future::pending::<()>().await;
        }
        response
    }

    fn decide(&self, request: &Request) -> (Response, bool) {
        let mut state = self.lock();
        if state.requests.len() < MOST_REQUESTS {
            state.requests.push(request.clone());
        }
        let refusal = state.regime.refusal(request.header(contents::API_VERSION));
        let fault = state.faults.iter().rev().find(|(path, _)| request.path.starts_with(path.as_str()));
        let stalled = matches!(fault, Some((_, SimFault::Stall)));
        let response = match (refusal, fault) {
            (Some(refusal), _) => refusal,
            (None, Some((_, fault))) => fault.spoil(&request.path, &state.contents, state.contents.answer(request)),
            (None, None) => state.contents.answer(request),
        };
        (state.regime.sign(response), stalled)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it changed the contents has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is a running server of a [`SimAggregator`]; it stops when it is dropped.
#[derive(Debug)]
pub struct SimServer {
    server: HttpServer,
}

impl SimServer {
    /// Returns the base address, such as `http://127.0.0.1:8080/aggregator`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{ROOT}", self.server.url())
    }

    /// Stops at once: closes the port and every connection.
    ///
    /// # Cancel safety
    /// Dropping the future stops the server all the same, a moment later.
    pub async fn stop(self) {
        self.server.shutdown().await;
    }
}

/// Makes a refusal as aggregators write it.
pub(super) fn refusal(status: u16, label: &str, message: &str) -> Response {
    let body = match status {
        404 => Bytes::new(),
        400..=499 => serde_json::json!({ "label": label, "message": message }).to_string().into(),
        _ => serde_json::json!({ "message": message }).to_string().into(),
    };
    Response { status, ..Response::json(body) }
}

/// The path below which an aggregator answers.
const ROOT: &str = "/aggregator";
/// Bounds the requests remembered.
const MOST_REQUESTS: usize = 100_000;
