//! Masternode lists: from an anchored block to the quorums whose signatures count.
//!
//! Every coinbase since DIP-4 commits to two merkle roots, one over the masternodes and one over
//! the active quorums. So whoever believes one block believes both lists:
//!
//! 1. [`CertifiedHeader`]: a header that an operator's checkpoint names, or that is locked or
//!    followed by a locked block. Its id is hashed here.
//! 2. [`MnListDiff`]: what a node answers to `getmnlistd` or `protx diff`. It proves its coinbase
//!    in the header's merkle root, and leads from a [`MasternodeList`] to the next.
//! 3. [`VerifiedList`]: the result, whose roots are the coinbase's. Its
//!    [`quorum_set`](VerifiedList::quorum_set) has the header's trust.
//!
//! A ChainLock verified with that set certifies later headers, and so the next list: one
//! checkpoint is enough for good.

mod certified;
mod commitment;
mod diff;
mod entry;
mod error;
mod json;
mod list;
mod verified;

pub use self::certified::{CertifiedHeader, HeaderError};
pub use self::commitment::{Commitment, Members, Scheme};
pub use self::diff::{MnListDiff, QuorumLock};
pub use self::entry::{MasternodeDetails, MasternodeEntry};
pub use self::error::{DiffTextError, MnListError};
pub use self::json::ProtxDiff;
pub use self::list::MasternodeList;
pub use self::verified::{CommitmentCount, VerifiedList};

/// Appends a number in the shortest of Bitcoin's four forms.
pub(crate) fn write_compact_size(out: &mut Vec<u8>, number: usize) {
    if let Ok(small @ 0..=0xfc) = u8::try_from(number) {
        out.push(small);
    } else if let Ok(short) = u16::try_from(number) {
        out.push(0xfd);
        out.extend_from_slice(&short.to_le_bytes());
    } else if let Ok(long) = u32::try_from(number) {
        out.push(0xfe);
        out.extend_from_slice(&long.to_le_bytes());
    } else {
        out.push(0xff);
        out.extend_from_slice(&u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use nodewright_utxo::bytes::Reader;

    use super::write_compact_size;

    #[test]
    fn numbers_are_read_back_from_their_shortest_form() {
        let cases = [(0, 1), (252, 1), (253, 3), (65_535, 3), (65_536, 5), (usize::MAX, 9)];
        for (number, len) in cases {
            let mut bytes = Vec::new();
            write_compact_size(&mut bytes, number);
            assert_eq!(bytes.len(), len);
            let read = Reader::new(&bytes).compact_u64().unwrap();
            assert_eq!(usize::try_from(read), Ok(number));
        }
    }
}
