//! Downloads piece by piece: whole, gone on with, too large, stalled, broken off, and from another host.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::num::NonZeroU32;
use std::time::Duration;

use common::{Act, Request, Server, answer, basic, limits, options, text};
use nodewright_core::{Error, ErrorKind, Result, Retry};
use nodewright_rpc::{Auth, Download, DownloadLimits, Endpoint, HttpClient, Resume, TransportFault, http_status};

const MIB: u64 = 1024 * 1024;
const LIMITS: DownloadLimits = DownloadLimits { max_bytes: 64 * MIB, idle_timeout: Duration::from_secs(60) };
/// For a download that is expected to stall.
const BRIEF: DownloadLimits = DownloadLimits { idle_timeout: Duration::from_millis(50), ..LIMITS };

async fn open(server: &Server, resume: Option<Resume<'_>>, limits: DownloadLimits) -> Result<Download> {
    server.client().http().download("snapshot", "/snapshot.tar", resume, limits).await
}

async fn refused(server: &Server, resume: Option<Resume<'_>>, limits: DownloadLimits) -> Error {
    open(server, resume, limits).await.unwrap_err()
}

/// Reads to the end.
async fn rest(download: &mut Download) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = download.chunk().await? {
        assert!(!piece.is_empty());
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

fn after(from: u64) -> Option<Resume<'static>> {
    Some(Resume { from, validator: None })
}

/// Serves `content` as a web server does: the part that is asked for, if the validator still holds.
fn serve(content: &'static str) -> impl Fn(&Request) -> Act {
    move |request| {
        let len = content.len();
        let valid = request.headers.get("if-range").is_none_or(|held| held == "\"one\"");
        match request.headers.get("range").filter(|_| valid) {
            None => Act::Send(answer(200, &[("ETag", "\"one\"")], content)),
            Some(range) => {
                let from: usize = range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
                if from >= len {
                    return Act::Send(answer(416, &[("Content-Range", &format!("bytes */{len}"))], ""));
                }
                let part = format!("bytes {from}-{}/{len}", len - 1);
                Act::Send(answer(206, &[("ETag", "\"one\""), ("Content-Range", &part)], &content[from..]))
            }
        }
    }
}

/// Sends a part of ten bytes, then nothing more, the first time; then serves all.
fn stall_once(request: &Request) -> Act {
    match request.index {
        0 => Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123".to_vec()),
        _ => serve("0123456789")(request),
    }
}

#[tokio::test]
async fn a_download_comes_in_pieces_and_is_whole() {
    let content: &'static str = "0123456789abcdef".repeat(512 * 1024).leak();
    let server = Server::start(serve(content)).await;
    let mut download = open(&server, None, LIMITS).await.unwrap();
    assert_eq!((download.status(), download.is_resumed(), download.position()), (200, false, 0));
    assert_eq!((download.total_len(), download.validator()), (Some(8 * MIB), Some("\"one\"")));
    let first = download.chunk().await.unwrap().unwrap();
    assert!(first.len() < 2 * 1024 * 1024, "{}", first.len());
    assert_eq!(download.position(), first.len() as u64);
    let others = rest(&mut download).await.unwrap();
    assert!([first.as_ref(), &others].concat() == content.as_bytes());
    assert_eq!(download.position(), 8 * MIB);
    assert!(download.chunk().await.unwrap().is_none(), "the end stays the end");
    assert!(!server.seen()[0].headers.contains_key("range"));
}

#[tokio::test]
async fn a_download_without_a_stated_length_ends_where_the_server_says() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let server = Server::start(|_| Act::Send(chunked.into())).await;
    let mut download = open(&server, None, LIMITS).await.unwrap();
    assert_eq!((download.total_len(), download.validator()), (None, None));
    assert_eq!(rest(&mut download).await.unwrap(), b"hello world");
}

