//! Plays a recording of a real network on a [`NodeState`], step by step.
//!
//! A recording is two files: the blocks, framed as in a node's own block files, and one JSON object a line for each
//! step. A step is a moment at which the node was asked what it knew: the blocks that had come since the step before,
//! then its best block and its best ChainLock, whether it had that one's block or not.

use std::collections::{HashMap, VecDeque};

use nodewright_core::{BlockHash, HashTextError};
use nodewright_utxo::bytes::{ParseError, Reader};
use nodewright_utxo::header::RawHeader;
use serde::Deserialize;
use serde_json::Value;

use crate::chainlock::{ChainLock, LockError, ReportedLock};
use crate::quorum::Network;
use crate::sim::node::NodeState;
use crate::x11;

/// Holds a recording, or what is left of it.
#[derive(Clone, Debug)]
pub struct Replay {
    steps: VecDeque<Step>,
    blocks: HashMap<BlockHash, Vec<u8>>,
}

/// Is one moment of the recording.
#[derive(Clone, Debug)]
pub struct Step {
    /// Numbers the act that it belongs to.
    pub act: u8,
    /// Says in the recording's words what it shows.
    pub label: String,
    /// Names the blocks that the node had got since the step before, in that order.
    pub blocks: Vec<BlockHash>,
    /// Names the transactions that the recording is about: what each shows, and its id as nodes print it.
    pub transactions: Vec<(String, String)>,
    /// Names the node's newest block.
    pub tip: BlockHash,
    /// Is the node's best ChainLock, if it knew one.
    pub lock: Option<ChainLock>,
    /// Says whether the node had the block of its best ChainLock.
    pub known_block: bool,
    /// Holds every tip that the node knew, with its status.
    pub tips: Vec<(BlockHash, String)>,
    pool: Vec<Vec<u8>>,
    quorums: Vec<Quorum>,
}

impl Replay {
    /// Reads a recording of a regtest: `blocks` is its block file, `steps` its steps.
    ///
    /// # Errors
    /// [`ReplayError`] if one of them is not what its format says, or a step names a block that is not there.
    pub fn parse(blocks: &[u8], steps: &str) -> Result<Self, ReplayError> {
        let blocks = read_blocks(blocks)?;
        let mut read = VecDeque::new();
        for (at, line) in steps.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|source| ReplayError::Line { line: at + 1, source })?;
            let step = line.step()?;
            if let Some(hash) = step.blocks.iter().find(|hash| !blocks.contains_key(hash)) {
                return Err(ReplayError::MissingBlock { hash: *hash });
            }
            read.push_back(step);
        }
        Ok(Self { steps: read, blocks })
    }

    /// Returns the step that comes next.
    #[must_use]
    pub fn peek(&self) -> Option<&Step> {
        self.steps.front()
    }

    /// Returns the bytes of a recorded block.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<&[u8]> {
        self.blocks.get(hash).map(Vec::as_slice)
    }

    /// Plays the next step on `node` and returns it; `None` at the end.
    pub fn step(&mut self, node: &mut NodeState) -> Option<Step> {
        let step = self.steps.pop_front()?;
        for raw in step.blocks.iter().filter_map(|hash| self.blocks.get(hash)) {
            node.add_block(raw);
        }
        node.activate(step.tip);
        node.set_lock(step.lock);
        for raw in &step.pool {
            node.add_to_pool(raw);
        }
        for quorum in &step.quorums {
            node.add_quorum(quorum.llmq_type, &quorum.name, &quorum.hash, quorum.info.clone());
        }
        Some(step)
    }

    /// Plays every step up to the end of `act` on `node` and returns them.
    pub fn act(&mut self, node: &mut NodeState, act: u8) -> Vec<Step> {
        let mut played = Vec::new();
        while self.peek().is_some_and(|step| step.act <= act) {
            played.extend(self.step(node));
        }
        played
    }
}

