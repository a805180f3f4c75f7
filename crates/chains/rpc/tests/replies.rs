//! Requests with headers of their own, and answers whose status and headers the caller reads.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use common::{Act, Request, Server, answer, basic, limits, options, text};
use nodewright_core::{ErrorKind, Retry};
use nodewright_rpc::{HttpMethod, HttpReply, HttpRequest, http_status};

async fn send(server: &Server, request: HttpRequest) -> nodewright_core::Result<HttpReply> {
    server.client().http().send("probe", request, limits()).await
}

#[tokio::test]
async fn a_request_carries_method_path_headers_and_body() {
    let server = Server::start(|_| Act::Send(answer(200, &[], ""))).await;
    let get = HttpRequest::get("/artifact?x=1").with_header("X-API-Version", "0.1.46").with_header("accept", "a/b");
    send(&server, get).await.unwrap();
    send(&server, HttpRequest::post("/sign", "{}")).await.unwrap();
    let put = HttpRequest::new(HttpMethod::Put, "raw").with_body("z").with_header("Content-Type", "text/plain");
    send(&server, put).await.unwrap();
    send(&server, HttpRequest::new(HttpMethod::Delete, "x")).await.unwrap();

    let seen = server.seen();
    let header = |index: usize, name: &str| seen[index].headers.get(name).map_or("", String::as_str);
    assert_eq!(seen[0].target, "GET /artifact?x=1");
    assert_eq!((header(0, "x-api-version"), header(0, "accept"), header(0, "content-type")), ("0.1.46", "a/b", ""));
    assert!(header(0, "user-agent").starts_with("nodewright/"));
    assert_eq!((&*seen[1].target, &*seen[1].body, header(1, "content-type")), ("POST /sign", "{}", "application/json"));
    assert_eq!((&*seen[2].target, &*seen[2].body, header(2, "content-type")), ("PUT /raw", "z", "text/plain"));
    assert_eq!(seen[3].target, "DELETE /x");
}

#[tokio::test]
async fn an_answer_of_any_lasting_status_is_returned_with_its_headers_and_body() {
    for status in [200, 201, 204, 301, 400, 401, 404, 409, 412, 418, 500, 501, 599] {
        let body = if status == 204 { "" } else { "the body" };
        let head = [("X-API-Version", "0.1.50"), ("X-Twice", "a"), ("x-twice", "b")];
        let server = Server::start(move |_| Act::Send(answer(status, &head, body))).await;
        let reply = send(&server, HttpRequest::get("/")).await.unwrap();
        assert_eq!((reply.status(), &reply.body()[..]), (status, body.as_bytes()));
        assert_eq!(reply.header("x-api-VERSION"), Some("0.1.50"));
        assert_eq!(reply.header("X-TWICE"), Some("a"));
        assert_eq!((reply.header("absent"), reply.header("not a name")), (None, None));
        assert_eq!(reply.into_body(), body.as_bytes());
        assert_eq!(server.seen().len(), 1, "{status} is not asked again");
    }
}

#[tokio::test]
async fn a_412_with_an_empty_body_tells_the_version_that_the_server_speaks() {
    let head = "HTTP/1.1 412 Precondition Failed\r\nmithril-api-version: 0.1.50\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(move |_| Act::Send(head.into())).await;
    let reply = send(&server, HttpRequest::get("/").with_header("mithril-api-version", "0.0.1")).await.unwrap();
    assert_eq!((reply.status(), reply.header("Mithril-Api-Version"), reply.body().len()), (412, Some("0.1.50"), 0));
    let refusal = reply.refusal();
    assert_eq!(
        (refusal.kind(), refusal.retry(), http_status(&refusal)),
        (ErrorKind::Rejected, Retry::Never, Some(412))
    );
    assert!(refusal.to_string().contains(&server.address.to_string()), "{refusal}");
}

#[tokio::test]
async fn an_answer_that_says_to_ask_again_is_retried_and_then_an_error() {
    for (status, kind) in [
        (408, ErrorKind::Timeout),
        (429, ErrorKind::RateLimited),
        (502, ErrorKind::Unreachable),
        (503, ErrorKind::Busy),
        (504, ErrorKind::Unreachable),
    ] {
        let server = Server::start(move |_| text(status, "later")).await;
        let error = send(&server, HttpRequest::get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.retry(), http_status(&error)), (kind, Retry::Exhausted, Some(status)));
        assert_eq!(server.seen().len(), 4, "one request and a budget of three retries");
        let server = Server::start(move |request| text(if request.index == 0 { status } else { 404 }, "")).await;
        assert_eq!(send(&server, HttpRequest::get("/")).await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn a_request_that_changes_something_is_sent_at_most_once() {
    for act in [|_: &Request| Act::SendAndReset(Vec::new()), |_: &Request| text(504, "")] {
        let server = Server::start(act).await;
        let error = send(&server, HttpRequest::post("/tx", "{}").at_most_once()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Never));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_an_error_under_any_returned_status() {
    for status in [200, 404, 500] {
        let server = Server::start(move |_| text(status, &"y".repeat(100_001))).await;
        let client = server.client();
        let most = limits().with_max_body(100_000);
        let error = client.http().send("probe", HttpRequest::get("/"), most).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Limit, Retry::Never));
        let most = limits().with_max_body(100_001);
        let reply = client.http().send("probe", HttpRequest::get("/"), most).await.unwrap();
        assert_eq!(reply.body().len(), 100_001, "not cut like a refusal that only explains an error");
    }
}

#[tokio::test]
async fn the_credentials_go_with_it_and_cannot_be_replaced() {
    let server = Server::start(|_| Act::Send(answer(200, &[], ""))).await;
    let client = server.client_as(basic("alice", "p:ss"), options());
    client.http().send("probe", HttpRequest::get("/"), limits()).await.unwrap();
    assert_eq!(server.seen()[0].authorization(), "Basic YWxpY2U6cDpzcw==");
    let ours = [("Authorization", "x"), ("HOST", "x"), ("Content-Length", "0"), ("Transfer-Encoding", "chunked")];
    for (name, value) in ours.into_iter().chain([("a b", "x"), ("", "x"), ("a", "x\r\nHost: y"), ("a", "\0")]) {
        let request = HttpRequest::get("/").with_header(name, value);
        let error = client.http().send("probe", request, limits()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Never), "{name:?}: {value:?}");
    }
    assert_eq!(server.seen().len(), 1, "nothing of it was sent");
}

#[tokio::test]
async fn no_header_value_reaches_a_debug_text_or_an_error() {
    let server = Server::start(|_| text(503, "")).await;
    let request = HttpRequest::get("/").with_header("x-key", "hunter2");
    let shown = format!("{request:?}");
    let error = send(&server, request).await.unwrap_err();
    let bad = send(&server, HttpRequest::get("/").with_header("x-key", "hunter2\n")).await.unwrap_err();
    assert!(shown.contains("x-key"), "{shown}");
    for text in [shown, format!("{error} {error:?}"), format!("{bad} {bad:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
