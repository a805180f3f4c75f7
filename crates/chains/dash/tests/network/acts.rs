//! The acts of the recording, event by event.

use nodewright_core::{BlockHeight, Membership, NearMissReason, Trust, TxFate, TxId};
use nodewright_dash::DashOptions;
use nodewright_ops::observer::{DepositBook, DepositState, Fate};
use nodewright_ops::scan::StartAt;

use crate::scene::{BEFORE, Scan, Scene, adapter, recording, reports, serve, words};

#[tokio::test]
async fn act_0_is_final_up_to_its_first_lock() {
    let mut replay = recording();
    let mut state = nodewright_dash::sim::NodeState::new();
    replay.act(&mut state, 0);
    let node = serve(state);
    let mut scan = Scan::start(adapter(&node, DashOptions::default()).await, StartAt::Height(BlockHeight(1)));
    let told = words(&scan.catch_up().await);
    assert_eq!(told.len(), 1_007);
    assert_eq!(told[0], "apply 1:6e798cd0");
    assert_eq!(told[1_005], "apply 1006:41d1d709");
    assert_eq!(told[1_006], "final 1006:41d1d709 by NodeSet of 1006:41d1d709");
}

#[tokio::test]
async fn act_1_every_memo_case_is_observed_as_it_was_paid() {
    let mut scene = Scene::after(0, DashOptions::default()).await;
    let (step, records) = scene.records().await;
    assert_eq!(words(&records), ["apply 1007:75de86e4", "final 1007:75de86e4 by NodeSet of 1007:75de86e4"]);
    let reports = reports(&records);
    let [report] = reports.as_slice() else { panic!("{} reports", reports.len()) };

    let swap = "=:MAYA.CACAO:maya1gv85v0jvc0rsjunku3qxempax6kmrg5jqh8vmg";
    let seen = |case: &str| {
        let txid = step.transaction(case).unwrap();
        let found: Vec<_> = report.observations.iter().filter(|seen| seen.txid.0 == txid).collect();
        let [seen] = found.as_slice() else { panic!("{case}: {} observations", found.len()) };
        let memo = String::from_utf8(seen.memo.clone().unwrap()).unwrap();
        (seen.output, memo, seen.value.0)
    };
    assert_eq!(seen("memo after the vault output (normal)"), (0, swap.to_owned(), 150_000_000));
    let (output, memo, _) = seen("memo before the vault output (wrong vout)");
    assert_eq!((output, memo.as_str()), (1, "+:DASH.DASH:maya1gv85v0jvc0rsjunku3qxempax6kmrg5jqh8vmg"));
    let (output, memo, _) = seen("two outputs before the memo");
    assert_eq!((output, memo.as_str()), (0, "-:DASH.DASH:10000"));
    let (_, memo, _) = seen("80 byte memo");
    assert_eq!(memo, "S".repeat(80));
    assert_eq!(report.observations.len(), 4);

    let missed = |case: &str| {
        let txid = step.transaction(case).unwrap();
        let found: Vec<_> = report.near_misses.iter().filter(|miss| miss.observation.txid.0 == txid).collect();
        let [miss] = found.as_slice() else { panic!("{case}: {} near misses", found.len()) };
        miss.reason.clone()
    };
    assert_eq!(missed("no memo"), NearMissReason::MemoMissing);
    assert_eq!(missed("not UTF-8 memo"), NearMissReason::MemoNotText);
    assert_eq!(report.near_misses.len(), 2);
    let elsewhere = step.transaction("not to the vault").unwrap();
    assert!(report.observations.iter().all(|seen| seen.txid.0 != elsewhere));
}

#[tokio::test]
async fn act_2_unlocked_blocks_become_final_together_with_their_locked_child() {
    let mut scene = Scene::after(1, DashOptions::default()).await;
    let mut book = DepositBook::new();
    let mut deposits = Vec::new();
    for (index, applied) in
        ["1008:1790ab21", "1009:2a2008bc", "1010:7c615986", "1011:1a8bc86d", "1012:0304adf5"].iter().enumerate()
    {
        let (step, records) = scene.records().await;
        assert_eq!(words(&records), [format!("apply {applied}")]);
        let case = format!("in block {index} without a chainlock of its own");
        deposits.push(step.transaction(&case).unwrap().to_owned());
        records.iter().for_each(|record| drop(book.fold(record)));
    }
    assert!(book.deposits().iter().all(|deposit| deposit.state == DepositState::Seen));

    let (step, records) = scene.records().await;
    assert_eq!(words(&records), ["apply 1013:2f25e699", "final 1013:2f25e699 by NodeSet of 1013:2f25e699"]);
    records.iter().for_each(|record| drop(book.fold(record)));
    let paid: Vec<_> = book.deposits().iter().map(|deposit| deposit.observation.txid.0.clone()).collect();
    assert_eq!(paid, deposits, "one deposit for each block, in their order");
    for deposit in book.deposits() {
        let DepositState::Final { evidence, .. } = &deposit.state else { panic!("{:?}", deposit.state) };
        assert_eq!(evidence.bytes, step.lock.unwrap().to_bytes(), "the lock is the evidence");
        assert_eq!(evidence.trust, Trust::NodeSet);
    }
}

