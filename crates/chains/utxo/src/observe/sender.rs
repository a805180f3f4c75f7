//! Who paid: the script that the first input unlocks, as far as the transaction itself tells.
//!
//! The spent output is not part of a transaction, but what unlocks it usually repeats the key or script that it names by
//! hash. A bare key, or a taproot key path, is not repeated: then the sender is unknown here, and never guessed.

use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use crate::bytes::Reader;
use crate::tx::TxView;

/// Rebuilds the output script that the first input of `tx` spends; `None` for a coinbase and where it cannot be told.
#[must_use]
pub fn script(tx: &TxView<'_>) -> Option<Vec<u8>> {
    let input = tx.inputs().next().filter(|input| !input.previous.is_null())?;
    let witness = first_witness(tx.witness());
    match (input.script_sig.is_empty(), witness.as_deref()) {
        (true, Some([signature, key])) if is_signature(signature) && is_key(key) => {
            Some(with_hash(&[0x00, 20], &hash160(key), &[]))
        }
        (true, Some(items)) if is_taproot(items) => None,
        (true, Some([.., script])) => Some(with_hash(&[0x00, 32], &Sha256::digest(script), &[])),
        (true, _) => None,
        (false, _) => from_script_sig(input.script_sig),
    }
}

/// Reads `<signature> <key>` as a payment to the key's hash, and `… <script>` as one to the script's hash.
fn from_script_sig(script_sig: &[u8]) -> Option<Vec<u8>> {
    let mut pushes = [&[][..]; 2];
    let mut count = 0_usize;
    let mut rest = script_sig;
    while !rest.is_empty() {
        let (data, after) = push(rest)?;
        pushes = [pushes[1], data];
        count += 1;
        rest = after;
    }
    let [before, last] = pushes;
    if count == 2 && is_key(last) && is_signature(before) {
        return Some(with_hash(&[0x76, 0xa9, 20], &hash160(last), &[0x88, 0xac]));
    }
    if last.is_empty() || is_signature(last) {
        return None;
    }
    Some(with_hash(&[0xa9, 20], &hash160(last), &[0x87]))
}

/// Returns the items of the first input's witness.
fn first_witness(witness: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(witness);
    let count = reader.count("witness item count", 1).ok()?;
    (0..count).map(|_| reader.var_bytes().ok()).collect()
}

fn push(script: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&opcode, rest) = script.split_first()?;
    let (len, rest) = match opcode {
        0..=75 => (usize::from(opcode), rest),
        76 => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        77 => rest.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_le_bytes(*len)), rest))?,
        0x4f | 0x51..=0x60 => (0, rest),
        _ => return None,
    };
    rest.split_at_checked(len)
}

fn is_key(bytes: &[u8]) -> bool {
    matches!(bytes, [2 | 3, ..] if bytes.len() == 33) || matches!(bytes, [4, ..] if bytes.len() == 65)
}

/// Tells a DER signature with its hash type byte, 9 to 73 bytes (BIP 66).
fn is_signature(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, ..] if (9..=73).contains(&bytes.len()))
}

/// Tells a witness that spends a taproot output (BIP 341) from one that ends in a script: its last item is a signature
/// (key path), a control block (script path) or an annex.
///
/// A script that begins like a control block or an annex could never be spent: the opcodes are invalid or disabled. A
/// script of 64 or 65 bytes that stands alone could; then the sender stays unknown.
fn is_taproot(items: &[&[u8]]) -> bool {
    match items {
        [alone] => matches!(alone.len(), 64 | 65),
        [.., [0x50, ..]] => true,
        [.., control @ [version, ..]] => {
            let leaf = version & 0xfe;
            let leaf_version = matches!(leaf, 0x66 | 0x7e | 0x80 | 0x84 | 0x96 | 0x98 | 0xba..=0xfe);
            leaf_version && control.len() >= 33 && (control.len() - 33).is_multiple_of(32)
        }
        _ => false,
    }
}

fn hash160(bytes: &[u8]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(bytes)).into()
}

