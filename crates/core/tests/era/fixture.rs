//! Short forms for markers and positions.

use nodewright_core::{
    Activation, BlockHash, BlockHeight, BlockTime, ChainId, ChainPosition, Epoch, EraChecker, EraId, EraMarker,
    EraSchedule, NetworkId, ProtocolVersion, Scope, SupportedEras,
};

pub(crate) fn era(name: &str) -> EraId {
    EraId::try_new(name).unwrap()
}

pub(crate) fn eras(names: &[&str]) -> SupportedEras {
    SupportedEras::try_new(names.iter().map(|name| era(name))).unwrap()
}

pub(crate) fn marker(name: &str, activation: Activation) -> EraMarker {
    EraMarker::new(era(name), activation)
}

/// Makes a schedule by epochs; `None` is an era without a date.
pub(crate) fn by_epoch(markers: &[(&str, Option<u64>)]) -> EraSchedule {
    let activation = |epoch: Option<u64>| epoch.map_or(Activation::Unscheduled, |it| Activation::Epoch(Epoch(it)));
    EraSchedule::try_new(markers.iter().map(|(name, epoch)| marker(name, activation(*epoch)))).unwrap()
}

/// Stands at the first block of `epoch`; an epoch has 10 blocks.
pub(crate) fn epoch(epoch: u64) -> ChainPosition {
    ChainPosition { epoch: Some(Epoch(epoch)), ..ChainPosition::at(BlockHeight(10 * epoch)) }
}

/// Stands on every axis at once.
pub(crate) fn everywhere(height: u64, epoch: u64, time: u64, protocol: u64) -> ChainPosition {
    ChainPosition {
        epoch: Some(Epoch(epoch)),
        time: Some(BlockTime(time)),
        protocol: Some(ProtocolVersion::from(protocol)),
        ..ChainPosition::at(BlockHeight(height))
    }
}

pub(crate) fn scope(genesis: u8) -> Scope {
    let network = NetworkId { name: "test".to_owned(), genesis: BlockHash([genesis; 32]) };
    Scope { chain: ChainId::new("test"), network, shard: None }
}

pub(crate) fn checker(supported: &[&str]) -> EraChecker {
    EraChecker::new(scope(1), eras(supported))
}
