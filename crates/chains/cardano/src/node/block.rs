//! Reads as much of a block as links it to its chain: its id, height, slot and parent, in every era.
//!
//! A block's id is the Blake2b-256 hash of its header's bytes as they came. Byron hashes a pair instead, of a number that
//! tells its two kinds of block apart, and the header (Cardano ledger specifications, `byron.cddl`: `[0, ebbhead]` and
//! `[1, blockhead]`).

use blake2::Blake2b;
use blake2::digest::{Digest as _, consts::U32};
use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, Slot};
use pallas_codec::minicbor::Decoder;
use pallas_codec::minicbor::data::Type;
use pallas_codec::minicbor::decode::Error as CborError;

use super::LedgerEra;

/// Holds what links a block to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// Locates the block; the hash was computed from the header's bytes.
    pub point: BlockPoint,
    /// Holds the id of the block before it, or of Byron's genesis; `None` for the first block of a network that began
    /// with a later era.
    pub parent: Option<BlockHash>,
    /// Is the era whose rules the block follows.
    pub era: LedgerEra,
    /// Says that it is a boundary block of Byron, which begins an epoch, holds no transactions and repeats the height of
    /// the block before it. The block after it may have the same slot.
    pub boundary: bool,
}

impl BlockHead {
    /// Reads a whole block as a node sends it, `[era, block]`; `byron_epoch` counts the slots of an epoch of Byron.
    ///
    /// From Shelley on, the body is checked against the hash in the header. Signatures are not checked.
    ///
    /// # Errors
    /// [`BlockError`] if the bytes are not a block of an era from Byron to Conway, or the body is not the header's.
    pub fn read(bytes: &[u8], byron_epoch: u64) -> Result<Self, BlockError> {
        let parts = Parts::split(bytes)?;
        match parts.tag {
            0 => byron_boundary(&parts, byron_epoch),
            1 => byron_main(&parts, byron_epoch),
            tag => {
                let era = LedgerEra::from_index(tag.saturating_sub(1));
                match era {
                    LedgerEra::Later(index) => Err(BlockError::Era { index }),
                    LedgerEra::Babbage | LedgerEra::Conway => praos(&parts, era, 7),
                    _ => praos(&parts, era, 8),
                }
            }
        }
    }
}

/// Says why bytes are not a block that this build can place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The body is not the one whose hash the header states.
    #[error("the body of block {} hashes to {}, but its header states {}", .block.hash.to_hex(), .computed.to_hex(), .stated.to_hex())]
    Body {
        /// Names the block.
        block: BlockId,
        /// Is the hash of the body.
        computed: BlockHash,
        /// Is the hash in the header.
        stated: BlockHash,
    },
    /// The block is of an era that this build does not know.
    #[error("the block is of era {index}, which this build does not know")]
    Era {
        /// Is the era's index; Byron has 0.
        index: u16,
    },
    /// The bytes are not a block.
    #[error("not a block: {what}")]
    Malformed {
        /// Says what is wrong.
        what: String,
    },
}

impl From<CborError> for BlockError {
    fn from(error: CborError) -> Self {
        Self::Malformed { what: error.to_string() }
    }
}

/// Holds the parts of a block as they came, nothing copied.
struct Parts<'a> {
    tag: u16,
    header: &'a [u8],
    body: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn split(bytes: &'a [u8]) -> Result<Self, BlockError> {
        let mut decoder = Decoder::new(bytes);
        expect_length(decoder.array()?, 2)?;
        let tag = decoder.u16()?;
        let length = decoder.array()?;
        let header = raw(&mut decoder, bytes)?;
        let mut body = Vec::new();
        while !ends(&mut decoder, length, body.len().saturating_add(1))? {
            if body.len() == MOST_PARTS {
                return Err(malformed("a block of too many parts"));
            }
            body.push(raw(&mut decoder, bytes)?);
        }
        if decoder.position() != bytes.len() {
            return Err(malformed("bytes after the block"));
        }
        Ok(Self { tag, header, body })
    }
}

fn byron_boundary(parts: &Parts<'_>, epoch_slots: u64) -> Result<BlockHead, BlockError> {
    let mut decoder = Decoder::new(parts.header);
    let parent = byron_parent(&mut decoder)?;
    expect_length(decoder.array()?, 2)?;
    let epoch = decoder.u64()?;
    let height = difficulty(&mut decoder)?;
    let slot = epoch.checked_mul(epoch_slots).ok_or_else(|| malformed("an epoch out of range"))?;
    let hash = digest(&[&[0x82, 0x00], parts.header]);
    Ok(BlockHead { point: point(height, slot, hash), parent: Some(parent), era: LedgerEra::Byron, boundary: true })
}

