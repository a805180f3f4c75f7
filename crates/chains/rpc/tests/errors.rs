//! What a node or a proxy may answer, over a real socket, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::time::Duration;

use common::{Act, Request, Server, answer, brief, json, limits, options, text};
use nodewright_core::{Error, ErrorKind, Retry};
use nodewright_rpc::{ReplyFault, RetryOptions, TransportFault, http_status, rpc_fault};

/// Calls once against a server that answers every request with `act`.
async fn refused(act: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Error {
    let server = Server::start(act).await;
    let client = server.client_with(options().with_retry(RetryOptions::never()));
    client.call::<u64>("getblockcount", &[], limits()).await.unwrap_err()
}

/// Gets once over REST.
async fn refused_get(act: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Error {
    let server = Server::start(act).await;
    let client = server.client_with(options().with_retry(RetryOptions::never()));
    client.http().get("headers", "/rest/headers/1/00.bin", limits()).await.unwrap_err()
}

fn cause<T: std::error::Error + 'static>(error: &Error) -> &T {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn the_table_of_json_rpc_errors_holds_over_a_socket() {
    let table = [
        (500, -8, "Block height out of range", ErrorKind::OutOfRange, Retry::Never),
        (200, -8, "Block height out of range", ErrorKind::OutOfRange, Retry::Never),
        (500, -5, "Block not found", ErrorKind::NotFound, Retry::Never),
        (500, -28, "Loading block index…", ErrorKind::WarmingUp, Retry::Exhausted),
        (503, -28, "Rewinding blocks…", ErrorKind::WarmingUp, Retry::Exhausted),
        (404, -32601, "Method not found", ErrorKind::Unsupported, Retry::Never),
        (200, -32601, "Method not found", ErrorKind::Unsupported, Retry::Never),
        (500, -1, "Block not available (pruned data)", ErrorKind::Rejected, Retry::Never),
        (500, -20, "Database error", ErrorKind::Rejected, Retry::Never),
        (500, -32603, "Unable to find any ChainLock", ErrorKind::Rejected, Retry::Never),
        (500, -32700, "Parse error", ErrorKind::Rejected, Retry::Never),
        (429, -32005, "limit", ErrorKind::RateLimited, Retry::Exhausted),
    ];
    for (status, code, message, kind, retry) in table {
        let error = refused(move |request| request.error(status, code, message)).await;
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{status} {code}");
        let fault = rpc_fault(&error).unwrap();
        assert_eq!((fault.code, fault.message.as_str()), (code, message));
        assert_eq!(http_status(&error), Some(status));
    }
}

#[tokio::test]
async fn the_table_of_refusals_without_json_holds_over_a_socket() {
    let table = [
        (500, "Work queue depth exceeded", ErrorKind::Busy, Retry::Exhausted),
        (503, "Work queue depth exceeded", ErrorKind::Busy, Retry::Exhausted),
        (503, "Service temporarily unavailable: Loading block index", ErrorKind::Busy, Retry::Exhausted),
        (401, "", ErrorKind::Auth, Retry::Never),
        (403, "", ErrorKind::Auth, Retry::Never),
        (404, "Block height out of range", ErrorKind::NotFound, Retry::Never),
        (405, "JSONRPC server handles only POST requests", ErrorKind::Rejected, Retry::Never),
        (400, "Header count out of range", ErrorKind::Rejected, Retry::Never),
        (429, "<html>slow down</html>", ErrorKind::RateLimited, Retry::Exhausted),
        (502, "<html>Bad Gateway</html>", ErrorKind::Unreachable, Retry::Exhausted),
        (204, "", ErrorKind::InvalidData, Retry::Never),
    ];
    for (status, body, kind, retry) in table {
        let over_rpc = refused(move |_| text(status, body)).await;
        let over_rest = refused_get(move |_| text(status, body)).await;
        for error in [over_rpc, over_rest] {
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status} {body}: {error}");
            assert_eq!(http_status(&error), Some(status));
            assert!(rpc_fault(&error).is_none());
            assert!(error.to_string().contains(body), "{error}");
        }
    }
}

