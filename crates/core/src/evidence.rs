//! Why a block is final, and what had to be believed for that.

use std::borrow::Cow;
use std::sync::Arc;

use crate::id::{BlockId, BlockPoint};
use crate::units::BlockDelta;

/// States why a block is final. Can only be made by a verifier ([`Evidence::attest`]) or a finality policy.
///
/// It is never deserialized: what is read back from a store is an [`EvidenceClaim`], which proves nothing until an
/// [`EvidenceSource`](crate::EvidenceSource) has verified it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(into = "EvidenceClaim"))]
pub struct Evidence {
    block: BlockId,
    kind: EvidenceKind,
    trust: Trust,
    bytes: Option<Arc<[u8]>>,
}

impl Evidence {
    /// Asserts that the caller has verified `bytes` as a certificate of `block`, believing no more than `trust` says.
    ///
    /// For verifiers in chain crates. Whoever calls this vouches for it.
    #[must_use]
    pub fn attest(block: BlockId, certificate: impl Into<Cow<'static, str>>, trust: Trust, bytes: &[u8]) -> Self {
        Self { block, kind: EvidenceKind::Certificate(certificate.into()), trust, bytes: Some(bytes.into()) }
    }

    /// States that the caller takes `block` as final by decision, such as the point where a scan starts.
    #[must_use]
    pub fn anchor(block: BlockId) -> Self {
        Self { block, kind: EvidenceKind::Anchor, trust: Trust::Checkpoint, bytes: None }
    }

    /// States that `block` has `depth` blocks linked on top of it.
    #[must_use]
    pub(crate) fn depth(block: BlockId, depth: BlockDelta) -> Self {
        Self { block, kind: EvidenceKind::Depth(depth), trust: Trust::NodeWord, bytes: None }
    }

    /// States that the node reports `block` as final.
    #[must_use]
    pub(crate) fn reported(block: BlockId) -> Self {
        Self { block, kind: EvidenceKind::Reported, trust: Trust::NodeWord, bytes: None }
    }

    /// Returns the block that the evidence names.
    #[must_use]
    pub fn block(&self) -> BlockId {
        self.block
    }

    /// Returns what sort of evidence it is.
    #[must_use]
    pub fn kind(&self) -> &EvidenceKind {
        &self.kind
    }

    /// Returns what had to be believed.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the certificate in the chain's own encoding; empty for evidence without one.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }

    /// Returns whether a certificate backs it, so that it can contradict another branch.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        matches!(self.kind, EvidenceKind::Certificate(_))
    }
}

/// Sorts evidence by where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EvidenceKind {
    /// The operator's decision.
    Anchor,
    /// A signed statement of the chain's own finality gadget, named by its word, such as `chainlock`.
    Certificate(Cow<'static, str>),
    /// So many blocks linked on top.
    Depth(BlockDelta),
    /// The node's word.
    Reported,
}

/// States what had to be believed for evidence to hold, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Trust {
    /// Only an anchor that the operator chose; all else was checked here.
    Checkpoint,
    /// The node's list of signers; the signature was checked here.
    NodeSet,
    /// The node's word.
    NodeWord,
}

/// Holds evidence as it was stored: data to be verified again, not a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct EvidenceClaim {
    /// Names the block.
    pub block: BlockId,
    /// Says what sort of evidence is claimed.
    pub kind: EvidenceKind,
    /// Says what had to be believed when it was made.
    pub trust: Trust,
    /// Holds the certificate in the chain's own encoding.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty", with = "hex_bytes"))]
    pub bytes: Vec<u8>,
}

impl From<Evidence> for EvidenceClaim {
    fn from(evidence: Evidence) -> Self {
        Self::from(&evidence)
    }
}

impl From<&Evidence> for EvidenceClaim {
    fn from(evidence: &Evidence) -> Self {
        Self {
            block: evidence.block,
            kind: evidence.kind.clone(),
            trust: evidence.trust,
            bytes: evidence.bytes().to_vec(),
        }
    }
}

/// Says that `point` is final, and why.
///
/// `evidence` names `point` or a descendant of it that is linked to it by parent hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Finality {
    /// Locates the newest block that became final; its ancestors are final with it.
    pub point: BlockPoint,
    /// Says why.
    pub evidence: Evidence,
}

#[cfg(feature = "serde")]
mod hex_bytes {
    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        hex::decode(text).map_err(serde::de::Error::custom)
    }
}
