//! What a simulated network certifies: made, bound to a message, and published once it is certified.

use std::collections::BTreeMap;

use nodewright_core::Epoch;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Devnet;
use super::error::DevnetError;
use crate::artifact::{
    CardanoStakeDistribution, DigestList, ImmutableFile, MithrilStakeDistribution, MmrNode, database_hash,
};
use crate::certificate::{CertificateHash, DatabaseBeacon, EntityKind, MessagePartKey, SignedEntity};
use crate::sim::aggregator::BASE;
use crate::snapshot::AncillaryManifest;
use crate::units::{ImmutableFileNumber, Stake};

/// Is something to be certified: its name, and the parts of the message that speak of it.
pub(super) struct Artifact {
    pub(super) entity: SignedEntity,
    pub(super) parts: Vec<(MessagePartKey, String)>,
    body: Body,
}

enum Body {
    CardanoStake(CardanoStakeDistribution),
    Database { beacon: DatabaseBeacon, root: MmrNode },
    MithrilStake(MithrilStakeDistribution),
}

impl Devnet {
    /// Returns the digests of the immutable files that are there in this epoch: one trio for each epoch since the genesis.
    #[must_use]
    pub fn digests(&self) -> DigestList {
        let mut digests = DigestList::default();
        for number in 0..=self.last_trio().0 {
            for file in ImmutableFile::trio(ImmutableFileNumber(number)) {
                digests.insert(file, Sha256::digest(self.immutable(file)).into());
            }
        }
        digests
    }

    /// Returns the content of an immutable file: some hundred bytes that no node would understand.
    #[must_use]
    pub fn immutable(&self, file: ImmutableFile) -> Vec<u8> {
        (0..8).flat_map(|part| self.derive(&format!("immutable {file} {part}"))).collect()
    }

    pub(super) fn artifact(&mut self, kind: EntityKind) -> Result<Artifact, DevnetError> {
        match kind {
            EntityKind::CardanoDatabase => self.database(),
            EntityKind::CardanoStakeDistribution => self.cardano_stake(),
            EntityKind::MithrilStakeDistribution => self.mithril_stake(),
            _ => Err(DevnetError::Kind { kind }),
        }
    }

    /// Serves an artifact, now that a certificate signs it.
    pub(super) fn publish(&mut self, artifact: Artifact, certificate: CertificateHash) -> Result<(), DevnetError> {
        match artifact.body {
            Body::CardanoStake(mut stake) => {
                stake.certificate_hash = certificate;
                self.list(&json!(stake), "/artifact/cardano-stake-distributions", CSD, &["stake_distribution"]);
                let epoch = format!("{CSD}epoch/{}", stake.epoch);
                self.aggregator.update(|contents| contents.put(epoch, json!(stake)));
            }
            Body::Database { beacon, root } => self.publish_database(&beacon, &root, certificate)?,
            Body::MithrilStake(mut stake) => {
                stake.certificate_hash = certificate;
                let hidden = ["signers", "protocol_parameters"];
                self.list(&json!(stake), "/artifact/mithril-stake-distributions", MSD, &hidden);
            }
        }
        Ok(())
    }

    fn mithril_stake(&mut self) -> Result<Artifact, DevnetError> {
        let signers = self.signers(Epoch(self.epoch.0.saturating_add(1)))?;
        let mut stake = MithrilStakeDistribution {
            epoch: self.epoch,
            signers,
            hash: String::new(),
            certificate_hash: CertificateHash([0; 32]),
            protocol_parameters: self.options.parameters,
        };
        stake.hash = stake.compute_hash();
        let entity = SignedEntity::MithrilStakeDistribution(self.epoch);
        Ok(Artifact { entity, parts: Vec::new(), body: Body::MithrilStake(stake) })
    }

    fn cardano_stake(&mut self) -> Result<Artifact, DevnetError> {
        let epoch = Epoch(self.epoch.0.saturating_sub(1));
        let signers = self.signers(epoch)?;
        let pools: BTreeMap<String, Stake> =
            signers.into_iter().map(|signer| (signer.party_id, signer.stake)).collect();
        let mut stake = CardanoStakeDistribution {
            epoch,
            hash: String::new(),
            certificate_hash: CertificateHash([0; 32]),
            stake_distribution: pools,
        };
        stake.hash = stake.compute_hash();
        // There is a signer, so there is a root.
        let root = stake.root().map(|root| root.to_hex()).unwrap_or_default();
        let parts = vec![
            (MessagePartKey::CardanoStakeDistributionEpoch, epoch.to_string()),
            (MessagePartKey::CardanoStakeDistributionMerkleRoot, root),
        ];
        Ok(Artifact { entity: SignedEntity::CardanoStakeDistribution(epoch), parts, body: Body::CardanoStake(stake) })
    }

    fn database(&self) -> Result<Artifact, DevnetError> {
        let last = self.last_trio();
        let root = self.digests().root(last).map_err(DevnetError::archive)?;
        let beacon = DatabaseBeacon::new(self.epoch, last);
        Ok(Artifact {
            entity: SignedEntity::CardanoDatabase(beacon.clone()),
            parts: vec![(MessagePartKey::CardanoDatabaseMerkleRoot, root.to_hex())],
            body: Body::Database { beacon, root },
        })
    }

