//! Stake and file numbers: each its own type, so that one cannot be passed for another.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Counts the stake of a pool or of all signers, in lovelace (a millionth of an ada).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stake(pub u64);

impl fmt::Display for Stake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Numbers a trio of immutable files of a node's database, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImmutableFileNumber(pub u64);

impl fmt::Display for ImmutableFileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
