//! The models of signer and aggregator: the documented transitions, faults under two policies, and random lives.

use nodewright_cardano::certificate::EntityKind;
use nodewright_cardano::runtime::{
    AggregatorEvent, AggregatorFault, AggregatorModel, AggregatorState, BlockedReason, ChainVerdict, Fault as _,
    FaultClass, MithrilPolicy, SignerEvent, SignerFault, SignerModel, SignerState, Step,
};
use nodewright_core::policy::{Action, ErrorPolicy, Failure, Stage};
use nodewright_core::{Epoch, Error, ErrorKind};
use nodewright_ops::scan::StandardPolicy;

const SIGNER_FAULTS: [SignerFault; 9] = [
    SignerFault::ApiVersion,
    SignerFault::Aggregator,
    SignerFault::EraUnreadable,
    SignerFault::EraUnsupported,
    SignerFault::Initializer,
    SignerFault::Node,
    SignerFault::RegistrationRefused,
    SignerFault::Signature,
    SignerFault::Store,
];

const AGGREGATOR_FAULTS: [AggregatorFault; 7] = [
    AggregatorFault::Artifact,
    AggregatorFault::Chain,
    AggregatorFault::EraUnreadable,
    AggregatorFault::EraUnsupported,
    AggregatorFault::Node,
    AggregatorFault::QuorumMissing,
    AggregatorFault::Store,
];

fn signer_after(events: &[SignerEvent]) -> SignerModel {
    let mut model = SignerModel::new();
    for event in events {
        model.observe(*event).unwrap();
    }
    model
}

fn aggregator_after(events: &[AggregatorEvent]) -> AggregatorModel {
    let mut model = AggregatorModel::new();
    for event in events {
        model.observe(*event).unwrap();
    }
    model
}

#[test]
fn a_signer_registers_signs_and_registers_again_when_the_epoch_changes() {
    use SignerEvent as Event;
    let epoch = Epoch;
    let life = [
        (Event::NodeEpoch(epoch(5)), SignerState::Unregistered { epoch: epoch(5) }),
        // The aggregator is still in the epoch before.
        (Event::AggregatorEpoch(epoch(4)), SignerState::Unregistered { epoch: epoch(5) }),
        (Event::AggregatorEpoch(epoch(5)), SignerState::Unregistered { epoch: epoch(5) }),
        (Event::RoundNotOpen, SignerState::Unregistered { epoch: epoch(5) }),
        (Event::Registered { able: false }, SignerState::RegisteredNotAbleToSign { epoch: epoch(5) }),
        (Event::NodeEpoch(epoch(5)), SignerState::RegisteredNotAbleToSign { epoch: epoch(5) }),
        (Event::NodeEpoch(epoch(6)), SignerState::Unregistered { epoch: epoch(6) }),
        (Event::Registered { able: true }, SignerState::ReadyToSign { epoch: epoch(6) }),
        (Event::Signed, SignerState::ReadyToSign { epoch: epoch(6) }),
        (Event::NothingToSign, SignerState::ReadyToSign { epoch: epoch(6) }),
        // A node that is behind the one asked before.
        (Event::NodeEpoch(epoch(5)), SignerState::ReadyToSign { epoch: epoch(6) }),
        (Event::NodeEpoch(epoch(8)), SignerState::Unregistered { epoch: epoch(8) }),
        (Event::NodeEpoch(epoch(9)), SignerState::Unregistered { epoch: epoch(9) }),
    ];
    let mut model = SignerModel::new();
    for (event, expected) in life {
        let from = model.state();
        let step = model.observe(event).unwrap();
        assert_eq!(model.state(), expected, "after {event:?}");
        assert_eq!(step, if from == expected { Step::Kept } else { Step::Moved { from, to: expected } });
    }
}

