//! A reader that runs `cardano-cli`.

use core::num::NonZeroU64;
use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use async_trait::async_trait;
use nodewright_core::Slot;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::{
    Address, AddressDatums, AddressNetwork, ChainReader, ChainTip, KesClock, NodeError, NodeStep, parse_tip, parse_utxo,
};

/// Reads a node by running `cardano-cli`, for nodes whose socket only that program may use.
///
/// The program opens a state of its own in each run, so the tip that comes with datums was read just before them and
/// may be older than they are by some blocks.
#[derive(Debug)]
pub struct CardanoCli {
    options: CardanoCliOptions,
}

impl CardanoCli {
    /// Makes a reader; nothing is run yet.
    #[must_use]
    pub fn new(options: CardanoCliOptions) -> Self {
        Self { options }
    }

    async fn query(&self, step: NodeStep, question: &[&str]) -> Result<Vec<u8>, NodeError> {
        let options = &self.options;
        let mut command = Command::new(&options.program);
        command.arg(&options.era_command).arg("query").args(question);
        match AddressNetwork::of_magic(options.magic) {
            AddressNetwork::Mainnet => command.arg("--mainnet"),
            AddressNetwork::Testnet => command.arg("--testnet-magic").arg(options.magic.to_string()),
        };
        command.env("CARDANO_NODE_SOCKET_PATH", &options.socket);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        match timeout(options.limit, run(step, &mut command, options)).await {
            Ok(done) => done,
            Err(_) => Err(NodeError::TimedOut { step: NodeStep::Run, limit: options.limit }),
        }
    }
}

#[async_trait]
impl ChainReader for CardanoCli {
    async fn tip(&self) -> Result<ChainTip, NodeError> {
        parse_tip(&self.query(NodeStep::Point, &["tip"]).await?)
    }

    async fn datums(&self, address: &Address) -> Result<AddressDatums, NodeError> {
        address.check(self.options.magic)?;
        let tip = self.tip().await?;
        let question = ["utxo", "--address", address.as_str(), "--output-json"];
        parse_utxo(&self.query(NodeStep::Utxo, &question).await?, address, tip)
    }

    async fn kes_clock(&self) -> Result<KesClock, NodeError> {
        let unknown = NodeError::Unavailable { what: "how many slots a KES period has" };
        let slots_per_period = self.options.slots_per_kes_period.ok_or(unknown)?;
        let slot = self.tip().await?.block.and_then(|block| block.slot).unwrap_or(Slot(0));
        Ok(KesClock { slot, slots_per_period, max_evolutions: None })
    }
}

/// Says which program is run and how long it may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CardanoCliOptions {
    /// Is the program.
    pub program: PathBuf,
    /// Is the node's socket, which the program is told.
    pub socket: PathBuf,
    /// Is the magic of the node's network.
    pub magic: u64,
    /// Is the first word after the program's name; `latest` unless set.
    pub era_command: OsString,
    /// Counts the slots of a KES period, which the program does not say; not known unless set.
    pub slots_per_kes_period: Option<NonZeroU64>,
    /// Is the time for one run; 30 s unless set.
    pub limit: Duration,
    /// Is the greatest answer in bytes; 16 MiB unless set, as JSON needs about four times the bytes of CBOR.
    pub max_output: usize,
}

impl CardanoCliOptions {
    /// Makes options for `program`, which asks the node whose socket is at `socket` on the network of `magic`.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, socket: impl Into<PathBuf>, magic: u64) -> Self {
        Self {
            program: program.into(),
            socket: socket.into(),
            magic,
            era_command: "latest".into(),
            slots_per_kes_period: None,
            limit: Duration::from_secs(30),
            max_output: 16 << 20,
        }
    }

    /// Sets the slots of a KES period; 129,600 on mainnet, preprod and preview (their Shelley genesis files).
    #[must_use]
    pub fn with_slots_per_kes_period(mut self, slots: NonZeroU64) -> Self {
        self.slots_per_kes_period = Some(slots);
        self
    }

    /// Sets the time for one run and the greatest answer in bytes.
    #[must_use]
    pub fn with_limits(mut self, limit: Duration, max_output: usize) -> Self {
        (self.limit, self.max_output) = (limit, max_output);
        self
    }
}

async fn run(step: NodeStep, command: &mut Command, options: &CardanoCliOptions) -> Result<Vec<u8>, NodeError> {
    let broken = |error: std::io::Error| NodeError::Io { step: NodeStep::Run, kind: error.kind() };
    let mut child = command.spawn().map_err(|error| NodeError::from_open(&options.program, &error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let limit = options.max_output;
    let (answer, said) = tokio::try_join!(
        async {
            let answer = read_up_to(stdout, limit + 1).await.map_err(broken)?;
            if answer.len() > limit { Err(NodeError::TooLarge { step, limit }) } else { Ok(answer) }
        },
        async { read_beginning(stderr).await.map_err(broken) },
    )?;
    let status = child.wait().await.map_err(broken)?;
    if status.success() {
        return Ok(answer);
    }
    let said = String::from_utf8_lossy(&said).chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    Err(NodeError::Program { code: status.code(), said })
}

async fn read_up_to(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Keeps the beginning and reads the rest away, so that the program is not held up by a full pipe.
async fn read_beginning(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let Some(mut stream) = stream else { return Ok(Vec::new()) };
    let beginning = read_up_to(Some(&mut stream), MAX_SAID).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(beginning)
}

/// Is how many bytes of the error stream are kept.
const MAX_SAID: usize = 512;
