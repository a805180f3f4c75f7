//! Era switches: which rules hold at a position of the chain, which come next, and whether this build knows them.
//!
//! What each file holds:
//!
//! - `id`, `activation`, `marker`, `position`: the names, the edges, and where a chain stands;
//! - `schedule`: the eras of a chain in their order, validated;
//! - `supported`: the eras that a build supports;
//! - `reader`: what a chain crate implements;
//! - `checker`: what an observation of schedule and positions means; `state`: what it remembers across a restart;
//!   `past`: what a schedule may not change;
//! - `stamp`: the era that holds now, for readers on many threads;
//! - `gate`: how far a scan may decode;
//! - `error`: what stops.

mod activation;
mod checker;
mod error;
mod gate;
mod id;
mod marker;
mod past;
mod position;
mod reader;
mod schedule;
mod stamp;
mod state;
mod supported;

pub use activation::{Activation, EraAxis, EraDistance};
pub use checker::{EraChange, EraChecker};
pub use error::EraError;
pub use gate::EraGate;
pub use id::EraId;
pub use marker::EraMarker;
pub use position::ChainPosition;
pub use reader::{EraPositions, EraReader};
pub use schedule::EraSchedule;
pub use stamp::{EraStamp, EraStanding};
pub use state::EraState;
pub use supported::SupportedEras;
