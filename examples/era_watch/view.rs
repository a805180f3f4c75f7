//! What one build was told, printed as it comes and kept for the check.

use core::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use nodewright::core::{Error, ErrorKind, Result};
use nodewright::ops::era::{EdgeAhead, EraEvent, EraHook, EraListener, Severity};

use crate::args::Fault;
use crate::print::Printer;
use crate::reader::FindingListener;
use crate::told::Told;

/// Prints and keeps what one build is told.
#[derive(Debug)]
pub(crate) struct View {
    build: &'static str,
    printer: Printer,
    fault: Option<Fault>,
    told: Mutex<Vec<Told>>,
    held: Mutex<Option<Line>>,
    readings: AtomicU64,
    hooks: AtomicU64,
}

/// Is one line, and what it says.
type Line = (Severity, Told, String);

impl View {
    pub(crate) fn new(build: &'static str, printer: Printer, fault: Option<Fault>) -> Self {
        let (told, held) = (Mutex::default(), Mutex::default());
        Self { build, printer, fault, told, held, readings: AtomicU64::new(0), hooks: AtomicU64::new(0) }
    }

    pub(crate) fn build(&self) -> &'static str {
        self.build
    }

    /// Returns what was told.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts the readings that have begun.
    pub(crate) fn readings(&self) -> u64 {
        self.readings.load(Ordering::Acquire)
    }

    /// Returns whether a hook runs.
    pub(crate) fn is_preparing(&self) -> bool {
        self.hooks.load(Ordering::Acquire) > 0
    }

    /// Takes one line, through the fault if there is one.
    fn take(&self, line: Line) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = match (self.fault, &line.1) {
            (Some(Fault::Drop), Told::Scheduled { .. }) => vec![],
            (Some(Fault::Double), Told::Scheduled { .. }) => vec![line.clone(), line],
            (Some(Fault::Reorder), Told::Scheduled { .. }) => {
                *held = Some(line);
                return;
            }
            _ => [Some(line), held.take()].into_iter().flatten().collect(),
        };
        for (severity, told, text) in lines {
            self.printer.told(Some(self.build), severity, told.kind(), &text);
            self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
    }
}

impl EraListener for View {
    fn event(&self, event: &EraEvent) {
        match Told::of(event) {
            Some(told) => self.take((event.severity(), told, event.to_string())),
            None => self.printer.told(Some(self.build), event.severity(), "unreadable", &event.to_string()),
        }
    }
}

impl FindingListener for View {
    fn finding(&self, severity: Severity, told: Told, text: &str) {
        self.take((severity, told, text.to_owned()));
    }

    fn reading(&self) {
        self.readings.fetch_add(1, Ordering::AcqRel);
    }
}

/// Prepares a build for an edge: it writes down what it is about to do, as a stand-in for a copy of its database.
#[derive(Debug)]
pub(crate) struct Prepare {
    pub(crate) view: Arc<View>,
    pub(crate) file: PathBuf,
}

#[async_trait]
impl EraHook for Prepare {
    async fn before_edge(&self, edge: &EdgeAhead) -> Result<()> {
        self.view.hooks.fetch_add(1, Ordering::AcqRel);
        let text = format!("preparing for era {}: {} left, the hook copies what the build needs", edge.next, edge.left);
        self.view.take((Severity::Info, Told::hook(edge), text));
        let written = tokio::fs::write(&self.file, edge.next.to_string()).await;
        self.view.hooks.fetch_sub(1, Ordering::AcqRel);
        written.map_err(|error| Error::new(ErrorKind::Storage, "prepare for an era").because(error))
    }
}
