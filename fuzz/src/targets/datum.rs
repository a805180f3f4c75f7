//! The datum that carries era markers on chain: as CBOR, and as the JSON of Cardano's command line.

use nodewright_cardano::era::MarkersDatum;

use crate::plant::plant;

/// Takes the first byte of `data` as the form; the rest is the datum in it.
///
/// What is read writes back in either form to what reads the same.
pub fn datum(data: &[u8]) {
    let read = match data.split_first() {
        Some((0, cbor)) => MarkersDatum::from_cbor(cbor),
        Some((_, json)) => {
            let Ok(json) = core::str::from_utf8(json) else { return };
            MarkersDatum::from_cli_json(json)
        }
        None => return,
    };
    let Ok(datum) = read else { return };
    assert_eq!(MarkersDatum::from_cbor(&datum.to_cbor()).as_ref(), Ok(&datum), "comes back as CBOR");
    assert_eq!(MarkersDatum::from_cli_json(&datum.to_cli_json()).as_ref(), Ok(&datum), "comes back as JSON");
    let payload = datum.payload();
    let high = |index: usize| payload.get(index).is_some_and(|byte| *byte > 0x7f);
    plant!(high(0), high(1), high(2));
}
