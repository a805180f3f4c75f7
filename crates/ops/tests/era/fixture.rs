//! A chain whose epochs follow the paused clock, and who listens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{
    Activation, BlockHash, BlockHeight, ChainId, ChainPosition, Epoch, EraId, EraMarker, EraPositions, EraReader,
    EraSchedule, Error, ErrorKind, Moment, NetworkId, Result, Retry, Scope, SupportedEras,
};
use nodewright_ops::era::{
    EdgeAhead, EraBook, EraBookState, EraEvent, EraHook, EraListener, EraPace, EraStore, EraWatch, EraWatchOptions,
};
use tokio::time::Instant;

/// Is the length of an epoch.
pub(crate) const EPOCH: Duration = Duration::from_secs(3_600);

pub(crate) fn era(name: &str) -> EraId {
    EraId::try_new(name).unwrap()
}

pub(crate) fn eras(names: &[&str]) -> SupportedEras {
    SupportedEras::try_new(names.iter().map(|name| era(name))).unwrap()
}

pub(crate) fn at_epoch(name: &str, epoch: u64) -> EraMarker {
    EraMarker::new(era(name), Activation::Epoch(Epoch(epoch)))
}

/// Makes a schedule by epochs; `None` is an era without a date.
pub(crate) fn by_epoch(markers: &[(&str, Option<u64>)]) -> EraSchedule {
    let activation = |epoch: Option<u64>| epoch.map_or(Activation::Unscheduled, |it| Activation::Epoch(Epoch(it)));
    EraSchedule::try_new(markers.iter().map(|(name, epoch)| EraMarker::new(era(name), activation(*epoch)))).unwrap()
}

pub(crate) fn epoch(epoch: u64) -> ChainPosition {
    ChainPosition { epoch: Some(Epoch(epoch)), ..ChainPosition::at(BlockHeight(10 * epoch)) }
}

pub(crate) fn positions(head: u64, finalized: u64) -> EraPositions {
    EraPositions { head: epoch(head), finalized: Some(epoch(finalized)) }
}

pub(crate) fn scope() -> Scope {
    let network = NetworkId { name: "test".to_owned(), genesis: BlockHash([1; 32]) };
    Scope { chain: ChainId::new("test"), network, shard: None }
}

pub(crate) fn book(supported: &[&str]) -> EraBook {
    EraBook::new(scope(), eras(supported))
}

pub(crate) fn pace() -> EraPace {
    EraPace { block: None, epoch: Some(EPOCH) }
}

pub(crate) fn unreachable() -> Error {
    Error::new(ErrorKind::Unreachable, "test").with_retry(Retry::After(None))
}

pub(crate) fn minute(minute: u64) -> Moment {
    Moment(60_000 * minute)
}

pub(crate) fn lines(events: &[EraEvent]) -> Vec<String> {
    events.iter().map(EraEvent::to_string).collect()
}

/// Reads a chain that is one epoch further every [`EPOCH`], the epoch before final; its schedule changes with epochs.
#[derive(Debug)]
pub(crate) struct Chain {
    start: Instant,
    script: Mutex<Vec<(u64, EraSchedule)>>,
    pub(crate) trouble: Mutex<Option<Trouble>>,
}

/// Says what a reading meets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Error,
    Hang,
}

impl Chain {
    pub(crate) fn new(script: Vec<(u64, EraSchedule)>) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), script: Mutex::new(script), trouble: Mutex::new(None) })
    }

    pub(crate) fn epoch(&self) -> u64 {
        2 + self.start.elapsed().as_secs() / EPOCH.as_secs()
    }

    pub(crate) fn plan(&self, from: u64, schedule: EraSchedule) {
        self.script.lock().unwrap().push((from, schedule));
    }

    async fn meet_trouble(&self) -> Result<()> {
        let trouble = *self.trouble.lock().unwrap();
        match trouble {
            None => Ok(()),
            Some(Trouble::Error) => Err(unreachable()),
            Some(Trouble::Hang) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl EraReader for Chain {
    async fn schedule(&self) -> Result<EraSchedule> {
        self.meet_trouble().await?;
        let now = self.epoch();
        let script = self.script.lock().unwrap();
        Ok(script.iter().rev().find(|(from, _)| *from <= now).unwrap().1.clone())
    }

    async fn positions(&self) -> Result<EraPositions> {
        self.meet_trouble().await?;
        Ok(positions(self.epoch(), self.epoch() - 1))
    }
}

/// Writes everything down, with the epoch in which it happened.
#[derive(Debug)]
pub(crate) struct Journal {
    chain: Arc<Chain>,
    lines: Mutex<Vec<String>>,
}

impl Journal {
    pub(crate) fn new(chain: &Arc<Chain>) -> Arc<Self> {
        Arc::new(Self { chain: Arc::clone(chain), lines: Mutex::default() })
    }

    pub(crate) fn write(&self, line: &str) {
        self.lines.lock().unwrap().push(format!("{}: {line}", self.chain.epoch()));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, word: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(word)).count()
    }
}

impl EraListener for Journal {
    fn event(&self, event: &EraEvent) {
        self.write(&event.to_string());
    }
}

/// Takes its time, then fails or not.
#[derive(Debug)]
pub(crate) struct Preparing {
    pub(crate) journal: Arc<Journal>,
    pub(crate) takes: Duration,
    pub(crate) fails: bool,
}

#[async_trait]
impl EraHook for Preparing {
    async fn before_edge(&self, edge: &EdgeAhead) -> Result<()> {
        self.journal.write(&format!("hook for {} in {}", edge.next, edge.left.distance));
        let start = Instant::now();
        tokio::time::sleep(self.takes).await;
        if self.takes != start.elapsed() {
            self.journal.write(&format!("prepared only after {} s", start.elapsed().as_secs()));
        }
        if self.fails { Err(unreachable()) } else { Ok(()) }
    }
}

/// Keeps the last state, unless it is broken.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) state: Mutex<Option<EraBookState>>,
    pub(crate) broken: Mutex<bool>,
}

#[async_trait]
impl EraStore for Shelf {
    async fn save(&self, state: &EraBookState) -> Result<()> {
        if *self.broken.lock().unwrap() {
            return Err(Error::new(ErrorKind::Storage, "test"));
        }
        *self.state.lock().unwrap() = Some(state.clone());
        Ok(())
    }
}

pub(crate) fn watch(chain: &Arc<Chain>, journal: &Arc<Journal>, book: EraBook) -> EraWatch {
    EraWatch::new(chain.clone(), book, journal.clone(), EraWatchOptions::default())
}

/// Runs `watch` for `epochs` epochs.
pub(crate) async fn run(watch: &mut EraWatch, epochs: u32) {
    watch.run_until(tokio::time::sleep(EPOCH * epochs)).await;
}
