//! The memo of a transaction: what its OP_RETURN outputs say together.
//!
//! The pushes of every OP_RETURN output are joined in the order of the outputs, wherever among them the payment stands.
//! THORChain writes memos that do not fit one OP_RETURN as 79 characters and `^` there, and the rest as the 20-byte
//! programs of outputs that follow it, padded with zero bytes (thornode `bifrost/pkg/chainclients/utxo`, `getMemo`, and
//! the long-memo rule of its documentation "Sending transactions"). What is shorter than 80 bytes is no long memo,
//! whatever it ends in.

use crate::script::{self, OpReturn, ScriptError, ScriptKind};
use crate::tx::TxView;

/// Says what memo a transaction carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memo {
    /// No OP_RETURN output, or none with a byte in it.
    Absent,
    /// An OP_RETURN script is broken: what it was meant to say would be a guess.
    Malformed(ScriptError),
    /// The joined bytes, with the continuation of a long memo in its place.
    Present(Vec<u8>),
}

impl Memo {
    /// Returns the memo's bytes, if it has any.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Present(bytes) => Some(bytes),
            Self::Absent | Self::Malformed(_) => None,
        }
    }
}

/// Joins the memo of `tx`; outputs that pay a `watched` script are never read as continuation.
///
/// A memo of fewer than 80 bytes, or one that ends in `^` and is followed by no continuation, stays as it is: it is not a
/// long memo then.
#[must_use]
pub fn join(tx: &TxView<'_>, watched: impl Fn(&[u8]) -> bool) -> Memo {
    let mut memo = Vec::new();
    let mut last_data = None;
    for output in tx.outputs() {
        match OpReturn::parse(output.script) {
            Ok(None) => {}
            Ok(Some(data)) => {
                data.pushes().for_each(|push| memo.extend_from_slice(push));
                last_data = Some(output.index);
            }
            Err(error) => return Memo::Malformed(error),
        }
    }
    if let (Some(b'^'), Some(index)) = (memo.last().filter(|_| memo.len() >= MAX_DATA), last_data) {
        let programs = tx.outputs().filter(|output| output.index > index && !watched(output.script));
        let rest = continuation(programs.map_while(|output| program(output.script)));
        if !rest.is_empty() {
            memo.pop();
            memo.extend_from_slice(&rest);
        }
    }
    if memo.is_empty() { Memo::Absent } else { Memo::Present(memo) }
}

/// Splits `memo` into what goes into an OP_RETURN output of at most 80 bytes, and the programs of the outputs that
/// continue it; `None` if it is longer than [`MAX_LONG_MEMO`].
///
/// A continuation that fills its last program has no padding to end it, so a program of zeros does, unless it is the
/// longest there is. A program that ends in zero bytes is read as the last one, padded: a memo with zero bytes, which no
/// text has, may come back cut.
#[must_use]
pub fn split(memo: &[u8]) -> Option<(Vec<u8>, Vec<[u8; PROGRAM]>)> {
    // Of 80 bytes the last would be taken for the mark of a long memo, if it is that character.
    if memo.len() < MAX_DATA || memo.len() == MAX_DATA && memo.last() != Some(&b'^') {
        return Some((memo.to_vec(), Vec::new()));
    }
    if memo.len() > MAX_LONG_MEMO {
        return None;
    }
    let (head, tail) = memo.split_at_checked(MAX_DATA - 1)?;
    let mut data = head.to_vec();
    data.push(b'^');
    let programs = tail.chunks(PROGRAM).map(|chunk| {
        let mut program = [0; PROGRAM];
        program.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        program
    });
    let mut programs: Vec<_> = programs.collect();
    if tail.len().is_multiple_of(PROGRAM) && programs.len() < MAX_PROGRAMS {
        programs.push([0; PROGRAM]);
    }
    Some((data, programs))
}

