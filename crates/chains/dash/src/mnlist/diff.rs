//! The step from one masternode list to a later one, as nodes send it (`mnlistdiff`).

use nodewright_core::BlockHash;
use nodewright_utxo::bytes::{ParseError, Reader};
use nodewright_utxo::hash::Txid;
use nodewright_utxo::merkle::PartialTree;
use nodewright_utxo::special::FinalCommitment;
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::Dialect;

use super::commitment::Commitment;
use super::entry::{self, MasternodeEntry};
use super::write_compact_size;
use crate::bls::Signature;
use crate::quorum::{LlmqType, QuorumHash};

/// What leads from the list at one block to the list at a later one. A claim until verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MnListDiff {
    /// The block whose list is the base.
    pub base_block: BlockHash,
    /// The block whose list results.
    pub block: BlockHash,
    /// The partial merkle tree (BIP 37) that is to prove the coinbase in that block, serialized.
    pub merkle_proof: Vec<u8>,
    /// The block's coinbase transaction, serialized.
    pub coinbase: Vec<u8>,
    /// The masternodes that left, by their registration.
    pub deleted_masternodes: Vec<Txid>,
    /// The masternodes that came or changed.
    pub updated_masternodes: Vec<MasternodeEntry>,
    /// The quorums that are no longer active.
    pub deleted_quorums: Vec<(LlmqType, QuorumHash)>,
    /// The quorums that became active.
    pub new_quorums: Vec<Commitment>,
    /// The ChainLocks under which the members of new quorums were drawn.
    pub quorum_locks: Vec<QuorumLock>,
}

/// A ChainLock signature that seeds quorums, and the quorums it seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumLock {
    /// The signature; all zero for quorums from before coinbases carried locks.
    pub signature: Signature,
    /// Positions in [`MnListDiff::new_quorums`].
    pub quorums: Vec<u16>,
}

impl MnListDiff {
    /// Reads the payload of an `mnlistdiff` message of protocol 70230 or later (Dash Core 20).
    ///
    /// # Errors
    ///
    /// [`ParseError`]: truncated, trailing bytes, a count beyond what the bytes can hold, or an
    /// unknown version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let at = reader.position();
        let version = reader.u16()?;
        if version != VERSION {
            let what = "masternode list diff version";
            return Err(ParseError::Unsupported { what, value: version.into(), at });
        }
        let diff = Self {
            base_block: BlockHash(reader.array()?),
            block: BlockHash(reader.array()?),
            merkle_proof: {
                let start = reader;
                PartialTree::read(&mut reader)?;
                reader.since(&start).to_vec()
            },
            coinbase: TxView::read(&mut reader, Dialect::Dash)?.raw().to_vec(),
            deleted_masternodes: list(&mut reader, "deleted masternodes", 32, |reader| reader.array().map(Txid))?,
            updated_masternodes: list(&mut reader, "masternodes", entry::MIN_LEN, MasternodeEntry::read)?,
            deleted_quorums: list(&mut reader, "deleted quorums", 33, |reader| {
                Ok((LlmqType::new(reader.u8()?), QuorumHash(reader.array()?)))
            })?,
            new_quorums: list(&mut reader, "quorums", FinalCommitment::MIN_SIZE, Commitment::read)?,
            quorum_locks: list(&mut reader, "quorum chainlocks", 97, QuorumLock::read)?,
        };
        reader.finish()?;
        Ok(diff)
    }

    /// Returns the payload of an `mnlistdiff` message: what [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.base_block.0);
        out.extend_from_slice(&self.block.0);
        out.extend_from_slice(&self.merkle_proof);
        out.extend_from_slice(&self.coinbase);
        write_list(&mut out, &self.deleted_masternodes, |txid, out| {
            out.extend_from_slice(txid.as_bytes());
        });
        write_list(&mut out, &self.updated_masternodes, MasternodeEntry::write);
        write_list(&mut out, &self.deleted_quorums, |(llmq_type, quorum_hash), out| {
            out.push(llmq_type.to_u8());
            out.extend_from_slice(quorum_hash.as_bytes());
        });
        write_list(&mut out, &self.new_quorums, Commitment::write);
        write_list(&mut out, &self.quorum_locks, QuorumLock::write);
        out
    }
}

impl QuorumLock {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            signature: Signature::new(reader.array()?),
            quorums: list(reader, "quorum positions", 2, Reader::u16)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.signature.as_bytes());
        write_list(out, &self.quorums, |position, out| {
            out.extend_from_slice(&position.to_le_bytes());
        });
    }
}

/// Reads a counted list whose items take at least `min_item` bytes each.
fn list<'a, T>(
    reader: &mut Reader<'a>,
    what: &'static str,
    min_item: usize,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let count = reader.count(what, min_item)?;
    // Items in memory are larger than on the wire, so the vector grows as items really come.
    let mut items = Vec::with_capacity(count.min(RESERVE));
    for _ in 0..count {
        items.push(read(reader)?);
    }
    Ok(items)
}

fn write_list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&T, &mut Vec<u8>)) {
    write_compact_size(out, items.len());
    for item in items {
        write(item, out);
    }
}

/// The version of the message since protocol 70229 put it first.
///
/// Source: `CSimplifiedMNListDiff::CURRENT_VERSION` in Dash Core `src/evo/smldiff.h`.
const VERSION: u16 = 1;

/// Items reserved ahead of reading them: a full list of mainnet has about 4,000 masternodes.
const RESERVE: usize = 4_096;
