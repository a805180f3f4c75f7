//! A chain that grows, forks and becomes final, and the people who plan its eras.

use fastrand::Rng;
use nodewright_core::{
    Activation, BlockHeight, BlockTime, ChainPosition, Epoch, EraMarker, EraSchedule, ProtocolVersion, Slot,
};

use crate::fixture::marker;

/// Says by what the eras of a world begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Epoch,
    Height,
    Protocol,
    Time,
    /// Heights up to block 60, times above.
    Mixed,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) axis: Axis,
    pub(crate) blocks: Vec<ChainPosition>,
    pub(crate) finalized: usize,
    /// Holds the markers as they are listed.
    pub(crate) markers: Vec<EraMarker>,
    names: usize,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let axes = [Axis::Epoch, Axis::Height, Axis::Protocol, Axis::Time, Axis::Mixed];
        let axis = axes[rng.usize(..5)];
        let first = ChainPosition {
            epoch: Some(Epoch(0)),
            slot: Some(Slot(0)),
            time: Some(BlockTime(0)),
            protocol: Some(ProtocolVersion::default()),
            ..ChainPosition::at(BlockHeight(0))
        };
        let mut world = Self { rng, axis, blocks: vec![first], finalized: 0, markers: Vec::new(), names: 1 };
        let first = world.edge(0);
        world.markers.push(marker("e0", first));
        world.grow(5);
        world
    }

    pub(crate) fn schedule(&self) -> EraSchedule {
        EraSchedule::try_new(self.markers.clone()).unwrap()
    }

    pub(crate) fn head(&self) -> ChainPosition {
        self.blocks[self.blocks.len() - 1]
    }

    pub(crate) fn final_position(&self) -> ChainPosition {
        self.blocks[self.finalized]
    }

    pub(crate) fn act(&mut self) {
        match self.rng.u8(..16) {
            0..=4 => {
                let count = self.rng.usize(1..8);
                self.grow(count);
            }
            5..=7 => self.reorganise(),
            8..=10 => self.finalize(),
            11 | 12 => self.add(),
            13 | 14 => self.replan(),
            _ => self.drop_old(),
        }
    }

    /// Grows or forks the chain above its final block.
    pub(crate) fn act_on_head(&mut self) {
        match self.rng.bool() {
            true => self.grow(3),
            false => self.reorganise(),
        }
    }

    fn grow(&mut self, count: usize) {
        for _ in 0..count {
            let parent = self.head();
            let height = parent.height.0 + 1;
            let time = parent.time.unwrap().0 + self.rng.u64(5..=15);
            // Epochs and protocol versions rise by the block, some on one branch and not on another.
            let epoch = parent.epoch.unwrap().0 + u64::from(self.rng.u8(..6) == 0);
            let version = parent.protocol.unwrap();
            let protocol = match self.rng.u8(..18) {
                0 => ProtocolVersion::from(version.major + 1),
                1 => ProtocolVersion::new(version.major, version.minor + 1),
                _ => version,
            };
            self.blocks.push(ChainPosition {
                height: BlockHeight(height),
                epoch: Some(Epoch(epoch)),
                slot: Some(Slot(height * 2)),
                time: Some(BlockTime(time)),
                protocol: Some(protocol),
            });
        }
    }

    fn reorganise(&mut self) {
        let unfinal = self.blocks.len() - 1 - self.finalized;
        let depth = self.rng.usize(..=unfinal);
        self.blocks.truncate(self.blocks.len() - depth);
        let count = self.rng.usize(..8);
        self.grow(count);
    }

    fn finalize(&mut self) {
        let unfinal = self.blocks.len() - 1 - self.finalized;
        self.finalized += self.rng.usize(..=unfinal);
    }

    /// Announces an era, or schedules it at once.
    fn add(&mut self) {
        if self.markers.len() >= 8 {
            return;
        }
        let activation = self.open_edge();
        let name = format!("e{}", self.names);
        self.names += 1;
        let mut markers = self.markers.clone();
        markers.push(marker(&name, activation));
        self.try_list(markers);
    }

    /// Moves, takes back or withdraws an era that has not begun for good.
    fn replan(&mut self) {
        let finalized = self.final_position();
        let open: Vec<_> = (0..self.markers.len())
            .filter(|index| self.markers[*index].activation.is_reached(&finalized) == Some(false))
            .collect();
        let Some(index) = self.rng.choice(open) else { return };
        let mut markers = self.markers.clone();
        let mut moved = markers.remove(index);
        if self.rng.u8(..4) > 0 {
            moved.activation = self.open_edge();
            markers.push(moved);
        }
        self.try_list(markers);
    }

    /// Leaves out eras before the one that holds for good.
    fn drop_old(&mut self) {
        let finalized = self.final_position();
        let schedule = self.schedule();
        let begun = schedule.begun(&finalized).unwrap();
        let old: Vec<_> = begun[..begun.len() - 1].iter().map(|marker| marker.era.clone()).collect();
        self.markers.retain(|marker| !old.contains(&marker.era));
    }

    /// Takes the list if its people would publish it: a schedule, and nothing begun differently.
    fn try_list(&mut self, mut markers: Vec<EraMarker>) {
        if self.axis == Axis::Mixed {
            markers.sort_by_key(|marker| match marker.activation {
                Activation::Height(height) => (0, height.0),
                Activation::Time(time) => (1, time.0),
                _ => (2, 0),
            });
        } else {
            self.rng.shuffle(&mut markers);
        }
        if EraSchedule::try_new(markers.clone()).is_ok() {
            self.markers = markers;
        }
    }

    fn open_edge(&mut self) -> Activation {
        if self.rng.u8(..4) == 0 {
            return Activation::Unscheduled;
        }
        let finalized = self.final_position();
        loop {
            let ahead = self.rng.u64(..25);
            let edge = self.edge(finalized.height.0 + ahead);
            if edge.is_reached(&finalized) == Some(false) {
                return edge;
            }
        }
    }

    /// Makes an edge that a chain reaches near block `block`.
    fn edge(&mut self, block: u64) -> Activation {
        let finalized = self.final_position();
        let ahead = block.saturating_sub(finalized.height.0);
        match self.axis {
            Axis::Epoch => Activation::Epoch(Epoch(finalized.epoch.unwrap().0 + ahead / 6)),
            Axis::Height => Activation::Height(BlockHeight(block)),
            Axis::Protocol => {
                let version = finalized.protocol.unwrap();
                let minor = if ahead > 0 && self.rng.bool() { self.rng.u64(..3) } else { 0 };
                Activation::Protocol(ProtocolVersion::new(version.major + ahead / 12, minor))
            }
            Axis::Time => Activation::Time(BlockTime(finalized.time.unwrap().0 + ahead * 10)),
            Axis::Mixed if block <= 60 => Activation::Height(BlockHeight(block)),
            // No chain is that early at block 60: a block takes 15 seconds at most.
            Axis::Mixed => Activation::Time(BlockTime(901.max(finalized.time.unwrap().0 + ahead * 10))),
        }
    }
}
