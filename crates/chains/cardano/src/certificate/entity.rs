//! What a certificate certifies: the signed entity and the point of the chain that it speaks of.

use core::fmt;

use nodewright_core::{BlockHeight, Epoch};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::units::ImmutableFileNumber;

/// Names what was signed. On the wire it is an object with one member: the tag, and a beacon of the tag's own shape.
///
/// A tag or a beacon that this version does not know becomes [`SignedEntity::Unknown`] and keeps its JSON: a newer
/// aggregator must not break an older reader. Never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedEntity {
    /// Blocks and transactions up to a block, without the last `offset` ones of the chain.
    CardanoBlocksTransactions {
        /// Holds the epoch in which it was signed.
        epoch: Epoch,
        /// Holds the last block signed.
        block: BlockHeight,
        /// Says how many blocks the signers stayed behind their tip.
        offset: u64,
    },
    /// The database of a node up to an immutable file.
    CardanoDatabase(DatabaseBeacon),
    /// The database as one archive: certified until 2026, retired since.
    CardanoImmutableFilesFull(DatabaseBeacon),
    /// The stake of all pools at the end of an epoch. It is signed one epoch later.
    CardanoStakeDistribution(Epoch),
    /// Transactions up to a block.
    CardanoTransactions {
        /// Holds the epoch in which it was signed.
        epoch: Epoch,
        /// Holds the last block signed.
        block: BlockHeight,
    },
    /// The signers and stake that will sign in the next epoch.
    MithrilStakeDistribution(Epoch),
    /// Anything else.
    Unknown(UnknownEntity),
}

impl SignedEntity {
    /// Returns which kind of entity this is.
    #[must_use]
    pub fn kind(&self) -> EntityKind {
        match self {
            Self::CardanoBlocksTransactions { .. } => EntityKind::CardanoBlocksTransactions,
            Self::CardanoDatabase(_) => EntityKind::CardanoDatabase,
            Self::CardanoImmutableFilesFull(_) => EntityKind::CardanoImmutableFilesFull,
            Self::CardanoStakeDistribution(_) => EntityKind::CardanoStakeDistribution,
            Self::CardanoTransactions { .. } => EntityKind::CardanoTransactions,
            Self::MithrilStakeDistribution(_) => EntityKind::MithrilStakeDistribution,
            Self::Unknown(_) => EntityKind::Unknown,
        }
    }

    /// Returns the tag on the wire; empty if the wire held no tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        match self {
            Self::Unknown(unknown) => unknown.tag(),
            known => known.kind().tag(),
        }
    }

    /// Returns the epoch that the beacon states; `None` for an unknown entity.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::CardanoBlocksTransactions { epoch, .. }
            | Self::CardanoStakeDistribution(epoch)
            | Self::CardanoTransactions { epoch, .. }
            | Self::MithrilStakeDistribution(epoch) => Some(*epoch),
            Self::CardanoDatabase(beacon) | Self::CardanoImmutableFilesFull(beacon) => Some(beacon.epoch),
            Self::Unknown(_) => None,
        }
    }

    /// Returns the epoch in which the entity is signed: the beacon's, or one later for a Cardano stake distribution.
    /// `None` for an unknown entity.
    #[must_use]
    pub fn signing_epoch(&self) -> Option<Epoch> {
        match self {
            Self::CardanoStakeDistribution(epoch) => epoch.0.checked_add(1).map(Epoch),
            other => other.epoch(),
        }
    }

    /// Returns the JSON form: an object with one member.
    fn to_json(&self) -> Value {
        let beacon = match self {
            Self::CardanoBlocksTransactions { epoch, block, offset } => json!([epoch.0, block.0, offset]),
            Self::CardanoDatabase(beacon) | Self::CardanoImmutableFilesFull(beacon) => beacon.to_json(),
            Self::CardanoStakeDistribution(epoch) | Self::MithrilStakeDistribution(epoch) => json!(epoch.0),
            Self::CardanoTransactions { epoch, block } => json!([epoch.0, block.0]),
            Self::Unknown(unknown) => return unknown.json.clone(),
        };
        json!({ self.tag(): beacon })
    }

    fn from_json(json: Value) -> Self {
        Self::known(&json).unwrap_or_else(|| Self::Unknown(UnknownEntity::new(json)))
    }

    fn known(json: &Value) -> Option<Self> {
        let mut members = json.as_object()?.iter();
        let (tag, beacon) = members.next()?;
        if members.next().is_some() {
            return None;
        }
        let numbers = |count: usize| {
            let list = beacon.as_array().filter(|list| list.len() == count)?;
            list.iter().map(Value::as_u64).collect::<Option<Vec<_>>>()
        };
        Some(match EntityKind::from_tag(tag) {
            EntityKind::CardanoBlocksTransactions => match *numbers(3)? {
                [epoch, block, offset] => {
                    Self::CardanoBlocksTransactions { epoch: Epoch(epoch), block: BlockHeight(block), offset }
                }
                _ => return None,
            },
            EntityKind::CardanoDatabase => Self::CardanoDatabase(DatabaseBeacon::from_json(beacon)?),
            EntityKind::CardanoImmutableFilesFull => {
                Self::CardanoImmutableFilesFull(DatabaseBeacon::from_json(beacon)?)
            }
            EntityKind::CardanoStakeDistribution => Self::CardanoStakeDistribution(Epoch(beacon.as_u64()?)),
            EntityKind::CardanoTransactions => match *numbers(2)? {
                [epoch, block] => Self::CardanoTransactions { epoch: Epoch(epoch), block: BlockHeight(block) },
                _ => return None,
            },
            EntityKind::MithrilStakeDistribution => Self::MithrilStakeDistribution(Epoch(beacon.as_u64()?)),
            EntityKind::Unknown => return None,
        })
    }
}

