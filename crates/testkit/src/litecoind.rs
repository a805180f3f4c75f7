//! A real litecoind on regtest, for tests.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::nodes;

/// Runs a litecoind on loopback with a folder and ports of its own; it is killed when this is dropped.
///
/// No wallet is needed: coinbases pay `OP_TRUE`, which anybody may spend without a signature.
#[derive(Debug)]
pub struct Litecoind {
    program: PathBuf,
    folder: tempfile::TempDir,
    rpc_port: u16,
    peer_port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Litecoind {
    /// Starts a node with an empty chain and the additional `arguments`, and waits until it answers. `None`, after a
    /// [`skip`](crate::skip), where there is no litecoind.
    ///
    /// # Errors
    /// When it cannot be started or does not answer within a minute.
    ///
    /// # Panics
    /// If there is no litecoind and `CI` is set.
    pub fn start(arguments: &[&str]) -> io::Result<Option<Self>> {
        let Some(program) = nodes::litecoind() else { return Ok(None) };
        let mut node = Self {
            program,
            folder: tempfile::tempdir()?,
            rpc_port: free_port()?,
            peer_port: free_port()?,
            arguments: Vec::new(),
            process: None,
        };
        node.launch(arguments)?;
        Ok(Some(node))
    }

    /// Returns the URL of JSON-RPC and REST.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// Returns the path of the cookie file, whose content changes with every start.
    #[must_use]
    pub fn cookie(&self) -> PathBuf {
        self.folder.path().join("regtest/.cookie")
    }

    /// Returns the node's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the node in order and starts it again with the additional `arguments`, on the same ports and data.
    ///
    /// # Errors
    /// As [`Litecoind::start`].
    pub fn restart(&mut self, arguments: &[&str]) -> io::Result<()> {
        self.stop()?;
        self.launch(arguments)
    }

    /// Stops the node in order: its data is written.
    ///
    /// # Errors
    /// When it does not take the order, or does not end.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        self.call("stop", &json!([]))?;
        process.wait().map(drop)
    }

    /// Calls a method and returns its result.
    ///
    /// # Errors
    /// When the node cannot be asked, or answers with an error, whose text is then in the message.
    pub fn call(&self, method: &str, params: &Value) -> io::Result<Value> {
        let body = json!({ "id": 0, "method": method, "params": params }).to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.rpc_port))?;
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
        let body = answer.get(at..).unwrap_or_default();
        let mut answer: Value = serde_json::from_slice(body).map_err(|_| {
            io::Error::other(format!("{method}: {}", String::from_utf8_lossy(answer.get(..200).unwrap_or(&answer))))
        })?;
        match answer.get_mut("error").map(Value::take) {
            None | Some(Value::Null) => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(error) => Err(io::Error::other(format!("{method}: {error}"))),
        }
    }

    /// Mines `count` blocks whose coinbases pay [`OP_TRUE`](Litecoind::OP_TRUE); returns their hashes.
    ///
    /// # Errors
    /// As [`Litecoind::call`].
    pub fn mine(&self, count: u32) -> io::Result<Vec<String>> {
        let hashes = self.call("generatetodescriptor", &json!([count, Self::OP_TRUE]))?;
        serde_json::from_value(hashes).map_err(io::Error::other)
    }

    /// Mines one block with these serialized transactions; returns its hash.
    ///
    /// # Errors
    /// As [`Litecoind::call`].
    pub fn mine_with(&self, transactions: &[String]) -> io::Result<String> {
        let answer = self.call("generateblock", &json!([Self::OP_TRUE, transactions]))?;
        serde_json::from_value(answer.get("hash").cloned().unwrap_or_default()).map_err(io::Error::other)
    }

    /// Is the descriptor of the script that anybody may spend.
    pub const OP_TRUE: &'static str = "raw(51)";

    #[expect(clippy::disallowed_methods, reason = "a test without a runtime waits for a process of its own")]
    fn launch(&mut self, arguments: &[&str]) -> io::Result<()> {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let process = Command::new(&self.program)
            .arg(format!("-datadir={}", self.folder.path().display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .arg(format!("-port={}", self.peer_port))
            .args([
                "-regtest",
                "-server",
                "-bind=127.0.0.1",
                "-acceptnonstdtxn=1",
                "-disablewallet",
                "-printtoconsole=0",
            ])
            // Without a wallet that pegs in, mining fails once extension blocks are active.
            .arg("-vbparams=mweb:-2:0")
            .arg(RPC_AUTH)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.process = Some(process);
        let started = Instant::now();
        while let Err(error) = self.call("getblockcount", &json!([])) {
            if started.elapsed() > PATIENCE {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Litecoind {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Its folder goes with it, so nothing need be written in order.
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Is how long a node may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets the harness in as user `test` with password `test`, beside the cookie, which changes with every start: the salt
/// and the HMAC-SHA256 of the password, as Bitcoin Core's `share/rpcauth/rpcauth.py` makes them.
const RPC_AUTH: &str =
    "-rpcauth=test:a1b2c3d4e5f60718293a4b5c6d7e8f90$bd3c9c493b46238aaf3c67cbf2730c3616f2ec09e85eef099c858807dbd82ee2";

/// Is `test:test` as basic authorization.
const AUTHORIZATION: &str = "Basic dGVzdDp0ZXN0";
