//! The two texts in which a proof travels: JSON or bincode, either as hex.
//!
//! Proofs of the first route are the hex of JSON, those of the second the hex of bincode in its standard configuration:
//! integers up to 250 in one byte, above that a marker (251, 252, 253) and 2, 4 or 8 bytes, little-endian; a list is its
//! length and its elements; a structure is its fields without names. Source: `mithril-merkle-tree` 0.1 and the
//! specification of bincode 2.

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::map_proof::{BlockRange, MapProof};
use super::mmr::MmrNode;
use super::mmr_proof::MmrProof;

/// Says why a text is not a proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofTextError {
    /// The bytes end early.
    #[error("the proof ends at byte {at}, inside a value")]
    Cut {
        /// Where, counted from 0.
        at: usize,
    },
    /// Proofs of ranges hold proofs of ranges in turn; Mithril makes none of these.
    #[error("a block range holds further ranges")]
    Deep,
    /// The text is not hex.
    #[error("the proof is not hex text")]
    Hex,
    /// The JSON is not that of a proof.
    #[error("the proof is not the JSON of one: {reason}")]
    Json {
        /// What the parser says.
        reason: String,
    },
    /// The text is longer than is accepted.
    #[error("the proof has {length} characters, more than {limit}")]
    Long {
        /// Its length in bytes.
        length: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// An integer has a marker that a number of 64 bits cannot have.
    #[error("byte {at} starts no number: {marker}")]
    Marker {
        /// Where, counted from 0.
        at: usize,
        /// The byte.
        marker: u8,
    },
    /// Bytes follow the proof.
    #[error("{count} bytes follow the proof")]
    Trailing {
        /// How many.
        count: usize,
    },
}

/// Reads a proof from the hex of JSON or of bincode. The two cannot be taken for one another: JSON starts with `{`, and
/// bincode with the length of the root.
pub(super) fn read(text: &str) -> Result<MapProof, ProofTextError> {
    if text.len() > MAX_TEXT {
        return Err(ProofTextError::Long { length: text.len(), limit: MAX_TEXT });
    }
    let bytes = hex::decode(text).map_err(|_| ProofTextError::Hex)?;
    if bytes.first() == Some(&b'{') { from_json(&bytes) } else { from_bincode(&bytes) }
}

/// Writes a proof as the first route does.
pub(super) fn json_hex(proof: &MapProof) -> String {
    let node = |node: &MmrNode| serde_json::json!({ "hash": node.as_bytes() });
    let tree = |proof: &MmrProof| {
        let leaves: Vec<_> = proof.leaves.iter().map(|(position, leaf)| (position, node(leaf))).collect();
        serde_json::json!({
            "inner_root": node(&proof.root),
            "inner_leaves": leaves,
            "inner_proof_size": proof.size,
            "inner_proof_items": proof.items.iter().map(node).collect::<Vec<_>>(),
        })
    };
    let parts = proof.ranges.iter().map(|(range, part)| {
        let range = serde_json::json!({ "inner_range": { "start": range.start, "end": range.end } });
        let part = serde_json::json!({ "master_proof": tree(part), "sub_proofs": [] });
        serde_json::json!([range, part])
    });
    let parts: Vec<_> = parts.collect();
    hex::encode(serde_json::json!({ "master_proof": tree(&proof.master), "sub_proofs": parts }).to_string())
}

/// Writes a proof as the second route does.
pub(super) fn bincode_hex(proof: &MapProof) -> String {
    let mut out = Vec::new();
    put_tree(&mut out, &proof.master);
    put_length(&mut out, proof.ranges.len());
    for (range, part) in &proof.ranges {
        put(&mut out, range.start);
        put(&mut out, range.end);
        put_tree(&mut out, part);
        put_length(&mut out, 0);
    }
    hex::encode(out)
}

