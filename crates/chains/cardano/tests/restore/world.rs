//! A small database, its certificate, and the archives that a server has of it.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nodewright_cardano::ImmutableFileNumber;
use nodewright_cardano::artifact::{DigestList, ImmutableFile, database_hash};
use nodewright_cardano::certificate::Certificate;
use nodewright_cardano::keys::SigningKey;
use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::snapshot::{AncillaryManifest, Patience, RestoreOptions, RestorePlan, Restorer, Snapshot};
use nodewright_core::Epoch;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::server::{FileServer, HttpFetcher};

/// The last certified trio.
pub(crate) const LAST: u64 = 3;

pub(crate) struct World {
    pub(crate) server: FileServer,
    pub(crate) snapshot: serde_json::Value,
    pub(crate) certificate: serde_json::Value,
}

/// What a folder holds: each file's content by its path, and nothing for a folder.
pub(crate) type Tree = BTreeMap<String, Option<Vec<u8>>>;

impl World {
    pub(crate) async fn new() -> Self {
        let server = FileServer::start().await;
        let mut digests = DigestList::default();
        // Two trios beyond the certified ones: what a server that goes on has.
        for number in 0..=LAST + 2 {
            let trio = ImmutableFile::trio(ImmutableFileNumber(number));
            for file in trio {
                digests.insert(file, Sha256::digest(content(file)).into());
            }
            server.put(&format!("/immutable/{number:05}.tar.zst"), trio_archive(number));
        }
        let root = digests.root(ImmutableFileNumber(LAST)).unwrap();
        server.put("/digests.tar.zst", archive(&[("x.digests.json", digests.to_json().as_bytes())]));
        server.put("/digests", digests.to_json());
        server.put("/ancillary.tar.zst", ancillary_archive());
        let hash = "ab".repeat(32);
        let snapshot = json!({
            "hash": database_hash(Epoch(9), &root),
            "merkle_root": root.to_hex(),
            "network": "devnet",
            "beacon": { "epoch": 9, "immutable_file_number": LAST },
            "certificate_hash": hash,
            "total_db_size_uncompressed": 100_000,
            "digests": {
                "size_uncompressed": 2000,
                "locations": [
                    archive_location(&format!("{}/digests.tar.zst", server.url)),
                    { "type": "aggregator", "uri": format!("{}/digests", server.url) },
                ],
            },
            "immutables": {
                "average_size_uncompressed": 9000,
                "locations": [template_location(&server.url)],
            },
            "ancillary": {
                "size_uncompressed": 20_000,
                "locations": [archive_location(&format!("{}/ancillary.tar.zst", server.url))],
            },
            "cardano_node_version": "11.0.1",
            "created_at": "2026-06-12T07:27:06.161937814Z",
        });
        let certificate = json!({
            "hash": hash,
            "previous_hash": "cd".repeat(32),
            "epoch": 9,
            "signed_entity_type": { "CardanoDatabase": { "epoch": 9, "immutable_file_number": LAST } },
            "metadata": {
                "network": "devnet",
                "version": "0.1.0",
                "parameters": { "k": 5, "m": 100, "phi_f": 0.65 },
                "initiated_at": "2026-06-12T07:21:09.556930858Z",
                "sealed_at": "2026-06-12T07:22:09.018136500Z",
                "signers": [],
            },
            "protocol_message": { "message_parts": {
                "cardano_database_merkle_root": root.to_hex(),
                "current_epoch": "9",
            } },
            "signed_message": "ef".repeat(32),
            "aggregate_verification_key": "00",
            "multi_signature": "00",
            "genesis_signature": "",
        });
        Self { server, snapshot, certificate }
    }

    pub(crate) fn plan(&self) -> RestorePlan {
        RestorePlan::try_new(self.detail(), self.certificate(), CardanoNetwork::devnet()).unwrap()
    }

    pub(crate) fn plan_with_ledger(&self) -> RestorePlan {
        self.plan().with_ancillary(ancillary_key().verification_key())
    }

    pub(crate) fn detail(&self) -> Snapshot {
        serde_json::from_value(self.snapshot.clone()).unwrap()
    }

    pub(crate) fn certificate(&self) -> Certificate {
        serde_json::from_value(self.certificate.clone()).unwrap()
    }
}

