//! Mithril's era markers: how they are written, signed, put on chain, read back and guarded.
//!
//! - `marker`: the list of markers and its exact JSON; `payload`: the list with its signature; `datum`: the payload on
//!   chain; `generate`: a signed datum as Mithril's `era generate-tx-datum` makes it;
//! - `config`: the settings of Mithril's own nodes; `source`: the adapters that they choose;
//! - `guard`: what Mithril's nodes do not check; `order`: which of two lists is the newer; `state`: what the guard keeps,
//!   and its file;
//! - `reader`: core's `EraReader` over all of it.
//!
//! # What the guard can and cannot detect
//!
//! The signed bytes are the list of markers and nothing else: no network, no number, no date. Mithril's testnets share
//! one key, and anybody can pay to the address. So a payload that was signed once stays valid everywhere, for good.
//!
//! It **detects**, and refuses with a reason: a payload that it accepted before and that was replaced since; a list in
//! which the era that holds is missing or begins elsewhere; one that lets an era begin at an epoch that has already been
//! seen without it; one that takes an announcement or a date back; one that contradicts a published fact about the
//! network ([`Pin`]). It reports, without refusing the reading: unsigned, badly signed and unreadable datums, more than
//! one valid datum, and a valid datum that Mithril's own nodes would take instead of the chosen one.
//!
//! It **cannot detect** a payload of another network, or an old one from before its first reading, that is a lawful
//! next step by the facts it has: two networks that are in the same era since the same epoch are alike to it, and so is
//! a date that was moved before it was there to see. Nor can it tell an operator who takes an announcement back from
//! somebody who sends the older payload again, because signatures repeat: the bytes are the same. Then a person
//! decides, with [`GuardState::trust`].

mod config;
mod datum;
mod generate;
mod guard;
mod marker;
mod order;
mod payload;
mod reader;
mod source;
mod state;

pub use config::{ADAPTER_PARAMS_ENV, ADAPTER_TYPE_ENV, AdapterConfigError, EraAdapterConfig, EraAdapterType};
pub use datum::{DatumError, MarkersDatum};
pub use generate::{GenerateError, generate_markers};
pub use guard::{Finding, GuardError, Judgement, MarkersChange, Pin, Refusal};
pub use marker::{Marker, Markers, MarkersError, UpstreamView};
pub use payload::{MarkersPayload, PayloadError, SignedMarkers};
pub use reader::{EraReading, MithrilEraReader, NodePositions, PositionSource, SetPositions};
pub use source::{
    BootstrapMarkers, Candidate, ChainMarkers, DummyMarkers, FileMarkers, MarkerOrigin, MarkerReading, MarkerSource,
    MarkerSourceError, RejectReason, Rejected,
};
pub use state::{Accepted, GuardFile, GuardState, GuardStateError};
