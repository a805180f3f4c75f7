//! What a simulated node's ledger holds, and how it answers in CBOR.

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, Epoch, Slot};
use pallas_codec::minicbor::encode::{Error, Write};
use pallas_codec::minicbor::{Encoder, data::Tag};

use crate::node::{Address, ChainTip, LedgerEra, OutputRef};

/// Is the state of a simulated ledger.
#[derive(Clone, Debug)]
pub struct SimLedger {
    /// Is the magic of the network.
    pub magic: u64,
    /// Is the last block, the epoch and the era.
    pub tip: ChainTip,
    /// Holds the outputs; a node lists them by [`OutputRef`].
    pub outputs: Vec<SimOutput>,
    /// Counts the slots of a KES period; 129,600 unless set (mainnet's Shelley genesis).
    pub slots_per_kes_period: u32,
    /// Counts the slots of an epoch; 432,000 unless set (mainnet's Shelley genesis).
    pub epoch_length: u32,
}

impl SimLedger {
    /// Makes a ledger in the era Conway, at one block of `epoch`, without outputs.
    #[must_use]
    pub fn new(magic: u64, epoch: Epoch) -> Self {
        let mut ledger = Self {
            magic,
            tip: ChainTip { block: None, epoch, era: LedgerEra::Conway },
            outputs: Vec::new(),
            slots_per_kes_period: 129_600,
            epoch_length: 432_000,
        };
        ledger.enter(epoch);
        ledger
    }

    /// Adds a block at the beginning of `epoch`.
    pub fn enter(&mut self, epoch: Epoch) {
        let height = self.tip.block.map_or(0, |block| block.id.height.0).saturating_add(1);
        let mut hash = [0; 32];
        for (place, byte) in hash.iter_mut().rev().zip(height.to_le_bytes()) {
            *place = byte;
        }
        let slot = epoch.0.saturating_mul(u64::from(self.epoch_length));
        let id = BlockId { height: BlockHeight(height), hash: BlockHash(hash) };
        self.tip.block = Some(BlockPoint { id, slot: Some(Slot(slot)) });
        self.tip.epoch = epoch;
    }

    /// Adds an output at `address`; its id has the byte `tx` 32 times.
    pub fn pay(&mut self, tx: u8, index: u32, address: &Address, datum: SimDatum) {
        self.outputs.push(SimOutput { output: OutputRef { tx: [tx; 32], index }, address: address.clone(), datum });
    }

    /// Removes the outputs of the transaction whose id has the byte `tx` 32 times.
    pub fn spend(&mut self, tx: u8) {
        self.outputs.retain(|output| output.output.tx != [tx; 32]);
    }

    /// Writes the outputs at any of `addresses`, as a node answers a query for them.
    pub(super) fn encode_outputs<W: Write>(
        &self,
        addresses: &[Vec<u8>],
        encoder: &mut Encoder<W>,
    ) -> Result<(), Error<W::Error>> {
        let mut outputs: Vec<_> = self.outputs.iter().collect();
        outputs.retain(|output| addresses.iter().any(|address| address == output.address.as_bytes()));
        outputs.sort_by_key(|output| output.output);
        encoder.array(1)?.map(u64::try_from(outputs.len()).unwrap_or(u64::MAX))?;
        for output in outputs {
            encoder.array(2)?.bytes(&output.output.tx)?.u32(output.output.index)?;
            output.encode(encoder)?;
        }
        Ok(())
    }

    /// Writes the genesis parameters in the order of the Shelley genesis.
    pub(super) fn encode_genesis<W: Write>(&self, encoder: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        encoder.array(1)?.array(15)?;
        encoder.array(3)?.u32(2022)?.u32(91)?.u32(0)?;
        encoder.u64(self.magic)?.u8(u8::from(self.magic == 764_824_073))?;
        encoder.array(2)?.u32(1)?.u32(20)?;
        encoder.u32(2_160)?.u32(self.epoch_length)?.u32(self.slots_per_kes_period)?.u32(62)?;
        encoder.u32(1)?.u32(5)?.u64(45_000_000_000_000_000)?;
        // The first protocol parameters, the delegations, the initial funds and stakes: nobody here reads them.
        encoder.array(0)?.map(0)?.map(0)?.map(0)?;
        Ok(())
    }
}

/// Is an output of a simulated ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOutput {
    /// Names it.
    pub output: OutputRef,
    /// Is where it lies.
    pub address: Address,
    /// Is its datum.
    pub datum: SimDatum,
}

impl SimOutput {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        encoder.map(if self.datum == SimDatum::None { 2 } else { 3 })?;
        encoder.u8(0)?.bytes(self.address.as_bytes())?.u8(1)?.u64(LOVELACE)?;
        match &self.datum {
            SimDatum::None => {}
            SimDatum::Hash(hash) => {
                encoder.u8(2)?.array(2)?.u8(0)?.bytes(hash)?;
            }
            SimDatum::Inline(cbor) => {
                encoder.u8(2)?.array(2)?.u8(1)?.tag(Tag::new(24))?.bytes(cbor)?;
            }
        }
        Ok(())
    }
}

/// Is the datum of a simulated output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimDatum {
    /// There is none.
    None,
    /// Only its hash is there.
    Hash([u8; 32]),
    /// Is there, as CBOR.
    Inline(Vec<u8>),
}

/// Is what lies in each output: what Mithril's runbook puts beside its markers.
const LOVELACE: u64 = 2_100_000;
