//! Reads a node's answers from CBOR. Nothing is allocated by a length that the answer states.

use core::num::NonZeroU64;

use chrono::NaiveDate;
use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, Epoch, Slot};
use pallas_codec::minicbor::Decoder;
use pallas_codec::minicbor::data::{Tag, Type};
use pallas_codec::minicbor::decode::Error as CborError;

use crate::node::{Address, HandshakeRefusal, LedgerEra, NodeError, NodeStep, OutputRef, RawDatum, UtxoDatum};

/// Holds the outputs at an address, as far as they are of interest.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) datums: Vec<UtxoDatum>,
    pub(super) without_datum: usize,
}

/// Holds the genesis parameters that are of interest.
#[derive(Debug)]
pub(super) struct Genesis {
    pub(super) slots_per_kes_period: NonZeroU64,
    pub(super) max_kes_evolutions: u64,
}

/// Reads the answer to a proposal of versions.
pub(super) fn handshake(bytes: &[u8]) -> Result<(), NodeError> {
    let refusal = read(NodeStep::Handshake, bytes, |decoder| {
        decoder.array()?;
        match decoder.u16()? {
            // The version and the data that were agreed on: they are of those that were proposed.
            1 => {
                decoder.u64()?;
                decoder.skip()?;
                Ok(None)
            }
            2 => {
                decoder.array()?;
                refusal(decoder).map(Some)
            }
            _ => Err(CborError::message("neither accepted nor refused")),
        }
    })?;
    refusal.map_or(Ok(()), |refusal| Err(NodeError::Handshake(refusal)))
}

/// Reads the answer to the wish to open the ledger's state.
pub(super) fn acquired(bytes: &[u8]) -> Result<(), NodeError> {
    let refused = read(NodeStep::Acquire, bytes, |decoder| {
        decoder.array()?;
        match decoder.u16()? {
            1 => Ok(None),
            2 => decoder.u64().map(Some),
            _ => Err(CborError::message("neither opened nor refused")),
        }
    })?;
    refused.map_or(Ok(()), |code| Err(NodeError::Acquire { code }))
}

/// Takes the result out of the message that carries it.
pub(super) fn result(step: NodeStep, bytes: &[u8]) -> Result<Vec<u8>, NodeError> {
    read(step, bytes, |decoder| {
        decoder.array()?;
        if decoder.u16()? != 4 {
            return Err(CborError::message("not a result"));
        }
        let start = decoder.position();
        decoder.skip()?;
        Ok(bytes.get(start..decoder.position()).unwrap_or_default().to_vec())
    })
}

/// Reads the ledger's era.
pub(super) fn era(bytes: &[u8]) -> Result<LedgerEra, NodeError> {
    read(NodeStep::Era, bytes, |decoder| decoder.u16().map(LedgerEra::from_index))
}

/// Reads the tip from its point, `[]` or `[slot, hash]`, and its height, `[0]` or `[1, height]`.
pub(super) fn block(point: &[u8], height: &[u8]) -> Result<Option<BlockPoint>, NodeError> {
    let point = read(NodeStep::Point, point, |decoder| match decoder.array()? {
        Some(0) => Ok(None),
        Some(2) => Ok(Some((Slot(decoder.u64()?), hash(decoder)?))),
        _ => Err(CborError::message("not a point")),
    })?;
    let height = read(NodeStep::Height, height, |decoder| match (decoder.array()?, decoder.u16()?) {
        (Some(1), 0) => Ok(None),
        (Some(2), 1) => decoder.u64().map(|height| Some(BlockHeight(height))),
        _ => Err(CborError::message("not a height")),
    })?;
    match (point, height) {
        (None, None) => Ok(None),
        (Some((slot, hash)), Some(height)) => {
            Ok(Some(BlockPoint { id: BlockId { height, hash: BlockHash(hash) }, slot: Some(slot) }))
        }
        _ => Err(NodeError::Malformed { step: NodeStep::Height, what: "height and point contradict".to_owned() }),
    }
}

