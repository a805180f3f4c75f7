//! The play: what happens on the simulated network, act by act, and what each build must be told.

use std::sync::Arc;
use std::time::Duration;

use nodewright::cardano::era::Markers;
use tokio::time::{Instant, sleep};

use crate::devnet::{Devnet, markers};
use crate::print::Printer;
use crate::reader::list;
use crate::told::Told;
use crate::view::View;

/// Plays on a network in front of two builds, and keeps the truth.
pub(crate) struct Play {
    pub(crate) devnet: Devnet,
    pub(crate) truth: Vec<Due>,
    /// Is the edge of the new era.
    pub(crate) edge: u64,
    views: [Arc<View>; 2],
    printer: Printer,
    rng: fastrand::Rng,
    deadline: Instant,
}

/// Is what must be told, and to which of the builds: the new one, the old one.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) told: Told,
    pub(crate) to: [bool; 2],
}

const NEW: [bool; 2] = [true, false];
const OLD: [bool; 2] = [false, true];
const BOTH: [bool; 2] = [true, true];

impl Play {
    pub(crate) fn new(devnet: Devnet, views: [Arc<View>; 2], printer: Printer, seed: u64) -> Self {
        let (rng, deadline) = (fastrand::Rng::with_seed(seed), Instant::now() + PATIENCE);
        Self { devnet, truth: Vec::new(), edge: 0, views, printer, rng, deadline }
    }

    /// Plays every act.
    pub(crate) async fn run(&mut self) -> Result<(), String> {
        self.first_era().await?;
        let announced = self.announce().await?;
        self.schedule().await?;
        self.replay(&announced).await?;
        self.restart().await?;
        self.approach().await?;
        self.activate().await?;
        self.drop_old().await
    }

    /// The list of the first era must be on the chain before a build looks.
    pub(crate) fn open(&mut self) -> Result<(), String> {
        self.publish(&[(OLD_ERA, Some(1))])?;
        Ok(())
    }

    async fn first_era(&mut self) -> Result<(), String> {
        self.headline("1. Thales holds. Once a block lies on top, it holds for good.");
        self.settle().await?;
        self.devnet.block();
        self.due(BOTH, Told::Entered { era: OLD_ERA.to_owned(), epoch: 1 });
        self.settle().await
    }

    async fn announce(&mut self) -> Result<Markers, String> {
        self.headline("2. The operators announce Pythagoras, and do not say when.");
        let announced = self.publish(&[(OLD_ERA, Some(1)), (NEW_ERA, None)])?;
        for (to, supported) in [(NEW, true), (OLD, false)] {
            self.due(to, Told::Announced { era: NEW_ERA.to_owned(), supported });
        }
        self.settle().await?;
        for _ in 0..self.rng.u64(1..=2) {
            self.next_epoch().await?;
        }
        Ok(announced)
    }

    async fn schedule(&mut self) -> Result<(), String> {
        let epochs = self.rng.u64(4..=6);
        self.edge = self.devnet.epoch() + epochs;
        self.headline(&format!("3. Pythagoras gets a date: epoch {}, {epochs} epochs from now.", self.edge));
        self.publish(&[(OLD_ERA, Some(1)), (NEW_ERA, Some(self.edge))])?;
        for (to, supported) in [(NEW, true), (OLD, false)] {
            self.due(to, Told::Scheduled { era: NEW_ERA.to_owned(), epoch: self.edge, epochs, supported });
        }
        self.settle().await
    }

    async fn replay(&mut self, announced: &Markers) -> Result<(), String> {
        self.headline(
            "4. Somebody pays the old announcement to the address again, and a stranger a list of their own.",
        );
        self.remark("the replayed one is signed, and first in the node's order: mithril's own nodes would take it");
        self.devnet.replay(announced)?;
        self.devnet.intrude(&markers(&[("lagrange", Some(1))])?)?;
        self.due(BOTH, Told::Replayed);
        self.due(BOTH, Told::NotSigned);
        self.settle().await
    }

    async fn restart(&mut self) -> Result<(), String> {
        self.headline("5. The node goes down for an epoch, and comes back.");
        self.devnet.node.stop().await;
        self.due(BOTH, Told::Unreadable);
        self.settle().await?;
        self.devnet.next_epoch();
        self.devnet.node.restart().map_err(|error| format!("the simulated node did not restart: {error}"))?;
        self.due(BOTH, Told::Readable);
        self.nearer();
        self.settle().await
    }

