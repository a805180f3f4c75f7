//! The watches over certificates, on the list that a devnet's aggregator recorded in 2026.

use core::time::Duration;

use nodewright_cardano::certificate::{CertificateSummary, EntityKind, Timestamp};
use nodewright_cardano::watch::{
    CertificateFact, EntityFinding, EpochTime, Finding as _, GapFinding, GapLimits, PaceFinding, PaceLimits, Severity,
    ShareFinding, ShareLimits, SilenceFinding, aggregator_silence, certificate_pace, epoch_gap, missing_entities,
    signer_share,
};
use nodewright_core::Epoch;

const EXPECTED: [EntityKind; 5] = [
    EntityKind::MithrilStakeDistribution,
    EntityKind::CardanoStakeDistribution,
    EntityKind::CardanoDatabase,
    EntityKind::CardanoTransactions,
    EntityKind::CardanoBlocksTransactions,
];

/// Returns the 20 newest certificates, of epochs 22 to 25.
fn recorded() -> Option<Vec<CertificateFact>> {
    let path = nodewright_testkit::corpus("mithril/devnet-2026/certificates-list.json")?;
    let list: Vec<CertificateSummary> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Some(list.iter().map(CertificateFact::from).collect())
}

/// Is a time in an epoch of five days.
fn at(epoch: u64, hours: u64) -> EpochTime {
    EpochTime::new(Epoch(epoch), Duration::from_secs(hours * 3_600), Duration::from_secs(5 * 86_400))
}

fn later(facts: &[CertificateFact], seconds: i64) -> Timestamp {
    let newest = facts.iter().map(|fact| fact.sealed_at).max().unwrap();
    Timestamp::from_nanos(newest.nanos() + seconds * 1_000_000_000)
}

#[test]
fn the_recorded_list_is_complete_and_each_kind_that_is_taken_out_is_missed() {
    let Some(facts) = recorded() else { return };
    assert_eq!(facts.len(), 20);
    assert_eq!(missing_entities(&facts, &EXPECTED, &at(25, 48)), EntityFinding::Complete);
    for kind in EXPECTED {
        let without: Vec<_> = facts.iter().copied().filter(|fact| fact.kind != kind).collect();
        let missing = missing_entities(&without, &EXPECTED, &at(25, 48));
        assert_eq!(missing, EntityFinding::Missing { epoch: Epoch(25), kinds: vec![kind] });
        let unexpected: Vec<_> = EXPECTED.into_iter().filter(|other| *other != kind).collect();
        assert_eq!(missing_entities(&without, &unexpected, &at(25, 48)), EntityFinding::Complete);
    }
}

#[test]
fn a_stake_distribution_is_missed_when_the_time_outs_up_to_it_have_passed() {
    let Some(facts) = recorded() else { return };
    let after =
        |minutes: u64| EpochTime::new(Epoch(26), Duration::from_secs(minutes * 60), Duration::from_secs(5 * 86_400));
    let kinds = |minutes| match missing_entities(&facts, &EXPECTED, &after(minutes)) {
        EntityFinding::Missing { kinds, .. } => kinds,
        _ => Vec::new(),
    };
    assert_eq!(kinds(60), []);
    assert_eq!(kinds(61), [EntityKind::MithrilStakeDistribution]);
    assert_eq!(kinds(90), [EntityKind::MithrilStakeDistribution]);
    assert_eq!(kinds(91), [EntityKind::MithrilStakeDistribution, EntityKind::CardanoStakeDistribution]);
    assert_eq!(missing_entities(&facts, &EXPECTED, &after(61)).severity(), Severity::Critical);
}

#[test]
fn an_aggregator_is_silent_once_the_time_outs_no_longer_explain_it() {
    let Some(facts) = recorded() else { return };
    let patience = SilenceFinding::patience(&facts, &EXPECTED);
    // 3,600 + 1,800 + 3 × 600 s, and the longest distance in the list, which is below 2 s.
    assert_eq!(patience.as_secs(), 7_201);
    let judge = |seconds| aggregator_silence(&facts, later(&facts, seconds), patience);
    assert!(matches!(judge(7_201), SilenceFinding::Working { last: EntityKind::CardanoStakeDistribution, .. }));
    assert!(matches!(judge(7_203), SilenceFinding::Silent { .. }));
    assert_eq!(aggregator_silence(&[], Timestamp::from_nanos(0), patience), SilenceFinding::NoCertificate);
}

#[test]
fn the_gap_is_seen_ahead_from_the_newest_certificate() {
    let Some(facts) = recorded() else { return };
    let newest = facts.iter().map(|fact| fact.epoch).max();
    let judge = |epoch, hours| epoch_gap(newest, &at(epoch, hours), &GapLimits::default());
    assert_eq!(judge(25, 24), GapFinding::Linked { certified: Epoch(25), left: Duration::from_secs(9 * 86_400) });
    assert_eq!(judge(26, 24).left(), Some(Duration::from_secs(4 * 86_400)));
    assert_eq!(judge(27, 0), GapFinding::Torn { certified: Epoch(25), epoch: Epoch(27) });
}

#[test]
fn the_pace_is_that_of_the_epochs_before_and_falls_when_certificates_are_taken_out() {
    let Some(facts) = recorded() else { return };
    // Epochs 22 (cut by the list), 23 and 24 have 3, 8 and 7 certificates.
    let steady = PaceFinding::Steady { epoch: Epoch(24), found: 7, usual: 8 };
    assert_eq!(certificate_pace(&facts, &at(25, 1), &PaceLimits::default()), steady);
    let mut kept = 0;
    let thinned: Vec<_> = facts
        .iter()
        .copied()
        .filter(|fact| {
            kept += u32::from(fact.epoch == Epoch(24));
            fact.epoch != Epoch(24) || kept <= 3
        })
        .collect();
    let slower = PaceFinding::Slower { epoch: Epoch(24), found: 3, usual: 8 };
    assert_eq!(certificate_pace(&thinned, &at(25, 1), &PaceLimits::default()), slower);
    assert_eq!(certificate_pace(&facts, &at(24, 1), &PaceLimits::default()), PaceFinding::Unknown);
    let silent = certificate_pace(&facts, &at(26, 1), &PaceLimits { least: 50 });
    assert_eq!(silent, PaceFinding::Slower { epoch: Epoch(25), found: 2, usual: 8 });
}

#[test]
fn the_share_of_signers_is_steady_as_recorded_and_falls_when_signers_are_taken_out() {
    let Some(facts) = recorded() else { return };
    let judge = |facts: &[CertificateFact]| signer_share(facts, &ShareLimits::default());
    assert_eq!(judge(&facts), ShareFinding::Steady { now: 160, before: 193 });
    let mut fewer = facts.clone();
    for fact in fewer.iter_mut().filter(|fact| fact.epoch >= Epoch(24)) {
        fact.signers = 1;
    }
    assert_eq!(judge(&fewer).severity(), Severity::Warning, "{}", judge(&fewer));
    let mut many = facts.clone();
    many.iter_mut().filter(|fact| fact.epoch < Epoch(24)).for_each(|fact| fact.signers = 28);
    assert_eq!(judge(&many).severity(), Severity::Critical, "{}", judge(&many));
    assert_eq!(judge(&facts[..9]), ShareFinding::Unknown);
}