fn from_json(bytes: &[u8]) -> Result<MapProof, ProofTextError> {
    let map: JsonMap =
        serde_json::from_slice(bytes).map_err(|error| ProofTextError::Json { reason: error.to_string() })?;
    let mut ranges = Vec::with_capacity(map.sub_proofs.len());
    for (key, part) in map.sub_proofs {
        if !part.sub_proofs.is_empty() {
            return Err(ProofTextError::Deep);
        }
        ranges.push((BlockRange { start: key.inner_range.start, end: key.inner_range.end }, part.master_proof.into()));
    }
    Ok(MapProof { master: map.master_proof.into(), ranges })
}

#[derive(Deserialize)]
struct JsonMap {
    master_proof: JsonTree,
    sub_proofs: Vec<(JsonKey, JsonPart)>,
}

#[derive(Deserialize)]
struct JsonPart {
    master_proof: JsonTree,
    sub_proofs: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct JsonKey {
    inner_range: JsonRange,
}

#[derive(Deserialize)]
struct JsonRange {
    start: u64,
    end: u64,
}

#[derive(Deserialize)]
struct JsonTree {
    inner_root: JsonNode,
    inner_leaves: Vec<(u64, JsonNode)>,
    inner_proof_size: u64,
    inner_proof_items: Vec<JsonNode>,
}

#[derive(Deserialize)]
struct JsonNode {
    hash: Vec<u8>,
}

impl From<JsonNode> for MmrNode {
    fn from(node: JsonNode) -> Self {
        Self::new(node.hash)
    }
}

impl From<JsonTree> for MmrProof {
    fn from(tree: JsonTree) -> Self {
        Self {
            root: tree.inner_root.into(),
            leaves: tree.inner_leaves.into_iter().map(|(position, leaf)| (position, leaf.into())).collect(),
            size: tree.inner_proof_size,
            items: tree.inner_proof_items.into_iter().map(MmrNode::from).collect(),
        }
    }
}

fn from_bincode(bytes: &[u8]) -> Result<MapProof, ProofTextError> {
    let mut reader = Reader { bytes, at: 0 };
    let master = reader.tree()?;
    let count = reader.count(SMALLEST_PART)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let range = BlockRange { start: reader.number()?, end: reader.number()? };
        let part = reader.tree()?;
        if reader.number()? != 0 {
            return Err(ProofTextError::Deep);
        }
        ranges.push((range, part));
    }
    match bytes.len() - reader.at {
        0 => Ok(MapProof { master, ranges }),
        count => Err(ProofTextError::Trailing { count }),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProofTextError> {
        let rest = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let taken = *rest.ok_or(ProofTextError::Cut { at: self.bytes.len() })?;
        self.at += N;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, ProofTextError> {
        let at = self.at;
        let [marker] = self.take()?;
        match marker {
            0..=250 => Ok(marker.into()),
            251 => Ok(u16::from_le_bytes(self.take()?).into()),
            252 => Ok(u32::from_le_bytes(self.take()?).into()),
            253 => Ok(u64::from_le_bytes(self.take()?)),
            254.. => Err(ProofTextError::Marker { at, marker }),
        }
    }

    /// Reads how many elements follow, and refuses more than the rest can hold.
    fn count(&mut self, smallest: usize) -> Result<usize, ProofTextError> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let room = (self.bytes.len() - self.at) / smallest;
        if count > room { Err(ProofTextError::Cut { at: self.bytes.len() }) } else { Ok(count) }
    }

    fn node(&mut self) -> Result<MmrNode, ProofTextError> {
        let length = self.count(1)?;
        let end = self.at.saturating_add(length);
        let bytes = self.bytes.get(self.at..end).ok_or(ProofTextError::Cut { at: self.bytes.len() })?;
        self.at = end;
        Ok(MmrNode::new(bytes))
    }

    fn tree(&mut self) -> Result<MmrProof, ProofTextError> {
        let root = self.node()?;
        let count = self.count(SMALLEST_LEAF)?;
        let mut leaves = Vec::with_capacity(count);
        for _ in 0..count {
            leaves.push((self.number()?, self.node()?));
        }
        let size = self.number()?;
        let count = self.count(SMALLEST_NODE)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.node()?);
        }
        Ok(MmrProof { root, leaves, size, items })
    }
}