#[test]
fn an_aggregator_certifies_expires_and_is_blocked_until_the_epoch_changes() {
    use AggregatorEvent as Event;
    let (five, six, seven) = (Epoch(5), Epoch(6), Epoch(7));
    let msd = EntityKind::MithrilStakeDistribution;
    let blocked = |epoch, reason| AggregatorState::Blocked { epoch, reason };
    let life = [
        (Event::NodeEpoch(five), AggregatorState::Idle { epoch: Some(five) }),
        (Event::ChainChecked(ChainVerdict::NoGenesis), blocked(five, BlockedReason::NoGenesis)),
        (Event::NodeEpoch(five), blocked(five, BlockedReason::NoGenesis)),
        (Event::NodeEpoch(six), AggregatorState::Idle { epoch: Some(six) }),
        (Event::ChainChecked(ChainVerdict::GenesisEpoch), blocked(six, BlockedReason::GenesisEpoch)),
        (Event::NodeEpoch(seven), AggregatorState::Idle { epoch: Some(seven) }),
        (Event::ChainChecked(ChainVerdict::Valid), AggregatorState::Ready { epoch: seven }),
        (Event::Opened(msd), AggregatorState::Signing { epoch: seven, kind: msd }),
        (Event::Certified, AggregatorState::Ready { epoch: seven }),
        (
            Event::Opened(EntityKind::CardanoDatabase),
            AggregatorState::Signing { epoch: seven, kind: EntityKind::CardanoDatabase },
        ),
        (Event::Expired, AggregatorState::Ready { epoch: seven }),
        (Event::NothingToSign, AggregatorState::Ready { epoch: seven }),
        (
            Event::Opened(EntityKind::CardanoTransactions),
            AggregatorState::Signing { epoch: seven, kind: EntityKind::CardanoTransactions },
        ),
        (Event::NewerBeacon, AggregatorState::Ready { epoch: seven }),
        (Event::Opened(msd), AggregatorState::Signing { epoch: seven, kind: msd }),
        (Event::NodeEpoch(Epoch(9)), AggregatorState::Idle { epoch: Some(Epoch(9)) }),
        (
            Event::ChainChecked(ChainVerdict::EpochGap { last: seven }),
            blocked(Epoch(9), BlockedReason::EpochGap { last: seven }),
        ),
    ];
    let mut model = AggregatorModel::new();
    for (event, expected) in life {
        model.observe(event).unwrap();
        assert_eq!(model.state(), expected, "after {event:?}");
    }
    assert_eq!(model.state().label(), "blocked-epoch-gap");
}

#[test]
fn the_other_side_killed_in_mid_cycle_keeps_the_state_and_the_work_goes_on() {
    let mut signer = signer_after(&[SignerEvent::NodeEpoch(Epoch(5)), SignerEvent::AggregatorEpoch(Epoch(5))]);
    for attempt in 1..=1_000 {
        assert_eq!(signer.fail(SignerFault::Aggregator, &MithrilPolicy), Action::Retry);
        assert_eq!((signer.state(), signer.faults()), (SignerState::Unregistered { epoch: Epoch(5) }, attempt));
    }
    signer.observe(SignerEvent::Registered { able: true }).unwrap();
    signer.fail(SignerFault::Signature, &MithrilPolicy);
    signer.fail(SignerFault::Node, &MithrilPolicy);
    signer.observe(SignerEvent::Signed).unwrap();
    assert_eq!((signer.state(), signer.faults()), (SignerState::ReadyToSign { epoch: Epoch(5) }, 0));

    let kind = EntityKind::MithrilStakeDistribution;
    let mut aggregator = aggregator_after(&[
        AggregatorEvent::NodeEpoch(Epoch(5)),
        AggregatorEvent::ChainChecked(ChainVerdict::Valid),
        AggregatorEvent::Opened(kind),
    ]);
    aggregator.fail(AggregatorFault::QuorumMissing, &MithrilPolicy);
    aggregator.fail(AggregatorFault::Node, &MithrilPolicy);
    assert_eq!(aggregator.state(), AggregatorState::Signing { epoch: Epoch(5), kind });
    aggregator.observe(AggregatorEvent::Certified).unwrap();
    aggregator.observe(AggregatorEvent::Opened(kind)).unwrap();
    assert_eq!(aggregator.fail(AggregatorFault::Artifact, &MithrilPolicy), Action::Reinit);
    assert_eq!(aggregator.state(), AggregatorState::Idle { epoch: Some(Epoch(5)) });
    aggregator.observe(AggregatorEvent::ChainChecked(ChainVerdict::Valid)).unwrap();
}

