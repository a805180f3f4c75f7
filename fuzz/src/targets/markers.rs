//! Mithril's era markers: lists, signed payloads, and the parameters of the adapters that read them.

use nodewright_cardano::era::{EraAdapterConfig, Markers, MarkersPayload};
use nodewright_core::Epoch;

use crate::plant::plant;

/// Takes the first byte of `data` as the form; the rest is its JSON.
///
/// A list writes back to what reads the same, and both views of it answer at any epoch.
pub fn markers(data: &[u8]) {
    let Some((&form, json)) = data.split_first() else { return };
    match form {
        0 => {
            let Ok(markers) = Markers::parse(json) else { return };
            list(&markers);
        }
        1 => {
            let Ok(payload) = MarkersPayload::parse(json) else { return };
            list(payload.unverified());
        }
        form => {
            let Ok(params) = core::str::from_utf8(json) else { return };
            let kinds = ["bootstrap", "cardano-chain", "dummy", "file"];
            drop(EraAdapterConfig::parse(kinds[usize::from(form) % kinds.len()], Some(params)));
        }
    }
}

fn list(markers: &Markers) {
    assert_eq!(Markers::parse(markers.to_json().as_bytes()).as_ref(), Ok(markers), "comes back");
    let epochs: Vec<_> = markers.as_slice().iter().filter_map(|marker| marker.epoch).collect();
    let over = |epoch: u64| epochs.iter().any(|Epoch(found)| *found > epoch);
    plant!(over(9), over(99), over(999), over(9_999));
    for epoch in [0, 1, 100, u64::MAX].map(Epoch) {
        let current = markers.current(epoch).and_then(|marker| marker.epoch);
        assert!(current.is_none_or(|begun| begun <= epoch), "an era holds that has not begun");
        assert!(markers.upstream(epoch).is_none_or(|view| markers.as_slice().contains(view.current)));
    }
    drop(markers.schedule());
}