#[tokio::test]
async fn act_3_four_longer_blocks_are_dropped_for_three_locked_ones() {
    let mut scene = Scene::after(2, DashOptions::default()).await;
    let mut book = DepositBook::new();
    let (step, records) = scene.records().await;
    assert_eq!(
        words(&records),
        ["apply 1014:1a401d0c", "apply 1015:55c82628", "apply 1016:2a9b1374", "apply 1017:2878b6de"]
    );
    records.iter().for_each(|record| drop(book.fold(record)));
    let lost = TxId(step.transaction("mined on the losing branch only").unwrap().to_owned());
    let [deposit] = book.deposits() else { panic!("{:?}", book.deposits()) };
    assert_eq!((&deposit.observation.txid, &deposit.state), (&lost, &DepositState::Seen));
    let private = step.tip;

    let (step, records) = scene.records().await;
    assert_eq!(
        words(&records),
        [
            "roll back to 1013:2f25e699, drop 1017:2878b6de 1016:2a9b1374 1015:55c82628 1014:1a401d0c",
            "apply 1014:0c468032",
            "apply 1015:41e93655",
            "apply 1016:2b6985b8",
            "final 1016:2b6985b8 by NodeSet of 1016:2b6985b8",
        ]
    );
    records.iter().for_each(|record| drop(book.fold(record)));
    let [deposit] = book.deposits() else { panic!("{:?}", book.deposits()) };
    assert!(matches!(deposit.state, DepositState::Gone { fate: Fate::Awaited }), "{:?}", deposit.state);
    let adapter = &scene.scan.adapter;
    assert_eq!(adapter.transactions.as_ref().unwrap().fate(&lost).await.unwrap(), TxFate::Mempool);

    let conflicting = step.tips.iter().find(|(hash, _)| *hash == private).unwrap();
    assert_eq!(conflicting.1, "conflicting");
    let id = nodewright_core::BlockId { height: BlockHeight(1_017), hash: private };
    assert_eq!(adapter.headers.membership(&id.into()).await.unwrap(), Membership::Stale);
}

#[tokio::test]
async fn act_4_a_lock_ahead_of_its_block_waits_for_it() {
    let mut scene = Scene::after(3, DashOptions::default()).await;
    let (step, told) = scene.step().await;
    assert!(!step.known_block);
    assert_eq!(step.lock.unwrap().height, 1_017);
    assert_eq!(told, [""; 0], "nothing is final before the block is there");
    assert_eq!(scene.scan.sink.stored().unwrap().checkpoint.pending.len(), 1, "the lock is kept");

    let (step, told) = scene.step().await;
    assert!(step.known_block);
    assert_eq!(told, ["apply 1017:1820e6b7", "final 1017:1820e6b7 by NodeSet of 1017:1820e6b7"]);
}

#[tokio::test]
async fn act_4_a_restart_between_lock_and_block_keeps_the_lock() {
    let mut scene = Scene::after(3, DashOptions::default()).await;
    assert_eq!(scene.step().await.1, [""; 0]);
    // The node forgets the lock and the scan is killed: the lock now lives in the checkpoint alone.
    scene.node.state().set_lock(None);
    let adapter = adapter(&scene.node, DashOptions::default()).await;
    scene.scan = scene.scan.restart(adapter);
    let step = scene.replay.step(&mut scene.node.state()).unwrap();
    scene.node.state().set_lock(None);
    assert!(step.lock.is_some());
    let told = words(&scene.scan.catch_up().await);
    assert_eq!(told, ["apply 1017:1820e6b7", "final 1017:1820e6b7 by NodeSet of 1017:1820e6b7"]);
}

#[tokio::test]
async fn act_5_an_instant_lock_finalises_nothing_and_the_chain_lock_does() {
    let mut scene = Scene::after(4, DashOptions::default()).await;
    let (step, told) = scene.step().await;
    assert_eq!(told, [""; 0]);
    let txid = TxId(step.transaction("locked by InstantSend").unwrap().to_owned());
    let transactions = scene.scan.adapter.transactions.clone().unwrap();
    assert_eq!(transactions.fate(&txid).await.unwrap(), TxFate::Mempool);

    let (_, records) = scene.records().await;
    assert_eq!(words(&records), ["apply 1018:40f3310b", "final 1018:40f3310b by NodeSet of 1018:40f3310b"]);
    let reports = reports(&records);
    let seen = &reports[0].observations[0];
    assert_eq!((&seen.txid, seen.value.0), (&txid, 400_000_000));
    assert_eq!(seen.memo.as_deref(), Some(b"=:DASH.DASH:instant".as_slice()));
    assert!(matches!(transactions.fate(&txid).await.unwrap(), TxFate::Mined(point) if point.id.height.0 == 1_018));
}

#[tokio::test]
async fn the_whole_recording_is_told_without_a_gap() {
    let mut scene = Scene::after(0, DashOptions::default()).await;
    assert_eq!(scene.scan.sink.stored().map_or(BEFORE, |stored| stored.checkpoint.finalized.id.height.0), BEFORE);
    let told = scene.act(5).await;
    assert_eq!(told.iter().filter(|word| word.starts_with("roll back")).count(), 1);
    assert_eq!(told.iter().filter(|word| word.starts_with("apply")).count(), 1 + 6 + 4 + 3 + 1 + 1);
    assert_eq!(told.iter().filter(|word| word.starts_with("final")).count(), 5);
}