#[tokio::test]
async fn the_rest_is_told_apart_from_the_whole() {
    let server = Server::start(serve("0123456789")).await;
    let same = Some(Resume { from: 4, validator: Some("\"one\"") });
    for resume in [same, after(4)] {
        let mut download = open(&server, resume, LIMITS).await.unwrap();
        assert_eq!((download.status(), download.is_resumed(), download.position()), (206, true, 4));
        assert_eq!(download.total_len(), Some(10));
        assert_eq!(rest(&mut download).await.unwrap(), b"456789");
        assert_eq!(download.position(), 10);
    }
    let changed = Some(Resume { from: 4, validator: Some("\"zero\"") });
    let mut download = open(&server, changed, LIMITS).await.unwrap();
    assert_eq!((download.status(), download.is_resumed(), download.position()), (200, false, 0));
    assert_eq!(rest(&mut download).await.unwrap(), b"0123456789");

    let seen = server.seen();
    assert_eq!((&*seen[0].headers["range"], &*seen[0].headers["if-range"]), ("bytes=4-", "\"one\""));
    assert!(!seen[1].headers.contains_key("if-range"));
}

#[tokio::test]
async fn a_server_without_ranges_sends_the_whole() {
    let server = Server::start(|_| Act::Send(answer(200, &[("Accept-Ranges", "none")], "0123456789"))).await;
    let mut download = open(&server, after(4), LIMITS).await.unwrap();
    assert!(!download.is_resumed());
    assert_eq!(rest(&mut download).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_rest_of_nothing_is_out_of_range() {
    let server = Server::start(serve("0123456789")).await;
    let error = refused(&server, after(10), LIMITS).await;
    assert_eq!((error.kind(), error.retry(), http_status(&error)), (ErrorKind::OutOfRange, Retry::Never, Some(416)));
}

#[tokio::test]
async fn a_part_that_was_not_asked_for_is_refused() {
    for range in ["bytes 3-9/10", "bytes 5-9/10", "bytes 0-9/10", "bytes */10", "4-9/10", "bytes 4-3/10", "bytes 4-9/9"]
    {
        let server = Server::start(move |_| Act::Send(answer(206, &[("Content-Range", range)], "456789"))).await;
        let error = refused(&server, after(4), LIMITS).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never), "{range}");
        assert!(error.to_string().contains(range), "{error}");
    }
    let unnamed = Server::start(|_| Act::Send(answer(206, &[], "456789"))).await;
    assert_eq!(refused(&unnamed, after(4), LIMITS).await.kind(), ErrorKind::InvalidData);
    let unasked = Server::start(|_| Act::Send(answer(206, &[("Content-Range", "bytes 0-5/10")], "456789"))).await;
    assert_eq!(refused(&unasked, None, LIMITS).await.kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_part_shorter_or_longer_than_the_rest_is_not_taken_for_it() {
    let part = |range: &'static str, body: &'static str| {
        move |_: &Request| Act::Send(answer(206, &[("Content-Range", range)], body))
    };
    let server = Server::start(part("bytes 4-6/10", "456")).await;
    let mut download = open(&server, after(4), LIMITS).await.unwrap();
    let error = rest(&mut download).await.unwrap_err();
    assert_eq!((error.kind(), error.retry(), download.position()), (ErrorKind::Unreachable, Retry::After(None), 7));

    let server = Server::start(part("bytes 4-9/10", "456789x")).await;
    let error = rest(&mut open(&server, after(4), LIMITS).await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never));
}

#[tokio::test]
async fn a_body_that_stalls_is_a_timeout_and_can_be_gone_on_with() {
    let server = Server::start(stall_once).await;
    let mut download = open(&server, None, BRIEF).await.unwrap();
    assert_eq!(download.chunk().await.unwrap().unwrap(), "0123");
    let error = download.chunk().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::After(None)));
    let text = error.to_string();
    assert!(text.contains("idle limit: 50 ms, received: 4") && text.contains(&server.address.to_string()), "{text}");
    assert_eq!(download.chunk().await.unwrap_err().kind(), ErrorKind::Unreachable, "a failure never becomes an end");

    let mut download = open(&server, after(download.position()), LIMITS).await.unwrap();
    assert_eq!(rest(&mut download).await.unwrap(), b"456789");
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_a_timeout() {
    let server = Server::start(|_| Act::Hang).await;
    assert_eq!(refused(&server, None, BRIEF).await.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_wait_for_a_piece_may_be_dropped_and_begun_again() {
    let content: &'static str = "0123456789abcdef".repeat(64 * 1024).leak();
    let server = Server::start(serve(content)).await;
    let mut download = open(&server, None, LIMITS).await.unwrap();
    let (mut all, mut dropped) = (Vec::new(), 0);
    loop {
        let piece = tokio::select! {
            biased;
            piece = download.chunk() => piece.unwrap(),
            () = std::future::ready(()) => {
                dropped += 1;
                tokio::task::yield_now().await;
                continue;
            }
        };
        match piece {
            Some(piece) => all.extend_from_slice(&piece),
            None => break,
        }
    }
    assert!(all == content.as_bytes() && dropped > 0, "{} bytes, {dropped} waits dropped", all.len());
}

#[tokio::test]
async fn more_bytes_than_allowed_are_refused_announced_or_not() {
    let most = |max_bytes| DownloadLimits { max_bytes, ..LIMITS };
    let server = Server::start(serve("0123456789")).await;
    let error = refused(&server, None, most(9)).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Limit, Retry::Never));
    assert_eq!(refused(&server, after(4), most(9)).await.kind(), ErrorKind::Limit, "the first part counts");
    assert_eq!(rest(&mut open(&server, after(4), most(10)).await.unwrap()).await.unwrap(), b"456789");

    let whole = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let part = "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: bytes 4-99999999/*\r\n\r\n";
    for head in [whole, part] {
        let endless = Server::start(move |_| Act::SendWithoutEnd(head.into())).await;
        let mut download = open(&endless, after(4), most(MIB)).await.unwrap();
        let error = rest(&mut download).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Limit, Retry::Never));
        assert!(download.position() <= MIB);
        assert!(download.chunk().await.is_err());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_whole() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n";
    for bytes in [announced, chunked] {
        let server = Server::start(move |_| Act::SendAndClose(bytes.into())).await;
        let mut download = open(&server, None, LIMITS).await.unwrap();
        let error = rest(&mut download).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::After(None)));
        let fault: &TransportFault = std::error::Error::source(&error).unwrap().downcast_ref().unwrap();
        assert!(matches!(fault, TransportFault::Truncated { received: 4, .. }), "{fault:?}");
        assert_eq!(download.position(), 4);
    }
}

