//! Reads the JSON of `cardano-cli query tip` and `cardano-cli query utxo`.

use std::collections::BTreeMap;

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, Epoch, Slot};
use serde::Deserialize;

use super::{Address, AddressDatums, ChainTip, LedgerEra, NodeError, NodeStep, OutputRef, RawDatum, UtxoDatum};

/// Reads the answer of `cardano-cli query tip`.
///
/// # Errors
/// [`NodeError::Malformed`] when it is not the JSON of a tip, or names an era that this build does not know.
pub fn parse_tip(json: &[u8]) -> Result<ChainTip, NodeError> {
    let step = NodeStep::Point;
    let malformed = |what: String| NodeError::Malformed { step, what };
    let tip: TipJson = serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
    let era = LedgerEra::from_name(&tip.era).ok_or_else(|| malformed(format!("unknown era {:?}", tip.era)))?;
    let block = match (tip.block, tip.hash, tip.slot) {
        (Some(height), Some(hash), Some(slot)) => {
            let hash = BlockHash::from_hex(&hash).map_err(|error| malformed(error.to_string()))?;
            let id = BlockId { height: BlockHeight(height), hash };
            Some(BlockPoint { id, slot: Some(Slot(slot)) })
        }
        (None, None, _) => None,
        _ => return Err(malformed("a block without height, hash or slot".to_owned())),
    };
    Ok(ChainTip { block, epoch: Epoch(tip.epoch), era })
}

/// Reads the answer of `cardano-cli query utxo --output-json` for `address`, to which `tip` belongs.
///
/// # Errors
/// [`NodeError::Malformed`] when it is not the JSON of outputs, or holds one at another address.
pub fn parse_utxo(json: &[u8], address: &Address, tip: ChainTip) -> Result<AddressDatums, NodeError> {
    let step = NodeStep::Utxo;
    let malformed = |what: String| NodeError::Malformed { step, what };
    let outputs: BTreeMap<String, OutputJson> =
        serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
    let mut answer = AddressDatums { tip, datums: Vec::new(), without_datum: 0 };
    for (name, output) in outputs {
        if output.address != address.as_str() {
            return Err(malformed(format!("{name} is at another address")));
        }
        let datum = match (output.raw, output.datum) {
            (Some(raw), _) => RawDatum::Cbor(hex::decode(raw).map_err(|error| malformed(error.to_string()))?),
            (None, Some(datum)) => RawDatum::Json(datum.to_string()),
            (None, None) => {
                answer.without_datum += 1;
                continue;
            }
        };
        let output = parse_output_ref(&name).ok_or_else(|| malformed(format!("{name:?} names no output")))?;
        answer.datums.push(UtxoDatum { output, datum });
    }
    answer.datums.sort_by_key(|datum| datum.output);
    Ok(answer)
}

fn parse_output_ref(name: &str) -> Option<OutputRef> {
    let (tx, index) = name.split_once('#')?;
    Some(OutputRef { tx: BlockHash::from_hex(tx).ok()?.0, index: index.parse().ok()? })
}

#[derive(Deserialize)]
struct TipJson {
    era: String,
    epoch: u64,
    block: Option<u64>,
    hash: Option<String>,
    slot: Option<u64>,
}

#[derive(Deserialize)]
struct OutputJson {
    address: String,
    #[serde(rename = "inlineDatum")]
    datum: Option<serde_json::Value>,
    /// Is the datum's CBOR, which later versions of the program add.
    #[serde(rename = "inlineDatumRaw")]
    raw: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::AddressNetwork;

    /// Has the shape that version 10 of the program prints on a testnet.
    const TIP: &str = r#"{"block":1270276,"epoch":299,"era":"Conway","hash":"7383b17d7b05b0953cf0649abff60173995eb9febe556889333e20e1e5b7ca84",
        "slot":25886617,"slotInEpoch":53017,"slotsToEpochEnd":33383,"syncProgress":"100.00"}"#;

    fn address() -> Address {
        Address::enterprise(AddressNetwork::Testnet, [1; 28])
    }

    fn utxo(outputs: &str) -> Result<AddressDatums, NodeError> {
        parse_utxo(outputs.replace("ADDRESS", address().as_str()).as_bytes(), &address(), parse_tip(TIP.as_bytes())?)
    }

    #[test]
    fn a_tip_is_read_and_one_before_the_first_block_has_none() {
        let tip = parse_tip(TIP.as_bytes()).unwrap();
        let block = tip.block.unwrap();
        assert_eq!((tip.epoch, tip.era, block.id.height), (Epoch(299), LedgerEra::Conway, BlockHeight(1_270_276)));
        assert_eq!((block.slot, &block.id.hash.to_hex()[..8]), (Some(Slot(25_886_617)), "7383b17d"));
        assert_eq!(parse_tip(br#"{"epoch":0,"era":"Byron"}"#).unwrap().block, None);
    }

    #[test]
    fn a_tip_with_an_unknown_era_or_half_a_block_is_malformed() {
        for json in ["", "[]", r#"{"epoch":0,"era":"Thales"}"#, r#"{"epoch":0,"era":"Byron","block":5}"#] {
            assert!(matches!(parse_tip(json.as_bytes()), Err(NodeError::Malformed { .. })), "{json}");
        }
    }

    #[test]
    fn inline_datums_come_in_the_order_of_their_outputs_and_others_are_counted() {
        let tx = "11".repeat(32);
        let json = format!(
            r#"{{"{tx}#10":{{"address":"ADDRESS","inlineDatum":{{"constructor":0,"fields":[]}}}},
                "{tx}#2":{{"address":"ADDRESS","inlineDatum":{{"int":1}},"inlineDatumRaw":"01"}},
                "{tx}#3":{{"address":"ADDRESS","inlineDatum":null,"datumhash":"aa"}}}}"#
        );
        let answer = utxo(&json).unwrap();
        let indexes: Vec<_> = answer.datums.iter().map(|datum| datum.output.index).collect();
        assert_eq!((indexes, answer.without_datum), (vec![2, 10], 1));
        assert_eq!(answer.datums[0].datum, RawDatum::Cbor(vec![1]));
        assert_eq!(answer.datums[1].datum, RawDatum::Json(r#"{"constructor":0,"fields":[]}"#.to_owned()));
    }

    #[test]
    fn an_output_at_another_address_or_with_a_broken_name_is_malformed() {
        let datum = r#""inlineDatum":{"int":1}"#;
        for json in [
            format!(r#"{{"{}#0":{{"address":"addr1other",{datum}}}}}"#, "11".repeat(32)),
            format!(r#"{{"11#0":{{"address":"ADDRESS",{datum}}}}}"#),
            format!(r#"{{"{}":{{"address":"ADDRESS",{datum}}}}}"#, "11".repeat(32)),
        ] {
            assert!(matches!(utxo(&json), Err(NodeError::Malformed { .. })), "{json}");
        }
    }
}