/// Joins programs up to the first that was padded, or to the longest memo there is.
fn continuation(programs: impl Iterator<Item = [u8; PROGRAM]>) -> Vec<u8> {
    let mut rest = Vec::new();
    for program in programs.take(MAX_PROGRAMS) {
        let used = PROGRAM - program.iter().rev().take_while(|byte| **byte == 0).count();
        rest.extend(program.iter().take(used));
        if used < PROGRAM || rest.len() + MAX_DATA > MAX_LONG_MEMO {
            break;
        }
    }
    rest
}

/// Returns the 20 bytes of an output that may continue a memo.
fn program(script: &[u8]) -> Option<[u8; PROGRAM]> {
    match script::classify(script) {
        ScriptKind::P2pkh(program) | ScriptKind::P2wpkh(program) => Some(program),
        _ => None,
    }
}

/// Is the most data bytes in an OP_RETURN output that every node relays (`MAX_OP_RETURN_RELAY` 83 less three opcode
/// bytes, Bitcoin Core before 30, Litecoin Core 0.21, Dash Core 22).
const MAX_DATA: usize = 80;

/// Is the longest long memo in bytes: 79 in the OP_RETURN output and 8 programs (thornode `MaxMemoSizeUtxoExtended`).
pub const MAX_LONG_MEMO: usize = 239;

/// Is the size of a program in bytes.
const PROGRAM: usize = 20;

