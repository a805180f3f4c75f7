//! The routes that are read, as typed calls.
//!
//! Each of them fails with [`AggregatorError`]; dropping a future of any of them loses nothing but the answer.

use bytes::Bytes;
use nodewright_core::Epoch;

use super::artifact_message::{BlocksTransactionsSnapshot, StakeDistributionSummary, TransactionsSnapshot};
use super::client::{AggregatorClient, format_error};
use super::error::AggregatorError;
use super::message::{
    AggregatorStatus, EpochSettings, Features, ProtocolConfiguration, SignerRegistrations, SignerTickers,
};
use super::route::{EpochChoice, Route};
use crate::artifact::{
    BlockProofs, CardanoStakeDistribution, DigestList, MithrilStakeDistribution, TransactionProofs, TransactionProofsV2,
};
use crate::certificate::{Certificate, CertificateHash, CertificateSummary};
use crate::snapshot::{Snapshot, SnapshotSummary};

type Result<T> = core::result::Result<T, AggregatorError>;

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident ( $($argument:ident : $type:ty),* ) -> $reply:ty = $route:expr;)*) => {
        impl AggregatorClient {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`AggregatorError`], see there.
                ///
                /// # Cancel safety
                /// Nothing is lost but the answer.
                pub async fn $name(&self, $($argument: $type),*) -> Result<$reply> {
                    self.json($route).await
                }
            )*
        }
    };
}

reads! {
    /// Asks what the aggregator offers.
    features() -> Features = Route::Features;
    /// Asks for the aggregator's state.
    status() -> AggregatorStatus = Route::Status;
    /// Asks who signs in this epoch and in the next.
    epoch_settings() -> EpochSettings = Route::EpochSettings;
    /// Asks for the protocol's settings of an epoch.
    protocol_configuration(epoch: Epoch) -> ProtocolConfiguration = Route::ProtocolConfiguration(epoch);
    /// Asks for the newest certificates, at most 20, newest first.
    certificates() -> Vec<CertificateSummary> = Route::Certificates;
    /// Asks for the database snapshots.
    snapshots() -> Vec<SnapshotSummary> = Route::Snapshots;
    /// Asks for the database snapshots of an epoch.
    snapshots_of(epoch: EpochChoice) -> Vec<SnapshotSummary> = Route::SnapshotsOf(epoch);
    /// Asks for a database snapshot by its name.
    snapshot(hash: &str) -> Snapshot = Route::Snapshot(hash);
    /// Asks for the distributions of signers.
    mithril_stake_distributions() -> Vec<StakeDistributionSummary> = Route::MithrilStakeDistributions;
    /// Asks for a distribution of signers by its name.
    mithril_stake_distribution(hash: &str) -> MithrilStakeDistribution = Route::MithrilStakeDistribution(hash);
    /// Asks for the distributions of the stake of all pools.
    cardano_stake_distributions() -> Vec<StakeDistributionSummary> = Route::CardanoStakeDistributions;
    /// Asks for a distribution of the stake of all pools by its name.
    cardano_stake_distribution(hash: &str) -> CardanoStakeDistribution = Route::CardanoStakeDistribution(hash);
    /// Asks for the stake of all pools at the end of an epoch.
    cardano_stake_distribution_of(epoch: EpochChoice) -> CardanoStakeDistribution
        = Route::CardanoStakeDistributionOf(epoch);
    /// Asks for the sets of transactions.
    transactions_snapshots() -> Vec<TransactionsSnapshot> = Route::TransactionsSnapshots;
    /// Asks for a set of transactions by its name.
    transactions_snapshot(hash: &str) -> TransactionsSnapshot = Route::TransactionsSnapshot(hash);
    /// Asks for the sets of blocks and transactions.
    blocks_transactions_snapshots() -> Vec<BlocksTransactionsSnapshot> = Route::BlocksTransactionsSnapshots;
    /// Asks for a set of blocks and transactions by its name.
    blocks_transactions_snapshot(hash: &str) -> BlocksTransactionsSnapshot = Route::BlocksTransactionsSnapshot(hash);
    /// Asks for proofs that transactions are certified, by their hashes in hex; aggregators take 100 at most.
    transaction_proofs(hashes: &[String]) -> TransactionProofs = Route::TransactionProofs(hashes);
    /// Asks for proofs that transactions and their blocks are certified, by the transactions' hashes in hex.
    transaction_proofs_v2(hashes: &[String]) -> TransactionProofsV2 = Route::TransactionProofsV2(hashes);
    /// Asks for proofs that blocks are certified, by their hashes in hex.
    block_proofs(hashes: &[String]) -> BlockProofs = Route::BlockProofs(hashes);
    /// Asks who registered in an epoch.
    registered_signers(epoch: EpochChoice) -> SignerRegistrations = Route::Registered(epoch);
    /// Asks for the tickers of all known signers.
    signer_tickers() -> SignerTickers = Route::Tickers;
}

impl AggregatorClient {
    /// Asks for a certificate, unverified. A program verifies it with [`crate::certificate::ChainVerifier`], which asks
    /// for it itself.
    ///
    /// # Errors
    /// [`AggregatorError`], see there.
    ///
    /// # Cancel safety
    /// Nothing is lost but the answer.
    pub async fn certificate_by(&self, hash: &CertificateHash) -> Result<Certificate> {
        let body = self.certificate_body(hash).await?;
        Certificate::from_json(&body).map_err(|error| format_error(Route::Certificate(hash), &error))
    }

    /// Asks for the newest genesis certificate, unverified.
    ///
    /// # Errors
    /// [`AggregatorError`], see there.
    ///
    /// # Cancel safety
    /// Nothing is lost but the answer.
    pub async fn genesis_certificate(&self) -> Result<Certificate> {
        let body = self.body(Route::GenesisCertificate).await?;
        Certificate::from_json(&body).map_err(|error| format_error(Route::GenesisCertificate, &error))
    }

    /// Asks for the digests of all immutable files, unverified.
    ///
    /// # Errors
    /// [`AggregatorError`], see there.
    ///
    /// # Cancel safety
    /// Nothing is lost but the answer.
    pub async fn digests(&self) -> Result<DigestList> {
        let body = self.body(Route::Digests).await?;
        DigestList::from_json(&body).map_err(|error| format_error(Route::Digests, &error))
    }

    pub(super) async fn certificate_body(&self, hash: &CertificateHash) -> Result<Bytes> {
        self.body(Route::Certificate(hash)).await
    }
}
