//! Output scripts: the standard forms, and the data that OP_RETURN carries.
//!
//! Everything is read from the script's bytes. The `asm` text of nodes is no source: it prints pushes of up to four
//! bytes as decimal numbers, so that what was pushed cannot be told from it.

mod map;

use core::fmt;

pub use self::map::ScriptMap;

/// What kind of output a script makes, with the hash or key it pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScriptKind {
    /// Data carrier: begins with `OP_RETURN`, can never be spent.
    OpReturn,
    /// None of the other kinds.
    Other,
    /// Pays to the hash of a public key.
    P2pkh([u8; 20]),
    /// Pays to the hash of a script.
    P2sh([u8; 20]),
    /// Pays to a taproot output key (BIP 341).
    P2tr([u8; 32]),
    /// Pays to the hash of a public key by witness (BIP 141).
    P2wpkh([u8; 20]),
    /// Pays to the hash of a script by witness (BIP 141).
    P2wsh([u8; 32]),
}

/// Tells what kind of output `script` makes.
///
/// Recognises forms byte by byte, for every chain alike: Dash has no witness, so a witness form there is one by its
/// looks only.
#[must_use]
#[inline]
pub fn classify(script: &[u8]) -> ScriptKind {
    match script {
        [OP_RETURN, ..] => ScriptKind::OpReturn,
        [OP_DUP, OP_HASH160, 20, hash @ .., OP_EQUALVERIFY, OP_CHECKSIG] => array(hash, ScriptKind::P2pkh),
        [OP_HASH160, 20, hash @ .., OP_EQUAL] => array(hash, ScriptKind::P2sh),
        [OP_0, 20, hash @ ..] => array(hash, ScriptKind::P2wpkh),
        [OP_0, 32, hash @ ..] => array(hash, ScriptKind::P2wsh),
        [OP_1, 32, key @ ..] => array(key, ScriptKind::P2tr),
        _ => ScriptKind::Other,
    }
}

/// The data that a script beginning with `OP_RETURN` pushes.
///
/// `Display` prints each push as hex, separated by spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OpReturn<'a> {
    /// The script without its first byte.
    body: &'a [u8],
}

impl<'a> OpReturn<'a> {
    /// Reads the pushes of `script`, or returns `None` if it does not begin with `OP_RETURN`.
    ///
    /// # Errors
    /// [`ScriptError`] if anything but complete pushes follows: what such a script was meant to say is a guess.
    #[inline]
    pub fn parse(script: &'a [u8]) -> Result<Option<Self>, ScriptError> {
        let [OP_RETURN, body @ ..] = script else { return Ok(None) };
        let mut rest = body;
        while !rest.is_empty() {
            (_, rest) = next_push(rest).map_err(|error| error.at(script.len().saturating_sub(rest.len())))?;
        }
        Ok(Some(Self { body }))
    }

    /// Iterates over the pushed data, front to back.
    ///
    /// `OP_0` pushes nothing (an empty slice). `OP_1` to `OP_16` push the one byte 1 to 16 and `OP_1NEGATE` the byte
    /// 0x81, as they do when a script runs: they are the minimal encodings of those one-byte pushes.
    #[must_use]
    pub const fn pushes(&self) -> Pushes<'a> {
        Pushes { rest: self.body }
    }

    /// Returns the data if there is exactly one push.
    #[must_use]
    pub fn single(&self) -> Option<&'a [u8]> {
        let mut pushes = self.pushes();
        match (pushes.next(), pushes.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Returns the number of bytes of all pushes together.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.pushes().map(<[u8]>::len).sum()
    }

    /// Joins the data of all pushes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.data_len());
        self.pushes().for_each(|push| data.extend_from_slice(push));
        data
    }
}

impl fmt::Display for OpReturn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, push) in self.pushes().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            push.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for OpReturn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpReturn({self})")
    }
}

/// Iterates over the pushes of an [`OpReturn`].
#[derive(Clone, Copy, Debug)]
pub struct Pushes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pushes<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // The script was walked when the `OpReturn` was made, so only its end stops this.
        let (data, rest) = next_push(self.rest).ok()?;
        self.rest = rest;
        Some(data)
    }
}

