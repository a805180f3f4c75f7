//! A real litecoind on regtest with a chain of its own, for benchmarks that need a node.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash as _;
use bitcoin::script::PushBytesBuf;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, PubkeyHash, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use nodewright_testkit::nodes;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Connection;

/// A running node, stopped when it is dropped.
pub(crate) struct Litecoin {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Litecoin {
    /// Starts a node with an empty chain; `None`, after saying so, if there is no litecoind here.
    ///
    /// # Panics
    /// If there is none and `CI` is set.
    pub(crate) fn start() -> Result<Option<Self>, String> {
        let Some(program) = nodes::litecoind() else { return Ok(None) };
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let (port, peers) = (free_port()?, free_port()?);
        let log = File::create(folder.path().join("out.log")).map_err(|error| error.to_string())?;
        let process = command(&program, folder.path(), port, peers)
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let node = Self { process, port, _folder: folder };
        let started = Instant::now();
        while let Err(error) = node.connect().and_then(|mut rpc| rpc.call("getblockcount", json!([]))) {
            if started.elapsed() > PATIENCE {
                return Err(format!("litecoind does not answer: {error}"));
            }
            #[expect(clippy::disallowed_methods, reason = "no runtime runs here")]
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(node))
    }

    /// Returns the node's URL, which serves both JSON-RPC and REST.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Result<Connection, String> {
        Connection::open(self.port, AUTHORIZATION)
    }

    /// Mines `blocks` blocks; `large` of them, evenly spread, hold about 60 KB. Returns their hashes, from height 1, as
    /// nodes print them.
    ///
    /// Nothing is signed: coinbases pay `OP_TRUE`, and what spends them carries bytes in place of a signature and a key,
    /// so that transactions have the size and shape of ordinary ones. A wallet would take minutes to sign as many.
    pub(crate) fn mine(&self, blocks: u64, large: u64) -> Result<Vec<String>, String> {
        let mut rpc = self.connect()?;
        let first = large + MATURITY;
        generate(&mut rpc, first)?;
        let small = blocks - first - large;
        for n in 1..=large {
            let spent = rpc.call("getblockhash", json!([n]))?;
            let spent = rpc.call("getblock", json!([spent, 2]))?;
            let txs = payments(&spent["tx"][0])?;
            rpc.call("generateblock", json!([OP_TRUE_DESCRIPTOR, txs]))?;
            generate(&mut rpc, small * n / large - small * (n - 1) / large)?;
        }
        let hashes = (1..=blocks).map(|height| ("getblockhash", json!([height])));
        rpc.batch(hashes)?.iter().map(text).collect()
    }
}

impl Drop for Litecoin {
    fn drop(&mut self) {
        // The folder is thrown away, so there is nothing to shut down in order.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Makes a block's worth of transactions: each spends the one before, the first spends `coinbase`.
fn payments(coinbase: &Value) -> Result<Vec<String>, String> {
    let txid: Txid = text(&coinbase["txid"])?.parse().map_err(|error| format!("txid: {error}"))?;
    let litecoins = coinbase["vout"][0]["value"].as_f64().ok_or("the coinbase has no value")?;
    let mut rest = Amount::from_btc(litecoins).map_err(|error| error.to_string())?;
    let mut spent = OutPoint { txid, vout: 0 };
    let txs = (0..TXS_PER_LARGE_BLOCK).map(|n| {
        rest -= PAID + FEE;
        let mut output = vec![
            TxOut { value: rest, script_pubkey: ScriptBuf::from_bytes(vec![0x51]) },
            TxOut { value: PAID, script_pubkey: if n % WATCHED_EVERY == 0 { watched() } else { payee(n) } },
        ];
        if n % WATCHED_EVERY == 0 {
            output.push(TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::new_op_return([b'm'; MEMO]) });
        }
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: spent,
                script_sig: spender(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output,
        };
        spent = OutPoint { txid: tx.compute_txid(), vout: 0 };
        serialize_hex(&tx)
    });
    Ok(txs.collect())
}

/// Returns the script that every [`WATCHED_EVERY`]th transaction of a large block pays, with a memo.
pub(crate) fn watched() -> ScriptBuf {
    ScriptBuf::new_p2pkh(&PubkeyHash::hash(b"watched"))
}

/// Returns how many payments to [`watched`] a large block holds.
pub(crate) const fn payments_per_large_block() -> u64 {
    (TXS_PER_LARGE_BLOCK / WATCHED_EVERY) as u64
}

fn payee(n: usize) -> ScriptBuf {
    ScriptBuf::new_p2pkh(&PubkeyHash::hash(&n.to_le_bytes()))
}

/// Pushes as many bytes as a signature and a public key have.
fn spender() -> ScriptBuf {
    let bytes = |len| PushBytesBuf::try_from(vec![0x5a; len]).expect("a push may have so many bytes");
    ScriptBuf::builder().push_slice(bytes(72)).push_slice(bytes(33)).into_script()
}

fn generate(rpc: &mut Connection, mut blocks: u64) -> Result<(), String> {
    while blocks > 0 {
        let some = blocks.min(100);
        rpc.call("generatetodescriptor", json!([some, OP_TRUE_DESCRIPTOR]))?;
        blocks -= some;
    }
    Ok(())
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("not a text: {value}"))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// The node as an operator would run it: threads and work queue are its defaults. What is switched off costs time in
/// mining only.
fn command(program: &Path, folder: &Path, port: u16, peers: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["-regtest", "-server", "-rest", "-bind=127.0.0.1", "-listen=1", "-vbparams=mweb:-2:0"]);
    command.args(["-acceptnonstdtxn=1", "-checkblockindex=0", "-checkmempool=0", "-disablewallet"]);
    command.args([&format!("-rpcuser={USER}"), &format!("-rpcpassword={PASSWORD}")]);
    command.args([&format!("-rpcport={port}"), &format!("-port={peers}"), &format!("-datadir={}", folder.display())]);
    command
}

pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &str = "bench";
/// The two above in HTTP's basic scheme.
const AUTHORIZATION: &str = "Basic YmVuY2g6YmVuY2g=";
/// A script that anyone can spend.
const OP_TRUE_DESCRIPTOR: &str = "raw(51)";
/// How many blocks a coinbase must wait to be spent (`COINBASE_MATURITY`, Litecoin Core `src/consensus/consensus.h`).
const MATURITY: u64 = 100;
/// With about 202 bytes each this makes 60 KB.
const TXS_PER_LARGE_BLOCK: usize = 300;
const WATCHED_EVERY: usize = 30;
/// Bytes of the memo beside each watched payment.
const MEMO: usize = 60;
const PAID: Amount = Amount::from_sat(10_000);
const FEE: Amount = Amount::from_sat(1_000);
const PATIENCE: Duration = Duration::from_secs(60);
