//! A Cardano node as core's adapter.

use std::path::PathBuf;
use std::sync::Arc;

use nodewright_core::api::ApiProbe;
use nodewright_core::{
    BlockDelta, Certified, ChainAdapter, Depth, EraReader, Error, ErrorKind, EvidenceSource, Fallback, FinalityPolicy,
    HeaderSource, Result,
};

use crate::node::{ChainSync, Genesis, NodeSocketOptions};

/// States what a node's adapter is made of.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug)]
pub struct CardanoOptions {
    /// Is how many blocks on top make a block final. Default [`SECURITY_PARAMETER`].
    pub depth: BlockDelta,
    /// Says which eras the chain goes through, such as Mithril's. Default `None`.
    pub eras: Option<Arc<dyn EraReader>>,
    /// Provides certificates of blocks. Default `None`. Where it is given, a certificate makes a block final before
    /// `depth` does, and outweighs the node's word.
    pub evidence: Option<Arc<dyn EvidenceSource>>,
    /// Asks what the other side speaks: an [`AggregatorClient`](crate::aggregator::AggregatorClient), because a Cardano
    /// node agrees on versions by its handshake. Default `None`.
    pub probe: Option<Arc<dyn ApiProbe>>,
}

impl Default for CardanoOptions {
    fn default() -> Self {
        Self { depth: SECURITY_PARAMETER, eras: None, evidence: None, probe: None }
    }
}

/// Connects to the node whose socket is at `socket`, on the network that begins with `genesis`.
///
/// To close the connection with a goodbye and to ask for its health, make the [`ChainSync`] oneself: [`connect_over`].
///
/// # Errors
/// - `ScopeMismatch` if the node is of another network;
/// - `Config`, `Unreachable`, `Timeout` or `InvalidData` if the node does not answer as it should.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect(
    socket: impl Into<PathBuf> + Send,
    genesis: Genesis,
    options: CardanoOptions,
) -> Result<ChainAdapter> {
    let socket = NodeSocketOptions::new(socket, genesis.network.magic());
    connect_over(Arc::new(ChainSync::new(socket, genesis)), options).await
}

/// Does as [`connect`] with a source that is there already.
///
/// # Errors
/// As [`connect`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect_over(source: Arc<ChainSync>, options: CardanoOptions) -> Result<ChainAdapter> {
    let policy = match options.evidence {
        Some(_) => certified_policy(options.depth)?,
        None => depth_policy(options.depth)?,
    };
    Ok(ChainAdapter {
        scope: source.scope().await?,
        headers: source,
        heights: None,
        observations: None,
        evidence: options.evidence,
        transactions: None,
        eras: options.eras,
        wake: None,
        probe: options.probe,
        policy,
        hash_text: |hash| hash.to_hex(),
    })
}

/// Returns the policy that calls a block final with `depth` blocks on top of it.
///
/// # Errors
/// `Config` if the depth is out of range.
pub fn depth_policy(depth: BlockDelta) -> Result<Arc<dyn FinalityPolicy>> {
    let policy = Depth::try_new(confirmations(depth)?).map_err(|error| refused(depth).because(error))?;
    Ok(Arc::new(policy))
}

/// Returns the policy that calls a block final with a certificate of it or of a descendant, or else with `depth` blocks
/// on top of it.
///
/// # Errors
/// `Config` if the depth is out of range.
pub fn certified_policy(depth: BlockDelta) -> Result<Arc<dyn FinalityPolicy>> {
    let fallback = Fallback::After(confirmations(depth)?);
    let policy = Certified::try_new(fallback).map_err(|error| refused(depth).because(error))?;
    Ok(Arc::new(policy))
}

/// Counts the block itself, as core's policies do.
fn confirmations(depth: BlockDelta) -> Result<BlockDelta> {
    depth.0.checked_add(1).map(BlockDelta).ok_or_else(|| refused(depth))
}

fn refused(depth: BlockDelta) -> Error {
    Error::new(ErrorKind::Config, "make the finality policy").with("depth", depth)
}

/// Is the security parameter k of mainnet, preprod and many devnets: a node never takes back more than k blocks
/// (`securityParam` of the Shelley genesis).
///
/// A scan's window must hold more blocks than that; core's default does.
pub const SECURITY_PARAMETER: BlockDelta = BlockDelta(2_160);

/// Is how many blocks Mithril's signers stay behind their tip on mainnet by default
/// (`security_parameter` of the signing configuration for transactions, `mithril-aggregator`).
pub const MITHRIL_DEPTH: BlockDelta = BlockDelta(3_000);

/// Is how many blocks Mithril's signers stay behind their tip on preprod.
pub const MITHRIL_DEPTH_PREPROD: BlockDelta = BlockDelta(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_counts_the_blocks_on_top_and_any_but_the_last_number_is_taken() {
        let depth = |blocks| depth_policy(BlockDelta(blocks)).map(|policy| format!("{policy:?}"));
        assert_eq!(depth(2_160).unwrap(), format!("{:?}", Depth::try_new(BlockDelta(2_161)).unwrap()));
        assert!(depth(0).is_ok());
        assert_eq!(depth(u64::MAX).unwrap_err().kind(), ErrorKind::Config);
        assert!(certified_policy(MITHRIL_DEPTH).unwrap().wants_evidence());
    }
}
