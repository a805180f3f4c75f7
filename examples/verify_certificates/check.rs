//! One verification, with its progress bar and its counts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use nodewright::cardano::certificate::{
    AnchorStore, CertificateHash, CertificateSource, ChainEnd, ChainError, ChainEvent, ChainLimits, ChainVerifier,
    VerifiedChain,
};
use nodewright::cardano::network::MithrilNetwork;
use nodewright::core::Epoch;

use crate::tally::{Noting, Signed, Timed};

/// Says how chains are verified.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) network: MithrilNetwork,
    pub(crate) limits: ChainLimits,
    /// Is the epoch at which the progress bar is full.
    pub(crate) first_epoch: Option<Epoch>,
}

/// Holds what a verification counted.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) chain: VerifiedChain,
    pub(crate) checked: usize,
    pub(crate) links: usize,
    pub(crate) genesis: usize,
    pub(crate) multi_signatures: usize,
    pub(crate) signature_time: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) threads: usize,
    pub(crate) epochs: (Epoch, Epoch),
    pub(crate) signed: Vec<Signed>,
}

impl Check {
    pub(crate) fn new(network: MithrilNetwork, threads: Option<NonZeroUsize>) -> Self {
        let limits = ChainLimits::default();
        let limits = threads.map_or(limits, |threads| limits.with_threads(threads));
        Self { network, limits, first_epoch: None }
    }

    /// Verifies the chain from `tip`; draws a bar if standard error is a terminal.
    pub(crate) async fn run(
        &self,
        source: &dyn CertificateSource,
        tip: CertificateHash,
        anchors: Option<&dyn AnchorStore>,
    ) -> Result<Report, ChainError> {
        let (source, timed) = (Noting::new(source), Arc::new(Timed::default()));
        let verifier =
            ChainVerifier::new(self.network.clone())
                .with_limits(self.limits)
                .with_multi_signatures(Arc::<Timed>::clone(&timed));
        let bar = bar();
        let (mut checked, mut epochs) = (0, None);
        let mut events = |event| match event {
            ChainEvent::Fetched { epoch, .. } => {
                let (last, first) = (epochs.map_or(epoch, |(_, last)| last), epoch);
                epochs = Some((first, last));
                if let Some(genesis) = self.first_epoch {
                    bar.set_length(last.0.saturating_sub(genesis.0));
                }
                bar.set_position(last.0.saturating_sub(first.0));
            }
            ChainEvent::Checked { checked: now, fetched, .. } => {
                checked = now;
                bar.set_message(format!("{now} of {fetched} certificates checked"));
            }
            _ => {}
        };
        let begun = Instant::now();
        let verified = verifier.verify(&source, tip, anchors, &mut events).await;
        let elapsed = begun.elapsed();
        bar.finish_and_clear();
        let chain = verified?;
        let (multi_signatures, signature_time) = timed.held();
        let tip_epoch = chain.tip.certificate().epoch;
        Ok(Report {
            checked,
            links: chain.fetched.saturating_sub(1),
            genesis: usize::from(matches!(chain.end, ChainEnd::Genesis(_))),
            multi_signatures,
            signature_time,
            elapsed,
            threads: self.limits.threads.get(),
            epochs: epochs.unwrap_or((tip_epoch, tip_epoch)),
            signed: source.into_signed(),
            chain,
        })
    }
}

/// A bar on standard error, which draws nothing where that is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    match ProgressStyle::with_template("{bar:40} {pos}/{len} epochs  {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
