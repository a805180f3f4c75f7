//! What the observer knows, kept up to date by the driver's notices.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nodewright::core::{BlockHeight, BlockPoint, ScanEvent, ScanRecord};
use nodewright::ops::observer::{DepositBook, DepositKey, ValueWeight, Weighed};
use nodewright::ops::scan::{Action, Notice, ScanListener, ScanProgress};
use nodewright::stores::{LoggedEvent, LoggedRecord};

use crate::args::Fault;
use crate::audit::Audit;
use crate::print::Printer;

/// Folds records into deposits, audits them, and prints what changed.
#[derive(Debug)]
pub(crate) struct View {
    printer: Printer,
    weight: Option<ValueWeight>,
    fault: Option<Fault>,
    known: Mutex<Known>,
}

/// Holds everything that the records told.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) book: DepositBook,
    pub(crate) audit: Audit,
    pub(crate) tip: Option<BlockPoint>,
    pub(crate) rollbacks: usize,
    payments: usize,
    held_back: Option<ScanRecord>,
}

impl View {
    pub(crate) fn new(printer: Printer, weight: Option<ValueWeight>, fault: Option<Fault>) -> Self {
        Self { printer, weight, fault, known: Mutex::default() }
    }

    pub(crate) fn printer(&self) -> &Printer {
        &self.printer
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the observer was broken on purpose: then it may stand still.
    pub(crate) fn is_broken(&self) -> bool {
        self.fault.is_some()
    }

    /// Takes a record that an earlier run stored, without printing it.
    pub(crate) fn remember(&self, record: &LoggedRecord) {
        let book = &mut self.known().book;
        match (&record.event, &record.report) {
            (LoggedEvent::Apply(_), Some(report)) => _ = book.apply(report),
            (LoggedEvent::RollBack { dropped, .. }, _) => _ = book.roll_back(dropped),
            (LoggedEvent::Finalize { point, evidence }, _) => _ = book.finalize(point, evidence),
            (LoggedEvent::Apply(_) | LoggedEvent::Hold(_) | LoggedEvent::Resume, _) => {}
        }
    }

    /// Takes a record through the fault that the observer was given, if any.
    fn record(&self, record: &ScanRecord) {
        let mut known = self.known();
        let pays = record.report.as_ref().is_some_and(|report| !report.observations.is_empty());
        known.payments += usize::from(pays);
        let struck = pays && known.payments == STRUCK_PAYMENT;
        let held_back = known.held_back.take();
        match self.fault.filter(|_| struck) {
            None => self.take(&mut known, record),
            Some(Fault::Double) => {
                self.take(&mut known, record);
                self.take(&mut known, record);
            }
            Some(Fault::Drop) => {}
            Some(Fault::Reorder) => known.held_back = Some(record.clone()),
        }
        if let Some(late) = held_back {
            self.take(&mut known, &late);
        }
    }

    fn take(&self, known: &mut Known, record: &ScanRecord) {
        known.audit.take(record);
        match &record.event {
            ScanEvent::Apply(header) => known.tip = Some(header.point),
            ScanEvent::RollBack { to, dropped } => {
                known.tip = Some(*to);
                known.rollbacks += 1;
                self.printer.reorganisation(to, dropped);
            }
            ScanEvent::Hold(reason) => self.printer.remark(&format!("waiting: {reason}")),
            ScanEvent::Finalize(_) | ScanEvent::Resume => {}
        }
        let changed = known.book.fold(record);
        self.print(known, &changed);
    }

    fn print(&self, known: &Known, changed: &[DepositKey]) {
        for key in changed {
            if let Some(deposit) = known.book.deposit(key) {
                self.printer.deposit(deposit, self.weigh(known, key));
            }
        }
    }

    fn weigh(&self, known: &Known, key: &DepositKey) -> Option<Weighed> {
        known.book.weigh(key, self.weight.as_ref()?)?.ok()
    }

    fn progress(&self, progress: &ScanProgress) {
        let Some(bar) = self.printer.bar() else { return };
        let scan = &progress.scan;
        let head = scan.head.map_or(scan.tip.id.height, |head| head.height);
        bar.set_length(head.0);
        bar.set_position(scan.tip.id.height.0);
        let eta = progress.eta.map(|eta| format!(", {} s left", eta.as_secs())).unwrap_or_default();
        let skimmed = scan.skimmed.map(|BlockHeight(height)| format!(", headers read to {height}")).unwrap_or_default();
        bar.set_message(format!("{:.0} blocks/s{eta}{skimmed}", progress.blocks_per_second));
    }
}

impl ScanListener for View {
    fn notice(&self, notice: Notice<'_>) {
        match notice {
            Notice::Committed(record) => self.record(record),
            Notice::Failed { error, attempt: 1, action: Action::Retry | Action::Reinit, .. } => {
                self.printer.remark(&format!("trying again: {error}"));
            }
            Notice::Fate { txid, fate } => {
                let mut known = self.known();
                let changed = known.book.tell(txid, fate);
                self.print(&known, &changed);
            }
            Notice::Progress(progress) => self.progress(progress),
            Notice::Recovered(_) => self.printer.remark("it works again"),
            _ => {}
        }
    }
}

/// Is which record with a payment a fault strikes: an early one, so that much follows it.
const STRUCK_PAYMENT: usize = 3;
