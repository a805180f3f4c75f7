//! One chain as a struct of parts.

use core::fmt::Debug;
use std::sync::Arc;

use crate::api::ApiProbe;
use crate::era::EraReader;
use crate::finality::FinalityPolicy;
use crate::id::{BlockHash, Scope};
use crate::source::{EvidenceSource, HeaderSource, HeightIndex, ObservationSource, TxSource, WakeSource};

/// Holds one node of one chain as its parts. An ability that the chain lacks is `None`, so what is said to be
/// supported cannot drift from what is implemented.
#[derive(Clone, Debug)]
pub struct ChainAdapter {
    /// Says which ledger the node serves.
    pub scope: Scope,
    /// Follows headers.
    pub headers: Arc<dyn HeaderSource>,
    /// Finds the block at a height.
    pub heights: Option<Arc<dyn HeightIndex>>,
    /// Turns blocks into observations.
    pub observations: Option<Arc<dyn ObservationSource>>,
    /// Provides verified certificates.
    pub evidence: Option<Arc<dyn EvidenceSource>>,
    /// Answers what became of a transaction.
    pub transactions: Option<Arc<dyn TxSource>>,
    /// Says which eras the chain goes through, and where it stands.
    pub eras: Option<Arc<dyn EraReader>>,
    /// Wakes the driver early.
    pub wake: Option<Arc<dyn WakeSource>>,
    /// Says what the node speaks.
    pub probe: Option<Arc<dyn ApiProbe>>,
    /// Decides finality the way this chain recommends.
    pub policy: Arc<dyn FinalityPolicy>,
    /// Prints a block hash the way this chain does.
    pub hash_text: fn(&BlockHash) -> String,
}