    async fn approach(&mut self) -> Result<(), String> {
        self.headline("6. The edge comes nearer, epoch by epoch; in the last one, each build prepares.");
        while self.devnet.epoch() + 1 < self.edge {
            self.next_epoch().await?;
        }
        Ok(())
    }

    async fn activate(&mut self) -> Result<(), String> {
        self.headline(&format!("7. Epoch {} begins. Once a block lies on top, Pythagoras holds for good.", self.edge));
        self.next_epoch().await?;
        self.devnet.block();
        self.due(NEW, Told::Entered { era: NEW_ERA.to_owned(), epoch: self.edge });
        self.due(OLD, Told::Halted { era: NEW_ERA.to_owned(), epoch: self.edge });
        self.settle().await
    }

    async fn drop_old(&mut self) -> Result<(), String> {
        self.headline("8. The operators leave Thales out of the list. Nothing changes for anybody.");
        self.publish(&[(NEW_ERA, Some(self.edge))])?;
        self.settle().await?;
        for _ in 0..self.rng.u64(1..=2) {
            self.next_epoch().await?;
        }
        Ok(())
    }

    async fn next_epoch(&mut self) -> Result<(), String> {
        self.devnet.next_epoch();
        self.remark(&format!("epoch {}", self.devnet.epoch()));
        self.nearer();
        self.settle().await
    }

    /// Says what must be told when an epoch has begun.
    fn nearer(&mut self) {
        let Some(epochs) = self.edge.checked_sub(self.devnet.epoch()) else { return };
        if rungs(epochs) > rungs(epochs + 1) {
            self.due(OLD, Told::Approaching { era: NEW_ERA.to_owned(), epochs });
        }
        if epochs == 1 {
            self.due(BOTH, Told::HookCalled { era: NEW_ERA.to_owned(), epochs });
            self.due(BOTH, Told::HookDone { era: NEW_ERA.to_owned() });
        }
    }

    fn publish(&mut self, entries: &[(&str, Option<u64>)]) -> Result<Markers, String> {
        let markers = markers(entries)?;
        self.devnet.publish(&markers)?;
        self.due(BOTH, Told::List { markers: list(&markers) });
        Ok(markers)
    }

    fn due(&mut self, to: [bool; 2], told: Told) {
        self.truth.push(Due { told, to });
    }

    /// Waits until both builds have seen what there is to see, and have said what there is to say about it.
    async fn settle(&self) -> Result<(), String> {
        let [new, old] = &self.views;
        tokio::try_join!(self.seen_by(new), self.seen_by(old)).map(|_| ())
    }

    async fn seen_by(&self, view: &View) -> Result<(), String> {
        // A reading that has begun already may see the old state; what the next one shows is told when one more begins.
        self.wait(view, |view, from| view.readings() >= from + 3).await?;
        self.wait(view, |view, _| !view.is_preparing()).await?;
        // The outcome of a hook is told at the latest with the reading after it.
        self.wait(view, |view, from| view.readings() >= from + 2).await
    }

    async fn wait(&self, view: &View, done: impl Fn(&View, u64) -> bool) -> Result<(), String> {
        let from = view.readings();
        while !done(view, from) {
            if Instant::now() > self.deadline {
                return Err(format!("the {} build stands still", view.build()));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn headline(&self, text: &str) {
        self.printer.headline(text);
    }

    fn remark(&self, text: &str) {
        self.printer.remark(text);
    }
}

/// Counts the reminders that an operator of an old build has had when the edge is that far away: of those at 30, 14, 7, 3
/// and 1 days and shorter times, and the one at the edge.
fn rungs(epochs: u64) -> usize {
    match epochs {
        0 => usize::MAX,
        _ => [30, 14, 7, 3, 1].into_iter().filter(|days| epochs * EPOCH_DAYS <= *days).count(),
    }
}

pub(crate) const OLD_ERA: &str = "thales";
pub(crate) const NEW_ERA: &str = "pythagoras";

/// Is how long an epoch of the play stands for, as on mainnet (432,000 slots of a second, its Shelley genesis).
pub(crate) const EPOCH_DAYS: u64 = 5;

/// Is how long the play waits between two looks at the builds.
const PAUSE: Duration = Duration::from_millis(5);

/// Is how long the play goes on before it gives up.
const PATIENCE: Duration = Duration::from_secs(18);
