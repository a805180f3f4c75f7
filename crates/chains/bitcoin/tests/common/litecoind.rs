//! A real litecoind on regtest, on loopback, for one test: started by the test, stopped by its own handle.
//!
//! Blocks are mined to a script that anyone may spend, so that no wallet and no signature is needed: chains of
//! thousands of blocks take a second. The node's clock is set, so that the same steps make the same blocks.

#![allow(dead_code)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint};
use nodewright_rpc::{Auth, CallLimits, Endpoint, HttpOptions, RetryOptions, RpcClient};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tx::{Coin, Tx};

/// Runs one node; killed, and its folder removed, on drop.
pub(crate) struct Litecoind {
    child: Child,
    program: PathBuf,
    folder: TempDir,
    chain: &'static str,
    port: u16,
    rpc: RpcClient,
    time: u64,
    /// Which of the scripts that anyone may spend is mined to; another one makes another branch.
    flavour: u8,
}

impl Litecoind {
    /// Starts a node on regtest with `args` besides its own; `None`, after saying so, where there is no litecoind.
    pub(crate) async fn start(args: &[&str]) -> Option<Self> {
        Self::start_on("regtest", args).await
    }

    /// Starts a node on `chain` that looks for no peers.
    pub(crate) async fn start_on(chain: &'static str, args: &[&str]) -> Option<Self> {
        let program = nodewright_testkit::nodes::litecoind()?;
        let mut folder = tempfile::tempdir().unwrap();
        // Another program may take the port between here and the node's start; then the node ends and another is tried.
        for _ in 0..5 {
            let port = free_port();
            let child = spawn(&program, folder.path(), chain, port, args);
            let rpc = client(folder.path(), chain, port);
            let mut node = Self { child, program: program.clone(), folder, chain, port, rpc, time: EPOCH, flavour: 1 };
            if node.wait_until_ready().await {
                if chain == "regtest" {
                    node.set_time(EPOCH).await;
                }
                return Some(node);
            }
            folder = node.into_folder();
        }
        panic!("litecoind did not start five times");
    }

