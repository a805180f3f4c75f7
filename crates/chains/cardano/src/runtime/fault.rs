//! The three classes of Mithril's faults, and what a policy makes of them.

use core::fmt;

use nodewright_core::policy::{Action, ErrorPolicy, Failure};
use nodewright_core::{Error, ErrorKind, Retry};

use crate::runtime::aggregator::AggregatorFault;
use crate::runtime::signer::SignerFault;

/// Sorts faults by what Mithril's programs do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// The program exits.
    Critical,
    /// The state is kept, and the next cycle tries the same again.
    KeepState,
    /// The program starts from its first state again. Mithril's aggregator of 2026 has the class and only logs it, so
    /// that its state is kept there too.
    ReInit,
}

impl FaultClass {
    /// Returns what a driver does about a fault of this class.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Critical => Action::Halt,
            Self::KeepState => Action::Retry,
            Self::ReInit => Action::Reinit,
        }
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Critical => "critical",
            Self::KeepState => "keep state",
            Self::ReInit => "re-init",
        })
    }
}

/// Is a fault of one of the models.
pub trait Fault: std::error::Error + Copy + Send + Sync + 'static {
    /// Returns its class.
    fn class(self) -> FaultClass;

    /// Returns what kind of failure it is.
    fn kind(self) -> ErrorKind;

    /// Makes the error that a policy decides about. Its retry is that of the class, and its cause is the fault.
    fn to_error(self) -> Error {
        let retry = match self.class() {
            FaultClass::Critical => Retry::Never,
            FaultClass::KeepState | FaultClass::ReInit => Retry::After(None),
        };
        Error::new(self.kind(), "mithril cycle").with_retry(retry).because(self)
    }
}

/// Decides as Mithril's own programs do: by the class of the fault, however often it happens. What is no fault of a
/// model keeps the state, as any other error does there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MithrilPolicy;

impl ErrorPolicy for MithrilPolicy {
    fn decide(&self, failure: &Failure<'_>) -> Action {
        class_of(failure.error).unwrap_or(FaultClass::KeepState).action()
    }
}

/// Finds the class of the fault that caused `error`, by its type.
fn class_of(error: &Error) -> Option<FaultClass> {
    let source = std::error::Error::source(error)?;
    let signer = source.downcast_ref::<SignerFault>().map(|fault| fault.class());
    signer.or_else(|| source.downcast_ref::<AggregatorFault>().map(|fault| fault.class()))
}