#[tokio::test]
async fn a_refusal_is_classified_and_a_passing_one_retried() {
    for (status, kind) in [(404, ErrorKind::NotFound), (302, ErrorKind::Config), (403, ErrorKind::Auth)] {
        let server = Server::start(move |_| Act::Send(answer(status, &[("Location", "/elsewhere")], "why"))).await;
        let error = refused(&server, None, LIMITS).await;
        assert_eq!((error.kind(), http_status(&error)), (kind, Some(status)));
        assert_eq!(server.seen().len(), 1);
    }
    let server = Server::start(|request| if request.index < 2 { text(503, "") } else { serve("all")(request) }).await;
    assert_eq!(rest(&mut open(&server, None, LIMITS).await.unwrap()).await.unwrap(), b"all");
}

#[tokio::test]
async fn a_download_keeps_one_connection_until_its_end_or_its_drop() {
    let server = Server::start(stall_once).await;
    let client = server.client_with(options().with_max_connections(NonZeroU32::MIN));
    let download = client.http().download("long", "/", None, LIMITS).await.unwrap();
    let error = client.http().get("get", "/", common::brief()).await.unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::Timeout, 1));
    drop(download);

    let mut whole = client.http().download("short", "/", None, LIMITS).await.unwrap();
    assert_eq!(rest(&mut whole).await.unwrap(), b"0123456789");
    client.http().get("get", "/", limits()).await.unwrap();
    let seen = server.seen();
    assert_ne!(seen[0].connection, seen[1].connection, "one that was not read to its end is closed");
    assert_eq!(seen[1].connection, seen[2].connection, "one that was is used again");
}

/// Makes a client with credentials and a key in its URL.
fn secretive(server: &Server) -> HttpClient {
    let (endpoint, _) = Endpoint::parse(&format!("http://{}/api?token=hunter2hunter2", server.address)).unwrap();
    HttpClient::try_new(endpoint, basic("alice", "p:ss"), options()).unwrap()
}

