//! One deposit and its state.

use nodewright_core::{Amount, BlockPoint, EvidenceClaim, NearMissReason, Observation, TxId};
use serde::{Deserialize, Serialize};

/// Names a deposit: one output of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DepositKey {
    /// Names the transaction.
    pub txid: TxId,
    /// Is the index of the output.
    pub output: u32,
}

impl From<&Observation> for DepositKey {
    fn from(seen: &Observation) -> Self {
        Self { txid: seen.txid.clone(), output: seen.output }
    }
}

/// Holds a payment to a watched script and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Holds the payment as the newest block with it tells.
    pub observation: Observation,
    /// Says why the payment does not count; `None` if it does.
    pub near_miss: Option<NearMissReason>,
    /// Says where it stands.
    pub state: DepositState,
    /// Locates the block that held it before, if that block left the chain and another one holds it now.
    pub moved_from: Option<BlockPoint>,
    /// Is the sum of all payments that count in the same block, in base units; weighs it.
    pub block_total: Amount,
    /// Is what the producer of its block was paid, in base units.
    pub block_reward: Option<Amount>,
}

impl Deposit {
    /// Returns its name.
    #[must_use]
    pub fn key(&self) -> DepositKey {
        DepositKey::from(&self.observation)
    }

    /// Returns whether nothing that the chain does can change it any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match &self.state {
            DepositState::Final { .. } => true,
            DepositState::Gone { fate } => matches!(fate, Fate::Replaced { settled: true, .. }),
            DepositState::Seen => false,
        }
    }
}

/// Says where a deposit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositState {
    /// Its block is final.
    Final {
        /// Locates the block that was declared final: the deposit's own or a descendant.
        point: BlockPoint,
        /// Says why.
        evidence: EvidenceClaim,
    },
    /// Its block left the chain.
    Gone {
        /// Says what became of its transaction.
        fate: Fate,
    },
    /// Its block is on the chain and not final.
    Seen,
}

/// Says what became of a transaction whose block left the chain and that no other block of the chain holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing was heard of it yet.
    Awaited,
    /// The node has it in its memory pool.
    Mempool,
    /// Another transaction consumed what it needs.
    Replaced {
        /// Names the other transaction.
        by: TxId,
        /// Locates the block that holds the other; `None` if only the node's word tells of it.
        block: Option<BlockPoint>,
        /// Says whether that block is final.
        settled: bool,
    },
    /// The node does not know it.
    Unknown,
}
