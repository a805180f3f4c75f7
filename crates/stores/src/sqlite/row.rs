//! How payments become rows, and rows payments.

use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, EventSeq, EvidenceClaim, NearMiss, Observation, Slot, Spend,
    SpendKey, TxId,
};
use rusqlite::types::Type;
use rusqlite::{Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SqliteError;

/// Holds something that a block had to say, with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held<T> {
    /// Tells where it stands; to be passed as `after` for the next page.
    pub key: RowKey,
    /// Is what the block had to say.
    pub item: T,
    /// Says what became of it.
    pub state: RowState,
}

/// Tells where a row stands among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Numbers the event that applied the block.
    pub seq: EventSeq,
    /// Counts the rows of the same kind before it in the block's report.
    pub index: u32,
}

/// Says what became of a block's word.
///
/// Exhaustive on purpose: whoever acts on payments must handle each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// The block is final.
    Final {
        /// Numbers the event that made it so.
        by: EventSeq,
        /// Says why, as was claimed when it was stored.
        evidence: Box<EvidenceClaim>,
    },
    /// The block left the chain. The same transaction in another block is another row.
    Gone {
        /// Numbers the event that removed it.
        by: EventSeq,
    },
    /// The block is applied and waits for finality.
    Seen,
}

/// Says rows in which state are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateFilter {
    /// All rows.
    #[default]
    Any,
    /// Those of final blocks.
    Final,
    /// Those of blocks that left the chain.
    Gone,
    /// Those of applied blocks that wait for finality.
    Seen,
}

impl StateFilter {
    pub(super) fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Final => Some("final"),
            Self::Gone => Some("gone"),
            Self::Seen => Some("seen"),
        }
    }
}

/// Is stored in a table of its own, with the columns `seq`, `pos`, `state`, `changed`, `height`, `hash`, `slot` in front.
pub(super) trait Item: Sized {
    /// Names the table.
    const TABLE: &'static str;
    /// Names the columns that follow, each after a comma.
    const COLUMNS: &'static str;

    fn block(&self) -> &BlockPoint;

    /// Returns the values of [`Item::COLUMNS`].
    fn values(&self) -> Result<Vec<Box<dyn ToSql>>, SqliteError>;

    /// Reads the values of [`Item::COLUMNS`], the first of which is column `first` of `row`.
    fn read(row: &Row<'_>, first: usize, block: BlockPoint) -> rusqlite::Result<Self>;
}

impl Item for Observation {
    const TABLE: &'static str = "nw_observations";
    const COLUMNS: &'static str = ", txid, output, recipient, value, memo, sender, spends";

    fn block(&self) -> &BlockPoint {
        &self.block
    }

    fn values(&self) -> Result<Vec<Box<dyn ToSql>>, SqliteError> {
        Ok(vec![
            Box::new(self.txid.0.clone()),
            Box::new(self.output),
            Box::new(self.to.clone()),
            Box::new(self.value.0.to_string()),
            Box::new(self.memo.clone()),
            Box::new(self.sender.clone()),
            Box::new(json(&self.spends)?),
        ])
    }

    fn read(row: &Row<'_>, first: usize, block: BlockPoint) -> rusqlite::Result<Self> {
        Ok(Self {
            block,
            txid: TxId(row.get(first)?),
            output: row.get(first + 1)?,
            to: row.get(first + 2)?,
            value: amount(row, first + 3)?,
            memo: row.get(first + 4)?,
            sender: row.get(first + 5)?,
            spends: from_json(row, first + 6)?,
        })
    }
}

impl Item for NearMiss {
    const TABLE: &'static str = "nw_near_misses";
    const COLUMNS: &'static str = ", txid, output, recipient, value, memo, sender, spends, reason";

    fn block(&self) -> &BlockPoint {
        &self.observation.block
    }

    fn values(&self) -> Result<Vec<Box<dyn ToSql>>, SqliteError> {
        let mut values = self.observation.values()?;
        values.push(Box::new(word(&self.reason)?));
        Ok(values)
    }

    fn read(row: &Row<'_>, first: usize, block: BlockPoint) -> rusqlite::Result<Self> {
        let observation = Observation::read(row, first, block)?;
        Ok(Self { observation, reason: from_word(row, first + 7)? })
    }
}

impl Item for Spend {
    const TABLE: &'static str = "nw_spends";
    const COLUMNS: &'static str = ", spent, txid";

    fn block(&self) -> &BlockPoint {
        &self.block
    }

    fn values(&self) -> Result<Vec<Box<dyn ToSql>>, SqliteError> {
        Ok(vec![Box::new(self.key.0.clone()), Box::new(self.by.0.clone())])
    }

    fn read(row: &Row<'_>, first: usize, block: BlockPoint) -> rusqlite::Result<Self> {
        Ok(Self { block, key: SpendKey(row.get(first)?), by: TxId(row.get(first + 1)?) })
    }
}

/// Reads height and hash from two columns.
pub(super) fn block_id(row: &Row<'_>, first: usize) -> rusqlite::Result<BlockId> {
    Ok(BlockId { height: BlockHeight(row.get(first)?), hash: BlockHash(row.get(first + 1)?) })
}

/// Reads height, hash and slot from three columns.
pub(super) fn point(row: &Row<'_>, first: usize) -> rusqlite::Result<BlockPoint> {
    Ok(BlockPoint { id: block_id(row, first)?, slot: row.get::<_, Option<u64>>(first + 2)?.map(Slot) })
}

/// Reads decimal digits.
pub(super) fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Amount> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map(Amount).map_err(|error| unreadable(column, error))
}

/// Writes JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, SqliteError> {
    serde_json::to_string(value).map_err(|error| SqliteError::Unwritable(error.into()))
}

/// Reads JSON.
pub(super) fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| unreadable(column, error))
}

/// Writes a value that is a word as that word, and another as JSON.
pub(super) fn word(value: &impl Serialize) -> Result<String, SqliteError> {
    let json = json(value)?;
    let word = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok(word.map_or_else(|| json.clone(), str::to_owned))
}

/// Reads what [`word`] wrote.
pub(super) fn from_word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let json = if text.starts_with('{') { text.to_owned() } else { format!("\"{text}\"") };
    serde_json::from_str(&json).map_err(|error| unreadable(column, error))
}

pub(super) fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
