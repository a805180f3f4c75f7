//! The embedded network: play, watch with two builds, and check.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nodewright::cardano::era::{ChainMarkers, GuardFile, MithrilEraReader, NodePositions};
use nodewright::cardano::network::CardanoNetwork;
use nodewright::cardano::node::{ChainReader, NodeSocket, NodeSocketOptions};
use nodewright::core::{
    Activation, BlockDelta, BlockHash, ChainId, Epoch, EraId, EraStamp, EraStanding, NetworkId, Scope, SupportedEras,
};
use nodewright::ops::era::{EraBook, EraPace, EraWatch, EraWatchOptions, HookLead};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::acts::{EPOCH_DAYS, NEW_ERA, OLD_ERA, Play};
use crate::args::Args;
use crate::devnet::Devnet;
use crate::print::Printer;
use crate::reader::{Settled, TellingReader};
use crate::verdict;
use crate::view::{Prepare, View};

/// Plays the era switch of the seed; returns whether both builds were told rightly.
pub(crate) async fn run(args: &Args) -> Result<bool, String> {
    let (seed, printer) = (args.play.seed, Printer::new(args.json));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let devnet = Devnet::start(folder.path(), fastrand::Rng::with_seed(seed).u64(5..50))?;
    printer.headline(&format!(
        "A simulated Cardano node at {} (seed {seed}), in epoch {}; an epoch stands for {EPOCH_DAYS} days",
        devnet.node.socket().display(),
        devnet.epoch()
    ));
    printer.remark(&format!("new: a build that supports {OLD_ERA} and {NEW_ERA}; old: one that supports {OLD_ERA}"));
    let views = [
        Arc::new(View::new("new", printer, args.play.fault)),
        // What the fault breaks is one build; the other goes on.
        Arc::new(View::new("old", printer, None)),
    ];
    let mut play = Play::new(devnet, views.clone(), printer, seed);
    play.open()?;
    let new = Build::start(&views[0], &[OLD_ERA, NEW_ERA], &play.devnet, folder.path())?;
    let old = Build::start(&views[1], &[OLD_ERA], &play.devnet, folder.path())?;
    let played = play.run().await;
    let stamps = [new.stop().await?, old.stop().await?];
    played?;
    Ok(close(printer, &play, &views, &stamps))
}

/// Is a build that watches.
struct Build {
    stamp: EraStamp,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Build {
    fn start(view: &Arc<View>, eras: &[&'static str], devnet: &Devnet, folder: &Path) -> Result<Self, String> {
        let network = CardanoNetwork::devnet();
        let options = NodeSocketOptions::new(devnet.node.socket(), network.magic());
        // The watch tries again by itself.
        let options = options.with_attempts(1, Duration::ZERO, Duration::ZERO);
        let node: Arc<dyn ChainReader> = Arc::new(NodeSocket::new(options));
        let key = devnet.verification_key();
        let source = ChainMarkers::new(Arc::clone(&node), devnet.address.clone(), key);
        let positions = Settled::new(Arc::new(NodePositions::new(node)), SETTLED);
        let guard = GuardFile::new(folder.join(format!("{}.guard", view.build())), network.name(), Some(key));
        let reader = MithrilEraReader::new(Arc::new(source), Arc::new(positions)).with_file(guard);
        let reader = TellingReader::new(reader.map_err(|error| error.to_string())?, Arc::<View>::clone(view));

        let eras: Result<Vec<_>, _> = eras.iter().map(|era| EraId::try_new(*era)).collect();
        let supported = eras.and_then(SupportedEras::try_new).map_err(|error| error.to_string())?;
        let network = NetworkId { name: network.name().to_owned(), genesis: BlockHash([0; 32]) };
        let scope = Scope { chain: ChainId::new("cardano"), network, shard: None };
        let epoch = Duration::from_secs(EPOCH_DAYS * 86_400);
        let book = EraBook::new(scope, supported)
            .with_pace(EraPace { epoch: Some(epoch), block: None })
            .with_hook(HookLead::default());
        let stamp = book.checker().stamp();
        let hook = Prepare { view: Arc::clone(view), file: folder.join(format!("{}.prepared", view.build())) };
        let options = EraWatchOptions::default().with_interval(INTERVAL).with_timeout(TIMEOUT);
        let mut watch =
            EraWatch::new(Arc::new(reader), book, Arc::<View>::clone(view), options).with_hook(Arc::new(hook));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move { watch.run_until(async { drop(stopped.await) }).await });
        Ok(Self { stamp, stop, task })
    }

    async fn stop(self) -> Result<EraStamp, String> {
        drop(self.stop);
        self.task.await.map_err(|error| error.to_string())?;
        Ok(self.stamp)
    }
}

/// Prints the closing table; returns whether both builds agree with the network in everything.
fn close(printer: Printer, play: &Play, views: &[Arc<View>; 2], stamps: &[EraStamp; 2]) -> bool {
    printer.headline("What the network knows, and what each build was told:");
    let builds = [views[0].build(), views[1].build()];
    let told = [views[0].told(), views[1].told()];
    let mut wrong = verdict::compare(printer, builds, &play.truth, &told);
    let holds = match stamps[0].read() {
        EraStanding::Active { era, since } => era.as_str() == NEW_ERA && since == Activation::Epoch(Epoch(play.edge)),
        EraStanding::Halted | EraStanding::Unknown => false,
    };
    if !holds {
        wrong += 1;
        verdict::problem(printer, &format!("the new build does not stand in {NEW_ERA}: {:?}", stamps[0].read()));
    }
    if stamps[1].read() != EraStanding::Halted {
        wrong += 1;
        verdict::problem(printer, &format!("the old build goes on: {:?}", stamps[1].read()));
    }
    let right = wrong == 0;
    let verdict = match right {
        true => "nothing missed, nothing doubled, nothing out of order",
        false => "what was told is WRONG",
    };
    let events = told.iter().map(Vec::len).sum::<usize>();
    let fields = json!({ "event": "end", "right": right, "events": events, "edge": play.edge });
    printer.data(&fields, &format!("\n{events} events, era switch at epoch {}: {verdict}", play.edge));
    right
}

/// Is how many blocks must lie on top of one that is final in the play; mainnet's `k` is 2,160 (its Shelley genesis).
const SETTLED: BlockDelta = BlockDelta(1);

/// Is the fast clock of the play.
const INTERVAL: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(5);
