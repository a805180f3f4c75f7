//! Restores a node's database from what Mithril certified.
//!
//! [`SnapshotChoice`] picks one of an aggregator's list, [`RestorePlan`] holds it against its certificate, and [`Restorer`]
//! fetches, unpacks and checks it and puts it where a node can start from:
//!
//! - Every immutable file has the digest that the certificate signs; the ledger state has the signature of the network's
//!   ancillary key, and **nobody's stake behind it** ([`LedgerState`]).
//! - Archives are unpacked as if they were made to do harm ([`unpack()`]).
//! - An interruption at any moment costs what was in flight. Nothing half-written is ever taken for whole.
//! - A location that fails, lies or breaks off is followed by the next one.

mod ancillary;
mod download;
mod error;
mod fetch;
mod leftovers;
mod model;
mod place;
mod plan;
mod restore;
mod source;
mod space;
mod take;
mod unpack;
mod workspace;

pub use ancillary::{AncillaryError, AncillaryManifest};
pub use download::Patience;
pub use error::{LocationFailure, LocationFault, PlanError, RestoreError, RestoreEvent, RestorePart};
pub use fetch::{ArtifactBody, ArtifactFetcher, FetchError, OpenArtifact, Resume};
pub use model::{ImmutableLocations, Location, SizedLocations, Snapshot, SnapshotChoice, SnapshotSummary};
pub use plan::RestorePlan;
pub use restore::{LedgerState, RestoreOptions, Restored, Restorer};
pub use space::{FreeSpace, SystemSpace};
pub use unpack::{NameFault, UnpackError, UnpackLimits, UnpackedFile, unpack};
