//! A quorum as a node reports it over RPC.

use nodewright_utxo::hash::HashTextError;
use serde::Deserialize;

use super::{LlmqType, QuorumEntry};
use crate::bls::PublicKey;

/// The result of `quorum info`, field by field as the node gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedQuorum {
    /// The height of the block the key generation began at: not that of the commitment.
    pub height: u32,
    /// The block that holds the commitment.
    pub mined_block: String,
    /// The quorum's name as text.
    pub quorum_hash: String,
    /// The slot of a rotated quorum; 0 for other types.
    #[serde(default)]
    pub quorum_index: u16,
    /// The public key in hex.
    pub quorum_public_key: String,
}

impl ReportedQuorum {
    /// Returns the quorum as an entry of a [`QuorumSet`](super::QuorumSet).
    ///
    /// `mined_height` is the height of [`mined_block`](Self::mined_block), where the caller has
    /// looked it up.
    ///
    /// # Errors
    ///
    /// [`QuorumTextError`] if name or key is not hex of the right length.
    pub fn entry(&self, llmq_type: LlmqType, mined_height: Option<u32>) -> Result<QuorumEntry, QuorumTextError> {
        let mut public_key = [0; PublicKey::LEN];
        hex::decode_to_slice(&self.quorum_public_key, &mut public_key)
            .map_err(|_| QuorumTextError::Key { text: self.quorum_public_key.chars().take(100).collect() })?;
        Ok(QuorumEntry {
            llmq_type,
            quorum_hash: self.quorum_hash.parse()?,
            public_key: PublicKey::new(public_key),
            mined_height,
            index: llmq_type.params().is_some_and(|params| params.rotated).then_some(self.quorum_index),
        })
    }
}

/// Says which field of a reported quorum cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumTextError {
    /// The name is not 64 hex digits.
    #[error("quorum hash: {0}")]
    Hash(#[from] HashTextError),
    /// The key is not 96 hex digits.
    #[error("quorum public key is not 96 hex digits: {text:?}")]
    Key {
        /// The text, cut to 100 characters.
        text: String,
    },
}
