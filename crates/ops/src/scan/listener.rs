//! What a user interface is told.

use core::fmt::Debug;
use core::time::Duration;

use nodewright_core::policy::{Action, Stage};
use nodewright_core::{BlockDelta, Error, EventSeq, HoldReason, Progress, ScanRecord, TxFate, TxId};

/// Is told what a scan does. Called between two steps of the driver: it must be quick and must not block.
pub trait ScanListener: Debug + Send + Sync + 'static {
    /// Takes one notice.
    fn notice(&self, notice: Notice<'_>);
}

/// Says what happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// This record is stored. Comes in order and at most once for each; those that it does not come for are announced
    /// by [`Notice::Opened`].
    Committed(&'a ScanRecord),
    /// Something failed, and this is what the driver does about it.
    Failed {
        /// Says what the driver was doing.
        stage: Stage,
        /// Holds what failed.
        error: &'a Error,
        /// Counts the failures of the stage in a row, this one included.
        attempt: u32,
        /// Says what the driver does.
        action: Action,
    },
    /// The node said where a transaction is whose block left the chain. Comes while the scan waits at the head.
    Fate {
        /// Names the transaction.
        txid: &'a TxId,
        /// Says where it is.
        fate: &'a TxFate,
    },
    /// The reason why the scan waits changed; `None` when it goes on. Comes when it is noticed; the event of the same
    /// meaning comes when it is committed.
    Hold(Option<HoldReason>),
    /// The checkpoint was loaded. The sink holds every event before this number, whether it was told or not: an earlier
    /// run may have committed it, or a commit may have landed whose answer was lost.
    Opened {
        /// Numbers the event that comes next.
        next_seq: EventSeq,
    },
    /// The scan got further, or learned how far it is to go.
    Progress(&'a ScanProgress),
    /// What failed before works again.
    Recovered(Stage),
}

/// Shows how far a run is and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScanProgress {
    /// Shows where the scan core stands; its blocks may not be committed yet.
    pub scan: Progress,
    /// Counts the blocks that were committed since the driver was made.
    pub blocks: u64,
    /// Is the time since the driver was made.
    pub elapsed: Duration,
    /// Is how many blocks were committed per second over the last ten seconds or so; 0 before there is an answer.
    pub blocks_per_second: f64,
    /// Counts the heights from the last applied block to the source's newest; `None` before the source named one.
    pub remaining: Option<BlockDelta>,
    /// Is how long the rest takes at this rate; `None` while there is none.
    pub eta: Option<Duration>,
}
