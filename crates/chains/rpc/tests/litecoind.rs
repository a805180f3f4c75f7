//! The error table and a restart, on a real litecoind in regtest.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use common::basic;
use nodewright_core::{ErrorKind, Retry};
use nodewright_rpc::{Auth, CallLimits, Endpoint, HttpOptions, RetryOptions, RpcClient, http_status, rpc_fault};
use serde_json::Value;
use tokio::process::{Child, Command};

/// A node in a folder of its own, killed by its own handle when the test ends.
struct Node {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Node {
    fn start() -> Option<Self> {
        let program = nodewright_testkit::nodes::litecoind()?;
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = launch(&program, folder.path(), port);
        Some(Self { program, folder, port, child })
    }

    fn cookie(&self) -> Auth {
        Auth::Cookie(self.folder.path().join("regtest/.cookie"))
    }

    fn client(&self, auth: Auth, options: HttpOptions) -> RpcClient {
        let (endpoint, _) = Endpoint::parse(&format!("http://127.0.0.1:{}/", self.port)).unwrap();
        RpcClient::try_new(endpoint, auth, options).unwrap()
    }
}

fn launch(program: &Path, folder: &Path, port: u16) -> Child {
    Command::new(program)
        .arg(format!("-datadir={}", folder.display()))
        .arg(format!("-rpcport={port}"))
        .args(["-regtest", "-server", "-rest", "-listen=0", "-rpcthreads=1", "-rpcworkqueue=1", "-disablewallet"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Time for a node to start on a busy machine.
fn patient() -> CallLimits {
    CallLimits::default().with_timeout(Duration::from_secs(60))
}

#[tokio::test]
async fn a_real_node_answers_as_the_error_table_says() {
    let Some(node) = Node::start() else { return };
    let client = node.client(node.cookie(), HttpOptions::default());
    // Refused connections, an absent cookie and the warm-up all pass within this one call.
    assert_eq!(client.call::<u64>("getblockcount", &[], patient()).await.unwrap(), 0);

    let none = Value::from("00".repeat(32));
    let table: [(_, &[Value], _, _); 5] = [
        ("getblockhash", &[999.into()], ErrorKind::OutOfRange, -8),
        ("getblock", &[none], ErrorKind::NotFound, -5),
        ("nosuchmethod", &[], ErrorKind::Unsupported, -32601),
        ("getblockhash", &[], ErrorKind::Rejected, -1),
        ("getblockhash", &["text".into()], ErrorKind::Rejected, -1),
    ];
    for (method, params, kind, code) in table {
        let error = client.call::<Value>(method, params, patient()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{error}");
        assert_eq!(rpc_fault(&error).unwrap().code, code, "{error}");
    }

    let params: Vec<Vec<Value>> = vec![vec![0.into()], vec![999.into()]];
    let batch = client.batch("getblockhash", &params, patient()).await.unwrap();
    let genesis: String = batch.parse(0).unwrap();
    assert_eq!(batch.get(1).unwrap_err().kind(), ErrorKind::OutOfRange);

    let http = client.http();
    let header = http.get("headers", &format!("/rest/headers/1/{genesis}.bin"), patient()).await.unwrap();
    assert_eq!(header.len(), 80);
    let above = http.get("blockhashbyheight", "/rest/blockhashbyheight/9.bin", patient()).await.unwrap_err();
    assert_eq!((above.kind(), http_status(&above)), (ErrorKind::NotFound, Some(404)));
    let get = http.get("get", "/", patient()).await.unwrap_err();
    assert_eq!((get.kind(), http_status(&get)), (ErrorKind::Rejected, Some(405)));

    for auth in [Auth::None, basic("__cookie__", "wrong")] {
        let stranger = node.client(auth, HttpOptions::default());
        let error = stranger.call::<Value>("getblockcount", &[], patient()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error}");
    }
}

#[tokio::test]
async fn a_real_node_with_a_full_work_queue_is_busy_and_then_served() {
    let Some(node) = Node::start() else { return };
    let wide = HttpOptions::default().with_max_connections(NonZeroU32::new(40).unwrap());
    let once = node.client(node.cookie(), wide.clone().with_retry(RetryOptions::never()));
    let retrying = node.client(node.cookie(), wide.with_retry(RetryOptions::default().with_budget(2000, 100, 100)));
    retrying.call::<u64>("getblockcount", &[], patient()).await.unwrap();

    let flood = async |client: &RpcClient| {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let client = client.clone();
            // Long enough that the one thread of the node cannot keep up.
            calls.spawn(async move { client.call::<Value>("help", &[], patient()).await });
        }
        calls.join_all().await
    };
    let outcomes = flood(&once).await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(!refused.is_empty(), "the work queue of one was never full");
    for error in refused {
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::Exhausted), "{error}");
        assert!(matches!(http_status(error), Some(500 | 503)), "{error}");
    }
    assert!(flood(&retrying).await.iter().all(Result::is_ok), "every call came through in the end");
}

#[tokio::test]
async fn a_real_node_is_followed_through_a_restart_with_a_new_cookie() {
    let Some(mut node) = Node::start() else { return };
    let client = node.client(node.cookie(), HttpOptions::default());
    client.call::<u64>("getblockcount", &[], patient()).await.unwrap();
    let cookie = node.folder.path().join("regtest/.cookie");
    let before = std::fs::read(&cookie).unwrap();

    client.call_once::<String>("stop", &[], patient()).await.unwrap();
    assert!(node.child.wait().await.unwrap().success());
    node.child = launch(&node.program, node.folder.path(), node.port);
    assert_eq!(client.call::<u64>("getblockcount", &[], patient()).await.unwrap(), 0);
    assert_ne!(std::fs::read(&cookie).unwrap(), before);
}
