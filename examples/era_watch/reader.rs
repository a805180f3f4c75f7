//! What stands between the markers and the watch: it says what the guard found, each finding once.

use core::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use nodewright::cardano::era::{EraReading, Finding, Markers, MithrilEraReader, PositionSource, Refusal};
use nodewright::core::{BlockDelta, ChainPosition, EraPositions, EraReader, EraSchedule, Result};
use nodewright::ops::era::Severity;

use crate::told::Told;

/// Is told what was found beside the eras.
pub(crate) trait FindingListener: Debug + Send + Sync + 'static {
    /// Takes one finding.
    fn finding(&self, severity: Severity, told: Told, text: &str);

    /// Is called when a reading begins.
    fn reading(&self) {}
}

/// Reads eras of Mithril, and tells what the guard found.
#[derive(Debug)]
pub(crate) struct TellingReader {
    reader: MithrilEraReader,
    listener: Arc<dyn FindingListener>,
    /// Holds what was told.
    told: Mutex<Vec<String>>,
    markers: Mutex<Option<Markers>>,
}

impl TellingReader {
    pub(crate) fn new(reader: MithrilEraReader, listener: Arc<dyn FindingListener>) -> Self {
        Self { reader, listener, told: Mutex::default(), markers: Mutex::default() }
    }

    fn tell(&self, reading: &EraReading) {
        for finding in &reading.findings {
            let told = match finding {
                Finding::Refused { refusal: Refusal::Replayed, .. } => Told::Replayed,
                Finding::Refused { .. } => Told::Other { text: finding.to_string() },
                // What these say follows from a refusal or from the address, and needs no hands.
                _ => continue,
            };
            self.once(Severity::Warning, told, &format!("{finding}: nothing changes, watch who pays to the address"));
        }
        for rejected in &reading.rejected {
            let text = format!("passed over {}: {}: nothing to do", rejected.origin, rejected.reason);
            self.once(Severity::Info, Told::NotSigned, &text);
        }
        let mut known = self.markers.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref() != Some(&reading.markers) {
            let markers = list(&reading.markers);
            let text = format!("markers of {}: {markers}", reading.origin);
            self.listener.finding(Severity::Info, Told::List { markers }, &text);
            *known = Some(reading.markers.clone());
        }
    }

    fn once(&self, severity: Severity, told: Told, text: &str) {
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|line| line == text) {
            known.push(text.to_owned());
            self.listener.finding(severity, told, text);
        }
    }
}

#[async_trait]
impl EraReader for TellingReader {
    async fn schedule(&self) -> Result<EraSchedule> {
        self.listener.reading();
        let reading = self.reader.read().await?;
        self.tell(&reading);
        Ok(reading.schedule)
    }

    async fn positions(&self) -> Result<EraPositions> {
        self.reader.positions().await
    }
}

/// Calls final what was seen as the head and has enough blocks on top now.
#[derive(Debug)]
pub(crate) struct Settled {
    source: Arc<dyn PositionSource>,
    blocks: BlockDelta,
    seen: Mutex<Vec<ChainPosition>>,
}

impl Settled {
    pub(crate) fn new(source: Arc<dyn PositionSource>, blocks: BlockDelta) -> Self {
        Self { source, blocks, seen: Mutex::default() }
    }
}

#[async_trait]
impl PositionSource for Settled {
    async fn positions(&self) -> Result<EraPositions> {
        let head = self.source.positions().await?.head;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|position| position.height < head.height);
        let is_deep = |position: &&ChainPosition| position.height.0.saturating_add(self.blocks.0) <= head.height.0;
        let finalized = seen.iter().rev().find(is_deep).copied();
        // What lies before the newest final block is of no use any more.
        seen.retain(|position| finalized.is_none_or(|finalized| position.height >= finalized.height));
        seen.push(head);
        Ok(EraPositions { head, finalized })
    }
}

/// Writes a list as a person reads it.
pub(crate) fn list(markers: &Markers) -> String {
    let each = markers.as_slice().iter().map(|marker| match marker.epoch {
        Some(epoch) => format!("{} from epoch {epoch}", marker.name),
        None => format!("{} without a date", marker.name),
    });
    each.collect::<Vec<_>>().join(", ")
}