    fn publish_database(
        &mut self,
        beacon: &DatabaseBeacon,
        root: &MmrNode,
        certificate: CertificateHash,
    ) -> Result<(), DevnetError> {
        let last = beacon.immutable_file_number;
        for number in self.trios..=last.0 {
            let files = ImmutableFile::trio(ImmutableFileNumber(number));
            let entries = files.map(|file| (format!("immutable/{file}"), self.immutable(file)));
            let archive = archive(&entries)?;
            self.aggregator
                .update(|contents| contents.put_file(format!("{DOWNLOAD}/immutable/{number:05}.tar.zst"), archive));
        }
        self.trios = last.0.saturating_add(1);
        let name = format!("{}-e{}-i{}", self.options.network, beacon.epoch, last);
        let digests = self.digests().to_json();
        let digests_archive = archive(&[(format!("{name}.digests.json"), digests.clone().into_bytes())])?;
        let ancillary_archive = archive(&self.ancillary(last))?;
        let (digests_path, ancillary_path) = (
            format!("{DOWNLOAD}/digests/{name}.digests.tar.zst"),
            format!("{DOWNLOAD}/ancillary/{name}.ancillary.tar.zst"),
        );
        let cloud = |uri: Value| json!({ "type": "cloud_storage", "uri": uri, "compression_algorithm": "zstandard" });
        let template = json!({ "Template": format!("{BASE}{DOWNLOAD}/immutable/{{immutable_file_number}}.tar.zst") });
        let snapshot = json!({
            "hash": database_hash(beacon.epoch, root),
            "merkle_root": root.to_hex(),
            "network": self.options.network.name(),
            "beacon": beacon,
            "certificate_hash": certificate,
            "total_db_size_uncompressed": 4096_u64.saturating_mul(self.trios),
            "digests": {
                "size_uncompressed": digests.len(),
                "locations": [
                    cloud(json!(format!("{BASE}{digests_path}"))),
                    { "type": "aggregator", "uri": format!("{BASE}/artifact/cardano-database/digests") },
                ],
            },
            "immutables": { "average_size_uncompressed": 2048, "locations": [cloud(template)] },
            "ancillary": {
                "size_uncompressed": 8192,
                "locations": [cloud(json!(format!("{BASE}{ancillary_path}")))],
            },
            "cardano_node_version": "11.0.1",
        });
        self.list(&snapshot, DATABASES, DATABASE, &["network", "digests", "immutables", "ancillary"]);
        self.aggregator.update(|contents| {
            contents.put_file(digests_path, digests_archive);
            contents.put_file(ancillary_path, ancillary_archive);
            contents.put("/artifact/cardano-database/digests", serde_json::from_str(&digests).unwrap_or_default());
        });
        Ok(())
    }

    /// The ledger state and the trio after the last, with their signed manifest.
    fn ancillary(&self, last: ImmutableFileNumber) -> Vec<(String, Vec<u8>)> {
        let next = ImmutableFile::trio(ImmutableFileNumber(last.0.saturating_add(1)));
        let mut files: Vec<_> = next.map(|file| (format!("immutable/{file}"), self.immutable(file))).into();
        for name in ["meta", "state", "tables/tvar"] {
            let content = self.derive(&format!("ledger {last} {name}")).to_vec();
            files.push((format!("ledger/{}/{name}", last.0.saturating_mul(1000)), content));
        }
        let digest = |content: &Vec<u8>| hex::encode(Sha256::digest(content));
        let data = files.iter().map(|(name, content)| (name.clone(), digest(content))).collect();
        let mut manifest = AncillaryManifest { data, signature: None };
        manifest.signature = Some(self.secret("ancillary").sign(&manifest.compute_hash()));
        let manifest = json!({ "data": manifest.data, "signature": manifest.signature }).to_string();
        files.insert(0, ("ancillary_manifest.json".to_owned(), manifest.into_bytes()));
        files
    }

    fn last_trio(&self) -> ImmutableFileNumber {
        ImmutableFileNumber(self.epoch.0.saturating_sub(self.options.first_epoch.0))
    }

    /// Lists an artifact, with the time at which it is made.
    fn list(&self, artifact: &Value, list: &str, detail: &str, only_in_detail: &[&str]) {
        let mut artifact = artifact.clone();
        if let Some(fields) = artifact.as_object_mut() {
            fields.insert("created_at".to_owned(), json!(self.time(0)));
        }
        self.aggregator.update(|contents| contents.put_artifact(list, detail, &artifact, only_in_detail));
    }
}

fn archive(entries: &[(String, Vec<u8>)]) -> Result<Vec<u8>, DevnetError> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content.as_slice()).map_err(DevnetError::archive)?;
    }
    let tar = tar.into_inner().map_err(DevnetError::archive)?;
    zstd::encode_all(tar.as_slice(), 3).map_err(DevnetError::archive)
}

const CSD: &str = "/artifact/cardano-stake-distribution/";
const MSD: &str = "/artifact/mithril-stake-distribution/";
const DATABASES: &str = "/artifact/cardano-database";
const DATABASE: &str = "/artifact/cardano-database/";
/// Where an aggregator's own file server has archives (`mithril-aggregator` 0.8).
const DOWNLOAD: &str = "/cardano-database-download";