/// Prints the JSON form.
impl fmt::Display for SignedEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

impl Serialize for SignedEntity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SignedEntity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from_json)
    }
}

/// Names a kind of signed entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntityKind {
    /// See [`SignedEntity::CardanoBlocksTransactions`].
    CardanoBlocksTransactions,
    /// See [`SignedEntity::CardanoDatabase`].
    CardanoDatabase,
    /// See [`SignedEntity::CardanoImmutableFilesFull`].
    CardanoImmutableFilesFull,
    /// See [`SignedEntity::CardanoStakeDistribution`].
    CardanoStakeDistribution,
    /// See [`SignedEntity::CardanoTransactions`].
    CardanoTransactions,
    /// See [`SignedEntity::MithrilStakeDistribution`].
    MithrilStakeDistribution,
    /// See [`SignedEntity::Unknown`].
    Unknown,
}

impl EntityKind {
    /// Returns the kind that a tag names, as certificates and an aggregator's list of abilities state it.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        Self::KNOWN.into_iter().find(|kind| kind.tag() == tag).unwrap_or(Self::Unknown)
    }

    /// Returns the tag; empty for [`EntityKind::Unknown`].
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::CardanoBlocksTransactions => "CardanoBlocksTransactions",
            Self::CardanoDatabase => "CardanoDatabase",
            Self::CardanoImmutableFilesFull => "CardanoImmutableFilesFull",
            Self::CardanoStakeDistribution => "CardanoStakeDistribution",
            Self::CardanoTransactions => "CardanoTransactions",
            Self::MithrilStakeDistribution => "MithrilStakeDistribution",
            Self::Unknown => "",
        }
    }

    /// Lists every kind but [`EntityKind::Unknown`], in the order in which an aggregator works on them
    /// (`mithril-common` 0.8; the retired one last).
    pub const KNOWN: [Self; 6] = [
        Self::MithrilStakeDistribution,
        Self::CardanoStakeDistribution,
        Self::CardanoDatabase,
        Self::CardanoTransactions,
        Self::CardanoBlocksTransactions,
        Self::CardanoImmutableFilesFull,
    ];
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            known => known.tag(),
        })
    }
}

/// Names a state of a node's database: an epoch, and the last immutable files that it holds whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseBeacon {
    /// Names the network of Cardano. Stated until 2024, absent since.
    pub network: Option<String>,
    /// Holds the epoch.
    pub epoch: Epoch,
    /// Holds the number of the last immutable files included.
    pub immutable_file_number: ImmutableFileNumber,
}

impl DatabaseBeacon {
    /// Makes a beacon as it is written today, without a network.
    #[must_use]
    pub fn new(epoch: Epoch, immutable_file_number: ImmutableFileNumber) -> Self {
        Self { network: None, epoch, immutable_file_number }
    }

    fn to_json(&self) -> Value {
        let mut beacon = json!({ "epoch": self.epoch, "immutable_file_number": self.immutable_file_number });
        if let (Some(network), Some(members)) = (&self.network, beacon.as_object_mut()) {
            members.insert("network".to_owned(), json!(network));
        }
        beacon
    }

