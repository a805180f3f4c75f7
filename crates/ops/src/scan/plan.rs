//! The second lane: cuts events into chunks, has their blocks observed, and joins the reports to them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use nodewright_core::{
    BlockPoint, BlockReport, Error, ErrorKind, EventSeq, FinalityPolicy, ObservationSource, Result, ScanCore,
    ScanEvent, ScanRecord, WatchSet,
};

/// Holds consecutive events whose blocks are observed together.
#[derive(Debug)]
pub(crate) struct Chunk {
    events: Vec<(EventSeq, ScanEvent)>,
    points: Vec<BlockPoint>,
}

/// Is a chunk under way.
pub(crate) type Observing<'a> = BoxFuture<'a, (Chunk, Result<Vec<BlockReport>>)>;

impl Chunk {
    /// Cuts the next chunk from the events of `core` after the first `planned`: as many as hold up to `blocks` blocks.
    ///
    /// A `RollBack` is a chunk of its own, cut only once `all_known` says that the reports of everything before it are
    /// there: the blocks after it must be observed with the keys of the transactions that it removes.
    pub(crate) fn cut(
        core: &ScanCore<Arc<dyn FinalityPolicy>>,
        planned: usize,
        blocks: usize,
        all_known: bool,
    ) -> Option<Self> {
        let mut chunk = Self { events: Vec::new(), points: Vec::new() };
        for (seq, event) in core.events().skip(planned) {
            match event {
                ScanEvent::Apply(_) if chunk.points.len() == blocks => break,
                ScanEvent::Apply(header) => chunk.points.push(header.point),
                ScanEvent::RollBack { .. } => {
                    if chunk.events.is_empty() && all_known {
                        chunk.events.push((seq, event.clone()));
                    }
                    break;
                }
                ScanEvent::Finalize(_) | ScanEvent::Hold(_) | ScanEvent::Resume => {}
            }
            chunk.events.push((seq, event.clone()));
        }
        (!chunk.events.is_empty()).then_some(chunk)
    }

    /// Returns how many events it holds.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns whether no block needs to be observed.
    pub(crate) fn is_bare(&self) -> bool {
        self.points.is_empty()
    }

    /// Begins to observe its blocks.
    pub(crate) fn observe(self, source: &dyn ObservationSource, watch: Arc<WatchSet>) -> Observing<'_> {
        Box::pin(async move {
            let reports =
                if self.points.is_empty() { Ok(Vec::new()) } else { source.observe(&self.points, &watch).await };
            (self, reports)
        })
    }

    /// Makes records of events that are not observed.
    pub(crate) fn into_bare_records(self) -> Vec<ScanRecord> {
        self.events.into_iter().map(|(seq, event)| ScanRecord { seq, event, report: None }).collect()
    }

    /// Joins events and reports.
    ///
    /// # Errors
    /// `Inconsistent` when the reports are not those of the chunk's blocks.
    pub(crate) fn into_records(self, reports: Vec<BlockReport>) -> Result<Vec<ScanRecord>> {
        let fits = reports.len() == self.points.len() && reports.iter().map(|report| &report.point).eq(&self.points);
        if !fits {
            let first = self.points.first().map_or(0, |point| point.id.height.0);
            return Err(Error::new(ErrorKind::Inconsistent, "observe")
                .with("first height", first)
                .with("blocks", self.points.len())
                .with("reports", reports.len()));
        }
        let mut reports = reports.into_iter();
        let join = |(seq, event): (EventSeq, ScanEvent)| {
            let report = if matches!(event, ScanEvent::Apply(_)) { reports.next() } else { None };
            ScanRecord { seq, event, report }
        };
        Ok(self.events.into_iter().map(join).collect())
    }
}
