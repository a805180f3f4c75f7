//! API versions: what a node speaks, what this build speaks, and what the two can do together.
//!
//! A chain crate states what it speaks as [`ApiRanges`] and asks the node by an [`ApiProbe`]; [`negotiate`] compares the
//! two and returns an [`Agreement`]. A server that names no version ahead is met with a [`TryList`], and each of its
//! answers is judged by [`VersionVerdict`]. All of it is pure; only a probe performs I/O.
//!
//! - `name`: the words for APIs, methods, abilities and kinds of node;
//! - `offer`: what one node says of itself, and the trait that asks it;
//! - `rule`, `ranges`: what this build speaks;
//! - `negotiate`, `agreement`: what both can do together;
//! - `try_list`, `verdict`: finding a common version call by call;
//! - `versioned`: messages and stored values that have several formats.

mod agreement;
mod name;
mod negotiate;
mod offer;
mod ranges;
mod rule;
mod try_list;
mod verdict;
mod versioned;

pub use self::agreement::{AgreedApi, Agreement, Lack, MissingAbility, Terms, Unseen};
pub use self::name::{AbilityName, ApiName, ClientKind, MethodName};
pub use self::negotiate::{Listed, NegotiateError, Subject, negotiate};
pub use self::offer::{ApiProbe, Client, NodeOffer};
pub use self::ranges::{ApiRanges, Silence};
pub use self::rule::VersionRule;
pub use self::try_list::{Attempt, Exhausted, TryList};
pub use self::verdict::{VersionAnswer, VersionHeaderError, VersionVerdict, parse_version_header};
pub use self::versioned::{FormatError, FormatTable, UnknownFormat};
#[cfg(feature = "serde")]
pub use self::versioned::{FormatTag, Versioned, current_format, decode};
/// Is a semantic version, of the crate `semver`.
pub use semver::Version;
