//! Plain HTTP over connections that acknowledge at once what comes over them.
//!
//! Nodes before Bitcoin Core 28 (Litecoin 0.21 and Dash 22 too) leave Nagle's algorithm on: the last part of a long
//! answer is not sent until what went before is acknowledged, and Linux puts an acknowledgement off for 40 ms. Over
//! loopback, whose segments are as large as 64 KiB, that is the price of nearly every answer above 16 KiB, the size that
//! these nodes write at once: a block of 60 KB takes 44 ms instead of half a millisecond
//! (`docs/adr/0004-raw-block-path.md`).

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::error::Error as StdError;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Uri;
use hyper::body::{Body as _, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use nodewright_core::Result;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{Arrival, Body, Parcel, innermost, unanswered, unsendable};
use crate::options::HttpOptions;
use crate::redact::Scrub;

/// Carries requests over plain TCP.
pub(super) struct Direct {
    client: Client<Connector, Full<Bytes>>,
}

impl Direct {
    pub(super) fn new(options: &HttpOptions) -> Self {
        // It speaks HTTP/1.1 only, so that the client's permits count connections; and it sends a request again only if a
        // kept connection turned out to be closed before any of it was sent.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.connections())
            .build(Connector::new(options.connect_timeout));
        Self { client }
    }

    pub(super) async fn send(&self, parcel: Parcel, scrub: &Scrub) -> Result<Arrival> {
        let op = parcel.op;
        let uri = Uri::try_from(parcel.url.as_str()).map_err(|error| unsendable(op, innermost(&error, scrub)))?;
        let mut request = hyper::Request::new(Full::new(parcel.body));
        *request.method_mut() = parcel.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = parcel.headers;
        let response = self.client.request(request).await;
        let response = response.map_err(|error| unanswered(op, !error.is_connect(), innermost(&error, scrub)))?;
        let (head, body) = response.into_parts();
        Ok(Arrival { status: head.status.as_u16(), headers: head.headers, body: Body::Direct(body) })
    }
}

pub(super) fn announced(body: &Incoming) -> Option<u64> {
    body.size_hint().exact()
}

/// Waits for the next piece of a body; `None` at its end.
pub(super) async fn chunk(body: &mut Incoming) -> core::result::Result<Option<Bytes>, hyper::Error> {
    while let Some(frame) = body.frame().await {
        // What is not data is trailers, which nobody here reads.
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Opens TCP connections. It knows no proxy.
#[derive(Clone, Debug)]
struct Connector {
    tcp: HttpConnector,
    timeout: Duration,
}

impl Connector {
    fn new(timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(timeout));
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Self { tcp, timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = PromptStream;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = core::result::Result<PromptStream, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<core::result::Result<(), Self::Error>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opening = self.tcp.call(uri);
        let timeout = self.timeout;
        Box::pin(async move {
            // The connector's own limit leaves out the time that looking up the name takes.
            let stream = tokio::time::timeout(timeout, opening).await??;
            Ok(PromptStream::new(stream))
        })
    }
}

/// Is a TCP connection that acknowledges what it receives at once, where the system can.
#[derive(Debug)]
struct PromptStream {
    stream: TokioIo<TcpStream>,
    /// Cleared when the system turns out not to know the option.
    prompt: bool,
}

impl PromptStream {
    fn new(stream: TokioIo<TcpStream>) -> Self {
        Self { stream, prompt: cfg!(any(target_os = "android", target_os = "linux")) }
    }

    /// Asks the system to acknowledge at once; it forgets that whenever it takes the connection for an interactive one
    /// (tcp(7)).
    fn acknowledge(&mut self) {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        if self.prompt
            && let Err(error) = self.stream.inner().set_quickack(true)
        {
            tracing::debug!(%error, "no quick acknowledgement");
            self.prompt = false;
        }
    }
}

impl Read for PromptStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.acknowledge();
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for PromptStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

impl Connection for PromptStream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

/// Is how long a connection may be silent before the system asks whether the other side is still there: shorter than
/// the minutes after which routers on the way forget it. `reqwest` 0.13 takes the same.
const KEEPALIVE: Duration = Duration::from_secs(15);

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_read_switches_quick_acknowledgement_on_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = Uri::try_from(format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (stream, peer) = tokio::join!(Connector::new(Duration::from_secs(60)).call(uri), listener.accept());
        let mut stream = stream.unwrap();
        // As the system itself does with a connection that looks interactive.
        stream.stream.inner().set_quickack(false).unwrap();
        assert!(!stream.stream.inner().quickack().unwrap());

        peer.unwrap().0.write_all(b"x").await.unwrap();
        let mut byte = [0];
        let mut buf = hyper::rt::ReadBuf::new(&mut byte);
        core::future::poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, buf.unfilled())).await.unwrap();
        assert_eq!(buf.filled(), b"x");
        assert!(stream.stream.inner().quickack().unwrap());
        assert!(stream.stream.inner().nodelay().unwrap());
    }
}