impl Step {
    /// Returns the id, as nodes print it, of the transaction that shows `case`.
    #[must_use]
    pub fn transaction(&self, case: &str) -> Option<&str> {
        self.transactions.iter().find(|(shown, _)| shown == case).map(|(_, txid)| txid.as_str())
    }
}

/// Says why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The block file is damaged.
    #[error("block file: {0}")]
    Blocks(#[from] ParseError),
    /// A hash is not one.
    #[error("step: {0}")]
    Hash(#[from] HashTextError),
    /// A transaction is not hex.
    #[error("step: pool transaction is not hex: {0}")]
    Hex(#[from] hex::FromHexError),
    /// A line of the steps is not what it should be.
    #[error("step in line {line}: {source}")]
    Line {
        /// Counts the lines from 1.
        line: usize,
        /// Says what is wrong.
        source: serde_json::Error,
    },
    /// A ChainLock is not one.
    #[error("step: {0}")]
    Lock(#[from] LockError),
    /// The block file frames a block with another network's magic number.
    #[error("block file: magic number {found:02x?} at byte {at}")]
    Magic {
        /// Is the number found.
        found: [u8; 4],
        /// Says where.
        at: usize,
    },
    /// A step names a block that the block file does not hold.
    #[error("block {} is not in the block file", hash.to_reversed_hex())]
    MissingBlock {
        /// Names the block.
        hash: BlockHash,
    },
}

/// Is one step as it is written.
#[derive(Debug, Deserialize)]
struct Line {
    act: u8,
    label: String,
    blocks: Vec<String>,
    pool: Vec<String>,
    transactions: Vec<Case>,
    tip: String,
    lock: Option<ReportedLock>,
    tips: Vec<Tip>,
    #[serde(default)]
    quorums: Vec<Quorum>,
}

#[derive(Debug, Deserialize)]
struct Case {
    case: String,
    txid: String,
}

#[derive(Debug, Deserialize)]
struct Tip {
    hash: String,
    status: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Quorum {
    #[serde(rename = "type")]
    llmq_type: u8,
    name: String,
    hash: String,
    info: Value,
}

impl Line {
    fn step(self) -> Result<Step, ReplayError> {
        let hash = |text: &String| BlockHash::from_reversed_hex(text);
        let lock = self.lock.as_ref().map(|lock| lock.chain_lock(Network::Regtest)).transpose()?;
        let tips = self.tips.iter().map(|tip| Ok((hash(&tip.hash)?, tip.status.clone())));
        Ok(Step {
            act: self.act,
            label: self.label,
            blocks: self.blocks.iter().map(hash).collect::<Result<_, _>>()?,
            transactions: self.transactions.into_iter().map(|case| (case.case, case.txid)).collect(),
            tip: hash(&self.tip)?,
            known_block: self.lock.is_some_and(|lock| lock.known_block),
            lock,
            tips: tips.collect::<Result<_, ReplayError>>()?,
            pool: self.pool.iter().map(hex::decode).collect::<Result<_, _>>()?,
            quorums: self.quorums,
        })
    }
}

/// Reads a block file: for each block a magic number, its length, its bytes.
fn read_blocks(bytes: &[u8]) -> Result<HashMap<BlockHash, Vec<u8>>, ReplayError> {
    let mut reader = Reader::new(bytes);
    let mut blocks = HashMap::new();
    while reader.remaining() > 0 {
        let at = reader.position();
        let found = reader.array::<4>()?;
        if found != REGTEST_MAGIC {
            return Err(ReplayError::Magic { found, at });
        }
        let len = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        let raw = reader.take(len)?;
        let id = RawHeader::read(&mut Reader::new(raw))?.id(|header| x11(header));
        blocks.insert(BlockHash(id), raw.to_vec());
    }
    Ok(blocks)
}

/// Begins each block of a regtest's block files (`pchMessageStart` in Dash Core v22 `src/chainparams.cpp`).
const REGTEST_MAGIC: [u8; 4] = [0xfc, 0xc1, 0xb7, 0xdc];
