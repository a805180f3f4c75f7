//! Proofs of transactions and blocks: two storeys of Merkle mountain ranges, in hex of JSON or of bincode.

use nodewright_cardano::artifact::{LeafForm, MapProof, MmrNode};

use crate::plant::plant;

/// Takes the first byte of `data` as the form; the rest is the proof, put into hex here.
///
/// What is read writes back to what reads the same.
pub fn map_proof(data: &[u8]) {
    let Some((&form, bytes)) = data.split_first() else { return };
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let Ok(proof) = MapProof::from_hex(&text) else { return };
    assert_eq!(MapProof::from_hex(&proof.to_json_hex()).as_ref(), Ok(&proof), "comes back as JSON");
    // In bincode no node is shorter than a hash, so that lengths are bounded by the text.
    let short = |node: &MmrNode| node.as_bytes().len() < 32;
    let trees = || proof.ranges.iter().map(|(_, part)| part).chain([&proof.master]);
    let mut nodes =
        trees().flat_map(|tree| tree.leaves.iter().map(|(_, leaf)| leaf).chain(&tree.items).chain([&tree.root]));
    if !nodes.any(short) {
        assert_eq!(MapProof::from_hex(&proof.to_bincode_hex()).as_ref(), Ok(&proof), "comes back as bincode");
    }
    let size = proof.master.size;
    plant!(size > 9, size > 29, size > 59, size > 89);
    let forms = [LeafForm::Any, LeafForm::ChainItem, LeafForm::Hash, LeafForm::HashText];
    drop(proof.verify(forms[usize::from(form) % forms.len()]));
    drop(proof.master.verify(LeafForm::Any));
}
