//! What the simulated network knows about each payment, and how it compares with what was observed.

use nodewright::core::{BlockId, NearMissReason, TxId};
use nodewright::dash::sim::build::{self, Draft};
use nodewright::ops::observer::{Deposit, DepositKey, DepositState, Fate};

/// Says what must have become of one payment.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) key: DepositKey,
    pub(crate) value: u64,
    pub(crate) memo: Option<Vec<u8>>,
    pub(crate) near_miss: Option<NearMissReason>,
    pub(crate) outcome: Outcome,
}

/// Says where a payment must stand at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Final(BlockId),
    Mempool,
    Replaced(TxId),
}

impl Expected {
    /// Expects the payment in `output` of `draft` to be final in `block`.
    pub(crate) fn new(draft: &Draft, output: u32, memo: Option<&[u8]>, block: BlockId) -> Self {
        let index = usize::try_from(output).unwrap_or_default();
        Self {
            key: DepositKey { txid: txid(draft), output },
            value: draft.outputs.get(index).map_or(0, |(value, _)| *value),
            memo: memo.map(<[u8]>::to_vec),
            near_miss: None,
            outcome: Outcome::Final(block),
        }
    }

    /// Returns what is wrong with the deposit that was observed; empty if nothing is.
    pub(crate) fn compare(&self, observed: Option<&Deposit>) -> Vec<String> {
        let Some(deposit) = observed else { return vec!["missed".to_owned()] };
        let mut wrong = Vec::new();
        if deposit.observation.value.0 != u128::from(self.value) {
            wrong.push(format!("value {} instead of {}", deposit.observation.value, self.value));
        }
        if deposit.observation.memo != self.memo {
            wrong.push("another memo".to_owned());
        }
        if deposit.near_miss != self.near_miss {
            wrong.push(format!("near miss {:?} instead of {:?}", deposit.near_miss, self.near_miss));
        }
        let stands = match (&deposit.state, &self.outcome) {
            (DepositState::Final { .. }, Outcome::Final(block)) => deposit.observation.block.id == *block,
            (DepositState::Gone { fate: Fate::Mempool }, Outcome::Mempool) => true,
            (DepositState::Gone { fate: Fate::Replaced { by, .. } }, Outcome::Replaced(other)) => by == other,
            _ => false,
        };
        if !stands {
            wrong.push(format!("{} instead of {}", state(deposit), self.outcome));
        }
        wrong
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Final(block) => write!(f, "final in block {}", block.height),
            Self::Mempool => f.write_str("in the memory pool"),
            Self::Replaced(by) => write!(f, "replaced by {}", crate::print::short(&by.0)),
        }
    }
}

pub(crate) fn txid(draft: &Draft) -> TxId {
    TxId(build::txid(&draft.to_bytes()).to_string())
}

/// Says in a few words where a deposit stands.
pub(crate) fn state(deposit: &Deposit) -> String {
    match &deposit.state {
        DepositState::Seen => format!("seen in block {}", deposit.observation.block.id.height),
        DepositState::Final { .. } => format!("final in block {}", deposit.observation.block.id.height),
        DepositState::Gone { fate } => format!("gone: {}", crate::print::fate_text(fate)),
    }
}
