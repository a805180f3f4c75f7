//! Verifying a chain of certificates to its genesis, beside the verifier of `mithril-client` on the same bytes.
//!
//! Both are given the JSON of one certificate at a time from memory, parse it, and check hash, link and signature; ours
//! on two threads, the peer's on the one that it uses. Both begin anew each time.
//!
//! `-devnet` are the 43 certificates of a real devnet. A certificate links to the first one of its epoch, so all are
//! verified only by walking from each of the 32 that no other links to: 266 checks, on both sides.
//!
//! `-resumed` is what comes later: the whole chain but its newest certificate has been verified, and its anchors are in a
//! file, which is read and written again. The peer has nothing alike in its stable features and walks to the genesis.

mod chain;
mod peer;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nodewright_cardano::certificate::{
    AnchorStore, BrokenRule, CertificateHash, CertificateSource, CertificateSummary, ChainEnd, ChainError, ChainLimits,
    ChainVerifier, FileAnchors,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::chain::Chain;
use self::peer::Peer;
use crate::measure::Scale;
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    if let Some(chain) = Chain::devnet()? {
        let subject = Subject::new(&runtime, chain)?;
        let (ours, peer) = subject.cold(scale.pick(10, 1))?;
        rows.push(row("g_certificates-devnet", ours, peer).at_least_times_peer(1.8));
    }

    let certificates = scale.pick(600, 12);
    let subject = Subject::new(&runtime, Chain::generated(certificates)?)?;
    let (ours, peer) = subject.cold(scale.pick(5, 1))?;
    let resumed = subject.resumed(scale.pick(100, 1))?;
    let each = ours.as_secs_f64() * 1_000.0 / certificates as f64;
    rows.push(row("g_certificates-generated", ours, peer).at_least_times_peer(1.8));
    rows.push(row("g_certificates-resumed", resumed, peer).at_least_times_peer(50.0));
    rows.push(Row::alone("g_certificates-each", "ms", each));
    Ok(rows)
}

/// A chain and both verifiers of it.
struct Subject<'a> {
    runtime: &'a Runtime,
    chain: Chain,
    shelf: Shelf,
    ours: ChainVerifier,
    peer: Peer,
}

impl<'a> Subject<'a> {
    fn new(runtime: &'a Runtime, chain: Chain) -> Result<Self, String> {
        let limits = ChainLimits::default().with_threads(THREADS);
        let ours = ChainVerifier::new(chain.network()?).with_limits(limits);
        let peer = Peer::new(&chain)?;
        let shelf = Shelf(chain.bodies()?);
        let subject = Self { runtime, chain, shelf, ours, peer };
        subject.refuse_a_forged_one()?;
        Ok(subject)
    }

    /// Returns the times of ours and the peer's over all tips, each from nothing: of every tip the best of several rounds.
    fn cold(&self, rounds: usize) -> Result<(Duration, Duration), String> {
        let mut sum = (Duration::ZERO, Duration::ZERO);
        for tip in self.chain.tips() {
            let mut best = (Duration::MAX, Duration::MAX);
            for _ in 0..rounds {
                let started = Instant::now();
                let (fetched, end) = self.verify(&self.shelf, tip, None)?;
                best.0 = best.0.min(started.elapsed());
                if fetched != self.chain.height(tip) || !matches!(end, ChainEnd::Genesis(_)) {
                    return Err(format!("{fetched} certificates, to {end:?}"));
                }

                let started = Instant::now();
                let asked = self.runtime.block_on(self.peer.verify(tip))?;
                best.1 = best.1.min(started.elapsed());
                if asked != fetched {
                    return Err(format!("the peer asked for {asked} certificates"));
                }
            }
            sum = (sum.0 + best.0, sum.1 + best.1);
        }
        Ok(sum)
    }

    /// Returns the best time of verifying the newest certificate where those before it are anchors.
    fn resumed(&self, rounds: usize) -> Result<Duration, String> {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let (file, kept) = (folder.path().join("anchors.json"), folder.path().join("kept.json"));
        let anchors = FileAnchors::new(&file);
        let [tip] = self.chain.tips() else { return Err("the chain has more than one tip".to_owned()) };
        self.verify(&self.shelf, self.chain.previous(tip), Some(&anchors))?;
        fs::copy(&file, &kept).map_err(|error| error.to_string())?;

        let mut best = Duration::MAX;
        for _ in 0..rounds {
            fs::copy(&kept, &file).map_err(|error| error.to_string())?;
            let started = Instant::now();
            let (fetched, end) = self.verify(&self.shelf, tip, Some(&anchors))?;
            best = best.min(started.elapsed());
            // The newest certificate, and the anchor that it links to.
            if fetched != 2 || !matches!(end, ChainEnd::Anchor(_)) {
                return Err(format!("{fetched} certificates, to {end:?}"));
            }
        }
        Ok(best)
    }

    fn verify(&self, shelf: &Shelf, tip: &str, anchors: Option<&dyn AnchorStore>) -> Result<(usize, ChainEnd), String> {
        let tip = tip.parse().map_err(|_| format!("no hash: {tip}"))?;
        let verified = self.runtime.block_on(self.ours.verify(shelf, tip, anchors, &mut |_| {}));
        verified.map(|chain| (chain.fetched, chain.end)).map_err(|error| format!("ours: {error}"))
    }

    /// Whoever accepts a certificate that bears another one's signature does not verify, however fast.
    fn refuse_a_forged_one(&self) -> Result<(), String> {
        let forged = self.chain.with_a_forged_tip()?;
        let shelf = Shelf(forged.bodies()?);
        let [tip] = forged.tips() else { return Err("nothing is forged".to_owned()) };
        let hash = tip.parse().map_err(|_| format!("no hash: {tip}"))?;
        let refused = self.runtime.block_on(self.ours.verify(&shelf, hash, None, &mut |_| {}));
        if !matches!(refused, Err(ChainError::Rule { rule: BrokenRule::MultiSignature(_), .. })) {
            return Err(format!("ours says of a forged certificate: {refused:?}"));
        }
        let refused = self.runtime.block_on(Peer::new(&forged)?.verify(tip));
        if refused.is_ok() { Err("the peer accepts a forged certificate".to_owned()) } else { Ok(()) }
    }
}

fn row(id: &str, ours: Duration, peer: Duration) -> Row {
    Row::less_is_better(id, "ms", ours.as_secs_f64() * 1_000.0, peer.as_secs_f64() * 1_000.0)
}

/// Certificates in memory, by their hash.
#[derive(Debug)]
struct Shelf(BTreeMap<CertificateHash, Vec<u8>>);

#[async_trait]
impl CertificateSource for Shelf {
    async fn certificate(&self, hash: &CertificateHash) -> nodewright_core::Result<Option<Vec<u8>>> {
        Ok(self.0.get(hash).cloned())
    }

    async fn latest(&self) -> nodewright_core::Result<Vec<CertificateSummary>> {
        Ok(Vec::new())
    }
}

/// What the bars are stated for.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
