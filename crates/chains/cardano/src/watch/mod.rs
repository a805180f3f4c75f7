//! What an operator of Mithril wants to be told before it hurts, as pure functions.
//!
//! Each watch takes plain data and the time, and returns a typed [`Finding`] with a [`Severity`] and one line of text
//! that says what is wrong and what to do. Where the data comes from is the caller's choice: an aggregator's routes, a
//! node's socket, a file. [`SignerWatch`] reads through two small traits and runs the watches of one signer.
//!
//! | Watch | Question |
//! |---|---|
//! | [`kes_countdown`] | How long does my KES key still sign? |
//! | [`RegistrationTracker`] | Am I registered, with the key that I hold, in time? |
//! | [`epoch_gap`] | How long until the chain of certificates tears? |
//! | [`watch_open_message`], [`missing_entities`], [`aggregator_silence`] | Is the aggregator stuck, and on what? |
//! | [`certificate_pace`], [`signer_share`] | Do certificates come as often, and with as many signers, as before? |
//! | [`adoption`] | Which versions does the registered stake run? Is it 95 %? |
//! | [`era_readiness`], [`upgrade_advice`] | Will my binary outlive the next era? May I restart now? |

mod adoption;
mod epoch;
mod era;
mod fact;
mod finding;
mod gap;
mod kes;
mod open_message;
mod pace;
mod reader;
mod registration;
mod registration_finding;
mod silence;
mod upgrade;

pub use adoption::{Adoption, AdoptionAnswer, AdoptionVerdict, EventError, RegistrationEvent, VersionShare, adoption};
pub use epoch::EpochTime;
pub use era::{EraFinding, era_readiness};
pub use fact::CertificateFact;
pub use finding::{Finding, Severity};
pub use gap::{GapFinding, GapLimits, epoch_gap};
pub use kes::{KesCountdown, KesLevel, KesLimits, KesReading, KesWatchError, kes_countdown};
pub use open_message::{OpenMessage, OpenMessageFinding, open_message_timeout, watch_open_message};
pub use pace::{PaceFinding, PaceLimits, ShareFinding, ShareLimits, certificate_pace, signer_share};
pub use reader::{AggregatorView, NodeView, ReadFailure, SettingsReading, SignerWatch};
pub use registration::{RegistrationAnswer, RegistrationTracker, RegistrationView, SIGNING_OFFSET, SignerKey};
pub use registration_finding::{KeyPlace, RegistrationFinding};
pub use silence::{EntityFinding, SilenceFinding, aggregator_silence, missing_entities};
pub use upgrade::{UpgradeAdvice, UpgradeLimits, UpgradeReason, upgrade_advice};
