//! The payloads of Dash's special transactions (DIP-2), types 1 to 9.
//!
//! Layouts follow Dash Core's `src/evo/*.h` and `src/llmq/commitment.h`. Each payload has a `parse` for a slice that
//! holds exactly one. A version this code does not know is a typed error: its layout would be a guess.

mod asset;
mod cbtx;
mod commitment;
mod provider;
mod signal;

pub use self::asset::{AssetLock, AssetUnlock};
pub use self::cbtx::{BestChainLock, CbTx};
pub use self::commitment::{FinalCommitment, QuorumCommitment};
pub use self::provider::{
    MasternodeType, PlatformService, ProRegTx, ProUpRegTx, ProUpRevTx, ProUpServTx, ServiceAddress,
};
pub use self::signal::MnHfSignal;
use crate::bytes::ParseError;

/// The payload of a special transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Special<'a> {
    /// Type 8: locks Dash to credit it on the platform.
    AssetLock(AssetLock<'a>),
    /// Type 9: pays out a withdrawal from the platform.
    AssetUnlock(AssetUnlock),
    /// Type 5: the coinbase's commitments.
    CbTx(CbTx),
    /// Type 7: masternodes signal that they are ready for a hard fork.
    MnHfSignal(MnHfSignal),
    /// Type 1: registers a masternode.
    ProRegTx(ProRegTx<'a>),
    /// Type 3: updates a masternode's keys and payout.
    ProUpRegTx(ProUpRegTx<'a>),
    /// Type 4: revokes a masternode's operator.
    ProUpRevTx(ProUpRevTx),
    /// Type 2: updates a masternode's addresses.
    ProUpServTx(ProUpServTx<'a>),
    /// Type 6: a quorum's final commitment.
    QuorumCommitment(QuorumCommitment<'a>),
    /// A type this code does not know.
    Unknown {
        /// The type.
        kind: u16,
        /// The payload, unread.
        payload: &'a [u8],
    },
}

impl<'a> Special<'a> {
    /// Parses the payload of a transaction of type `kind`: what [`TxView::special`](crate::tx::TxView::special) gives.
    ///
    /// # Errors
    /// [`ParseError`] if the payload of a known type is not well-formed; [`ParseError::Unsupported`] if its version is
    /// unknown. An unknown type is no error.
    pub fn parse(kind: u16, payload: &'a [u8]) -> Result<Self, ParseError> {
        Ok(match kind {
            1 => Self::ProRegTx(ProRegTx::parse(payload)?),
            2 => Self::ProUpServTx(ProUpServTx::parse(payload)?),
            3 => Self::ProUpRegTx(ProUpRegTx::parse(payload)?),
            4 => Self::ProUpRevTx(ProUpRevTx::parse(payload)?),
            CbTx::KIND => Self::CbTx(CbTx::parse(payload)?),
            QuorumCommitment::KIND => Self::QuorumCommitment(QuorumCommitment::parse(payload)?),
            7 => Self::MnHfSignal(MnHfSignal::parse(payload)?),
            8 => Self::AssetLock(AssetLock::parse(payload)?),
            9 => Self::AssetUnlock(AssetUnlock::parse(payload)?),
            _ => Self::Unknown { kind, payload },
        })
    }
}