/// Reads when slot 0 began: the year, the day in it from 1, and the picoseconds of that day, of which whole seconds count.
pub(super) fn system_start(bytes: &[u8]) -> Result<BlockTime, NodeError> {
    read(NodeStep::SystemStart, bytes, |decoder| {
        decoder.array()?;
        let (year, day, picoseconds) = (decoder.i32()?, decoder.u32()?, decoder.u64()?);
        let midnight = NaiveDate::from_yo_opt(year, day).and_then(|date| date.and_hms_opt(0, 0, 0));
        let midnight = midnight.and_then(|midnight| u64::try_from(midnight.and_utc().timestamp()).ok());
        let midnight = midnight.ok_or_else(|| CborError::message("not a day since 1970"))?;
        Ok(BlockTime(midnight.saturating_add(picoseconds / 1_000_000_000_000)))
    })
}

/// Reads the epoch.
pub(super) fn epoch(bytes: &[u8], asked: LedgerEra) -> Result<Epoch, NodeError> {
    in_era(NodeStep::Epoch, bytes, asked, |decoder| decoder.u64().map(Epoch))
}

/// Reads the genesis parameters: an array in the order of the Shelley genesis, of which only two are kept.
pub(super) fn genesis(bytes: &[u8], asked: LedgerEra) -> Result<Genesis, NodeError> {
    in_era(NodeStep::Genesis, bytes, asked, |decoder| {
        decoder.array()?;
        // The start of the system, magic, network id, active slots, security parameter, length of an epoch.
        for _ in 0..6 {
            decoder.skip()?;
        }
        let slots = NonZeroU64::new(decoder.u64()?);
        let slots_per_kes_period = slots.ok_or_else(|| CborError::message("a KES period without slots"))?;
        Ok(Genesis { slots_per_kes_period, max_kes_evolutions: decoder.u64()? })
    })
}

/// Reads a map of outputs. An output at another address than the one that was asked about makes the answer malformed.
pub(super) fn outputs(bytes: &[u8], asked: LedgerEra, address: &Address) -> Result<Outputs, NodeError> {
    in_era(NodeStep::Utxo, bytes, asked, |decoder| {
        let mut outputs = Outputs { datums: Vec::new(), without_datum: 0 };
        each(decoder.map()?, decoder, |decoder| {
            let output = output_ref(decoder)?;
            match output_datum(decoder, address)? {
                Some(datum) => outputs.datums.push(UtxoDatum { output, datum: RawDatum::Cbor(datum) }),
                None => outputs.without_datum = outputs.without_datum.saturating_add(1),
            }
            Ok(())
        })?;
        outputs.datums.sort_by_key(|datum| datum.output);
        Ok(outputs)
    })
}

fn refusal(decoder: &mut Decoder<'_>) -> Result<HandshakeRefusal, CborError> {
    let kind = decoder.u16()?;
    if kind == 0 {
        let mut node = Vec::new();
        each(decoder.array()?, decoder, |decoder| decoder.u64().map(|version| node.push(version)))?;
        return Ok(HandshakeRefusal::NoCommonVersion { node });
    }
    let version = decoder.u64()?;
    let reason = decoder.str()?.chars().filter(|char| !char.is_control()).take(MAX_REASON).collect();
    match kind {
        1 => Ok(HandshakeRefusal::Decode { version, reason }),
        2 => Ok(HandshakeRefusal::Refused { version, reason }),
        _ => Err(CborError::message("unknown kind of refusal")),
    }
}