/// Is the most programs that continue a memo.
const MAX_PROGRAMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::fixture::Built;

    fn joined(built: &Built) -> Memo {
        built.view(|tx| join(tx, |script| script == VAULT))
    }

    fn present(bytes: &[u8]) -> Memo {
        Memo::Present(bytes.to_vec())
    }

    /// Builds a transaction that carries `memo` as [`split`] says, paying the vault at output `at`.
    fn carrying(memo: &[u8], at: usize, key_hash: bool) -> Built {
        let (data, programs) = split(memo).unwrap();
        let mut outputs = vec![Built::op_return(&[&data])];
        outputs.extend(programs.iter().map(|program| match key_hash {
            true => [&[0x76, 0xa9, 20][..], program, &[0x88, 0xac]].concat(),
            false => [&[0, 20][..], program].concat(),
        }));
        outputs.insert(at.min(outputs.len()), VAULT.to_vec());
        outputs.into_iter().fold(Built::default(), |built, script| built.pay(1_000, &script))
    }

    #[test]
    fn pushes_of_every_form_and_outputs_in_their_order_make_one_memo() {
        let long = [b'x'; 255];
        let forms: [(&[u8], &[u8]); 9] = [
            (&[0x6a, 1, b'a'], b"a"),
            (&[0x6a, 4, b'n', b'o', b'o', b'p'], b"noop"),
            (&[0x6a, 0x4c, 2, b'a', b'b'], b"ab"),
            (&[0x6a, 0x4d, 2, 0, b'a', b'b'], b"ab"),
            (&[0x6a, 0x4e, 2, 0, 0, 0, b'a', b'b'], b"ab"),
            (&[0x6a, 1, b'a', 0, 2, b'b', b'c'], b"abc"),
            (&[0x6a, 0x51], &[1]),
            (&[0x6a, 0x60, 0x4f], &[16, 0x81]),
            (&[&[0x6a, 0x4c, 255][..], &long].concat(), &long),
        ];
        for (script, memo) in forms {
            assert_eq!(joined(&Built::default().pay(0, script)), present(memo));
            let three = Built::default().pay(5, VAULT).pay(0, script).pay(7, &[0x51]).pay(0, &[0x6a, 1, b'!']);
            assert_eq!(joined(&three), present(&[memo, b"!"].concat()));
        }
        for nothing in [&[0x6a][..], &[0x6a, 0], &[0x6a, 0, 0], &[0x51], &[]] {
            assert_eq!(joined(&Built::default().pay(0, nothing)), Memo::Absent);
        }
        assert_eq!(joined(&Built::default()), Memo::Absent);
    }

    #[test]
    fn one_broken_script_spoils_the_memo() {
        for broken in [&[0x6a, 5, b'a'][..], &[0x6a, 0x4c], &[0x6a, 0x4d, 1], &[0x6a, 0x4e, 1, 0, 0], &[0x6a, 0xac]] {
            let good = Built::default().pay(0, &[0x6a, 1, b'a']);
            assert!(matches!(joined(&good.clone().pay(0, broken)), Memo::Malformed(_)), "{broken:?}");
            assert!(matches!(joined(&Built::default().pay(0, broken).pay(0, &[0x6a, 1, b'a'])), Memo::Malformed(_)));
        }
    }

    #[test]
    fn memos_of_every_length_go_out_and_come_back_wherever_the_vault_stands() {
        let mut random = fastrand::Rng::with_seed(5);
        for len in 0..=MAX_LONG_MEMO {
            for key_hash in [false, true] {
                // A caret may stand anywhere, at the very end too.
                let mut memo: Vec<u8> = (0..len).map(|_| random.u8(0x20..0x7f)).collect();
                if random.bool() && len > 0 {
                    memo[len - 1] = b'^';
                }
                let at = random.usize(0..11);
                let built = carrying(&memo, at, key_hash).pay(9_999, &[&[0, 20][..], &[0xee; 20]].concat());
                let expected = if memo.is_empty() { Memo::Absent } else { present(&memo) };
                // Of the longest memo, change that follows could be a ninth program, which is never read.
                assert_eq!(joined(&built), expected, "{len} bytes, vault at {at}");
            }
        }
        assert_eq!(split(&[b'a'; MAX_LONG_MEMO + 1]), None);
        assert_eq!(split(&[b'a'; 80]).unwrap(), (vec![b'a'; 80], vec![]));
    }

    #[test]
    fn a_split_is_what_a_node_relays_and_ends_before_the_change() {
        for len in 81..=MAX_LONG_MEMO {
            let (data, programs) = split(&vec![b'm'; len]).unwrap();
            assert_eq!((data.len(), data.last()), (80, Some(&b'^')));
            assert!((1..=8).contains(&programs.len()));
            let filled = programs.iter().all(|program| program[19] != 0);
            assert_eq!(filled, len == MAX_LONG_MEMO, "{len}: only the longest has no padding to end it");
        }
    }

    #[test]
    fn a_caret_at_the_end_of_a_short_memo_is_a_character() {
        let change = [&[0, 20][..], &[0xab; 20]].concat();
        for len in [1, 40, 79] {
            let memo = [vec![b'm'; len - 1], vec![b'^']].concat();
            let built = Built::default().pay(0, &Built::op_return(&[&memo])).pay(1, &change);
            assert_eq!(joined(&built), present(&memo), "{len}");
        }
        let long = [vec![b'm'; 79], vec![b'^']].concat();
        let alone = Built::default().pay(1, &change).pay(0, &Built::op_return(&[&long]));
        assert_eq!(joined(&alone), present(&long), "what stands before the data does not continue it");
        let other = alone.pay(1, &[&[0, 32][..], &[0xab; 32]].concat());
        assert_eq!(joined(&other), present(&long), "nor does an output of another kind");
    }

    #[test]
    fn the_continuation_ends_at_an_output_of_another_kind() {
        let program = |byte: u8| [&[0, 20][..], &[byte; 20]].concat();
        let data = Built::op_return(&[&[vec![b'm'; 79], vec![b'^']].concat()]);
        let built = Built::default().pay(0, &data).pay(1, &program(b'a')).pay(1, &[0x51]).pay(1, &program(b'b'));
        assert_eq!(joined(&built), present(&[vec![b'm'; 79], vec![b'a'; 20]].concat()));
    }

    /// The script that the tests watch: a payment to a witness key hash, so that it could be taken for a program.
    const VAULT: &[u8] = &[0, 20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];
}
