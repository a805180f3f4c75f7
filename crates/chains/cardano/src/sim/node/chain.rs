//! A simulated chain of real blocks: real encodings of Byron and Conway, with made-up contents.

use std::collections::HashMap;
use std::sync::Arc;

use nodewright_core::{BlockHash, BlockId, BlockPoint};
use pallas_codec::minicbor::encode::Error as CborError;
use pallas_codec::minicbor::{Decoder, Encoder, decode};

use crate::node::{BlockHead, Genesis, digest};

/// Is the chain of a simulated node: the best one, and every block that ever was on it.
#[derive(Clone, Debug)]
pub struct SimChain {
    genesis: Genesis,
    best: Vec<BlockPoint>,
    known: HashMap<BlockHash, Known>,
    hidden: usize,
    made: u64,
    /// Is the newest slot of any block ever made: time goes on, whatever becomes of the blocks.
    clock: u64,
}

#[derive(Clone, Debug)]
struct Known {
    parent: BlockHash,
    bytes: Arc<[u8]>,
}

impl SimChain {
    /// Makes a chain without blocks.
    #[must_use]
    pub fn new(genesis: Genesis) -> Self {
        Self { genesis, best: Vec::new(), known: HashMap::new(), hidden: 0, made: 0, clock: 0 }
    }

    /// Returns how the network begins.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Adds `count` blocks of Conway, 20 slots apart and later than any block before. The first of a chain has height 1.
    pub fn grow(&mut self, count: usize) {
        for _ in 0..count {
            let tip = self.last();
            let parent = (tip != self.genesis.origin()).then_some(tip.id.hash);
            let slot = self.clock.saturating_add(20);
            self.made = self.made.saturating_add(1);
            self.push(conway(tip.id.height.0.saturating_add(1), slot, parent, self.made));
        }
    }

    /// Adds an epoch of Byron: the boundary block, which repeats the height of the block before it, and `count` blocks,
    /// the first of them in the boundary block's slot.
    pub fn grow_byron(&mut self, epoch: u64, count: u64) {
        let tip = self.last();
        self.push(byron_boundary(epoch, tip.id.height.0, tip.id.hash));
        for within in 0..count {
            let tip = self.last();
            self.made = self.made.saturating_add(1);
            self.push(byron_main(epoch, within, tip.id.height.0.saturating_add(1), tip.id.hash, self.made));
        }
    }

    /// Takes the newest `count` blocks off the chain.
    pub fn roll_back(&mut self, count: usize) {
        self.best.truncate(self.best.len().saturating_sub(count));
    }

    /// Adds a block as it is given, such as a real one; whether it links is not checked.
    ///
    /// Returns false if the bytes are no block.
    pub fn push(&mut self, bytes: Vec<u8>) -> bool {
        let Ok(head) = BlockHead::read(&bytes, self.genesis.byron_epoch) else { return false };
        let parent = head.parent.unwrap_or(self.genesis.hash);
        self.known.insert(head.point.id.hash, Known { parent, bytes: bytes.into() });
        self.clock = self.clock.max(head.point.slot.unwrap_or_default().0);
        self.best.push(head.point);
        true
    }

    /// Lets the node be `count` blocks behind from now on.
    pub fn hide(&mut self, count: usize) {
        self.hidden = count;
    }

    /// Returns the points of the best chain, oldest first, those that are hidden included.
    #[must_use]
    pub fn points(&self) -> &[BlockPoint] {
        &self.best
    }

    /// Returns what the node shows of the best chain.
    pub(super) fn shown(&self) -> &[BlockPoint] {
        self.best.get(..self.best.len().saturating_sub(self.hidden)).unwrap_or_default()
    }

    /// Returns the newest block that the node shows, or the origin.
    pub(super) fn tip(&self) -> BlockPoint {
        self.shown().last().copied().unwrap_or(self.genesis.origin())
    }

    pub(super) fn bytes(&self, id: BlockId) -> Option<Arc<[u8]>> {
        self.known.get(&id.hash).map(|known| Arc::clone(&known.bytes))
    }

    /// Returns how many shown blocks there are up to `hash`; 0 for the origin, `None` if it is not shown.
    pub(super) fn place(&self, hash: BlockHash) -> Option<usize> {
        if hash == self.genesis.hash {
            return Some(0);
        }
        let place = self.shown().iter().rposition(|point| point.id.hash == hash)?;
        Some(place.saturating_add(1))
    }

    /// Returns how many shown blocks there are up to the newest ancestor of `hash` that is shown.
    pub(super) fn fork(&self, mut hash: BlockHash) -> usize {
        loop {
            if let Some(place) = self.place(hash) {
                return place;
            }
            match self.known.get(&hash) {
                Some(known) => hash = known.parent,
                None => return 0,
            }
        }
    }

