//! Finds the corpus and reads it into the crate's types.

use nodewright_core::BlockHash;
use nodewright_dash::bls::Signature;
use nodewright_dash::chainlock::{ChainLock, ReportedLock};
use nodewright_dash::mnlist::{CertifiedHeader, MasternodeList, MnListDiff, VerifiedList};
use nodewright_dash::quorum::{LlmqType, Network, QuorumEntry, ReportedQuorum};
use nodewright_utxo::hash::parse_reversed;
use nodewright_utxo::header::RawHeader;
use serde_json::Value;

/// Reads a file of the corpus; `None` after saying so where there is none.
pub(crate) fn file(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(nodewright_testkit::corpus(name)?).unwrap())
}

pub(crate) fn vectors() -> Option<Value> {
    Some(serde_json::from_slice(&file("dash-regtest/vectors.json")?).unwrap())
}

/// The records of the recorded regtest network, of one kind.
pub(crate) fn recording(kind: &str) -> Option<Vec<Value>> {
    let bytes = file("dash-regtest/recording.jsonl")?;
    let records = String::from_utf8(bytes).unwrap();
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(records.filter(|record| record["kind"] == kind).collect())
}

pub(crate) fn lock(report: &Value) -> ChainLock {
    let report: ReportedLock = serde_json::from_value(report.clone()).unwrap();
    report.chain_lock(Network::Regtest).unwrap()
}

pub(crate) fn quorum(llmq_type: LlmqType, report: &Value, mined: Option<u32>) -> QuorumEntry {
    let report: ReportedQuorum = serde_json::from_value(report.clone()).unwrap();
    report.entry(llmq_type, mined).unwrap()
}

pub(crate) fn block_hash(text: &str) -> BlockHash {
    BlockHash(parse_reversed(text).unwrap())
}

pub(crate) fn header(raw_block: &Value) -> RawHeader {
    let raw = hex::decode(raw_block.as_str().unwrap()).unwrap();
    RawHeader::parse(&raw[..80]).unwrap()
}

/// What the corpus holds around testnet block 905762.
pub(crate) struct Testnet {
    pub(crate) diff_bytes: Vec<u8>,
    pub(crate) diff: MnListDiff,
    pub(crate) base: MasternodeList,
    /// Real headers, the first of them that of block 905762, the last that of 905775.
    pub(crate) headers: Vec<RawHeader>,
    /// The real ChainLock of block 905775.
    pub(crate) lock: ChainLock,
}

impl Testnet {
    pub(crate) fn load() -> Option<Self> {
        let diff_bytes = file("dash/mnlistdiff-testnet-0-905762-after20.HF.dat")?;
        let clsig = file("dash/testnet-clsig-905775.hex")?;
        let chain = file("dash/testnet-with-tip-905775.spvchain")?;
        let diff = MnListDiff::parse(&diff_bytes).unwrap();
        let clsig = hex::decode(String::from_utf8(clsig).unwrap().trim()).unwrap();
        // Records of 128 bytes: id 32, work 12, height 4 (big-endian), header 80.
        let mut records: Vec<_> = chain[1024..]
            .chunks_exact(128)
            .map(|record| {
                let height = u32::from_be_bytes(record[44..48].try_into().unwrap());
                (height, RawHeader::parse(&record[48..]).unwrap())
            })
            .filter(|(height, _)| (905_762..=905_775).contains(height))
            .collect();
        records.sort_by_key(|(height, _)| *height);
        assert_eq!(records.len(), 14);
        Some(Self {
            diff_bytes,
            base: MasternodeList::empty(diff.base_block),
            diff,
            headers: records.into_iter().map(|(_, header)| header).collect(),
            lock: ChainLock::parse(&clsig).unwrap(),
        })
    }

    /// The list at 905762, with that block as the operator's checkpoint.
    pub(crate) fn list(&self) -> VerifiedList {
        let header = CertifiedHeader::anchor(&self.headers[0], self.diff.block).unwrap();
        VerifiedList::verify(&self.base, &self.diff, &header).unwrap()
    }
}

/// Every lock of `vectors.json`: seven from coinbases, and the best.
pub(crate) fn vector_locks(vectors: &Value) -> Vec<ChainLock> {
    let carried = vectors["chainlocks"].as_array().unwrap().iter();
    carried.chain([&vectors["best"]]).map(lock).collect()
}

/// Flips one bit of a signature.
pub(crate) fn flipped(signature: &Signature, bit: usize) -> Signature {
    let mut bytes = *signature.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Signature::new(bytes)
}