fn with_hash(before: &[u8], hash: &[u8], after: &[u8]) -> Vec<u8> {
    [before, hash, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::fixture::Built;

    /// Returns what `script` says of a transaction whose first input is unlocked so.
    fn of(script_sig: &[u8], witness: &[&[u8]]) -> Option<Vec<u8>> {
        Built::default().unlocked_by(script_sig, witness).pay(1, &[0x51]).view(script)
    }

    fn push(parts: &[&[u8]]) -> Vec<u8> {
        let mut script = Vec::new();
        for part in parts {
            match u8::try_from(part.len()).unwrap() {
                len @ 0..=75 => script.push(len),
                len => script.extend([0x4c, len]),
            }
            script.extend_from_slice(part);
        }
        script
    }

    #[test]
    fn the_sender_is_rebuilt_from_what_unlocks_the_first_input_and_never_guessed() {
        let signature = [&[0x30][..], &[7; 70], &[1]].concat();
        let key = [&[2][..], &[5; 32]].concat();
        let old_key = [&[4][..], &[5; 64]].concat();
        let schnorr = [9; 64];
        let control = [&[0xc1][..], &[3; 32]].concat();
        let multisig = [&[0x51, 33][..], &key, &[0x51, 0xae]].concat();
        let nested = [&[0x00, 20][..], &hash160(&key)].concat();

        let key_hash = |key: &[u8]| Some([&[0x76, 0xa9, 20][..], &hash160(key), &[0x88, 0xac]].concat());
        let script_hash = |script: &[u8]| Some([&[0xa9, 20][..], &hash160(script), &[0x87]].concat());
        let witness_key = |key: &[u8]| Some([&[0x00, 20][..], &hash160(key)].concat());
        let witness_script = |script: &[u8]| Some([&[0x00, 32][..], &Sha256::digest(script)].concat());

        let bare = |parts: &[&[u8]]| of(&push(parts), &[]);
        assert_eq!(bare(&[&signature, &key]), key_hash(&key), "P2PKH");
        assert_eq!(bare(&[&signature, &old_key]), key_hash(&old_key), "P2PKH, uncompressed");
        assert_eq!(bare(&[b"", &signature, &multisig]), script_hash(&multisig), "P2SH multisig");
        assert_eq!(of(&push(&[&nested]), &[&signature, &key]), script_hash(&nested), "P2SH-P2WPKH");
        assert_eq!(of(&[], &[&signature, &key]), witness_key(&key), "P2WPKH");
        assert_eq!(of(&[], &[b"", &signature, &multisig]), witness_script(&multisig), "P2WSH");
        assert_eq!(of(&[], &[&[0x51]]), witness_script(&[0x51]), "P2WSH without arguments");

        for (what, unknown) in [
            ("P2PK", bare(&[&signature])),
            ("bare multisig", bare(&[b"", &signature, &signature])),
            ("anyone may spend", of(&[], &[])),
            ("no push", of(&[0xac], &[])),
            ("truncated push", of(&[5, 1], &[])),
            ("truncated length", of(&[0x4d, 1], &[])),
            ("an empty push", of(&[0], &[])),
            ("taproot key path", of(&[], &[&schnorr])),
            ("taproot key path, with hash type", of(&[], &[&[9; 65]])),
            ("taproot key path, with annex", of(&[], &[&schnorr, &[0x50, 1]])),
            ("taproot script path", of(&[], &[&signature, &multisig, &control])),
            ("taproot script path, deeper", of(&[], &[&multisig, &[&control[..], &[4; 64]].concat()])),
            ("taproot script path, with annex", of(&[], &[&multisig, &control, &[0x50]])),
            ("taproot script path, other leaf", of(&[], &[&multisig, &[&[0x66][..], &[3; 32]].concat()])),
        ] {
            assert_eq!(unknown, None, "{what}");
        }
        assert_eq!(Built::coinbase().view(script), None, "coinbase");
    }

    #[test]
    fn only_the_first_input_names_the_sender() {
        let signature = [&[0x30][..], &[7; 70], &[1]].concat();
        let (first, second) = ([&[2][..], &[5; 32]].concat(), [&[3][..], &[6; 32]].concat());
        let built = Built::default()
            .unlocked_by(&[], &[&signature, &first])
            .unlocked_by(&push(&[&signature, &second]), &[])
            .pay(1, &[0x51]);
        assert_eq!(built.view(script), Some([&[0x00, 20][..], &hash160(&first)].concat()));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..20_000 {
            let bytes = |random: &mut fastrand::Rng| -> Vec<u8> {
                (0..random.usize(0..80))
                    .map(|_| if random.bool() { random.u8(0..0x62) } else { random.u8(..) })
                    .collect()
            };
            let (script_sig, items) = (bytes(&mut random), [bytes(&mut random), bytes(&mut random)]);
            let items: Vec<_> = items.iter().take(random.usize(0..3)).map(Vec::as_slice).collect();
            if let Some(script) = of(if random.bool() { &script_sig } else { &[] }, &items) {
                assert!(matches!(script.len(), 22 | 23 | 25 | 34));
            }
        }
    }
}