#[tokio::test]
async fn credentials_go_to_the_endpoints_own_origin_only() {
    let (own, other) = (Server::start(serve("own")).await, Server::start(serve("other")).await);
    let client = secretive(&own);
    let at = |server: &Server, path: &str| format!("http://{}{path}", server.address);
    for (target, content) in [
        ("/snapshot.tar".to_owned(), "own"),
        (at(&own, "/snapshot.tar?signed=1"), "own"),
        (at(&own, "/").replace("127.0.0.1", "localhost"), "own"),
        ("//evil.example/x".to_owned(), "own"),
        ("/at?url=http://evil.example/".to_owned(), "own"),
        (at(&other, "/snapshot.tar?signed=1"), "other"),
        (at(&other, "/").replace("http", "HTTP"), "other"),
    ] {
        let mut download = client.download("snapshot", &target, None, LIMITS).await.unwrap();
        assert_eq!(rest(&mut download).await.unwrap(), content.as_bytes(), "{target}");
    }
    let seen: Vec<_> = own.seen().iter().map(|seen| (seen.target.clone(), !seen.authorization().is_empty())).collect();
    let expected = [
        ("GET /api/snapshot.tar?token=hunter2hunter2", true),
        ("GET /snapshot.tar?signed=1", true),
        ("GET /", false),
        ("GET /api//evil.example/x?token=hunter2hunter2", true),
        ("GET /api/at?url=http://evil.example/&token=hunter2hunter2", true),
    ];
    assert_eq!(seen, expected.map(|(target, login)| (target.to_owned(), login)));
    assert_eq!(other.seen().len(), 2);
    for seen in other.seen() {
        assert!(!seen.headers.contains_key("authorization") && !format!("{seen:?}").contains("hunter2"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_foreign_origin_that_asks_for_a_login_does_not_get_the_cookie() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".cookie");
    std::fs::write(&path, "__cookie__:one").unwrap();
    let (own, other) = (Server::start(serve("own")).await, Server::start(|_| text(401, "")).await);
    let client = own.client_as(Auth::Cookie(path), options());
    let error = client.http().download("snapshot", &other.url(), None, LIMITS).await.unwrap_err();
    assert_eq!((error.kind(), other.seen().len()), (ErrorKind::Auth, 1));
    assert_eq!(other.seen()[0].authorization(), "");
}

#[tokio::test]
async fn an_address_that_is_none_or_holds_a_login_is_refused_and_not_repeated() {
    let server = Server::start(serve("all")).await;
    let client = secretive(&server);
    let targets = [
        "ftp://h/hunter2",
        "http://u:hunter2@h/",
        "http://",
        "http://h:99999/hunter2",
        "http://h/#hunter2",
        #[cfg(not(feature = "tls"))]
        "https://h/hunter2",
    ];
    for target in targets {
        let error = client.download("snapshot", target, None, LIMITS).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Never), "{target}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let bad = Some(Resume { from: 1, validator: Some("a\r\nb") });
    assert_eq!(client.download("snapshot", "/", bad, LIMITS).await.unwrap_err().kind(), ErrorKind::Config);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_signed_url_that_a_server_echoes_is_redacted() {
    let other = Server::start(|request| text(404, &format!("no {} for you", request.target))).await;
    let own = Server::start(serve("own")).await;
    let target = format!("http://{}/a?signature=hunter3hunter3", other.address);
    let error = secretive(&own).download("snapshot", &target, None, LIMITS).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains(&format!("http://{}/a?signature=…", other.address)), "{text}");
    assert!(!text.contains("hunter3"), "{text}");
}

#[test]
fn downloads_can_move_between_threads() {
    fn sent<T: Send>(_: &T) {}
    fn owned<T: Send + std::fmt::Debug + 'static>() {}
    owned::<Download>();
    let (endpoint, auth) = Endpoint::parse("http://127.0.0.1:1/").unwrap();
    let client = HttpClient::try_new(endpoint, auth, options()).unwrap();
    sent(&client.download("m", "/", None, LIMITS));
}