#[tokio::test]
async fn a_200_without_json_names_its_first_bytes() {
    for body in ["<html>Please sign in</html>", "", "\"text\"", "[]"] {
        let error = refused(move |_| text(200, body)).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never));
        let ReplyFault::NotJsonRpc { start, .. } = cause(&error) else { panic!("{error:?}") };
        assert_eq!(start, body);
    }
    let error = refused(|_| Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\xff\x00".to_vec())).await;
    let ReplyFault::NotJsonRpc { reason, start } = cause(&error) else { panic!("{error:?}") };
    assert_eq!((reason.as_str(), start.as_str()), ("not UTF-8", "a\u{fffd}"));
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    for id in ["999", "null", "\"0\"", "0.0"] {
        let error = refused(move |_| json(200, &format!(r#"{{"result":1,"id":{id}}}"#))).await;
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(cause::<ReplyFault>(&error), &ReplyFault::ForeignId { id: id.to_owned() });
    }
    let error = refused(|_| json(500, r#"{"error":{"code":-32700,"message":"Parse error"},"id":null}"#)).await;
    assert_eq!(rpc_fault(&error).unwrap().code, -32700, "an error may have no id");
}

#[tokio::test]
async fn a_result_under_a_refusing_status_is_not_believed() {
    let error = refused(|_| json(404, r#"{"result":1,"error":null,"id":0}"#)).await;
    assert_eq!((error.kind(), http_status(&error)), (ErrorKind::NotFound, Some(404)));
}

#[tokio::test]
async fn a_result_of_the_wrong_type_is_invalid_and_not_repeated_whole() {
    let error = refused(|request| request.result(&format!("{:?}", "ab".repeat(9999)))).await;
    assert_eq!((error.kind(), error.op()), (ErrorKind::InvalidData, "getblockcount"));
    assert!(error.to_string().len() < 500, "{}", error.to_string().len());
    for result in ["1e99999", "99999999999999999999", "-1", "null", "1.0"] {
        let error = refused(move |request| request.result(result)).await;
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{result}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|_| Act::Send(answer(307, &[("Location", "http://127.0.0.1:1/hunter2")], ""))).await;
    let client = server.client_as(common::basic("u", "p"), options());
    let error = client.call::<u64>("getblockcount", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Never));
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let server = Server::start(|_| Act::Hang).await;
    let client = server.client();
    let address = server.address;
    drop(server);
    tokio::task::yield_now().await;
    let listener = loop {
        // The port is free once the server's task is gone; taking and dropping it shows that nothing listens.
        match std::net::TcpListener::bind(address) {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    drop(listener);
    let error = client.call::<u64>("getblockcount", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Exhausted));
    assert!(matches!(cause(&error), TransportFault::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_lost() {
    for act in [|| Act::SendAndReset(Vec::new()), || Act::SendAndClose(b"HTTP/1.1 20".to_vec())] {
        let error = refused(move |_| act()).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Exhausted));
        assert!(matches!(cause(&error), TransportFault::Lost { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_truncated_and_not_parsed() {
    let whole = r#"{"result":1,"error":null,"id":0}"#;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{whole}").into_bytes();
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{whole}\r\n").into_bytes();
    assert_eq!(whole.len(), 0x20);
    for bytes in [announced, chunked] {
        for reset in [false, true] {
            let bytes = bytes.clone();
            let error =
                refused(
                    move |_| {
                        if reset { Act::SendAndReset(bytes.clone()) } else { Act::SendAndClose(bytes.clone()) }
                    },
                )
                .await;
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Exhausted));
            let transport: &TransportFault = cause(&error);
            // A reset may overtake the bytes before it, the head included.
            assert!(reset || *transport == truncated(transport, whole.len()), "{error:?}");
        }
    }
}

fn truncated(like: &TransportFault, received: usize) -> TransportFault {
    match like {
        TransportFault::Truncated { received: found, cause } if *found == received => {
            TransportFault::Truncated { received, cause: cause.clone() }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_cut() {
    let small = limits().with_max_body(1000);
    let endless = |head: &'static str| move |_: &Request| Act::SendWithoutEnd(head.as_bytes().to_vec());

    let announced = Server::start(endless("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")).await;
    let error = announced.client().http().get("block", "/", small).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Limit, Retry::Never));
    assert!(error.to_string().contains("1001 bytes"), "{error}");

    let huge = Server::start(endless("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n")).await;
    let error = huge.client().http().get("block", "/", small).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");

    let until_closed = Server::start(endless("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")).await;
    let error = until_closed.client().http().get("block", "/", small).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Limit, Retry::Never));
    let error = until_closed.client().call::<u64>("getblockcount", &[], small).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);

    let exact = Server::start(|_| Act::Send(answer(200, &[], &"y".repeat(1000)))).await;
    assert_eq!(exact.client().http().get("block", "/", small).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_refusal_without_end_is_judged_by_its_status() {
    let endless = |_: &Request| Act::SendWithoutEnd(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n".to_vec());
    let error = refused_get(endless).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::NotFound, Retry::Never));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let silent = Server::start(|_| Act::Hang).await;
    let error = silent.client().call::<u64>("getblockcount", &[], brief()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::After(None)));

    let stuck = Server::start(|_| Act::SendTogether(2, b"never".to_vec())).await;
    let error = stuck.client().http().get("block", "/", brief()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);

    // The clock runs over all attempts together: the second one hangs.
    let second = Server::start(|request| if request.index == 0 { text(503, "busy") } else { Act::Hang }).await;
    let error = second
        .client()
        .call::<u64>("getblockcount", &[], limits().with_timeout(Duration::from_secs(1)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(http_status(&error), Some(503), "the refusal before it is kept: {error}");
}

#[tokio::test]
async fn retry_after_is_honoured_and_bounded() {
    let table = [
        (vec![("Retry-After", "300")], Some(Duration::from_secs(300))),
        (vec![("Retry-After", "86400")], Some(Duration::from_secs(600))),
        (
            vec![("Retry-After", "Sun, 06 Nov 1994 08:54:37 GMT"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")],
            Some(Duration::from_secs(300)),
        ),
    ];
    for (headers, wait) in table {
        for status in [429, 503] {
            let headers = headers.clone();
            let server = Server::start(move |_| Act::Send(answer(status, &headers, ""))).await;
            let client = server.client_with(options().with_max_retry_after(Duration::from_secs(600)));
            let error = client.call::<u64>("getblockcount", &[], limits()).await.unwrap_err();
            assert_eq!(error.retry(), Retry::After(wait), "longer than the call has: the caller is told at once");
            assert_eq!(server.seen().len(), 1);
        }
    }
    let server = Server::start(|request| match request.index {
        0 => Act::Send(answer(429, &[("Retry-After", "0")], "")),
        _ => request.result("5"),
    })
    .await;
    assert_eq!(server.client().call::<u64>("getblockcount", &[], limits()).await.unwrap(), 5);
}

#[tokio::test]
async fn no_secret_reaches_an_error_or_a_debug_text() {
    let secrets = ["hunter2", "K3Y0123456789abcdefK3Y", "t0ken"];
    let echo = |request: &Request| match request.index % 4 {
        0 => text(404, &format!("no such thing: {} {}", request.target, "hunter2")),
        1 => request.error(500, -1, "bad t0ken for /K3Y0123456789abcdefK3Y with hunter2"),
        2 => text(200, &format!("<a href='{}'>", request.target)),
        _ => Act::SendAndReset(Vec::new()),
    };
    let server = Server::start(echo).await;
    let url = format!("http://user:hunter2@{}/v2/K3Y0123456789abcdefK3Y?auth=t0ken", server.address);
    let (endpoint, auth) = nodewright_rpc::Endpoint::parse(&url).unwrap();
    let client =
        nodewright_rpc::RpcClient::try_new(endpoint, auth, options().with_retry(RetryOptions::never())).unwrap();
    let mut texts = vec![format!("{client:?}")];
    for _ in 0..4 {
        let error = client.call::<u64>("getblockcount", &[], limits()).await.unwrap_err();
        texts.push(format!("{error} {error:?}"));
    }
    for text in texts {
        assert!(text.contains(&format!("http://{}/v2/…?auth=…", server.address)), "{text}");
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
    assert_eq!(server.seen()[0].target, "POST /v2/K3Y0123456789abcdefK3Y?auth=t0ken");
}