fn put_tree(out: &mut Vec<u8>, proof: &MmrProof) {
    put_node(out, &proof.root);
    put_length(out, proof.leaves.len());
    for (position, leaf) in &proof.leaves {
        put(out, *position);
        put_node(out, leaf);
    }
    put(out, proof.size);
    put_length(out, proof.items.len());
    for item in &proof.items {
        put_node(out, item);
    }
}

fn put_node(out: &mut Vec<u8>, node: &MmrNode) {
    put_length(out, node.as_bytes().len());
    out.extend_from_slice(node.as_bytes());
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    put(out, u64::try_from(length).unwrap_or(u64::MAX));
}

fn put(out: &mut Vec<u8>, number: u64) {
    if let Some(small) = u8::try_from(number).ok().filter(|small| *small <= 250) {
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(251);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(252);
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        out.push(253);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// The longest text that is read. A proof of 100 transactions (the most that the route takes) in ranges of their own has
/// some 4,000 nodes of at most 320 characters.
const MAX_TEXT: usize = 8 * 1024 * 1024;

/// The fewest bytes of a node: its length, and the 32 bytes of a hash. What is set aside for a list stays in proportion to
/// the text this way.
const SMALLEST_NODE: usize = 33;

/// The fewest bytes of a leaf: position and node.
const SMALLEST_LEAF: usize = 1 + SMALLEST_NODE;

/// The fewest bytes of a range: start, end, root, and the numbers of leaves, nodes, items and ranges inside.
const SMALLEST_PART: usize = 6 + SMALLEST_NODE;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::mmr::MmrTree;

    fn proof() -> MapProof {
        let part = ["a".repeat(64), "b".repeat(64)].into_iter().collect::<MmrTree>().prove(&[1]).unwrap();
        let range = BlockRange { start: 70_005, end: 70_020 };
        let leaf = range.leaf(&part.root);
        let master: MmrTree = [vec![7; 32], leaf.as_bytes().to_vec(), vec![9; 32]].into_iter().collect();
        MapProof { master: master.prove(&[1]).unwrap(), ranges: vec![(range, part)] }
    }

    #[test]
    fn both_texts_read_back() {
        let proof = proof();
        assert_eq!(read(&json_hex(&proof)), Ok(proof.clone()));
        assert_eq!(read(&bincode_hex(&proof)), Ok(proof));
    }

    #[test]
    fn numbers_of_every_width_read_back() {
        for number in [0, 250, 251, 65_535, 65_536, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, number);
            assert_eq!(Reader { bytes: &out, at: 0 }.number(), Ok(number));
        }
    }

    #[test]
    fn a_proof_cut_anywhere_is_refused_and_nothing_may_follow_it() {
        let text = bincode_hex(&proof());
        for length in (0..text.len()).step_by(2) {
            assert!(matches!(read(&text[..length]), Err(ProofTextError::Cut { .. })), "{length}");
        }
        assert_eq!(read(&format!("{text}00")), Err(ProofTextError::Trailing { count: 1 }));
        let json = json_hex(&proof());
        assert!(matches!(read(&json[..json.len() - 2]), Err(ProofTextError::Json { .. })));
    }

    #[test]
    fn lengths_that_the_text_cannot_hold_allocate_nothing() {
        assert!(matches!(read("fdffffffffffffffff"), Err(ProofTextError::Cut { .. })));
        assert_eq!(read("fe00"), Err(ProofTextError::Marker { at: 0, marker: 254 }));
        assert_eq!(read("0"), Err(ProofTextError::Hex));
        assert!(matches!(read(&"00".repeat(MAX_TEXT)), Err(ProofTextError::Long { .. })));
    }
}
