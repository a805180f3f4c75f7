//! The source of ChainLock evidence.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use nodewright_core::{
    BlockHeight, BlockId, BlockPoint, BlockSource, Error, ErrorKind, Evidence, EvidenceClaim, EvidenceKind,
    EvidenceSource, Result, Trust,
};
use nodewright_rpc::{CallLimits, RpcClient, rpc_fault};
use nodewright_utxo::fetch::RawBlock;

use super::coinbase::CoinbaseLocks;
use super::quorums;
use crate::chainlock::{CERTIFICATE, ChainLock, ReportedLock, verify_chain_lock};
use crate::mnlist::VerifiedList;
use crate::quorum::{Network, QuorumSet};

/// Asks a node for ChainLocks and verifies them.
///
/// The lock is always taken by the block hash that it names: a node can know a lock before its block, and then has
/// another block, or none, at that height. A node that forgot its locks (they live in its memory only) has none to
/// tell until the next one comes; what was final stays final, and the locks that coinbases carry fill the gap.
#[derive(Debug)]
pub struct ChainLocks {
    client: RpcClient,
    network: Network,
    options: ChainLockOptions,
    coinbase: Option<CoinbaseLocks>,
    quorums: Mutex<Option<Arc<QuorumSet>>>,
    last: Mutex<Option<(ChainLock, Evidence)>>,
}

/// Says what is believed, and where else locks are looked for.
#[derive(Clone, Debug)]
pub struct ChainLockOptions {
    /// Says what has to be believed for a lock to hold. Default [`LockTrust::NodeSet`].
    pub trust: LockTrust,
    /// Says whether the locks in coinbases are read too. Default `true`: one block more is fetched for each new tip, which
    /// an observer fetches anyway.
    pub coinbase: bool,
    /// Says whether block ids are hashed here. Where they are not, a lock proves nothing about a block's bytes, and every
    /// evidence says [`Trust::NodeWord`]. Default `true`.
    pub ids_hashed: bool,
}

impl Default for ChainLockOptions {
    fn default() -> Self {
        Self { trust: LockTrust::NodeSet, coinbase: true, ids_hashed: true }
    }
}

/// Says what has to be believed for a ChainLock to hold.
#[derive(Clone, Debug)]
pub enum LockTrust {
    /// Only a checkpoint: the quorums come from a masternode list that was proved from it. When they are rotated out,
    /// the list must be advanced ([`VerifiedList::next`]) and the source made anew.
    Checkpoint(Box<VerifiedList>),
    /// The node's list of quorums; signatures are checked here.
    NodeSet,
    /// The node's word.
    NodeWord,
}

/// Asks a node for the lock that it calls its best; `None` while it knows none. Nothing about it has been checked.
///
/// # Errors
/// `InvalidData` if what it says is no lock; when it cannot be asked.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn best_chain_lock(client: &RpcClient, network: Network) -> Result<Option<ChainLock>> {
    let reported: ReportedLock = match client.call("getbestchainlock", &[], CallLimits::default()).await {
        Ok(reported) => reported,
        Err(error) if rpc_fault(&error).is_some_and(|fault| fault.code == NO_CHAIN_LOCK) => return Ok(None),
        Err(error) => return Err(error),
    };
    let lock = reported.chain_lock(network);
    lock.map(Some).map_err(|error| Error::new(ErrorKind::InvalidData, "getbestchainlock").because(error))
}

impl ChainLocks {
    /// Makes the source; `blocks` is where coinbases are read from.
    #[must_use]
    pub fn new(
        client: RpcClient,
        network: Network,
        blocks: Arc<dyn BlockSource<Block = RawBlock>>,
        options: ChainLockOptions,
    ) -> Self {
        let coinbase = options.coinbase.then(|| CoinbaseLocks::new(blocks));
        let known = match &options.trust {
            LockTrust::Checkpoint(list) => Some(Arc::new(list.quorum_set())),
            LockTrust::NodeSet | LockTrust::NodeWord => None,
        };
        Self { client, network, options, coinbase, quorums: Mutex::new(known), last: Mutex::new(None) }
    }

