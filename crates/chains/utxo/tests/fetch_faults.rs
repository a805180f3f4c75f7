//! Fetching from a scripted node that lies, forgets, and answers with the wrong things.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, ErrorKind, ScanBlock as _};
use nodewright_rpc::{Auth, Endpoint, HttpOptions, RetryOptions, RpcClient};
use nodewright_testkit::loopback::{HttpServer, Request, Response};
use nodewright_utxo::client::NodeClient;
use nodewright_utxo::fetch::{FetchOptions, Fetcher};
use nodewright_utxo::hash::sha256d;
use nodewright_utxo::header::RawHeader;
use serde_json::{Value, json};

/// Answers for one block.
#[derive(Clone)]
enum Answer {
    Block(Vec<u8>),
    Error(i64),
    Text(&'static str),
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Answer>,
    rest: bool,
    prune_height: Option<u64>,
    /// Counts the REST requests.
    rest_asked: usize,
}

struct Node {
    server: HttpServer,
    script: Arc<Mutex<Script>>,
    points: Vec<BlockPoint>,
    raw: Vec<Vec<u8>>,
}

impl Node {
    /// Starts a node that has `count` blocks of `size` bytes.
    fn start(count: u32, size: usize) -> Self {
        let mut script = Script { rest: true, ..Script::default() };
        let (mut points, mut raws) = (Vec::new(), Vec::new());
        for height in 0..count {
            let header =
                RawHeader { version: 1, prev: [0; 32], merkle_root: [0; 32], time: height, bits: 0, nonce: height };
            let raw = [&header.to_bytes()[..], &vec![7; size - 80]].concat();
            let hash = BlockHash(sha256d(&header.to_bytes()));
            script.answers.insert(hash.to_reversed_hex(), Answer::Block(raw.clone()));
            points.push(BlockPoint::from(BlockId { height: BlockHeight(height.into()), hash }));
            raws.push(raw);
        }
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&script);
        let server = HttpServer::start(move |request| {
            let answer = shared.lock().unwrap().answer(&request);
            async move { answer }
        });
        Self { server: server.unwrap(), script, points, raw: raws }
    }

    fn fetcher(&self, options: FetchOptions) -> Fetcher {
        let (endpoint, _) = Endpoint::parse(&self.server.url()).unwrap();
        let http = HttpOptions::default().with_retry(RetryOptions::never());
        let client = NodeClient::new(RpcClient::try_new(endpoint, Auth::None, http).unwrap());
        Fetcher::new(client, Some(|header| sha256d(header)), true, options)
    }

    fn set(&self, index: usize, answer: Answer) {
        let hash = self.points[index].id.hash.to_reversed_hex();
        self.script.lock().unwrap().answers.insert(hash, answer);
    }
}

impl Script {
    fn answer(&mut self, request: &Request) -> Response {
        if let Some(hash) = request.path.strip_prefix("/rest/block/").and_then(|path| path.strip_suffix(".bin")) {
            self.rest_asked += 1;
            return match self.answers.get(hash).filter(|_| self.rest) {
                Some(Answer::Block(raw)) => Response::new(200, raw.clone()),
                _ => Response::new(404, "not here"),
            };
        }
        let call: Value = serde_json::from_slice(&request.body).unwrap();
        match call {
            Value::Array(calls) => {
                Response::json(json!(calls.iter().map(|call| self.call(call)).collect::<Vec<_>>()).to_string())
            }
            call => Response::json(self.call(&call).to_string()),
        }
    }

    fn call(&self, call: &Value) -> Value {
        let result = match call["method"].as_str().unwrap() {
            "getblock" => match self.answers.get(call["params"][0].as_str().unwrap()) {
                Some(Answer::Block(raw)) => Ok(json!(hex::encode(raw))),
                Some(Answer::Text(text)) => Ok(json!(text)),
                Some(Answer::Error(code)) => Err(*code),
                None => Err(-5),
            },
            "getblockchaininfo" => Ok(json!({
                "chain": "regtest", "blocks": 9, "headers": 9, "bestblockhash": "00",
                "pruned": self.prune_height.is_some(), "pruneheight": self.prune_height,
            })),
            other => panic!("{other}"),
        };
        match result {
            Ok(result) => json!({"id": call["id"], "result": result, "error": null}),
            Err(code) => json!({"id": call["id"], "result": null, "error": {"code": code, "message": "no"}}),
        }
    }
}

/// The two ways to ask.
fn ways() -> [FetchOptions; 2] {
    [0, usize::MAX].map(|rest_from| FetchOptions { rest_from, ..FetchOptions::default() })
}

