//! The cursor under every binary parser: any sequence of reads stays inside its bytes.

use nodewright_utxo::bytes::Reader;

use crate::plant::plant;

/// Takes the first byte of `data` as the length of a script of reads, and runs the script over what follows it.
///
/// A read that succeeds consumed just what it returns, a read that fails moved nothing, and a count that a caller
/// would reserve memory by is never above what the rest can hold.
pub fn bytes(data: &[u8]) {
    let Some((&len, rest)) = data.split_first() else { return };
    let Some((script, input)) = rest.split_at_checked(len.into()) else { return };
    let mut reader = Reader::new(input);
    let mut last_number = 0;
    for &step in script {
        let before = reader;
        let bound = usize::from(step);
        let read = match step % 13 {
            0 => reader.u8().map(|_| Some(1)),
            1 => reader.u16().map(|_| Some(2)),
            2 => reader.u16_be().map(|_| Some(2)),
            3 => reader.u32().map(|_| Some(4)),
            4 => reader.u64().map(|_| Some(8)),
            5 => reader.array::<32>().map(|_| Some(32)),
            6 => reader.take(bound).map(|taken| Some(taken.len())),
            7 => reader.bool("flag").map(|_| Some(1)),
            8 => reader.compact_u64().map(|number| {
                let [a, b, c, ..] = number.to_le_bytes();
                plant!(c == 2, a == 0x40, b == 0x10);
                last_number = number;
                None
            }),
            9 => reader.compact_size("size", bound).map(|size| {
                assert!(size <= bound, "a size is within its bound");
                None
            }),
            10 => reader.count("items", bound).map(|count| {
                assert!(count * bound <= reader.remaining(), "the rest can hold that many items");
                None
            }),
            11 => reader.var_bytes().map(|_| None),
            _ => reader.dyn_bitset("bits", bound).map(|bits| {
                assert!(bits.len() <= bound && bits.iter().count() == bits.len());
                None
            }),
        };
        match read {
            Ok(Some(taken)) => assert_eq!(before.remaining(), reader.remaining() + taken, "takes what it returns"),
            Ok(None) => assert!(reader.remaining() < before.remaining(), "a length is at least one byte"),
            Err(_) => assert_eq!(before, reader, "a failed read moves nothing"),
        }
        assert_eq!(reader.position() + reader.remaining(), input.len());
        assert_eq!(reader.since(&before).len(), before.remaining() - reader.remaining());
    }
}