/// Reads the answer to a query that named an era: `[answer]`, or two parts when the ledger is in another era.
fn in_era<T>(
    step: NodeStep,
    bytes: &[u8],
    asked: LedgerEra,
    inner: impl FnOnce(&mut Decoder<'_>) -> Result<T, CborError>,
) -> Result<T, NodeError> {
    let answer = read(step, bytes, |decoder| match decoder.array()? {
        Some(1) => inner(decoder).map(Some),
        Some(2) => Ok(None),
        _ => Err(CborError::message("neither an answer nor a mismatch of eras")),
    })?;
    answer.ok_or(NodeError::EraMismatch { asked })
}

fn output_ref(decoder: &mut Decoder<'_>) -> Result<OutputRef, CborError> {
    match decoder.array()? {
        Some(2) => Ok(OutputRef { tx: hash(decoder)?, index: decoder.u32()? }),
        _ => Err(CborError::message("not a reference to an output")),
    }
}

/// Reads an output and returns its inline datum. Outputs before Babbage are arrays and have none.
fn output_datum(decoder: &mut Decoder<'_>, asked: &Address) -> Result<Option<Vec<u8>>, CborError> {
    if decoder.datatype()? != Type::Map && decoder.datatype()? != Type::MapIndef {
        let parts = decoder.array()?.ok_or_else(|| CborError::message("an output of no stated length"))?;
        check_address(decoder, asked)?;
        for _ in 1..parts {
            decoder.skip()?;
        }
        return Ok(None);
    }
    let mut datum = None;
    each(decoder.map()?, decoder, |decoder| match decoder.u16()? {
        0 => check_address(decoder, asked),
        2 => {
            datum = datum_option(decoder)?;
            Ok(())
        }
        _ => decoder.skip(),
    })?;
    Ok(datum)
}

/// Reads `[0, hash]` or `[1, 24(bytes)]`.
fn datum_option(decoder: &mut Decoder<'_>) -> Result<Option<Vec<u8>>, CborError> {
    decoder.array()?;
    match decoder.u16()? {
        0 => decoder.skip().map(|()| None),
        1 if decoder.tag()? == Tag::new(ENCODED_CBOR) => {
            let mut bytes = Vec::new();
            for part in decoder.bytes_iter()? {
                bytes.extend_from_slice(part?);
            }
            Ok(Some(bytes))
        }
        _ => Err(CborError::message("neither a datum nor its hash")),
    }
}

fn check_address(decoder: &mut Decoder<'_>, asked: &Address) -> Result<(), CborError> {
    if decoder.bytes()? == asked.as_bytes() { Ok(()) } else { Err(CborError::message("an output at another address")) }
}

fn hash(decoder: &mut Decoder<'_>) -> Result<[u8; 32], CborError> {
    decoder.bytes()?.try_into().map_err(|_| CborError::message("a hash has 32 bytes"))
}

/// Calls `item` as often as the container has items, up to the break if it states no number.
fn each(
    count: Option<u64>,
    decoder: &mut Decoder<'_>,
    mut item: impl FnMut(&mut Decoder<'_>) -> Result<(), CborError>,
) -> Result<(), CborError> {
    let mut left = count;
    loop {
        match left {
            Some(0) => return Ok(()),
            Some(many) => left = Some(many - 1),
            None if decoder.datatype()? == Type::Break => return decoder.skip(),
            None => {}
        }
        item(decoder)?;
    }
}

fn read<T>(
    step: NodeStep,
    bytes: &[u8],
    inner: impl FnOnce(&mut Decoder<'_>) -> Result<T, CborError>,
) -> Result<T, NodeError> {
    let mut decoder = Decoder::new(bytes);
    inner(&mut decoder).map_err(|error| NodeError::Malformed { step, what: error.to_string() })
}

/// Tags bytes that hold an item of CBOR (RFC 8949, section 3.4.5.1).
const ENCODED_CBOR: u64 = 24;

/// Is the greatest number of characters kept of a node's reason.
const MAX_REASON: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::AddressNetwork;

    fn address() -> Address {
        Address::enterprise(AddressNetwork::Testnet, [1; 28])
    }

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text.replace("ADDRESS", &format!("581d{}", hex::encode(address().as_bytes())))).unwrap()
    }

    /// Three outputs, the last first: one with a script, a short one, and one as before Babbage.
    const OUTPUTS: &str = concat!(
        "81bf",
        "8258200202020202020202020202020202020202020202020202020202020202020202190100",
        "bf00ADDRESS018201a0028201d8185f41ff4101ff03d81843820143ff",
        "82582002020202020202020202020202020202020202020202020202020202020202020a",
        "a200ADDRESS028201d8184107",
        "825820010101010101010101010101010101010101010101010101010101010101010100",
        "83ADDRESS01f6",
        "ff",
    );

    #[test]
    fn outputs_of_any_length_form_and_era_are_read() {
        let read = outputs(&bytes(OUTPUTS), LedgerEra::Conway, &address()).unwrap();
        assert_eq!((read.datums.len(), read.without_datum), (2, 1));
        let names = [10, 256].map(|index| OutputRef { tx: [2; 32], index });
        assert_eq!([read.datums[0].output, read.datums[1].output], names);
        assert_eq!(read.datums[1].datum, RawDatum::Cbor(vec![0xff, 0x01]));
    }

    #[test]
    fn an_output_at_another_address_makes_the_answer_malformed() {
        let other = Address::enterprise(AddressNetwork::Testnet, [2; 28]);
        let error = outputs(&bytes(OUTPUTS), LedgerEra::Conway, &other).unwrap_err();
        assert!(matches!(error, NodeError::Malformed { step: NodeStep::Utxo, .. }));
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused_before_anything_is_allocated() {
        for text in ["81bb7fffffffffffffff", "819b7fffffffffffffff", "81a182", "81a1825b7fffffffffffffff"] {
            assert!(outputs(&bytes(text), LedgerEra::Conway, &address()).is_err(), "{text}");
        }
        assert!(handshake(&bytes("82028200")).is_err());
        assert!(handshake(&bytes("820282009b7fffffffffffffff")).is_err());
    }

    #[test]
    fn a_tip_is_a_point_with_a_height_or_neither() {
        let point = bytes(&format!("8218585820{}", "07".repeat(32)));
        let read = block(&point, &bytes("820105")).unwrap().unwrap();
        assert_eq!((read.slot, read.id.height), (Some(Slot(0x58)), BlockHeight(5)));
        assert_eq!(block(&bytes("80"), &bytes("8100")), Ok(None));
        assert!(block(&bytes("80"), &bytes("820105")).is_err());
        assert!(block(&point, &bytes("8100")).is_err());
    }

    #[test]
    fn each_refusal_of_a_handshake_is_read() {
        let refused = |text: &str| match handshake(&bytes(text)) {
            Err(NodeError::Handshake(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(handshake(&bytes("83010a182a")), Ok(()));
        assert_eq!(refused("82028200820a0b"), HandshakeRefusal::NoCommonVersion { node: vec![10, 11] });
        let reason = "no".to_owned();
        let decode = HandshakeRefusal::Decode { version: 10, reason: reason.clone() };
        assert_eq!(refused("820283010a626e6f"), decode);
        assert_eq!(refused("820283020a626e6f"), HandshakeRefusal::Refused { version: 10, reason });
    }

    #[test]
    fn noise_does_no_harm() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..20_000 {
            let mut noise = bytes(OUTPUTS);
            for _ in 0..random.usize(1..4) {
                let place = random.usize(..noise.len());
                noise[place] = random.u8(..);
            }
            noise.truncate(random.usize(..=noise.len()));
            let era = LedgerEra::Conway;
            let read = outputs(&noise, era, &address());
            assert!(read.is_err() || read.is_ok_and(|read| read.datums.len() + read.without_datum <= noise.len()));
            drop((genesis(&noise, era), epoch(&noise, era), handshake(&noise), acquired(&noise)));
            drop((result(NodeStep::Utxo, &noise), block(&noise, &noise)));
        }
    }
}
