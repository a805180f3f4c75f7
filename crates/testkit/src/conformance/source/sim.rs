//! The reference subject: a simulated chain.

use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::{BlockDelta, BlockHash, BlockPoint, Certified, ChainAdapter, Depth, Fallback, FinalityPolicy};

use super::{Builder, Control, ControlError, Scenario, Subject};
use crate::sim::{Backend, Behaviour, SimChain, SimSource, Slow};

/// Makes nodes of a simulated chain, with certificates or without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimBuilder {
    /// Says that the chain has certificates.
    pub certified: bool,
    /// Varies the blocks.
    pub seed: u64,
}

#[async_trait]
impl Builder for SimBuilder {
    async fn build(&self, scenario: Scenario) -> Result<Subject, ControlError> {
        let mut chain = SimChain::new(self.seed);
        chain.grow(scenario.blocks);
        let source = SimSource::new(chain);
        let slow = Arc::new(Slow(source.clone()));
        let policy: Arc<dyn FinalityPolicy> = match Certified::try_new(Fallback::Never) {
            Ok(certified) if self.certified => Arc::new(certified),
            _ => Arc::new(Depth::try_new(BlockDelta(6)).map_err(|error| ControlError::Failed(error.to_string()))?),
        };
        let adapter = ChainAdapter {
            scope: source.chain().scope().clone(),
            headers: Arc::clone(&slow) as _,
            heights: Some(Arc::new(source.clone())),
            observations: Some(Arc::new(source.clone())),
            evidence: self.certified.then(|| slow as _),
            transactions: Some(Arc::new(source.clone())),
            eras: None,
            wake: None,
            probe: None,
            policy,
            hash_text: |hash: &BlockHash| hash.to_hex(),
        };
        Ok(Subject { adapter, control: Box::new(source), guard: Box::new(()) })
    }
}

#[async_trait]
impl Control for SimSource {
    async fn grow(&self, count: usize) -> Result<(), ControlError> {
        self.chain().grow(count);
        Ok(())
    }

    async fn reorg(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        self.chain().reorg(depth, count);
        Ok(())
    }

    async fn lock(&self, point: &BlockPoint) -> Result<(), ControlError> {
        self.chain().lock(point.id);
        Ok(())
    }

    async fn head(&self) -> Result<BlockPoint, ControlError> {
        Ok(self.chain().head().into())
    }

    async fn restart(&self) -> Result<(), ControlError> {
        self.forget_locks();
        Ok(())
    }

    async fn lag(&self, blocks: usize) -> Result<(), ControlError> {
        self.adjust(|behaviour| behaviour.backends = vec![Backend { lag: blocks, ..Backend::default() }]);
        Ok(())
    }

    async fn split(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        let from = self.chain().below_head(depth);
        let tip = self.chain().fork(from, count);
        let backends = vec![Backend::default(), Backend { tip: Some(tip), ..Backend::default() }];
        self.adjust(|behaviour| behaviour.backends = backends);
        Ok(())
    }

    async fn heal(&self) -> Result<(), ControlError> {
        self.behave(Behaviour::default());
        Ok(())
    }

    async fn fail_next(&self, calls: u32) -> Result<(), ControlError> {
        self.adjust(|behaviour| behaviour.fail_next = calls);
        Ok(())
    }

    async fn edit_headers(&self) -> Result<(), ControlError> {
        Err(ControlError::Unsupported("edit headers: its blocks are nothing but their hashes"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Outcome, run, run_all};
    use super::*;
    use crate::sim::block_on;

    #[test]
    fn a_simulated_chain_conforms() {
        for (certified, seed) in [(false, 1), (true, 2), (true, 3)] {
            block_on(run_all(&SimBuilder { certified, seed }));
        }
    }

    #[test]
    fn what_a_subject_lacks_is_reported_as_skipped_and_named() {
        let cases = block_on(run(&SimBuilder { certified: false, seed: 1 }));
        let skipped: Vec<_> = (cases.iter())
            .filter_map(|Case { id, outcome, .. }| match outcome {
                Outcome::Skipped(reason) => Some((*id, reason.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(skipped.len(), 5, "{skipped:?}");
        assert!(skipped.contains(&("S-4", "the adapter has no evidence source")), "{skipped:?}");
    }
}
