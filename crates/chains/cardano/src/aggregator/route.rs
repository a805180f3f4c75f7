//! The routes of an aggregator: path, bound of the reply, and name of the call.

use core::fmt;

use nodewright_core::Epoch;

use crate::certificate::{CertificateHash, MAX_CERTIFICATE_BYTES};

/// Names a route with its arguments (API 0.1.71 of `mithril-aggregator`).
///
/// Texts are encoded when the path is made, so that no argument can lead to another route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route<'a> {
    /// Records that ancillary files were restored.
    AncillaryRestored,
    /// Proves blocks (second format).
    BlockProofs(&'a [String]),
    /// A set of blocks and transactions.
    BlocksTransactionsSnapshot(&'a str),
    /// All sets of blocks and transactions.
    BlocksTransactionsSnapshots,
    /// The stake of all pools, by the artifact's name.
    CardanoStakeDistribution(&'a str),
    /// The stake of all pools at the end of an epoch.
    CardanoStakeDistributionOf(EpochChoice),
    /// All distributions of the stake of all pools.
    CardanoStakeDistributions,
    /// A certificate.
    Certificate(&'a CertificateHash),
    /// The newest certificates, at most 20.
    Certificates,
    /// Records that a whole database was restored.
    CompleteRestoration,
    /// The digests of all immutable files.
    Digests,
    /// Who signs in this epoch and in the next.
    EpochSettings,
    /// What the aggregator offers.
    Features,
    /// The newest genesis certificate.
    GenesisCertificate,
    /// Records how many immutable files were restored.
    ImmutableFilesRestored,
    /// The signers of an epoch, by the artifact's name.
    MithrilStakeDistribution(&'a str),
    /// All distributions of signers.
    MithrilStakeDistributions,
    /// Records that a part of a database was restored.
    PartialRestoration,
    /// The protocol's settings of an epoch.
    ProtocolConfiguration(Epoch),
    /// Takes a single signature.
    RegisterSignature,
    /// Takes a registration.
    RegisterSigner,
    /// Who registered in an epoch.
    Registered(EpochChoice),
    /// A database snapshot.
    Snapshot(&'a str),
    /// All database snapshots.
    Snapshots,
    /// The database snapshots of an epoch.
    SnapshotsOf(EpochChoice),
    /// The aggregator's state.
    Status,
    /// The tickers of known signers.
    Tickers,
    /// Proves transactions (first format).
    TransactionProofs(&'a [String]),
    /// Proves transactions (second format).
    TransactionProofsV2(&'a [String]),
    /// A set of transactions.
    TransactionsSnapshot(&'a str),
    /// All sets of transactions.
    TransactionsSnapshots,
}

impl Route<'_> {
    /// Returns the path below the aggregator's base address, with its query.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::AncillaryRestored => "/statistics/cardano-database/ancillary-files-restored".to_owned(),
            Self::BlockProofs(hashes) => query("/proof/v2/cardano-block?block_hashes=", hashes),
            Self::BlocksTransactionsSnapshot(hash) => below("/artifact/cardano-blocks-transactions/", hash),
            Self::BlocksTransactionsSnapshots => "/artifact/cardano-blocks-transactions".to_owned(),
            Self::CardanoStakeDistribution(hash) => below("/artifact/cardano-stake-distribution/", hash),
            Self::CardanoStakeDistributionOf(epoch) => format!("/artifact/cardano-stake-distribution/epoch/{epoch}"),
            Self::CardanoStakeDistributions => "/artifact/cardano-stake-distributions".to_owned(),
            Self::Certificate(hash) => format!("/certificate/{hash}"),
            Self::Certificates => "/certificates".to_owned(),
            Self::CompleteRestoration => "/statistics/cardano-database/complete-restoration".to_owned(),
            Self::Digests => "/artifact/cardano-database/digests".to_owned(),
            Self::EpochSettings => "/epoch-settings".to_owned(),
            Self::Features => "/".to_owned(),
            Self::GenesisCertificate => "/certificate/genesis".to_owned(),
            Self::ImmutableFilesRestored => "/statistics/cardano-database/immutable-files-restored".to_owned(),
            Self::MithrilStakeDistribution(hash) => below("/artifact/mithril-stake-distribution/", hash),
            Self::MithrilStakeDistributions => "/artifact/mithril-stake-distributions".to_owned(),
            Self::PartialRestoration => "/statistics/cardano-database/partial-restoration".to_owned(),
            Self::ProtocolConfiguration(epoch) => format!("/protocol-configuration/{epoch}"),
            Self::RegisterSignature => "/register-signatures".to_owned(),
            Self::RegisterSigner => "/register-signer".to_owned(),
            Self::Registered(epoch) => format!("/signers/registered/{epoch}"),
            Self::Snapshot(hash) => below("/artifact/cardano-database/", hash),
            Self::Snapshots => "/artifact/cardano-database".to_owned(),
            Self::SnapshotsOf(epoch) => format!("/artifact/cardano-database/epoch/{epoch}"),
            Self::Status => "/status".to_owned(),
            Self::Tickers => "/signers/tickers".to_owned(),
            Self::TransactionProofs(hashes) => query("/proof/cardano-transaction?transaction_hashes=", hashes),
            Self::TransactionProofsV2(hashes) => query("/proof/v2/cardano-transaction?transaction_hashes=", hashes),
            Self::TransactionsSnapshot(hash) => below("/artifact/cardano-transaction/", hash),
            Self::TransactionsSnapshots => "/artifact/cardano-transactions".to_owned(),
        }
    }

    /// Says whether something is posted to the route.
    #[must_use]
    pub fn is_post(&self) -> bool {
        matches!(
            self,
            Self::AncillaryRestored
                | Self::CompleteRestoration
                | Self::ImmutableFilesRestored
                | Self::PartialRestoration
                | Self::RegisterSignature
                | Self::RegisterSigner
        )
    }

    /// Returns the most bytes that a reply may have: ten times and more what mainnet's aggregator would send, with 3,000
    /// pools, 300 signers and 9,000 trios of immutable files.
    #[must_use]
    pub fn max_reply(&self) -> usize {
        match self {
            Self::Certificate(_) | Self::GenesisCertificate => MAX_CERTIFICATE_BYTES,
            Self::Certificates
            | Self::CardanoStakeDistribution(_)
            | Self::CardanoStakeDistributionOf(_)
            | Self::Registered(_)
            | Self::Tickers
            | Self::BlocksTransactionsSnapshots
            | Self::CardanoStakeDistributions
            | Self::MithrilStakeDistributions
            | Self::Snapshots
            | Self::SnapshotsOf(_)
            | Self::TransactionsSnapshots => 4 << 20,
            Self::BlockProofs(_) | Self::TransactionProofs(_) | Self::TransactionProofsV2(_) => 16 << 20,
            Self::Digests | Self::EpochSettings | Self::MithrilStakeDistribution(_) => 64 << 20,
            Self::AncillaryRestored
            | Self::BlocksTransactionsSnapshot(_)
            | Self::CompleteRestoration
            | Self::Features
            | Self::ImmutableFilesRestored
            | Self::PartialRestoration
            | Self::ProtocolConfiguration(_)
            | Self::RegisterSignature
            | Self::RegisterSigner
            | Self::Snapshot(_)
            | Self::Status
            | Self::TransactionsSnapshot(_) => 256 << 10,
        }
    }

    /// Names the call in errors.
    #[must_use]
    pub fn op(&self) -> &'static str {
        match self {
            Self::AncillaryRestored
            | Self::CompleteRestoration
            | Self::ImmutableFilesRestored
            | Self::PartialRestoration => "record statistics",
            Self::BlockProofs(_) => "prove blocks",
            Self::BlocksTransactionsSnapshot(_) | Self::BlocksTransactionsSnapshots => "blocks and transactions",
            Self::CardanoStakeDistribution(_)
            | Self::CardanoStakeDistributionOf(_)
            | Self::CardanoStakeDistributions => "cardano stake distribution",
            Self::Certificate(_) => "certificate",
            Self::Certificates => "certificates",
            Self::Digests => "digests",
            Self::EpochSettings => "epoch settings",
            Self::Features => "features",
            Self::GenesisCertificate => "genesis certificate",
            Self::MithrilStakeDistribution(_) | Self::MithrilStakeDistributions => "mithril stake distribution",
            Self::ProtocolConfiguration(_) => "protocol configuration",
            Self::RegisterSignature => "register signature",
            Self::RegisterSigner => "register signer",
            Self::Registered(_) => "registered signers",
            Self::Snapshot(_) | Self::Snapshots | Self::SnapshotsOf(_) => "database snapshots",
            Self::Status => "status",
            Self::Tickers => "signer tickers",
            Self::TransactionProofs(_) | Self::TransactionProofsV2(_) => "prove transactions",
            Self::TransactionsSnapshot(_) | Self::TransactionsSnapshots => "transactions",
        }
    }
}

/// Names an epoch in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochChoice {
    /// This one.
    Epoch(Epoch),
    /// The aggregator's own.
    Latest,
    /// So many before the aggregator's own; it refuses more than 5 (`mithril-aggregator` 0.8).
    Before(u64),
}

impl fmt::Display for EpochChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(epoch) => epoch.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Before(epochs) => write!(f, "latest-{epochs}"),
        }
    }
}