#[test]
fn each_class_becomes_one_action_and_only_eras_and_keys_are_critical() {
    let critical = [SignerFault::EraUnreadable, SignerFault::EraUnsupported, SignerFault::Initializer];
    for fault in SIGNER_FAULTS {
        let mut signer = signer_after(&[SignerEvent::NodeEpoch(Epoch(5))]);
        let action = signer.fail(fault, &MithrilPolicy);
        assert_eq!(action, if critical.contains(&fault) { Action::Halt } else { Action::Retry }, "{fault}");
        assert_eq!(signer.state() == SignerState::Stopped, critical.contains(&fault), "{fault}");
        assert_eq!(action, fault.class().action());
    }
    for fault in AGGREGATOR_FAULTS {
        let mut aggregator = aggregator_after(&[AggregatorEvent::NodeEpoch(Epoch(5))]);
        assert_eq!(aggregator.fail(fault, &MithrilPolicy), fault.class().action(), "{fault}");
    }
    let stray = Error::new(ErrorKind::Config, "test").because(std::io::Error::other("not a fault"));
    let failure = Failure { error: &stray, stage: Stage::Cycle, attempt: 1 };
    assert_eq!(MithrilPolicy.decide(&failure), Action::Retry);
}

#[test]
fn the_standard_policy_halts_on_what_is_critical_and_on_what_only_a_person_can_mend() {
    let decide = |error: &Error| StandardPolicy::default().decide(&Failure { error, stage: Stage::Cycle, attempt: 1 });
    let stricter = [SignerFault::ApiVersion, SignerFault::RegistrationRefused, SignerFault::Signature];
    for fault in SIGNER_FAULTS {
        let halts = fault.class() == FaultClass::Critical || stricter.contains(&fault);
        assert_eq!(decide(&fault.to_error()), if halts { Action::Halt } else { Action::Retry }, "{fault}");
    }
    for fault in AGGREGATOR_FAULTS {
        let halts = fault.class() == FaultClass::Critical;
        assert_eq!(decide(&fault.to_error()), if halts { Action::Halt } else { Action::Retry }, "{fault}");
    }
}

/// Answers at random: a policy may be anything.
#[derive(Debug)]
struct Whim(Action);

impl ErrorPolicy for Whim {
    fn decide(&self, _: &Failure<'_>) -> Action {
        self.0
    }
}

fn whim(rng: &mut fastrand::Rng) -> Whim {
    Whim([Action::Retry, Action::Retry, Action::Retry, Action::Reinit, Action::Escalate, Action::Halt][rng.usize(0..6)])
}

/// Lists the moves of a signer's documentation; the second part of each is reached in one step from the first.
const SIGNER_MOVES: [(&str, &str); 9] = [
    ("init", "unregistered"),
    ("unregistered", "unregistered"),
    ("unregistered", "ready-to-sign"),
    ("unregistered", "registered-not-able-to-sign"),
    ("ready-to-sign", "unregistered"),
    ("registered-not-able-to-sign", "unregistered"),
    // By policy.
    ("unregistered", "init"),
    ("ready-to-sign", "init"),
    ("registered-not-able-to-sign", "init"),
];

