//! A small HTTP/1.1 server on loopback, for simulators that speak a chain's own wire protocol.
//!
//! It listens on an ephemeral port of 127.0.0.1, keeps connections alive, and answers every request with what one
//! closure says. It does no routing and knows no chain.

use core::future::Future;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

/// Serves HTTP/1.1 with keep-alive until it is dropped or shut down.
#[derive(Debug)]
pub struct HttpServer {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Starts a server on an ephemeral port; each request is answered by `handler`, those of different connections
    /// concurrently.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn start<F, R>(handler: F) -> io::Result<Self>
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Response> + Send + 'static,
    {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), handler)
    }

    /// Starts a server at `addr`: a simulated node that restarts keeps its URL.
    ///
    /// # Errors
    /// As [`HttpServer::start`].
    pub fn start_at<F, R>(addr: SocketAddr, handler: F) -> io::Result<Self>
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Response> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Ok(Self { addr, task: runtime.spawn(serve(listener, Arc::new(handler))) })
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

    /// Stops at once: closes the port and every connection, and returns when that is done.
    ///
    /// # Cancel safety
    /// Dropping the future stops the server all the same, a moment later.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // The only outcome is that the task was cancelled.
        drop((&mut self.task).await);
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Holds one request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Is the method, such as `POST`.
    pub method: String,
    /// Is the path with its query, such as `/rest/headers/00ab.bin?count=5`.
    pub path: String,
    /// Holds the headers in order; names are lower-case.
    pub headers: Vec<(String, String)>,
    /// Holds the whole body, at most [`MAX_BODY`] bytes.
    pub body: Bytes,
}

impl Request {
    /// Returns the first header of this lower-case `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }
}

/// Holds one answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Is the status; 500 is sent for a number that is none.
    pub status: u16,
    /// Holds the headers; `content-length` is added by itself, and a header that HTTP does not allow is left out.
    pub headers: Vec<(String, String)>,
    /// Holds the body. Cloning `Bytes` copies nothing, so large bodies may be shared.
    pub body: Bytes,
}

impl Response {
    /// Makes an answer of `status` with `body` and no headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Makes a 200 answer of type `application/json`.
    #[must_use]
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200, body).with_header("content-type", "application/json")
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Accepts connections; dropping this future drops the set and with it every connection.
async fn serve<F, R>(listener: tokio::net::TcpListener, handler: Arc<F>)
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A connection that failed before it was accepted concerns the client alone.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        drop(stream.set_nodelay(true));
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request| {
            let handler = Arc::clone(&handler);
            async move { Ok::<_, Infallible>(answer(request, &*handler).await) }
        });
        connections.spawn(async move {
            // A client that hangs up in the middle is its own affair.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer<F, R>(request: hyper::Request<Incoming>, handler: &F) -> hyper::Response<Full<Bytes>>
where
    F: Fn(Request) -> R,
    R: Future<Output = Response>,
{
    let (head, body) = request.into_parts();
    let response = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => handler(Request {
            method: head.method.as_str().to_owned(),
            path: head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: (head.headers.iter())
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: body.to_bytes(),
        }),
        Err(_) => return render(Response::new(413, "")),
    };
    render(response.await)
}

fn render(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut rendered = hyper::Response::new(Full::new(response.body));
    *rendered.status_mut() =
        hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            rendered.headers_mut().append(name, value);
        }
    }
    rendered
}

/// The largest request body that is read, in bytes: far above any batch that a client here sends.
pub const MAX_BODY: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn echo(request: Request) -> Response {
        let text = format!("{} {} {}", request.method, request.path, request.body.len());
        Response::new(201, text).with_header("x-seen", request.header("x-mine").unwrap_or("nothing"))
    }

    /// Sends a request and reads one answer, up to the end of its body.
    async fn ask(stream: &mut TcpStream, body: &[u8]) -> String {
        let head = format!("POST /a?b=1 HTTP/1.1\r\nhost: x\r\nX-Mine: 7\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = String::new();
        while !answer.contains(&format!("POST /a?b=1 {}", body.len())) {
            let mut part = [0; 1024];
            let count = stream.read(&mut part).await.unwrap();
            assert_ne!(count, 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        answer
    }

    #[tokio::test]
    async fn one_connection_serves_many_requests_with_large_bodies() {
        let server = HttpServer::start(echo).unwrap();
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        for size in [0, 1, 5_000_000] {
            let answer = ask(&mut stream, &vec![7; size]).await;
            assert!(answer.starts_with("HTTP/1.1 201 Created\r\nx-seen: 7\r\n"), "{answer}");
        }
        assert_eq!(server.url(), format!("http://127.0.0.1:{}", server.addr().port()));
    }

    #[tokio::test]
    async fn shutting_down_closes_connections_and_frees_the_port_for_a_restart() {
        let server = HttpServer::start(|request| Box::pin(echo(request))).unwrap();
        let addr = server.addr();
        let mut stream = TcpStream::connect(addr).await.unwrap();
        ask(&mut stream, b"x").await;
        server.shutdown().await;
        assert!(TcpStream::connect(addr).await.is_err());
        assert!(matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        let server = HttpServer::start_at(addr, echo).unwrap();
        let mut stream = TcpStream::connect(addr).await.unwrap();
        ask(&mut stream, b"again").await;
        drop(server);
    }

    #[test]
    fn starting_outside_of_a_runtime_is_an_error() {
        assert!(HttpServer::start(echo).is_err());
    }
}
