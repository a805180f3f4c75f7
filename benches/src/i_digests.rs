//! The root over the digests of immutable files: the 17,433 real ones of preprod, whose root a real certificate signs.
//! `-tree` is the same root by the tree of `mithril-common`, from the same digests in memory.

use std::fs;
use std::hint::black_box;
use std::io::Read as _;

use mithril_common::crypto_helper::{MKTree, MKTreeStoreInMemory};
use nodewright_cardano::artifact::{CertifiedDigests, DigestList};
use nodewright_cardano::certificate::Certificate;
use nodewright_testkit::corpus;

use crate::measure::{Scale, versus};
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let (Some(archive), Some(certificate)) = (
        corpus("mithril/preprod-2026/digests.tar.zst"),
        corpus("mithril/preprod-2026/cardano_database_certificate.json"),
    ) else {
        return Ok(Vec::new());
    };
    let archive = fs::read(archive).map_err(|error| error.to_string())?;
    let certificate = fs::read(certificate).map_err(|error| error.to_string())?;
    let certificate = Certificate::from_json(&certificate).map_err(|error| error.to_string())?;
    let digests = decode(&archive)?;
    if digests.len() != DIGESTS {
        return Err(format!("{} digests", digests.len()));
    }
    let certified = CertifiedDigests::check(digests.clone(), &certificate).map_err(|error| error.to_string())?;
    let last = certified.beacon().immutable_file_number;
    let texts: Vec<String> = digests.iter().map(|(_, digest)| hex::encode(digest)).collect();
    let theirs = peer(&texts)?;
    if theirs != certified.root().to_hex() {
        return Err(format!("the peer's root is {theirs}, ours {}", certified.root().to_hex()));
    }

    let ours = || _ = black_box(black_box(&digests).root(last));
    let (ours, theirs) = versus(scale, 1, ours, || _ = black_box(peer(black_box(&texts))));
    let (ours, theirs) = (1_000.0 / ours, 1_000.0 / theirs);
    Ok(vec![
        Row::alone("i_digests", "ms", ours).at_most(20.0),
        Row::less_is_better("i_digests-tree", "ms", ours, theirs),
    ])
}

/// Reads the digests from the archive that the aggregator serves.
fn decode(archive: &[u8]) -> Result<DigestList, String> {
    let decoder = zstd::Decoder::new(archive).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(decoder);
    let mut entries = archive.entries().map_err(|error| error.to_string())?;
    let mut entry = entries.next().ok_or("the archive is empty")?.map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    entry.read_to_end(&mut json).map_err(|error| error.to_string())?;
    DigestList::from_json(&json).map_err(|error| error.to_string())
}

fn peer(digests: &[String]) -> Result<String, String> {
    let tree = MKTree::<MKTreeStoreInMemory>::new(digests).map_err(|error| error.to_string())?;
    Ok(tree.compute_root().map_err(|error| error.to_string())?.to_hex())
}

const DIGESTS: usize = 17_433;
