//! HTTPS on loopback, with a certificate that nobody but the test vouches for.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Act, Server, answer, basic, limits, options, text};
use nodewright_core::{Error, ErrorKind, Retry};
use nodewright_rpc::{
    Auth, CallLimits, DownloadLimits, Endpoint, HttpClient, HttpOptions, HttpRequest, RetryOptions, RootCertificates,
    TransportFault,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Takes TLS off what comes in and passes it on to a plain server.
struct Front {
    url: String,
    /// The certificate in PEM, which vouches for itself.
    certificate: String,
    accept: JoinHandle<()>,
}

impl Front {
    /// Starts a front of `server` whose certificate is for `name`.
    async fn start(server: &Server, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let behind = server.address;
        let accept = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // A client that does not trust the certificate hangs up: its own affair.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut plain = TcpStream::connect(behind).await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut stream, &mut plain).await);
                });
            }
        });
        Self { url, certificate: made.cert.pem(), accept }
    }

    fn trusting(&self) -> HttpOptions {
        options().with_extra_roots(RootCertificates::from_pem(self.certificate.clone()))
    }

    fn client(&self, options: HttpOptions) -> HttpClient {
        client(&self.url, Auth::None, options)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

fn client(url: &str, auth: Auth, options: HttpOptions) -> HttpClient {
    HttpClient::try_new(Endpoint::parse(url).unwrap().0, auth, options).unwrap()
}

async fn hello() -> Server {
    Server::start(|_| Act::Send(answer(200, &[("X-Mine", "7")], "hello"))).await
}

fn fault(error: &Error) -> &TransportFault {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_with_the_reason() {
    let server = hello().await;
    let front = Front::start(&server, "127.0.0.1").await;
    let client = front.client(options().with_retry(RetryOptions::never()));
    let error = client.get("hello", "/", limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Exhausted));
    let TransportFault::Connect { cause } = fault(&error) else { panic!("{error:?}") };
    assert!(cause.contains("certificate"), "{cause}");
    assert!(server.seen().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_vouched_for_is_accepted() {
    let server = hello().await;
    let front = Front::start(&server, "127.0.0.1").await;
    let client = client(&front.url, basic("alice", "p:ss"), front.trusting());
    assert_eq!(client.get("hello", "/a?b=1", limits()).await.unwrap(), "hello");
    assert_eq!(client.post("hello", "/b", "{}", limits()).await.unwrap(), "hello");
    let request = HttpRequest::get("/c").with_header("x-api-version", "1");
    assert_eq!(client.send("hello", request, limits()).await.unwrap().header("x-mine"), Some("7"));

    let seen = server.seen();
    let targets: Vec<_> = seen.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["GET /a?b=1", "POST /b", "GET /c"]);
    assert!(seen.iter().all(|request| request.authorization() == "Basic YWxpY2U6cDpzcw=="));
    assert!(seen.iter().all(|request| request.connection == 0), "connections are kept");
    assert_eq!(seen[1].body, "{}");
    assert_eq!(seen[2].headers["x-api-version"], "1");
    assert!(!seen[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn a_trusted_certificate_for_another_name_is_refused() {
    let server = hello().await;
    let front = Front::start(&server, "node.example").await;
    let client = front.client(front.trusting().with_retry(RetryOptions::never()));
    let error = client.get("hello", "/", limits()).await.unwrap_err();
    assert!(matches!(fault(&error), TransportFault::Connect { cause } if cause.contains("certificate")), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn one_trusted_certificate_does_not_vouch_for_another() {
    let server = hello().await;
    let (front, other) = (Front::start(&server, "127.0.0.1").await, Front::start(&server, "127.0.0.1").await);
    let client = front.client(other.trusting().with_retry(RetryOptions::never()));
    let error = client.get("hello", "/", limits()).await.unwrap_err();
    assert!(matches!(fault(&error), TransportFault::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(tokio::io::AsyncWriteExt::write_all(&mut stream, &answer(400, &[], "plain")).await);
    });
    let client = client(&url, Auth::None, options().with_retry(RetryOptions::never()));
    let error = client.get("hello", "/", limits()).await.unwrap_err();
    assert!(matches!(fault(&error), TransportFault::Connect { .. }), "{error:?}");
    plain.await.unwrap();
}

#[test]
fn roots_that_are_none_are_refused_before_anything_is_sent() {
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no certificate", cut, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let options = options().with_extra_roots(RootCertificates::from_pem(pem));
        let (endpoint, auth) = Endpoint::parse("https://node.example/").unwrap();
        let error = HttpClient::try_new(endpoint, auth, options).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Never), "{pem:?}");
    }
}

#[tokio::test]
async fn limits_refusals_and_faults_are_the_same_over_tls() {
    let server = Server::start(|request| match request.target.as_str() {
        "GET /long" => Act::Send(answer(200, &[], &"y".repeat(1001))),
        "GET /endless" => Act::SendWithoutEnd(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()),
        "GET /cut" => Act::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0123".to_vec()),
        "GET /lost" => Act::SendAndReset(Vec::new()),
        "GET /moved" => Act::Send(answer(301, &[("Location", "http://127.0.0.1:1/")], "")),
        "GET /silent" => Act::Hang,
        _ => text(503, "Work queue depth exceeded"),
    })
    .await;
    let front = Front::start(&server, "127.0.0.1").await;
    let client = front.client(front.trusting().with_retry(RetryOptions::never()));
    let most = CallLimits { max_body: 1000, ..limits() };
    for (path, kind) in [
        ("/long", ErrorKind::Limit),
        ("/endless", ErrorKind::Limit),
        ("/cut", ErrorKind::Unreachable),
        ("/lost", ErrorKind::Unreachable),
        ("/moved", ErrorKind::Config),
        ("/busy", ErrorKind::Busy),
    ] {
        let error = client.get("get", path, most).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
        match path {
            "/cut" => assert!(matches!(fault(&error), TransportFault::Truncated { received: 4, .. }), "{error:?}"),
            "/lost" => assert!(matches!(fault(&error), TransportFault::Lost { .. }), "{error:?}"),
            _ => {}
        }
    }
    let error = client.get("get", "/silent", common::brief()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_download_may_go_to_https_from_a_plain_endpoint_and_leaves_the_login_behind() {
    let content: &'static str = "0123456789abcdef".repeat(64 * 1024).leak();
    let snapshots = Server::start(move |_| Act::Send(answer(200, &[], content))).await;
    let front = Front::start(&snapshots, "127.0.0.1").await;
    let own = hello().await;
    let limits = DownloadLimits { max_bytes: 1 << 24, idle_timeout: Duration::from_secs(60) };
    let trusting = client(&own.url(), basic("alice", "p:ss"), front.trusting());
    let mut download = trusting.download("snapshot", &format!("{}a.tar", front.url), None, limits).await.unwrap();
    assert_eq!(download.total_len(), Some(1 << 20));
    let mut all = Vec::new();
    while let Some(piece) = download.chunk().await.unwrap() {
        all.extend_from_slice(&piece);
    }
    assert!(all == content.as_bytes());
    assert_eq!((snapshots.seen().len(), snapshots.seen()[0].authorization()), (1, ""));

    let wary = client(&own.url(), Auth::None, options().with_retry(RetryOptions::never()));
    let error = wary.download("snapshot", &front.url, None, limits).await.unwrap_err();
    assert!(matches!(fault(&error), TransportFault::Connect { cause } if cause.contains("certificate")), "{error:?}");
}