fn byron_main(parts: &Parts<'_>, epoch_slots: u64) -> Result<BlockHead, BlockError> {
    let mut decoder = Decoder::new(parts.header);
    let parent = byron_parent(&mut decoder)?;
    expect_length(decoder.array()?, 4)?;
    expect_length(decoder.array()?, 2)?;
    let (epoch, within) = (decoder.u64()?, decoder.u64()?);
    decoder.skip()?;
    let height = difficulty(&mut decoder)?;
    let slot = epoch.checked_mul(epoch_slots).and_then(|first| first.checked_add(within));
    let slot = slot.ok_or_else(|| malformed("a slot out of range"))?;
    let hash = digest(&[&[0x82, 0x01], parts.header]);
    Ok(BlockHead { point: point(height, slot, hash), parent: Some(parent), era: LedgerEra::Byron, boundary: false })
}

/// Reads a header of Byron up to its third part: magic, parent, proof of the body.
fn byron_parent(decoder: &mut Decoder<'_>) -> Result<BlockHash, BlockError> {
    expect_length(decoder.array()?, 5)?;
    decoder.u32()?;
    let parent = hash(decoder)?;
    decoder.skip()?;
    Ok(parent)
}

fn difficulty(decoder: &mut Decoder<'_>) -> Result<u64, BlockError> {
    expect_length(decoder.array()?, 1)?;
    Ok(decoder.u64()?)
}

/// Reads a block of Shelley or later; `place` is where its header states the body's hash.
///
/// The header was shortened by Babbage, which made one proof out of two (Cardano ledger specifications, `shelley.cddl`
/// and `babbage.cddl`, `header_body`).
fn praos(parts: &Parts<'_>, era: LedgerEra, place: usize) -> Result<BlockHead, BlockError> {
    let mut decoder = Decoder::new(parts.header);
    expect_length(decoder.array()?, 2)?;
    decoder.array()?;
    let (height, slot) = (decoder.u64()?, decoder.u64()?);
    let parent = match decoder.datatype()? {
        Type::Null => {
            decoder.null()?;
            None
        }
        _ => Some(hash(&mut decoder)?),
    };
    for _ in 3..place {
        decoder.skip()?;
    }
    let stated = hash(&mut decoder)?;
    let point = point(height, slot, digest(&[parts.header]));
    let segments = if era < LedgerEra::Alonzo { 3 } else { 4 };
    if parts.body.len() != segments {
        return Err(malformed("a body of another number of parts than its era has"));
    }
    let hashes: Vec<_> = parts.body.iter().map(|part| digest(&[part]).0).collect();
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    let computed = digest(&hashes);
    if computed != stated {
        return Err(BlockError::Body { block: point.id, computed, stated });
    }
    Ok(BlockHead { point, parent, era, boundary: false })
}

fn point(height: u64, slot: u64, hash: BlockHash) -> BlockPoint {
    BlockPoint { id: BlockId { height: BlockHeight(height), hash }, slot: Some(Slot(slot)) }
}

fn hash(decoder: &mut Decoder<'_>) -> Result<BlockHash, BlockError> {
    let bytes = decoder.bytes()?;
    bytes.try_into().map(BlockHash).map_err(|_| malformed("a hash that has not 32 bytes"))
}

/// Returns the bytes of the next item.
fn raw<'a>(decoder: &mut Decoder<'a>, bytes: &'a [u8]) -> Result<&'a [u8], BlockError> {
    let start = decoder.position();
    decoder.skip()?;
    bytes.get(start..decoder.position()).ok_or_else(|| malformed("an item without an end"))
}

/// Returns whether an array of `length`, of which `read` items were read, ends here.
fn ends(decoder: &mut Decoder<'_>, length: Option<u64>, read: usize) -> Result<bool, BlockError> {
    match length {
        Some(length) => Ok(u64::try_from(read).is_ok_and(|read| read >= length)),
        None if decoder.datatype()? == Type::Break => {
            decoder.set_position(decoder.position().saturating_add(1));
            Ok(true)
        }
        None => Ok(false),
    }
}

fn expect_length(length: Option<u64>, expected: u64) -> Result<(), BlockError> {
    if length == Some(expected) { Ok(()) } else { Err(malformed("an array of unexpected length")) }
}

fn malformed(what: &str) -> BlockError {
    BlockError::Malformed { what: what.to_owned() }
}

/// Hashes `parts` one after the other with Blake2b-256.
pub(crate) fn digest(parts: &[&[u8]]) -> BlockHash {
    let mut hasher = Blake2b::<U32>::new();
    for part in parts {
        hasher.update(part);
    }
    BlockHash(hasher.finalize().into())
}

/// Is more than the parts of any era's block beside the header.
const MOST_PARTS: usize = 16;
