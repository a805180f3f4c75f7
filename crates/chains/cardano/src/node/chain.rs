//! What a reader of a node answers, and the trait that all readers share.

use core::fmt::{self, Debug};
use core::num::NonZeroU64;

use async_trait::async_trait;
use nodewright_core::{BlockPoint, ChainPosition, Epoch, Slot};

use super::{Address, NodeError};

/// Reads the state of a Cardano node.
///
/// Dropping a future of any of these methods loses nothing but the answer.
///
/// # Behaviour
/// - CR-1: one answer is taken from one state of the ledger; where the source cannot, the tip is the older part of it.
/// - CR-2: every call ends within a stated time and holds a stated number of bytes at most.
/// - CR-3: no failure is an empty answer; an empty list means that the address holds no outputs of the kind.
#[async_trait]
pub trait ChainReader: Debug + Send + Sync + 'static {
    /// Returns where the node's chain ends.
    ///
    /// # Errors
    /// Any [`NodeError`].
    async fn tip(&self) -> Result<ChainTip, NodeError>;

    /// Returns the inline datums of all outputs at `address`, in the order of their [`OutputRef`].
    ///
    /// # Errors
    /// Any [`NodeError`], among them [`NodeError::Address`] when the address is of another network.
    async fn datums(&self, address: &Address) -> Result<AddressDatums, NodeError>;

    /// Returns by what the periods of KES keys are counted.
    ///
    /// # Errors
    /// Any [`NodeError`], among them [`NodeError::Unavailable`] when the source does not say.
    async fn kes_clock(&self) -> Result<KesClock, NodeError>;
}

/// Says where a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainTip {
    /// Is the last block; `None` while the chain has none.
    pub block: Option<BlockPoint>,
    /// Is the epoch of the ledger's state.
    pub epoch: Epoch,
    /// Is the era of the ledger's rules (not an era of Mithril).
    pub era: LedgerEra,
}

impl ChainTip {
    /// Returns the tip as a position; without a block its height is 0.
    #[must_use]
    pub fn position(&self) -> ChainPosition {
        let height = self.block.map(|block| block.id.height).unwrap_or_default();
        ChainPosition {
            epoch: Some(self.epoch),
            slot: self.block.and_then(|block| block.slot),
            ..ChainPosition::at(height)
        }
    }
}

/// Names an era of Cardano's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LedgerEra {
    /// Index 0.
    Byron,
    /// Index 1.
    Shelley,
    /// Index 2.
    Allegra,
    /// Index 3.
    Mary,
    /// Index 4.
    Alonzo,
    /// Index 5.
    Babbage,
    /// Index 6.
    Conway,
    /// Is a later era, with its index.
    Later(u16),
}

impl LedgerEra {
    /// Takes the index that a node answers and that a query for the ledger must name: Byron is 0.
    ///
    /// Tables that give the boundary blocks of Byron a number of their own are ahead by one.
    #[must_use]
    pub fn from_index(index: u16) -> Self {
        match usize::from(index) {
            0 => Self::Byron,
            1 => Self::Shelley,
            2 => Self::Allegra,
            3 => Self::Mary,
            4 => Self::Alonzo,
            5 => Self::Babbage,
            6 => Self::Conway,
            _ => Self::Later(index),
        }
    }

    /// Returns the index.
    #[must_use]
    pub fn index(self) -> u16 {
        match self {
            Self::Byron => 0,
            Self::Shelley => 1,
            Self::Allegra => 2,
            Self::Mary => 3,
            Self::Alonzo => 4,
            Self::Babbage => 5,
            Self::Conway => 6,
            Self::Later(index) => index,
        }
    }

    /// Finds an era by its name, in any case; `None` if this build does not know it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (0..=6).map(Self::from_index).find(|era| era.to_string().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for LedgerEra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(index) => write!(f, "era {index}"),
            known => Debug::fmt(known, f),
        }
    }
}

/// Holds the inline datums at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressDatums {
    /// Is the state that they were read from.
    pub tip: ChainTip,
    /// Holds the datums by [`OutputRef`], which is the order in which a node lists outputs.
    pub datums: Vec<UtxoDatum>,
    /// Counts the outputs without an inline datum; a datum given by its hash only is one of them.
    pub without_datum: usize,
}

/// Is an inline datum and the output that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoDatum {
    /// Names the output.
    pub output: OutputRef,
    /// Is the datum.
    pub datum: RawDatum,
}

/// Names an output: the transaction's id and the place among its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputRef {
    /// Is the id of the transaction.
    pub tx: [u8; 32],
    /// Is the place, from 0.
    pub index: u32,
}

impl fmt::Display for OutputRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", hex::encode(self.tx), self.index)
    }
}

/// Is a datum as its source gives it, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawDatum {
    /// Is the ledger's CBOR.
    Cbor(Vec<u8>),
    /// Is the JSON of `cardano-cli` in its detailed schema.
    Json(String),
}

/// Says by what the periods of KES keys are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KesClock {
    /// Is the slot of the tip.
    pub slot: Slot,
    /// Counts the slots of one period (`slotsPerKESPeriod` of the Shelley genesis).
    pub slots_per_period: NonZeroU64,
    /// Is the number of periods after which a key is used up (`maxKESEvolutions`), if the source says.
    pub max_evolutions: Option<u64>,
}

impl KesClock {
    /// Returns the period that the tip is in.
    #[must_use]
    pub fn period(&self) -> u64 {
        self.slot.0 / self.slots_per_period
    }
}