    fn last(&self) -> BlockPoint {
        self.best.last().copied().unwrap_or(self.genesis.origin())
    }
}

/// Changes the block's header so that it hashes to something else: the last byte of the signature.
pub(super) fn edit_header(bytes: &[u8]) -> Vec<u8> {
    edit(bytes, |decoder| {
        decoder.skip()?;
        Ok(decoder.position())
    })
}

/// Changes the block's body, which its header then contradicts: the last byte of the last witness.
pub(super) fn edit_body(bytes: &[u8]) -> Vec<u8> {
    edit(bytes, |decoder| {
        decoder.skip()?;
        decoder.array()?;
        decoder.skip()?;
        Ok(decoder.position())
    })
}

/// Flips the last bit of the item that ends where `end` says, reading from a block's header on.
fn edit(bytes: &[u8], end: impl FnOnce(&mut Decoder<'_>) -> Result<usize, decode::Error>) -> Vec<u8> {
    let mut edited = bytes.to_vec();
    let mut decoder = Decoder::new(bytes);
    let found = (|| {
        decoder.array()?;
        decoder.skip()?;
        decoder.array()?;
        end(&mut decoder)
    })();
    if let Ok(end) = found
        && let Some(byte) = edited.get_mut(end.saturating_sub(1))
    {
        *byte ^= 1;
    }
    edited
}

/// Writes a block of Conway with a body of one made-up witness and no transactions.
fn conway(height: u64, slot: u64, parent: Option<BlockHash>, salt: u64) -> Vec<u8> {
    let body = [written(|e| e.array(0)?.ok()), written(|e| e.array(1)?.u64(salt)?.ok()), written(|e| e.map(0)?.ok())];
    let invalid = written(|e| e.array(0)?.ok());
    let parts: Vec<&[u8]> = body.iter().chain([&invalid]).map(Vec::as_slice).collect();
    let hashes: Vec<_> = parts.iter().map(|part| digest(&[part]).0).collect();
    let body_hash = digest(&hashes.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>());
    let header = written(|e| {
        e.array(2)?.array(10)?.u64(height)?.u64(slot)?;
        match parent {
            Some(parent) => e.bytes(&parent.0)?,
            None => e.null()?,
        };
        e.bytes(&[1; 32])?.bytes(&[2; 32])?.array(2)?.bytes(&[3; 64])?.bytes(&[4; 80])?;
        e.u64(parts.iter().map(|part| part.len() as u64).sum())?.bytes(&body_hash.0)?;
        e.array(4)?.bytes(&[5; 32])?.u64(0)?.u64(0)?.bytes(&[6; 64])?.array(2)?.u64(9)?.u64(0)?;
        e.bytes(&[7; 448])?.ok()
    });
    let mut block = written(|e| e.array(2)?.u16(7)?.array(5)?.ok());
    block.extend_from_slice(&header);
    for part in parts {
        block.extend_from_slice(part);
    }
    block
}

fn byron_boundary(epoch: u64, height: u64, parent: BlockHash) -> Vec<u8> {
    written(|e| {
        e.array(2)?.u16(0)?.array(3)?;
        e.array(5)?.u32(BYRON_MAGIC)?.bytes(&parent.0)?.bytes(&[8; 32])?;
        e.array(2)?.u64(epoch)?.array(1)?.u64(height)?.array(1)?.map(0)?;
        e.begin_array()?.end()?.array(1)?.map(0)?.ok()
    })
}

fn byron_main(epoch: u64, within: u64, height: u64, parent: BlockHash, salt: u64) -> Vec<u8> {
    written(|e| {
        e.array(2)?.u16(1)?.array(3)?;
        e.array(5)?.u32(BYRON_MAGIC)?.bytes(&parent.0)?.array(1)?.u64(salt)?;
        e.array(4)?.array(2)?.u64(epoch)?.u64(within)?.bytes(&[9; 64])?.array(1)?.u64(height)?;
        e.array(2)?.u16(2)?.bytes(&[10; 64])?.array(1)?.u64(0)?;
        e.array(4)?.begin_array()?.end()?.u64(0)?.u64(0)?.u64(0)?.array(1)?.map(0)?.ok()
    })
}

type VecError = CborError<core::convert::Infallible>;

/// Writes CBOR into memory, which does not fail.
fn written(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Result<(), VecError>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    match write(&mut encoder) {
        Ok(()) => encoder.into_writer(),
        Err(_) => Vec::new(),
    }
}

/// Is what the blocks of Byron name as their network.
const BYRON_MAGIC: u32 = 42;
