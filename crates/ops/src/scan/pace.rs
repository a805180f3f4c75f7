//! How fast a scan is: blocks per second over a short time, and how long the rest takes.

use std::collections::VecDeque;

use core::time::Duration;

use nodewright_core::{BlockDelta, Moment, Progress};

use crate::scan::listener::ScanProgress;

/// Counts committed blocks and remembers the last few counts.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    begun: Moment,
    blocks: u64,
    samples: VecDeque<(Moment, u64)>,
}

impl Pace {
    pub(crate) fn new(now: Moment) -> Self {
        Self { begun: now, blocks: 0, samples: VecDeque::from([(now, 0)]) }
    }

    /// Counts `blocks` more.
    pub(crate) fn count(&mut self, now: Moment, blocks: u64) {
        self.blocks = self.blocks.saturating_add(blocks);
        let spaced = self.samples.back().is_none_or(|(at, _)| now.since(*at) >= SPACING);
        if spaced {
            self.samples.push_back((now, self.blocks));
        }
        while self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
    }

    pub(crate) fn show(&self, now: Moment, scan: Progress) -> ScanProgress {
        let blocks_per_second = self.rate(now);
        let remaining = scan.head.map(|head| head.height.since(scan.tip.id.height).unwrap_or_default());
        let eta = remaining.and_then(|BlockDelta(left)| time_for(left, blocks_per_second));
        let elapsed = now.since(self.begun);
        ScanProgress { scan, blocks: self.blocks, elapsed, blocks_per_second, remaining, eta }
    }

    fn rate(&self, now: Moment) -> f64 {
        let Some((at, blocks)) = self.samples.front() else { return 0.0 };
        let seconds = now.since(*at).as_secs_f64();
        if seconds > 0.0 { self.blocks.saturating_sub(*blocks) as f64 / seconds } else { 0.0 }
    }
}

fn time_for(blocks: u64, per_second: f64) -> Option<Duration> {
    if blocks == 0 {
        return Some(Duration::ZERO);
    }
    Duration::try_from_secs_f64(blocks as f64 / per_second).ok()
}

/// Is the least time between two samples, and [`SAMPLES`] how many are kept: together the ten seconds of the average.
const SPACING: Duration = Duration::from_millis(500);

const SAMPLES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use nodewright_core::{
        BlockHash, BlockHeight, BlockId, BlockPoint, ChainId, Extension, NetworkId, Reply, Reported, ScanCore,
        ScanLimits, Scope, Tips, TrustedCheckpoint,
    };

    fn progress(tip: u64, head: Option<u64>) -> Progress {
        let id = |height| BlockId { height: BlockHeight(height), hash: BlockHash::default() };
        let network = NetworkId { name: "test".to_owned(), genesis: BlockHash::default() };
        let scope = Scope { chain: ChainId::new("test"), network, shard: None };
        let start = BlockPoint::from(id(tip));
        let checkpoint = TrustedCheckpoint::start(scope, start);
        let mut core = ScanCore::resume(Reported, checkpoint, ScanLimits::default());
        if let Some(head) = head {
            let request = core.poll_request().unwrap().0;
            let tips = Tips { head: id(head), ..Tips::default() };
            let nothing_new = Extension { from: Some(start), headers: Vec::new(), tips };
            core.handle_reply(Moment(0), request, Reply::Extend(&nothing_new));
        }
        core.progress()
    }

    #[test]
    fn rate_and_eta_follow_the_last_seconds() {
        let mut pace = Pace::new(Moment(0));
        assert_eq!(pace.show(Moment(0), progress(0, Some(10))).eta, None);
        for second in 1..=60 {
            pace.count(Moment(second * 1_000), if second <= 30 { 1_000 } else { 10 });
        }
        let shown = pace.show(Moment(60_000), progress(0, Some(100)));
        assert_eq!(shown.blocks, 30_300);
        assert!((shown.blocks_per_second - 10.0).abs() < 0.5, "{}", shown.blocks_per_second);
        assert_eq!(shown.eta.map(|eta| eta.as_secs()), Some(10));
        assert_eq!(shown.elapsed.as_secs(), 60);
    }

    #[test]
    fn nothing_remains_above_the_head_and_nothing_is_known_before_it() {
        let pace = Pace::new(Moment(0));
        let shown = pace.show(Moment(5), progress(9, Some(7)));
        assert_eq!((shown.remaining, shown.eta), (Some(BlockDelta(0)), Some(Duration::ZERO)));
        let shown = pace.show(Moment(5), progress(9, None));
        assert_eq!((shown.remaining, shown.eta), (None, None));
    }
}
