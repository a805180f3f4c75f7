//! The chain as the events tell it, and what they must keep to.

use nodewright_core::{
    BlockPoint, Checkpoint, EventSeq, EvidenceKind, Finality, Header, HoldReason, ScanEvent, ScanLimits,
};

use super::tree::Tree;
use crate::plant::plant;

#[derive(Clone, Debug)]
pub(super) struct Model {
    /// Begins with the block that the scan starts after.
    chain: Vec<Header>,
    /// Is the place of the newest final block in it.
    finalized: usize,
    pub(super) next_seq: u64,
    hold: Option<HoldReason>,
    rolled_back: usize,
}

impl Model {
    pub(super) fn new(start: Header) -> Self {
        Self { chain: vec![start], finalized: 0, next_seq: 0, hold: None, rolled_back: 0 }
    }

    pub(super) fn tip(&self) -> BlockPoint {
        self.chain.last().expect("begins with a block").point
    }

    pub(super) fn final_point(&self) -> BlockPoint {
        self.chain[self.finalized].point
    }

    pub(super) fn unfinal(&self) -> usize {
        self.chain.len() - 1 - self.finalized
    }

    pub(super) fn hold(&self) -> Option<HoldReason> {
        self.hold
    }

    /// After a restart nothing is said of what was waited for.
    pub(super) fn forget_hold(&mut self) {
        self.hold = None;
    }

    pub(super) fn take(&mut self, seq: EventSeq, event: &ScanEvent, tree: &Tree, depth: u64) {
        assert_eq!(seq.0, self.next_seq, "events are numbered without gaps");
        self.next_seq += 1;
        match event {
            ScanEvent::Apply(header) => {
                assert_eq!(header.parent, self.tip().id.hash, "S-1: a block links to its parent");
                assert!(header.point.id.height >= self.tip().id.height, "S-1: heights do not fall");
                self.chain.push(*header);
            }
            ScanEvent::RollBack { to, dropped } => {
                let kept = self.chain.len().checked_sub(dropped.len()).expect("only blocks are dropped");
                assert!(!dropped.is_empty() && kept > self.finalized, "S-2: what is final stays");
                let tail = self.chain[kept..].iter().rev().map(|header| header.point);
                assert!(tail.eq(dropped.iter().copied()), "S-3: the newest blocks are dropped");
                self.chain.truncate(kept);
                assert_eq!(self.tip(), *to, "S-3: the fork is the end");
                self.rolled_back += 1;
            }
            ScanEvent::Finalize(finality) => self.finalize(finality, tree, depth),
            ScanEvent::Hold(reason) => {
                assert_ne!(self.hold, Some(*reason), "nothing is said twice");
                self.hold = Some(*reason);
            }
            ScanEvent::Resume => assert!(self.hold.take().is_some(), "only who waits resumes"),
        }
    }

    fn finalize(&mut self, finality: &Finality, tree: &Tree, depth: u64) {
        let Finality { point, evidence } = finality;
        let above = self.chain.iter().skip(self.finalized + 1).position(|header| header.point == *point);
        self.finalized += above.expect("S-2: a block is applied before it is final") + 1;
        let block = evidence.block();
        assert!(tree.descends(block.hash, point.id.hash), "S-5: the evidence names the block or a descendant");
        match evidence.kind() {
            EvidenceKind::Certificate(_) => {
                let at = tree.locked(block).expect("only what was certified");
                assert_eq!(evidence.bytes(), tree.evidence(at).bytes());
                plant!(self.rolled_back > 0, self.rolled_back > 1, self.rolled_back > 2);
            }
            EvidenceKind::Depth(_) => {
                assert_eq!(block, point.id);
                let confirmations = self.chain.len() - self.finalized;
                assert!(u64::try_from(confirmations).is_ok_and(|have| have >= depth), "deep enough");
            }
            EvidenceKind::Reported => assert!(tree.ever_reported.contains(&block), "only what was reported"),
            other => panic!("no policy makes a block final by {other:?}"),
        }
    }

    /// Checks that `checkpoint` says where the events lead.
    pub(super) fn check(&self, checkpoint: &Checkpoint, limits: &ScanLimits) {
        assert_eq!(checkpoint.next_seq.0, self.next_seq, "S-6: the checkpoint stands behind the last event");
        assert_eq!(checkpoint.finalized, self.final_point(), "S-6: what is final");
        let unfinal = self.chain[self.finalized + 1..].iter().map(|header| header.point);
        assert!(unfinal.eq(checkpoint.unfinal.iter().copied()), "S-6: what is applied");
        assert_eq!(checkpoint.history.len(), self.finalized.min(limits.history), "S-7: what is remembered");
        let history = &self.chain[self.finalized - checkpoint.history.len()..self.finalized];
        assert!(history.iter().map(|header| header.point).eq(checkpoint.history.iter().copied()));
        assert!(checkpoint.pending.len() <= limits.pending.max(2), "S-7: certificates that wait");
        checkpoint.check(&checkpoint.scope).expect("a checkpoint passes its own check");
    }
}