#[test]
fn no_life_of_a_signer_leaves_the_table() {
    let name = |state: SignerState| state.to_string().split(' ').next().unwrap().to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for seed in nodewright_testkit::seeds(300, 10_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut model = SignerModel::new();
        for _ in 0..60 {
            let from = model.state();
            let epoch = Epoch(rng.u64(1..8));
            let failed = rng.u8(0..8) == 0;
            if failed {
                model.fail(SIGNER_FAULTS[rng.usize(0..9)], &whim(&mut rng));
            } else {
                let event = match rng.u8(0..7) {
                    0 => SignerEvent::NodeEpoch(epoch),
                    1 => SignerEvent::AggregatorEpoch(epoch),
                    2 => SignerEvent::Registered { able: true },
                    3 => SignerEvent::Registered { able: false },
                    4 => SignerEvent::RoundNotOpen,
                    5 => SignerEvent::Signed,
                    _ => SignerEvent::NothingToSign,
                };
                if let Err(refused) = model.observe(event) {
                    assert_eq!((model.state(), refused.state, refused.event), (from, from, event));
                }
            }
            let to = model.state();
            if from == to {
                continue;
            }
            if to != SignerState::Stopped {
                let step = (name(from), name(to));
                assert!(SIGNER_MOVES.contains(&(&step.0, &step.1)), "seed {seed}: {from} to {to}");
                seen.insert(step);
                let later = from.epoch().is_none_or(|from| to.epoch().is_none_or(|to| to >= from));
                assert!(later, "seed {seed}: {from} to {to}");
            } else {
                assert!(failed, "seed {seed}: stopped without a fault");
            }
            assert_ne!(from, SignerState::Stopped, "seed {seed}: left the end for {to}");
        }
    }
    assert_eq!(seen.len(), SIGNER_MOVES.len(), "not every move was taken: {seen:?}");
}

/// Lists the moves of an aggregator's documentation, and the stops by a policy.
const AGGREGATOR_MOVES: [(&str, &str); 18] = [
    ("idle", "idle"),
    ("idle", "ready"),
    ("idle", "blocked-no-genesis"),
    ("idle", "blocked-genesis-epoch"),
    ("idle", "blocked-epoch-gap"),
    ("blocked-no-genesis", "idle"),
    ("blocked-genesis-epoch", "idle"),
    ("blocked-epoch-gap", "idle"),
    ("ready", "idle"),
    ("ready", "signing"),
    ("signing", "idle"),
    ("signing", "ready"),
    ("idle", "stopped"),
    ("ready", "stopped"),
    ("signing", "stopped"),
    ("blocked-no-genesis", "stopped"),
    ("blocked-genesis-epoch", "stopped"),
    ("blocked-epoch-gap", "stopped"),
];

#[test]
fn no_life_of_an_aggregator_leaves_the_table() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in nodewright_testkit::seeds(300, 10_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut model = AggregatorModel::new();
        for _ in 0..60 {
            let from = model.state();
            let failed = rng.u8(0..8) == 0;
            if failed {
                model.fail(AGGREGATOR_FAULTS[rng.usize(0..7)], &whim(&mut rng));
            } else {
                let epoch = Epoch(rng.u64(1..8));
                let event = match rng.u8(0..11) {
                    0 => AggregatorEvent::NodeEpoch(epoch),
                    1 => AggregatorEvent::ChainChecked(ChainVerdict::Valid),
                    2 => AggregatorEvent::ChainChecked(ChainVerdict::NoGenesis),
                    3 => AggregatorEvent::ChainChecked(ChainVerdict::GenesisEpoch),
                    4 => AggregatorEvent::ChainChecked(ChainVerdict::EpochGap { last: epoch }),
                    5..=6 => AggregatorEvent::Opened(EntityKind::CardanoDatabase),
                    7 => AggregatorEvent::Certified,
                    8 => AggregatorEvent::Expired,
                    9 => AggregatorEvent::NewerBeacon,
                    _ => AggregatorEvent::NothingToSign,
                };
                if let Err(refused) = model.observe(event) {
                    assert_eq!((model.state(), refused.state, refused.event), (from, from, event));
                }
            }
            let to = model.state();
            if from == to {
                continue;
            }
            let step = (from.label(), to.label());
            assert!(AGGREGATOR_MOVES.contains(&step), "seed {seed}: {from} to {to}");
            assert!(failed || to != AggregatorState::Stopped, "seed {seed}: stopped without a fault");
            seen.insert(step);
            // Without a fault, only a change of the epoch leaves a block.
            if step.0.starts_with("blocked") && !failed {
                assert!(to.epoch() > from.epoch(), "seed {seed}: {from} to {to}");
            }
        }
    }
    assert!(AGGREGATOR_MOVES.iter().all(|step| seen.contains(step)), "not every move was taken: {seen:?}");
}