/// Says why an OP_RETURN script carries no readable data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// An opcode is not one that pushes data.
    #[error("opcode {opcode:#04x} at byte {at} is not a push")]
    NotAPush {
        /// The opcode.
        opcode: u8,
        /// Its offset in the script.
        at: usize,
    },
    /// The script ends within a push.
    #[error("push at byte {at} needs {need} bytes, {have} left")]
    TruncatedPush {
        /// The offset of the push's opcode.
        at: usize,
        /// How many bytes should follow: of the length field, or of the data if the length is complete.
        need: usize,
        /// How many bytes do.
        have: usize,
    },
}

impl ScriptError {
    const fn at(self, at: usize) -> Self {
        match self {
            Self::NotAPush { opcode, .. } => Self::NotAPush { opcode, at },
            Self::TruncatedPush { need, have, .. } => Self::TruncatedPush { at, need, have },
        }
    }
}

/// Splits the first push off a script: its data and the rest. Offsets in errors are 0.
#[inline]
fn next_push(script: &[u8]) -> Result<(&[u8], &[u8]), ScriptError> {
    let (len, data) = match *script {
        [OP_0, ref rest @ ..] => return Ok((&[], rest)),
        [len @ 1..=75, ref rest @ ..] => (usize::from(len), rest),
        [OP_PUSHDATA1, len, ref rest @ ..] => (usize::from(len), rest),
        [OP_PUSHDATA2, l0, l1, ref rest @ ..] => (usize::from(u16::from_le_bytes([l0, l1])), rest),
        [OP_PUSHDATA4, l0, l1, l2, l3, ref rest @ ..] => {
            (usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX), rest)
        }
        [OP_1NEGATE, ref rest @ ..] => return Ok((&[0x81], rest)),
        [opcode @ OP_1..=OP_16, ref rest @ ..] => {
            let from = usize::from(opcode.saturating_sub(OP_1));
            return Ok((NUMBERS.get(from..=from).unwrap_or_default(), rest));
        }
        [opcode @ OP_PUSHDATA1..=OP_PUSHDATA4, ref rest @ ..] => {
            let need = 1_usize << (opcode - OP_PUSHDATA1);
            return Err(ScriptError::TruncatedPush { at: 0, need, have: rest.len() });
        }
        [opcode, ..] => return Err(ScriptError::NotAPush { opcode, at: 0 }),
        [] => return Err(ScriptError::TruncatedPush { at: 0, need: 1, have: 0 }),
    };
    data.split_at_checked(len).ok_or(ScriptError::TruncatedPush { at: 0, need: len, have: data.len() })
}

#[inline]
fn array<const N: usize>(bytes: &[u8], kind: fn([u8; N]) -> ScriptKind) -> ScriptKind {
    bytes.try_into().map_or(ScriptKind::Other, kind)
}