#[tokio::test]
async fn a_node_that_shows_another_block_for_a_hash_is_caught() {
    for options in ways() {
        let node = Node::start(40, 200);
        node.set(20, Answer::Block(node.raw[21].clone()));
        let error = node.fetcher(options).fetch_all(&node.points).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified);
        let [asked, answered] = [20, 21].map(|index: usize| node.points[index].id.hash.to_reversed_hex());
        assert!(error.to_string().contains(&format!("answered with: {answered}")), "{error}");
        assert!(error.to_string().contains(&format!("block: {asked}, height: 20")), "{error}");

        // What was asked for before is delivered; and when the node comes to its senses, the rest is.
        let fetcher = node.fetcher(options);
        let mut stream = fetcher.stream(&node.points);
        let mut delivered = 0;
        let error = loop {
            match stream.next().await {
                Ok(block) => assert_eq!(block.unwrap().point(), node.points[delivered]),
                Err(error) => break error,
            }
            delivered += 1;
        };
        assert!((1..=20).contains(&delivered), "{delivered}");
        assert_eq!(error.kind(), ErrorKind::Unverified);
        assert_eq!(stream.next().await.unwrap_err().kind(), ErrorKind::Unverified);
        node.set(20, Answer::Block(node.raw[20].clone()));
        for index in delivered..40 {
            assert_eq!(stream.next().await.unwrap().unwrap().bytes(), &node.raw[index]);
        }
        assert_eq!(stream.next().await.unwrap(), None);
        assert_eq!(stream.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn answers_that_are_no_block_are_invalid_data_or_unverified() {
    for (answer, kind) in [
        (Answer::Text("abc"), ErrorKind::InvalidData),
        (Answer::Text("zz"), ErrorKind::InvalidData),
        (Answer::Text(""), ErrorKind::Unverified),
        (Answer::Text("00ff"), ErrorKind::Unverified),
        (Answer::Error(-5), ErrorKind::NotFound),
        (Answer::Error(-1), ErrorKind::Rejected),
    ] {
        let node = Node::start(3, 100);
        node.set(1, answer);
        let fetcher = node.fetcher(FetchOptions { rest_from: usize::MAX, ..FetchOptions::default() });
        let error = fetcher.fetch_all(&node.points).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("height: 1"), "{error}");
    }
}

#[tokio::test]
async fn a_deleted_block_is_named_with_the_oldest_one_kept() {
    for options in ways() {
        let node = Node::start(9, 100);
        node.script.lock().unwrap().prune_height = Some(5);
        node.set(3, Answer::Error(-1));
        let error = node.fetcher(options).fetch_all(&node.points[3..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Pruned);
        assert!(error.to_string().contains("height: 3, oldest kept: 5"), "{error}");
        // Above what was deleted the same refusal means something else.
        node.set(6, Answer::Error(-1));
        let error = node.fetcher(options).fetch_all(&node.points[6..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }
}

#[tokio::test]
async fn rest_is_given_up_when_the_node_no_longer_serves_it() {
    let node = Node::start(60, 1_000);
    let fetcher = node.fetcher(FetchOptions { rest_from: 1, ..FetchOptions::default() });
    assert_eq!(fetcher.fetch_all(&node.points[..30]).await.unwrap().len(), 30);
    let asked = node.script.lock().unwrap().rest_asked;
    assert!(asked > 20, "{asked}");
    node.script.lock().unwrap().rest = false;
    assert_eq!(fetcher.fetch_all(&node.points).await.unwrap().len(), 60);
    // Those that were under way learn it, and none after them asks again.
    assert!(node.script.lock().unwrap().rest_asked <= asked + 6);
}

#[tokio::test]
async fn what_a_reader_refuses_stops_the_fetch_with_its_error() {
    let node = Node::start(50, 300);
    let fetcher = node.fetcher(FetchOptions::default());
    let read = |point: BlockPoint, _: &[u8]| match point.id.height.0 {
        33 => Err(nodewright_core::Error::new(ErrorKind::Config, "reader")),
        height => Ok(height),
    };
    let error = fetcher.read_all(&node.points, read).await.unwrap_err();
    assert_eq!((error.kind(), error.op()), (ErrorKind::Config, "reader"));
    assert_eq!(fetcher.read_all(&node.points[34..], read).await.unwrap(), (34..50).collect::<Vec<_>>());
    assert!(fetcher.read_all(&[], read).await.unwrap().is_empty());
    assert_eq!(fetcher.stats().held, 0);
}

#[tokio::test]
async fn the_budget_holds_when_blocks_grow_suddenly() {
    let node = Node::start(64, 100);
    for index in 40..64 {
        let raw = [&node.raw[index][..], &vec![9; 90_000]].concat();
        node.set(index, Answer::Block(raw));
    }
    // A place of 50,000 bytes takes no block of the second kind: each is fetched alone.
    let options = FetchOptions { budget: 200_000, rest_from: usize::MAX, ..FetchOptions::default() };
    let fetcher = node.fetcher(options);
    let mut stream = fetcher.stream(&node.points);
    let mut sizes = Vec::new();
    while let Some(block) = stream.next().await.unwrap() {
        sizes.push(block.weight());
    }
    assert_eq!(sizes, [vec![100; 40], vec![90_100; 24]].concat());
    assert!(fetcher.stats().peak <= 300_000, "{:?}", fetcher.stats());
}
