//! What a working node sees of the client, and what the client does when a node recovers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Act, Request, Server, answer, basic, brief, json, limits, options, text};
use nodewright_core::{ErrorKind, Retry};
use nodewright_rpc::{Auth, HttpClient, RateLimit, ReplyFault, RpcClient, Version, rpc_fault};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_states_version_method_and_parameters() {
    let server = Server::start(|request| request.result("[1, null]")).await;
    let client = server.client();
    let result: (u8, Option<u8>) = client.call("getblock", &["00ff".into(), 0.into()], limits()).await.unwrap();
    assert_eq!(result, (1, None));
    let old = server.client_with(options().with_json_rpc(Version::V1));
    old.call::<Value>("getblockcount", &[], limits()).await.unwrap();

    let seen = server.seen();
    assert_eq!(seen[0].json(), json!({"jsonrpc": "2.0", "id": 0, "method": "getblock", "params": ["00ff", 0]}));
    assert_eq!(seen[1].json(), json!({"jsonrpc": "1.0", "id": 0, "method": "getblockcount", "params": []}));
    assert_eq!(seen[0].target, "POST /");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].authorization(), "");
    assert!(!seen[0].headers.contains_key("accept-encoding"), "{:?}", seen[0].headers);
}

#[tokio::test]
async fn ids_differ_from_call_to_call_and_connections_are_kept() {
    let server = Server::start(|request| request.result("null")).await;
    let client = server.client();
    for _ in 0..5 {
        client.clone().call::<()>("ping", &[], limits()).await.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen.iter().map(Request::id).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(seen.iter().all(|request| request.connection == 0), "{seen:?}");
}

#[tokio::test]
async fn a_refused_call_leaves_its_connection_usable() {
    let server = Server::start(|request| request.error(500, -8, "Block height out of range")).await;
    let client = server.client();
    for _ in 0..3 {
        client.call::<String>("getblockhash", &[9.into()], limits()).await.unwrap_err();
    }
    assert!(server.seen().iter().all(|request| request.connection == 0));
}

#[tokio::test]
async fn no_more_connections_are_opened_than_allowed() {
    for (allowed, calls) in [(2, 8), (8, 8)] {
        let body = r#"{"result":1,"id":0}"#;
        let server = Server::start(move |_| Act::SendTogether(allowed, answer(200, &[], body))).await;
        let allowed = NonZeroU32::new(u32::try_from(allowed).unwrap()).unwrap();
        let client = server.client_with(options().with_max_connections(allowed));
        let http = client.http().clone();
        let gets: Vec<_> = (0..calls)
            .map(|_| {
                let http = http.clone();
                tokio::spawn(async move { http.get("get", "/", limits()).await.unwrap() })
            })
            .collect();
        for get in gets {
            get.await.unwrap();
        }
        let connections = server.seen().iter().map(|request| request.connection).max().unwrap() + 1;
        assert_eq!(connections, usize::try_from(allowed.get()).unwrap());
    }
}

#[tokio::test]
async fn a_raw_result_lies_in_the_body() {
    let server = Server::start(|request| request.result("\"00ff\"")).await;
    let reply = server.client().call_raw("getblock", &[], limits()).await.unwrap();
    assert_eq!(reply.get(), "\"00ff\"");
    let hex: &str = reply.parse().unwrap();
    assert_eq!(hex, "00ff");
    assert!(reply.get().as_bytes().as_ptr_range().contains(&hex.as_ptr()));
    assert_eq!(reply.parse::<u8>().unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let body = format!(r#"{{"result":"{}","error":null,"id":0}}"#, "ab".repeat(20_000));
    let chunked: String = body.as_bytes().chunks(777).fold(String::new(), |all, piece| {
        format!("{all}{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap())
    });
    let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n").into_bytes();
    let server = Server::start(move |_| Act::Send(bytes.clone())).await;
    let result: String = server.client().call("getblock", &[], limits()).await.unwrap();
    assert_eq!(result, "ab".repeat(20_000));
}

#[tokio::test]
async fn a_batch_is_one_request_and_its_answers_come_in_its_order() {
    let server = Server::start(|request| {
        let mut answers: Vec<Value> = request
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|call| match call["params"][0].as_u64() {
                Some(height) if height < 3 => json!({"result": format!("hash{height}"), "id": call["id"]}),
                _ => json!({"result": null, "error": {"code": -8, "message": "out of range"}, "id": call["id"]}),
            })
            .collect();
        answers.reverse();
        json(200, &Value::from(answers).to_string())
    })
    .await;
    let client = server.client();
    let params: Vec<Vec<Value>> = (0..4).map(|height| vec![height.into()]).collect();
    let reply = client.batch("getblockhash", &params, limits()).await.unwrap();
    assert_eq!((reply.len(), server.seen().len()), (4, 1));
    for height in 0..3 {
        assert_eq!(reply.parse::<&str>(height).unwrap(), format!("hash{height}"));
    }
    let error = reply.get(3).unwrap_err();
    assert_eq!((error.kind(), error.op()), (ErrorKind::OutOfRange, "getblockhash"));
    assert_eq!(rpc_fault(&error).unwrap().code, -8);

    client.batch("getblockhash", &params, limits()).await.unwrap();
    assert_eq!(server.seen()[1].json()[0]["id"], 4, "no id is used twice");
}

#[tokio::test]
async fn a_batch_of_different_methods_names_the_failing_one() {
    let server = Server::start(|request| {
        let calls = request.json();
        assert_eq!(calls[1], json!({"jsonrpc": "2.0", "id": 1, "method": "nosuch", "params": [true]}));
        json(200, r#"[{"result":7,"error":null,"id":0},{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}]"#)
    })
    .await;
    let calls = [("getblockcount", vec![]), ("nosuch", vec![true.into()])];
    let reply = server.client().batch_mixed(&calls, limits()).await.unwrap();
    assert_eq!(reply.parse::<u64>(0).unwrap(), 7);
    let error = reply.get(1).unwrap_err();
    assert_eq!((error.kind(), error.op()), (ErrorKind::Unsupported, "nosuch"));
}

#[tokio::test]
async fn an_empty_batch_asks_nothing() {
    let server = Server::start(|_| Act::Hang).await;
    let reply = server.client().batch("getblockhash", &[], limits()).await.unwrap();
    assert!(reply.is_empty());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_batch_that_cannot_be_matched_fails_as_a_whole() {
    let table = [
        (r#"[{"result":1,"id":0}]"#, ReplyFault::MissingId { id: 1 }),
        (r#"[{"result":1,"id":0},{"result":1,"id":0}]"#, ReplyFault::DuplicateId { id: 0 }),
        (r#"[{"result":1,"id":0},{"result":1,"id":2}]"#, ReplyFault::ForeignId { id: "2".to_owned() }),
    ];
    for (body, expected) in table {
        let server = Server::start(move |_| json(200, body)).await;
        let error = server.client().batch("m", &[vec![], vec![]], limits()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never));
        let fault: &ReplyFault = std::error::Error::source(&error).unwrap().downcast_ref().unwrap();
        assert_eq!(fault, &expected);
    }
}

#[tokio::test]
async fn one_object_instead_of_a_batch_is_an_error_for_all() {
    let server = Server::start(|_| json(500, r#"{"error":{"code":-32700,"message":"Parse error"},"id":null}"#)).await;
    let error = server.client().batch("m", &[vec![]], limits()).await.unwrap_err();
    assert_eq!((error.kind(), rpc_fault(&error).unwrap().code), (ErrorKind::Rejected, -32700));

    let server = Server::start(|_| json(200, r#"{"result":1,"id":0}"#)).await;
    let error = server.client().batch("m", &[vec![]], limits()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);

    let server = Server::start(|_| text(500, "Work queue depth exceeded")).await;
    let error = server.client().batch("m", &[vec![]], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::Exhausted));
    assert_eq!(server.seen().len(), 4, "one call and a budget of three retries");
}

#[tokio::test]
async fn a_batch_to_a_starting_node_is_sent_again() {
    let server = Server::start(|request| {
        let body = match request.index {
            0 => r#"[{"error":{"code":-28,"message":"Verifying"},"id":0},{"error":{"code":-28,"message":"Verifying"},"id":1}]"#,
            _ => r#"[{"result":1,"id":0},{"error":{"code":-28,"message":"Verifying"},"id":1}]"#,
        };
        json(200, body)
    })
    .await;
    let reply = server.client().batch("m", &[vec![], vec![]], limits()).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    assert_eq!(reply.get(1).unwrap_err().kind(), ErrorKind::WarmingUp, "a batch that succeeded in part is returned");
}

#[tokio::test]
async fn a_node_that_recovers_within_the_budget_is_waited_for() {
    let server = Server::start(|request| match request.index {
        0 => Act::SendAndReset(Vec::new()),
        1 => text(500, "Work queue depth exceeded"),
        2 => request.error(500, -28, "Loading block index"),
        _ => request.result("7"),
    })
    .await;
    assert_eq!(server.client().call::<u64>("getblockcount", &[], limits()).await.unwrap(), 7);
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.body == seen[0].body), "the same request is sent again");
}

#[tokio::test]
async fn a_call_that_changes_something_is_sent_once() {
    let lost = Server::start(|_| Act::SendAndReset(Vec::new())).await;
    let error = lost.client().call_once::<String>("sendrawtransaction", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Never));
    let error = lost.client().http().post_once("push", "/tx", "{}", limits()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(lost.seen().len(), 2);

    let busy = Server::start(|_| text(503, "Work queue depth exceeded")).await;
    let error = busy.client().call_once::<String>("sendrawtransaction", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After(None)));
    assert_eq!(busy.seen().len(), 1);

    let silent = Server::start(|_| Act::Hang).await;
    let error = silent.client().call_once::<String>("sendrawtransaction", &[], brief()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Never));
}

#[tokio::test]
async fn rest_goes_to_the_same_port_with_path_and_query() {
    let server = Server::start(|_| Act::Send(answer(200, &[], ""))).await;
    let client = server.client();
    let body = client.http().get("headers", "/rest/headers/00.bin?count=5", limits()).await.unwrap();
    assert!(body.is_empty(), "a body of no bytes is an answer");
    client.http().post("info", "/v1/chain/get_info", r#"{"a":1}"#, limits()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].target, "GET /rest/headers/00.bin?count=5");
    assert_eq!((seen[1].target.as_str(), seen[1].body.as_str()), ("POST /v1/chain/get_info", r#"{"a":1}"#));
}

#[tokio::test]
async fn the_rate_limit_holds_requests_back() {
    let server = Server::start(|request| request.result("1")).await;
    let slow = RateLimit::new(NonZeroU32::MIN, NonZeroU32::new(2).unwrap());
    let client = server.client_with(options().with_rate(slow));
    for _ in 0..2 {
        client.call::<u8>("m", &[], limits()).await.unwrap();
    }
    let error = client.call::<u8>("m", &[], brief()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn basic_credentials_are_sent() {
    let server = Server::start(|request| request.result("1")).await;
    let client = server.client_as(basic("alice", "p:ss"), options());
    client.call::<u8>("m", &[], limits()).await.unwrap();
    assert_eq!(server.seen()[0].authorization(), "Basic YWxpY2U6cDpzcw==");
}

/// A node that takes one cookie, which a restart changes.
async fn cookie_node(cookie: &Arc<Mutex<&'static str>>) -> Server {
    let cookie = Arc::clone(cookie);
    Server::start(
        move |request| {
            if request.authorization() == *cookie.lock().unwrap() { request.result("1") } else { text(401, "") }
        },
    )
    .await
}

const ONE: &str = "Basic X19jb29raWVfXzpvbmU=";
const TWO: &str = "Basic X19jb29raWVfXzp0d28=";

#[tokio::test]
async fn a_restarted_nodes_cookie_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".cookie");
    std::fs::write(&path, "__cookie__:one").unwrap();
    let accepted = Arc::new(Mutex::new(ONE));
    let server = cookie_node(&accepted).await;
    let client = server.client_as(Auth::Cookie(path.clone()), options());
    client.call::<u8>("m", &[], limits()).await.unwrap();

    *accepted.lock().unwrap() = TWO;
    std::fs::write(&path, "__cookie__:two").unwrap();
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call::<u8>("m", &[], limits()).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    client.call::<u8>("m", &[], limits()).await.unwrap();
    assert_eq!(server.seen().last().unwrap().authorization(), TWO);
}

#[tokio::test]
async fn a_cookie_is_read_again_on_the_only_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".cookie");
    std::fs::write(&path, "__cookie__:one").unwrap();
    let accepted = Arc::new(Mutex::new(ONE));
    let server = cookie_node(&accepted).await;
    let client = server.client_as(Auth::Cookie(path.clone()), options().with_max_connections(NonZeroU32::MIN));
    client.call::<u8>("m", &[], limits()).await.unwrap();
    *accepted.lock().unwrap() = TWO;
    std::fs::write(&path, "__cookie__:two").unwrap();
    client.call::<u8>("m", &[], limits().with_timeout(Duration::from_secs(5))).await.unwrap();
    let connections: Vec<_> = server.seen().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn a_refused_cookie_is_tried_once_more_only_if_the_file_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".cookie");
    std::fs::write(&path, "__cookie__:one").unwrap();
    let server = cookie_node(&Arc::new(Mutex::new("nothing"))).await;
    let client = server.client_as(Auth::Cookie(path.clone()), options());
    let error = client.call::<u8>("m", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    assert_eq!(server.seen().len(), 1, "the file is the same, so asking again is useless");

    std::fs::write(&path, "__cookie__:two").unwrap();
    let error = client.call::<u8>("m", &[], limits()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(server.seen().len(), 3, "one request with each cookie");
}

#[tokio::test]
async fn a_cookie_that_is_not_written_yet_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".cookie");
    let server = cookie_node(&Arc::new(Mutex::new(ONE))).await;
    let client = server.client_as(Auth::Cookie(path.clone()), options());
    let error = client.call::<u8>("m", &[], limits()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Exhausted));
    std::fs::write(&path, "__cookie__:one").unwrap();
    client.call::<u8>("m", &[], limits()).await.unwrap();
}

#[tokio::test]
async fn a_dropped_call_gives_its_connection_permit_back() {
    let server = Server::start(|request| if request.index == 0 { Act::Hang } else { request.result("1") }).await;
    let client = server.client_with(options().with_max_connections(NonZeroU32::MIN));
    let arrived = async {
        while server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = client.call::<u8>("m", &[], limits()) => panic!("{answer:?}"),
        () = arrived => {}
    }
    client.call::<u8>("m", &[], limits()).await.unwrap();
}

#[test]
fn clients_and_their_futures_can_move_between_threads() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<RpcClient>();
    shared::<HttpClient>();
    let (endpoint, auth) = nodewright_rpc::Endpoint::parse("http://127.0.0.1:1/").unwrap();
    let client = RpcClient::try_new(endpoint, auth, options()).unwrap();
    sent(&client.call::<u8>("m", &[], limits()));
    sent(&client.batch("m", &[], limits()));
    sent(&client.batch_mixed(&[], limits()));
    sent(&client.http().get("m", "/", limits()));
}