    /// Verifies `lock`, with fresh quorums if the ones at hand do not fit; the last one verified is remembered.
    async fn attest(&self, lock: &ChainLock) -> Result<Evidence> {
        if let Some((_, evidence)) = self.last.locked().as_ref().filter(|(last, _)| last == lock) {
            return Ok(evidence.clone());
        }
        let evidence = self.check(lock).await?;
        *self.last.locked() = Some((*lock, evidence.clone()));
        Ok(evidence)
    }

    async fn check(&self, lock: &ChainLock) -> Result<Evidence> {
        let node_word = || {
            let block = BlockId { height: BlockHeight(lock.height.into()), hash: lock.block_hash };
            Evidence::attest(block, CERTIFICATE, Trust::NodeWord, &lock.to_bytes())
        };
        if matches!(self.options.trust, LockTrust::NodeWord) {
            return Ok(node_word());
        }
        let held = self.quorums.locked().clone();
        let verify = |set: &QuorumSet| verify_chain_lock(lock, set, self.network);
        let verified = match held.map(|set| verify(&set)) {
            Some(Ok(verified)) => Ok(verified),
            Some(Err(error)) if matches!(self.options.trust, LockTrust::Checkpoint(_)) => Err(error),
            _ => verify(&*self.refresh().await?),
        };
        match verified {
            Ok(_) if !self.options.ids_hashed => Ok(node_word()),
            Ok(verified) => Ok(verified.evidence()),
            Err(error) => Err(Error::new(ErrorKind::Unverified, "chainlock")
                .with("block", lock.block_hash.to_reversed_hex())
                .because(error)),
        }
    }

    async fn refresh(&self) -> Result<Arc<QuorumSet>> {
        let set = Arc::new(quorums::fetch(&self.client, self.network).await?);
        *self.quorums.locked() = Some(Arc::clone(&set));
        Ok(set)
    }
}

#[async_trait]
impl EvidenceSource for ChainLocks {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        let best = match best_chain_lock(&self.client, self.network).await? {
            Some(lock) => Some(self.attest(&lock).await?),
            None => None,
        };
        let newest = best.as_ref().map(|evidence| evidence.block().height);
        let mut found = Vec::from_iter(best);
        if let (Some(coinbase), true) = (&self.coinbase, newest < window.last().map(|point| point.id.height))
            && let Some(lock) = coinbase.newest(window).await?
            && newest.is_none_or(|newest| newest.0 < u64::from(lock.height))
        {
            match self.attest(&lock).await {
                Ok(evidence) => found.push(evidence),
                // An old block's coinbase carries a lock of a quorum that is long gone: it can no longer be checked here.
                Err(error) if error.kind() == ErrorKind::Unverified => {
                    tracing::debug!(height = lock.height, %error, "lock of a coinbase left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        let refused = |reason: &str| Error::new(ErrorKind::Unverified, "chainlock").with("reason", reason);
        if claim.kind != EvidenceKind::Certificate(CERTIFICATE.into()) {
            return Err(refused("not a chainlock"));
        }
        let lock = ChainLock::parse(&claim.bytes)
            .map_err(|error| Error::new(ErrorKind::InvalidData, "chainlock").because(error))?;
        let names = BlockId { height: BlockHeight(lock.height.into()), hash: lock.block_hash };
        if names != claim.block {
            return Err(refused("it names another block than the stored claim"));
        }
        self.check(&lock).await
    }
}

/// Locks a mutex whatever became of its last holder: what it guards is replaced whole.
trait Locked<T> {
    fn locked(&self) -> std::sync::MutexGuard<'_, T>;
}

impl<T> Locked<T> for Mutex<T> {
    fn locked(&self) -> std::sync::MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is what a node answers while it knows no ChainLock: internal error, "Unable to find any ChainLock" (Dash Core v22
/// `src/rpc/blockchain.cpp`, `getbestchainlock`).
const NO_CHAIN_LOCK: i64 = -32_603;