fn below(path: &str, name: &str) -> String {
    format!("{path}{}", Encoded(name))
}

fn query(path: &str, names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| Encoded(name).to_string()).collect();
    format!("{path}{}", names.join(","))
}

/// Prints a text so that it is one segment of a path, whatever it holds.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => write!(f, "{}", char::from(byte)),
            other => write!(f, "%{other:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_argument_leads_to_another_route() {
        assert_eq!(Route::Snapshot("ab12").path(), "/artifact/cardano-database/ab12");
        assert_eq!(Route::Snapshot("../x?y#z").path(), "/artifact/cardano-database/%2E%2E%2Fx%3Fy%23z");
        let hashes = ["aa".to_owned(), "b,&c=".to_owned()];
        let path = Route::TransactionProofs(&hashes).path();
        assert_eq!(path, "/proof/cardano-transaction?transaction_hashes=aa,b%2C%26c%3D");
    }

    #[test]
    fn an_epoch_is_named_as_the_api_says() {
        let path = |epoch| Route::Registered(epoch).path();
        assert_eq!(path(EpochChoice::Epoch(Epoch(7))), "/signers/registered/7");
        assert_eq!(path(EpochChoice::Latest), "/signers/registered/latest");
        assert_eq!(path(EpochChoice::Before(5)), "/signers/registered/latest-5");
    }
}