pub(crate) fn template_location(url: &str) -> serde_json::Value {
    json!({
        "type": "cloud_storage",
        "uri": { "Template": format!("{url}/immutable/{{immutable_file_number}}.tar.zst") },
        "compression_algorithm": "zstandard",
    })
}

fn archive_location(uri: &str) -> serde_json::Value {
    json!({ "type": "cloud_storage", "uri": uri, "compression_algorithm": "zstandard" })
}

/// A restorer that fetches one part after the other and does not wait between attempts.
pub(crate) fn restorer() -> Restorer {
    Restorer::new(Arc::new(HttpFetcher::new())).with_options(options(1))
}

pub(crate) fn options(parallel: usize) -> RestoreOptions {
    RestoreOptions {
        parallel: NonZeroUsize::new(parallel).unwrap(),
        patience: Patience { attempts: 3, pause: Duration::ZERO },
        ..RestoreOptions::default()
    }
}

pub(crate) fn ancillary_key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

pub(crate) fn content(file: ImmutableFile) -> Vec<u8> {
    let seed = file.number.0 * 3 + u64::from(file.kind.extension().as_bytes()[0]);
    let mut rng = fastrand::Rng::with_seed(seed);
    // What does not compress, so that the archive can be cut anywhere.
    (0..3000).map(|_| rng.u8(..)).collect()
}

pub(crate) fn trio_archive(number: u64) -> Vec<u8> {
    let files =
        ImmutableFile::trio(ImmutableFileNumber(number)).map(|file| (format!("immutable/{file}"), content(file)));
    let entries: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), &content[..])).collect();
    archive(&entries)
}

/// The ledger state and the trio that follows the certified ones.
pub(crate) fn ancillary_files() -> Vec<(String, Vec<u8>)> {
    let next =
        ImmutableFile::trio(ImmutableFileNumber(LAST + 1)).map(|file| (format!("immutable/{file}"), content(file)));
    let ledger = ["ledger/4492799/meta", "ledger/4492799/state", "ledger/4492799/tables/tvar"];
    next.into_iter().chain(ledger.map(|name| (name.to_owned(), name.repeat(100).into_bytes()))).collect()
}

pub(crate) fn ancillary_archive() -> Vec<u8> {
    let files = ancillary_files();
    let data = files.iter().map(|(name, content)| (name.clone(), hex::encode(Sha256::digest(content)))).collect();
    let mut manifest = AncillaryManifest { data, signature: None };
    manifest.signature = Some(ancillary_key().sign(&manifest.compute_hash()));
    let manifest = json!({ "data": manifest.data, "signature": manifest.signature }).to_string();
    let mut entries: Vec<(&str, &[u8])> = vec![("ancillary_manifest.json", manifest.as_bytes())];
    entries.extend(files.iter().map(|(name, content)| (name.as_str(), &content[..])));
    archive(&entries)
}

pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    zstd::encode_all(&tar.into_inner().unwrap()[..], 3).unwrap()
}

/// Makes a folder in memory where the system has such: thousands of writes to a disk would only take time.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(crate) fn tree(root: &Path) -> Tree {
    fn walk(root: &Path, folder: &Path, tree: &mut Tree) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                walk(root, &path, tree);
                tree.insert(name, None);
            } else {
                tree.insert(name, Some(fs::read(path).unwrap()));
            }
        }
    }
    let mut found = Tree::new();
    walk(root, root, &mut found);
    found
}

/// What a whole restore leaves.
pub(crate) fn expected(with_ledger: bool) -> Tree {
    let mut tree = Tree::from([
        ("clean".to_owned(), Some(Vec::new())),
        ("protocolMagicId".to_owned(), Some(b"42".to_vec())),
        ("immutable".to_owned(), None),
    ]);
    for file in (0..=LAST).map(ImmutableFileNumber).flat_map(ImmutableFile::trio) {
        tree.insert(format!("immutable/{file}"), Some(content(file)));
    }
    if with_ledger {
        for folder in ["ledger", "ledger/4492799", "ledger/4492799/tables"] {
            tree.insert(folder.to_owned(), None);
        }
        tree.extend(ancillary_files().into_iter().map(|(name, content)| (name, Some(content))));
    }
    tree
}
