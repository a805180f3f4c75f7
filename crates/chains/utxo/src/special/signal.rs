//! Hard-fork signals of masternodes (DIP-23).

use crate::bytes::{ParseError, Reader};

/// Says that enough masternodes are ready for a hard fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MnHfSignal {
    /// The payload's version, 1.
    pub version: u8,
    /// The version bit of the fork.
    pub version_bit: u8,
    /// The quorum that signed, in wire order.
    pub quorum_hash: [u8; 32],
    /// Its signature (BLS, G2, compressed).
    pub signature: [u8; 96],
}

impl MnHfSignal {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = reader.u8()?;
        if version != 1 {
            return Err(ParseError::Unsupported { what: "hard-fork signal version", value: version.into(), at: 0 });
        }
        let version_bit = reader.u8()?;
        let quorum_hash = reader.array()?;
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { version, version_bit, quorum_hash, signature })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn reads_a_signal_and_nothing_shorter_or_longer() {
        let bytes = [&[1, 11][..], &[3; 32], &[4; 96]].concat();
        let signal = MnHfSignal::parse(&bytes).unwrap();
        assert_eq!(signal, MnHfSignal { version: 1, version_bit: 11, quorum_hash: [3; 32], signature: [4; 96] });
        for len in 0..bytes.len() {
            assert!(matches!(MnHfSignal::parse(&bytes[..len]), Err(ParseError::Truncated { .. })), "{len} bytes");
        }
        assert!(matches!(
            MnHfSignal::parse(&[bytes.as_slice(), &[0]].concat()),
            Err(ParseError::TrailingBytes { at: 130, len: 1 })
        ));
        assert!(matches!(MnHfSignal::parse(&[2; 130]), Err(ParseError::Unsupported { value: 2, .. })));
    }
}
