//! Soft forks as eras and the node's API, on a node that takes a deployment through all its stages.

use nodewright_bitcoin::{ConnectOptions, KNOWN_DEPLOYMENTS, api_ranges, litecoin};
use nodewright_core::api::{AbilityName, Agreement, negotiate};
use nodewright_core::{
    Activation, BlockDelta, BlockHeight, ChainAdapter, EraChange, EraChecker, EraDistance, EraId, EraSchedule,
};
use nodewright_utxo::deployment::{Confirmations, Stage, UtxoEras, supported_eras};

use crate::common::litecoind::Litecoind;
use crate::scan::source;

/// Lets blocks signal from the second period on: the median time of block 143 is before it, that of block 287 after it.
const DEPLOYMENT: &str = "-vbparams=testdummy:1700000035:1900000000";

async fn connect(node: &Litecoind) -> ChainAdapter {
    litecoin::connect(&node.url(), node.auth(), ConnectOptions::default()).await.unwrap()
}

/// Mines up to `height` and asks where the deployment stands there.
async fn stage(node: &Litecoind, eras: &UtxoEras, height: u64) -> Stage {
    node.mine(u32::try_from(height - node.height().await).unwrap()).await;
    let deployments = eras.deployments().await.unwrap();
    deployments.into_iter().find(|deployment| deployment.name == "testdummy").unwrap().stage
}

fn edge(schedule: &EraSchedule) -> Activation {
    schedule.find(&EraId::try_new("testdummy").unwrap()).unwrap().activation
}

#[tokio::test]
async fn a_deployment_goes_from_defined_to_active_and_its_era_comes_when_its_block_is_final() {
    let Some(mut node) = Litecoind::start(&[DEPLOYMENT]).await else { return };
    let adapter = connect(&node).await;
    let reader = adapter.eras.clone().unwrap();
    let node_source = source(&node, ConnectOptions::default()).await;
    let period = node_source.network().signal_period;
    let eras = UtxoEras::new(node_source.client().clone(), std::sync::Arc::new(Confirmations(BlockDelta(6))), period);

    let schedule = reader.schedule().await.unwrap();
    let supported = supported_eras(&schedule, KNOWN_DEPLOYMENTS).unwrap();
    assert_eq!(edge(&schedule), Activation::Unscheduled);
    let mut checker = EraChecker::new(adapter.scope.clone(), supported);
    let mut changes = Vec::new();
    let mut look = async |changes: &mut Vec<EraChange>| {
        let (schedule, at) = (reader.schedule().await.unwrap(), reader.positions().await.unwrap());
        loop {
            match checker.observe(&schedule, &at.head, at.finalized.as_ref()).unwrap() {
                EraChange::Stay => break,
                change if changes.last() == Some(&change) => break,
                change => changes.push(change),
            }
        }
        schedule
    };

    assert_eq!(stage(&node, &eras, 286).await, Stage::Defined);
    look(&mut changes).await;
    // A node says what holds for the block after its tip.
    let Stage::Started { signals: Some(signals) } = stage(&node, &eras, 300).await else { panic!("not started") };
    assert_eq!((signals.period, signals.threshold, signals.elapsed), (BlockDelta(144), Some(108), BlockDelta(13)));
    assert_eq!((signals.count, signals.left(), signals.is_possible()), (13, BlockDelta(131), Some(true)));
    look(&mut changes).await;
    assert!(
        !changes.iter().any(|change| matches!(change, EraChange::Enter { to, .. } if to.era.as_str() == "testdummy"))
    );

    let locked_in = stage(&node, &eras, 440).await;
    assert_eq!(locked_in, Stage::LockedIn { since: BlockHeight(432), not_before: BlockHeight(0) });
    assert_eq!(locked_in.blocks_left(BlockHeight(440), eras.period("testdummy")), Some(BlockDelta(136)));
    assert_eq!(edge(&look(&mut changes).await), Activation::Height(BlockHeight(576)));

    let active = Stage::Active { since: BlockHeight(576) };
    assert_eq!(stage(&node, &eras, 575).await, active, "holds for the next block");
    stage(&node, &eras, 580).await;
    changes.clear();
    look(&mut changes).await;
    assert!(
        matches!(&changes[..], [.., EraChange::Approach { next, left: EraDistance::Blocks(BlockDelta(0)), supported: true }] if next.era.as_str() == "testdummy"),
        "{changes:?}"
    );
    // A reorganisation that takes the edge away flips nothing: it was not final.
    node.invalidate(574).await;
    changes.clear();
    node.mine(3).await;
    look(&mut changes).await;
    assert!(
        !changes.iter().any(|change| matches!(change, EraChange::Enter { .. } | EraChange::Halt { .. })),
        "{changes:?}"
    );
    assert_eq!(stage(&node, &eras, 581).await, active);
    changes.clear();
    look(&mut changes).await;
    assert!(matches!(&changes[0], EraChange::Enter { to, .. } if to.era.as_str() == "testdummy"), "{changes:?}");
}

#[tokio::test]
async fn a_build_that_does_not_know_the_deployment_is_halted_at_its_edge() {
    let Some(node) = Litecoind::start(&[DEPLOYMENT]).await else { return };
    let adapter = connect(&node).await;
    let reader = adapter.eras.unwrap();
    let older: Vec<_> = KNOWN_DEPLOYMENTS.iter().copied().filter(|name| *name != "testdummy").collect();
    let supported = supported_eras(&reader.schedule().await.unwrap(), &older).unwrap();
    let mut checker = EraChecker::new(adapter.scope, supported);
    for (height, halted) in [(431, false), (560, false), (580, false), (581, true), (600, true)] {
        node.mine(u32::try_from(height - node.height().await).unwrap()).await;
        let (schedule, at) = (reader.schedule().await.unwrap(), reader.positions().await.unwrap());
        let mut saw = false;
        for _ in 0..8 {
            let change = checker.observe(&schedule, &at.head, at.finalized.as_ref()).unwrap();
            saw |= matches!(&change, EraChange::Halt { era } if era.era.as_str() == "testdummy");
        }
        assert_eq!(saw, halted, "at {height}");
    }
}

#[tokio::test]
async fn what_a_node_lacks_is_named_with_the_method_or_setting() {
    for (args, rest) in [(&[][..], true), (&["-rest=0"][..], false)] {
        let Some(node) = Litecoind::start(args).await else { return };
        let offer = connect(&node).await.probe.unwrap().offer().await.unwrap();
        let agreement = negotiate(&api_ranges(), &offer, None).unwrap();
        let Agreement::Limited { terms, missing } = &agreement else { panic!("{agreement}") };
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        let lacks = |word: &str| missing.iter().any(|line| line.starts_with(word));
        assert!(lacks("spenders-in-mempool (node lacks gettxspendingprevout)"), "{missing:?}");
        assert_eq!(lacks("rest"), !rest, "{missing:?}");
        assert!(
            terms.abilities.contains(&AbilityName::of("scan")) && terms.abilities.contains(&AbilityName::of("eras"))
        );
        assert_eq!(terms.client.kind.as_str(), "litecoin-core");
    }
}
