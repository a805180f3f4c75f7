//! A ChainLock as a node reports it over RPC.

use nodewright_core::BlockHash;
use nodewright_utxo::hash::parse_reversed;
use serde::Deserialize;

use super::{ChainLock, LockError};
use crate::bls::Signature;
use crate::quorum::{LlmqType, Network};

/// The result of `getbestchainlock`, field by field as the node gives it.
///
/// The locked block is [`blockhash`](Self::blockhash): a node can know a lock before its block,
/// and then has another block, or none, at that height.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReportedLock {
    /// The block's hash as text.
    pub blockhash: String,
    /// The block's height.
    pub height: i64,
    /// The signature in hex. Old nodes leave it out.
    #[serde(default)]
    pub signature: String,
    /// Whether the node has the block. Absent counts as no.
    #[serde(default)]
    pub known_block: bool,
    /// The type of the signing quorum, where the node names it.
    #[serde(default, rename = "llmqType")]
    pub llmq_type: Option<u8>,
}

impl ReportedLock {
    /// Returns the lock that is reported.
    ///
    /// # Errors
    ///
    /// [`LockError::HashText`], [`LockError::SignatureText`], [`LockError::NegativeHeight`] or
    /// [`LockError::HeightTooHigh`] for fields out of their range; [`LockError::WrongType`] if
    /// the node names another quorum type than this network signs ChainLocks with.
    pub fn chain_lock(&self, network: Network) -> Result<ChainLock, LockError> {
        let expected = network.chain_lock_type();
        match self.llmq_type.map(LlmqType::new) {
            Some(found) if found != expected => {
                return Err(LockError::WrongType { expected, found });
            }
            _ => {}
        }
        let mut signature = [0; Signature::LEN];
        hex::decode_to_slice(&self.signature, &mut signature)
            .map_err(|_| LockError::SignatureText { text: self.signature.chars().take(200).collect() })?;
        let height = match u32::try_from(self.height) {
            Ok(height) if i32::try_from(height).is_ok() => height,
            _ if self.height < 0 => return Err(LockError::NegativeHeight { height: self.height }),
            _ => return Err(LockError::HeightTooHigh { height: self.height }),
        };
        Ok(ChainLock {
            height,
            block_hash: BlockHash(parse_reversed(&self.blockhash)?),
            signature: Signature::new(signature),
        })
    }
}