// Bitcoin Core `src/script/script.h`, `enum opcodetype`.
const OP_0: u8 = 0x00;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_PUSHDATA4: u8 = 0x4e;
const OP_1NEGATE: u8 = 0x4f;
const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
const OP_RETURN: u8 = 0x6a;
const OP_DUP: u8 = 0x76;
const OP_EQUAL: u8 = 0x87;
const OP_EQUALVERIFY: u8 = 0x88;
const OP_HASH160: u8 = 0xa9;
const OP_CHECKSIG: u8 = 0xac;
/// What `OP_1` to `OP_16` push.
const NUMBERS: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn pushes(script: &str) -> Vec<Vec<u8>> {
        let script = hex::decode(script).unwrap();
        OpReturn::parse(&script).unwrap().unwrap().pushes().map(<[u8]>::to_vec).collect()
    }

    fn error(script: &str) -> ScriptError {
        OpReturn::parse(&hex::decode(script).unwrap()).unwrap_err()
    }

    #[test]
    fn reads_short_pushes_that_asm_prints_as_numbers() {
        assert_eq!(pushes("6a046e6f6f70"), [b"noop"]);
        assert_eq!(pushes("6a047463792b"), [b"tcy+"]);
        assert_eq!(pushes("6a03643a62"), [b"d:b"]);
        assert_eq!(pushes("6a"), [] as [&[u8]; 0]);
        assert_eq!(pushes("6a00"), [b""]);
        assert_eq!(pushes("6a51"), [[1]]);
        assert_eq!(pushes("6a60"), [[16]]);
        assert_eq!(pushes("6a4f"), [[0x81]]);
    }

    #[test]
    fn reads_every_push_of_every_form() {
        assert_eq!(pushes("6a0241420543444546470048"[..22].trim()), [b"AB".to_vec(), b"CDEFG".to_vec(), vec![]]);
        assert_eq!(pushes("6a4c0241424d0300434445"), [b"AB".to_vec(), b"CDE".to_vec()]);
        assert_eq!(pushes("6a4e0100000041"), [b"A"]);
        let long = [&[0x6a, 0x4d, 0x00, 0x02][..], &[7; 512]].concat();
        let data = OpReturn::parse(&long).unwrap().unwrap();
        assert_eq!(data.single().unwrap(), [7; 512]);
        assert_eq!((data.data_len(), data.to_vec().len()), (512, 512));
        assert_eq!(pushes(&format!("6a4b{}", "61".repeat(75))), [vec![b'a'; 75]]);
    }

    #[test]
    fn refuses_truncated_pushes_and_trailing_garbage() {
        assert_eq!(error("6a03"), ScriptError::TruncatedPush { at: 1, need: 3, have: 0 });
        assert_eq!(error("6a024142036162"), ScriptError::TruncatedPush { at: 4, need: 3, have: 2 });
        assert_eq!(error("6a4c"), ScriptError::TruncatedPush { at: 1, need: 1, have: 0 });
        assert_eq!(error("6a4d01"), ScriptError::TruncatedPush { at: 1, need: 2, have: 1 });
        assert_eq!(error("6a4e010000"), ScriptError::TruncatedPush { at: 1, need: 4, have: 3 });
        assert_eq!(error("6a4effffffff41"), ScriptError::TruncatedPush { at: 1, need: 0xffff_ffff, have: 1 });
        assert_eq!(error("6a0141ac"), ScriptError::NotAPush { opcode: 0xac, at: 3 });
        assert_eq!(error("6a50"), ScriptError::NotAPush { opcode: 0x50, at: 1 });
        assert_eq!(error("6a61"), ScriptError::NotAPush { opcode: 0x61, at: 1 });
    }

    #[test]
    fn is_silent_about_scripts_that_are_no_op_return() {
        assert_eq!(OpReturn::parse(&[]), Ok(None));
        assert_eq!(OpReturn::parse(&[0x00, 0x6a]), Ok(None));
    }

    #[test]
    fn never_panics_and_never_loses_a_byte_on_random_scripts() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..50_000 {
            let mut script: Vec<u8> = (0..random.usize(0..40)).map(|_| random.u8(0..0x62)).collect();
            script.insert(0, OP_RETURN);
            if let Ok(Some(data)) = OpReturn::parse(&script) {
                assert!(data.data_len() < script.len());
                assert_eq!(data.pushes().flatten().copied().collect::<Vec<_>>(), data.to_vec());
            }
            assert_eq!(classify(&script), ScriptKind::OpReturn);
        }
    }

    #[test]
    fn classifies_the_standard_forms_and_nothing_near_them() {
        let of = |script: &[&[u8]]| classify(&script.concat());
        let (h20, h32) = ([9; 20], [9; 32]);
        assert_eq!(of(&[&[0x76, 0xa9, 20], &h20, &[0x88, 0xac]]), ScriptKind::P2pkh(h20));
        assert_eq!(of(&[&[0xa9, 20], &h20, &[0x87]]), ScriptKind::P2sh(h20));
        assert_eq!(of(&[&[0x00, 20], &h20]), ScriptKind::P2wpkh(h20));
        assert_eq!(of(&[&[0x00, 32], &h32]), ScriptKind::P2wsh(h32));
        assert_eq!(of(&[&[0x51, 32], &h32]), ScriptKind::P2tr(h32));
        assert_eq!(of(&[&[0x6a]]), ScriptKind::OpReturn);
        assert_eq!(of(&[]), ScriptKind::Other);
        assert_eq!(of(&[&[0x76, 0xa9, 20], &h20[1..], &[0x88, 0xac]]), ScriptKind::Other);
        assert_eq!(of(&[&[0xa9, 20], &h20, &[9, 0x87]]), ScriptKind::Other);
        assert_eq!(of(&[&[0x52, 32], &h32]), ScriptKind::Other);
        assert_eq!(of(&[&[0x51, 32], &h32, &[0]]), ScriptKind::Other);
    }
}