    /// Ends the node at once and starts it again on the same port; its cookie is a new one.
    ///
    /// What it knows is written to disk first. An orderly stop would wait for idle connections, half a minute.
    pub(crate) async fn restart(&mut self, args: &[&str]) {
        let _: Value = self.call("gettxoutsetinfo", &[]).await;
        end(&mut self.child);
        self.child = spawn(&self.program, self.folder.path(), self.chain, self.port, args);
        assert!(self.wait_until_ready().await, "litecoind did not start again");
        self.set_time(self.time).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cookie(&self) -> PathBuf {
        cookie(self.folder.path(), self.chain)
    }

    pub(crate) fn auth(&self) -> Auth {
        Auth::Cookie(self.cookie())
    }

    /// Returns the client that the test itself uses.
    pub(crate) fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Calls and unwraps.
    #[track_caller]
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> impl Future<Output = T> + use<'_, T> {
        let params = params.to_vec();
        async move { self.rpc.call(method, &params, LIMITS).await.unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Mines `count` empty blocks and returns their ids.
    pub(crate) async fn mine(&self, count: u32) -> Vec<BlockHash> {
        let texts: Vec<String> = self.call("generatetodescriptor", &[json!(count), json!(self.descriptor())]).await;
        texts.iter().map(|text| BlockHash::from_reversed_hex(text).unwrap()).collect()
    }

    /// Mines one block with these transactions, standard or not, in this order.
    pub(crate) async fn mine_with(&self, txs: &[Tx]) -> BlockHash {
        let raw: Vec<_> = txs.iter().map(Tx::to_hex).collect();
        let answer: Value = self.call("generateblock", &[json!(self.descriptor()), json!(raw)]).await;
        BlockHash::from_reversed_hex(answer["hash"].as_str().unwrap()).unwrap()
    }

    /// Makes what is mined from now on differ from what was mined before on the same parent.
    pub(crate) fn branch_off(&mut self) {
        self.flavour = self.flavour % 16 + 1;
    }

    /// Removes the blocks from `height` on from the best chain; returns the id of the first.
    pub(crate) async fn invalidate(&mut self, height: u64) -> BlockHash {
        let hash = self.hash_at(height).await;
        let _: Value = self.call("invalidateblock", &[json!(hash.to_reversed_hex())]).await;
        self.branch_off();
        hash
    }

    /// Takes back that a block was removed.
    pub(crate) async fn reconsider(&self, hash: BlockHash) {
        let _: Value = self.call("reconsiderblock", &[json!(hash.to_reversed_hex())]).await;
    }

    pub(crate) async fn height(&self) -> u64 {
        self.call("getblockcount", &[]).await
    }

    pub(crate) async fn hash_at(&self, height: u64) -> BlockHash {
        let text: String = self.call("getblockhash", &[json!(height)]).await;
        BlockHash::from_reversed_hex(&text).unwrap()
    }

    pub(crate) async fn point_at(&self, height: u64) -> BlockPoint {
        BlockId { height: BlockHeight(height), hash: self.hash_at(height).await }.into()
    }

    /// Returns the points of `first..=last` on the best chain.
    pub(crate) async fn points(&self, first: u64, last: u64) -> Vec<BlockPoint> {
        let params: Vec<_> = (first..=last).map(|height| vec![json!(height)]).collect();
        let reply = self.rpc.batch("getblockhash", &params, LIMITS).await.unwrap();
        let hash = |index| BlockHash::from_reversed_hex(reply.parse(index).unwrap()).unwrap();
        let id = |(index, height)| BlockId { height: BlockHeight(height), hash: hash(index) };
        (first..=last).enumerate().map(id).map(BlockPoint::from).collect()
    }

    /// Returns the block reward of the block at `height`, which anyone may spend once 100 blocks are on top of it.
    pub(crate) async fn coin(&self, height: u64) -> Coin {
        let hash = self.hash_at(height).await;
        let block: Value = self.call("getblock", &[json!(hash.to_reversed_hex()), json!(2)]).await;
        let value = block["tx"][0]["vout"][0]["value"].to_string();
        Coin {
            txid: block["tx"][0]["txid"].as_str().unwrap().parse().unwrap(),
            index: 0,
            value: nodewright_utxo::client::Sats::from_coins(&value).unwrap().0,
        }
    }

    /// Goes back to the genesis block, to a chain that never was before.
    pub(crate) async fn begin_anew(&mut self) {
        if self.height().await > 0 {
            self.invalidate(1).await;
        }
        self.set_time(self.time + 1_000).await;
    }

    /// Takes over the best chain of another node.
    pub(crate) async fn copy_chain(&self, other: &Self) {
        for height in self.height().await + 1..=other.height().await {
            let raw = other.raw_block(other.hash_at(height).await).await;
            let refused: Value = self.call("submitblock", &[json!(hex::encode(raw))]).await;
            assert!(refused.is_null(), "{refused}");
        }
    }

    /// Returns the raw block in hex, as RPC serves it.
    pub(crate) async fn raw_block(&self, hash: BlockHash) -> Vec<u8> {
        let text: String = self.call("getblock", &[json!(hash.to_reversed_hex()), json!(0)]).await;
        hex::decode(text).unwrap()
    }

    pub(crate) async fn set_time(&mut self, time: u64) {
        self.time = time;
        let _: Value = self.call("setmocktime", &[json!(time)]).await;
    }

    fn descriptor(&self) -> String {
        // `OP_1` to `OP_16` alone: anyone may spend. Only `importdescriptors` wants the checksum.
        format!("raw({:02x})", 0x50 + self.flavour)
    }

    /// Waits until the node answers; `false` if it ended instead.
    async fn wait_until_ready(&mut self) -> bool {
        loop {
            // The client itself waits through refused connections, the missing cookie and the warm-up.
            let limits = LIMITS.with_timeout(Duration::from_secs(1));
            match self.rpc.call::<u64>("getblockcount", &[], limits).await {
                Ok(_) => return true,
                Err(error) => {
                    if self.child.try_wait().unwrap().is_some() {
                        return false;
                    }
                    assert!(matches!(error.retry(), nodewright_core::Retry::After(_)), "{error}");
                }
            }
        }
    }

    fn into_folder(mut self) -> TempDir {
        end(&mut self.child);
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Litecoind {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself; either way it is waited for.
    let killed = child.kill();
    let waited = child.wait();
    if !std::thread::panicking() {
        killed.and(waited).unwrap();
    }
}

fn spawn(program: &Path, folder: &Path, chain: &str, port: u16, args: &[&str]) -> Child {
    let mut command = Command::new(program);
    command
        .arg(format!("-datadir={}", folder.display()))
        .arg(format!("-chain={chain}"))
        .arg(format!("-rpcport={port}"))
        .args(["-server", "-rest", "-txindex", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"])
        // No peers: nothing is listened on but the RPC port, and nothing is looked for.
        .args(["-listen=0", "-connect=0", "-dnsseed=0", "-upnp=0"])
        .args(["-disablewallet", "-persistmempool=0", "-dbcache=16", "-maxsigcachesize=4"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if chain == "regtest" {
        // What anyone may spend is not standard; the memory pool takes it all the same.
        command.arg("-acceptnonstdtxn");
        // Without it blocks from 432 on cannot be mined without a payment into the extension.
        command.arg("-vbparams=mweb:-2:0");
    }
    command.spawn().unwrap()
}

fn client(folder: &Path, chain: &str, port: u16) -> RpcClient {
    let (endpoint, _) = Endpoint::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let retry = RetryOptions::default()
        .with_delays(Duration::from_millis(20), Duration::from_millis(200))
        .with_budget(10_000, 100, 100);
    let options = HttpOptions::default().with_retry(retry);
    RpcClient::try_new(endpoint, Auth::Cookie(cookie(folder, chain)), options).unwrap()
}

fn cookie(folder: &Path, chain: &str) -> PathBuf {
    match chain {
        "main" => folder.join(".cookie"),
        "test" => folder.join("testnet4").join(".cookie"),
        other => folder.join(other).join(".cookie"),
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Bounds the test's own calls; mining hundreds of blocks on a busy machine takes a while.
pub(crate) const LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(120), max_body: 64 * 1024 * 1024 };

/// Is the node's clock at the start.
const EPOCH: u64 = 1_700_000_000;