    fn from_json(json: &Value) -> Option<Self> {
        let network = match json.get("network") {
            None | Some(Value::Null) => None,
            Some(network) => Some(network.as_str()?.to_owned()),
        };
        let number = |name: &str| json.get(name).and_then(Value::as_u64);
        Some(Self {
            network,
            epoch: Epoch(number("epoch")?),
            immutable_file_number: ImmutableFileNumber(number("immutable_file_number")?),
        })
    }
}

impl Serialize for DatabaseBeacon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DatabaseBeacon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::from_json(&json).ok_or_else(|| serde::de::Error::custom("not a database beacon"))
    }
}

/// Holds an entity that this version does not know, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEntity {
    tag: String,
    json: Value,
}

impl UnknownEntity {
    /// Keeps a JSON value that names no known entity.
    pub(super) fn new(json: Value) -> Self {
        let tag = match &json {
            Value::Object(members) => members.keys().next().cloned().unwrap_or_default(),
            Value::String(tag) => tag.clone(),
            _ => String::new(),
        };
        Self { tag, json }
    }

    /// Returns the tag; empty if there was none. It is a known tag if the beacon had an unknown shape.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns the whole entity as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        self.json.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_entity_reads_and_prints_as_mithril_writes_it() {
        let beacon = DatabaseBeacon::new(Epoch(294), ImmutableFileNumber(5810));
        let old = DatabaseBeacon { network: Some("preprod".to_owned()), ..beacon.clone() };
        let cases = [
            (json!({"MithrilStakeDistribution": 17}), SignedEntity::MithrilStakeDistribution(Epoch(17))),
            (json!({"CardanoStakeDistribution": 22}), SignedEntity::CardanoStakeDistribution(Epoch(22))),
            (
                json!({"CardanoDatabase": {"epoch": 294, "immutable_file_number": 5810}}),
                SignedEntity::CardanoDatabase(beacon),
            ),
            (
                json!({"CardanoImmutableFilesFull": {"network": "preprod", "epoch": 294, "immutable_file_number": 5810}}),
                SignedEntity::CardanoImmutableFilesFull(old),
            ),
            (
                json!({"CardanoTransactions": [23, 689]}),
                SignedEntity::CardanoTransactions { epoch: Epoch(23), block: BlockHeight(689) },
            ),
            (
                json!({"CardanoBlocksTransactions": [23, 705, 1]}),
                SignedEntity::CardanoBlocksTransactions { epoch: Epoch(23), block: BlockHeight(705), offset: 1 },
            ),
        ];
        assert_eq!(cases.len(), EntityKind::KNOWN.len());
        for (json, entity) in cases {
            assert_eq!(serde_json::from_value::<SignedEntity>(json.clone()).unwrap(), entity);
            assert_eq!(serde_json::to_value(&entity).unwrap(), json);
            assert_eq!(EntityKind::from_tag(entity.tag()), entity.kind());
        }
    }

    #[test]
    fn what_is_not_known_is_kept_and_never_an_error() {
        for (json, tag) in [
            (json!({"LeiosBlocks": {"x": [1, 2]}}), "LeiosBlocks"),
            (json!({"CardanoTransactions": {"network": "preview", "epoch": 1}}), "CardanoTransactions"),
            (json!({"CardanoTransactions": [1, 2, 3]}), "CardanoTransactions"),
            (json!({"MithrilStakeDistribution": -1}), "MithrilStakeDistribution"),
            (json!({"CardanoDatabase": {"epoch": 1}}), "CardanoDatabase"),
            (json!("Word"), "Word"),
            (json!(null), ""),
            (json!({}), ""),
            (json!(7), ""),
        ] {
            let entity = serde_json::from_value::<SignedEntity>(json.clone()).unwrap();
            assert_eq!((entity.kind(), entity.tag(), entity.epoch()), (EntityKind::Unknown, tag, None));
            assert_eq!(serde_json::to_value(&entity).unwrap(), json);
        }
        let two = json!({"MithrilStakeDistribution": 1, "CardanoStakeDistribution": 1});
        assert_eq!(serde_json::from_value::<SignedEntity>(two).unwrap().kind(), EntityKind::Unknown);
    }

    #[test]
    fn a_stake_distribution_of_cardano_is_signed_one_epoch_later() {
        assert_eq!(SignedEntity::CardanoStakeDistribution(Epoch(22)).signing_epoch(), Some(Epoch(23)));
        assert_eq!(SignedEntity::CardanoStakeDistribution(Epoch(u64::MAX)).signing_epoch(), None);
        assert_eq!(SignedEntity::MithrilStakeDistribution(Epoch(22)).signing_epoch(), Some(Epoch(22)));
    }
}
