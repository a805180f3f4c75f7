//! What a source can do besides headers: heights, observations, certificates.

use nodewright_core::{BlockHeight, ErrorKind, EvidenceClaim, WatchRules, WatchSet};

use super::{Builder, Entry, Scenario, Stop, ability, ensure};

pub(super) const ALL: &[Entry] = &[
    Entry { id: "HI-1", name: "the block at a height is the one on the best chain", run: |b| Box::pin(heights(b)) },
    Entry { id: "OS-1", name: "there is one report for each block, in order", run: |b| Box::pin(reports(b)) },
    Entry { id: "OS-2", name: "a block that does not exist is an error", run: |b| Box::pin(no_report(b)) },
    Entry { id: "OS-3", name: "a text that is no address is a configuration error", run: |b| Box::pin(no_address(b)) },
    Entry { id: "ES-1", name: "a certificate is served, and verifies again", run: |b| Box::pin(certificate(b)) },
    Entry { id: "ES-2", name: "a forged certificate is refused", run: |b| Box::pin(forged(b)) },
    Entry {
        id: "ES-3",
        name: "no certificate is no error, also after a restart",
        run: |b| Box::pin(no_certificate(b)),
    },
];

async fn heights(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 15 }).await?;
    let heights = ability(subject.adapter.heights.as_ref(), "height index")?;
    for point in subject.points().await? {
        let found = heights.point_at(point.id.height).await?;
        ensure(found == Some(point), || format!("at height {} is {found:?}, not {point:?}", point.id.height))?;
    }
    let above = heights.point_at(BlockHeight(1_000_000)).await?;
    ensure(above.is_none(), || format!("above the head is {above:?}"))
}

async fn reports(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 30 }).await?;
    let observations = ability(subject.adapter.observations.as_ref(), "observation source")?;
    let points = subject.points().await?;
    let watch = WatchSet::new([], WatchRules::default());
    let asked: Vec<_> = points.iter().skip(1).rev().step_by(2).copied().collect();
    let reports = observations.observe(&asked, &watch).await?;
    let in_order = reports.iter().map(|report| report.point).eq(asked);
    ensure(in_order, || "reports are missing or out of order".to_owned())?;
    let idle = reports.iter().all(|report| report.observations.is_empty() && report.spends.is_empty());
    ensure(idle, || "something was observed that is not watched".to_owned())?;
    let none = observations.observe(&[], &watch).await?;
    ensure(none.is_empty(), || format!("{} reports of no blocks", none.len()))
}

async fn no_report(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 3 }).await?;
    let observations = ability(subject.adapter.observations.as_ref(), "observation source")?;
    let mut missing = subject.points().await?[3];
    missing.id.hash.0[7] ^= 1;
    match observations.observe(&[missing], &WatchSet::default()).await {
        Ok(_) => Err(Stop::Fail("a block that does not exist was reported".to_owned())),
        Err(error) => ensure(error.kind() == ErrorKind::NotFound, || error.to_string()),
    }
}

async fn no_address(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 1 }).await?;
    let observations = ability(subject.adapter.observations.as_ref(), "observation source")?;
    for text in ["", "certainly no address", "\u{1f98a}"] {
        match observations.watch(text) {
            Ok(item) => return Err(Stop::Fail(format!("{text:?} was read as {item:?}"))),
            Err(error) => ensure(error.kind() == ErrorKind::Config, || error.to_string())?,
        }
    }
    Ok(())
}

async fn certificate(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let source = ability(subject.adapter.evidence.as_ref(), "evidence source")?;
    let points = subject.points().await?;
    let locked = points[18];
    subject.control.lock(&locked).await?;
    let served = source.evidence(&points[10..]).await?;
    let found = served.iter().find(|evidence| evidence.block() == locked.id);
    let Some(found) = found else { return Err(Stop::Fail(format!("{served:?} names not {locked:?}"))) };
    ensure(found.is_certificate(), || format!("{found:?} is no certificate"))?;
    let again = source.verify(&EvidenceClaim::from(found)).await?;
    ensure(again.block() == found.block(), || format!("verified again, it names {:?}", again.block()))?;
    let same = again.bytes() == found.bytes() && again.kind() == found.kind();
    ensure(same, || format!("verified again, it is {again:?}"))
}

async fn forged(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let source = ability(subject.adapter.evidence.as_ref(), "evidence source")?;
    let points = subject.points().await?;
    subject.control.lock(&points[18]).await?;
    let served = source.evidence(&points[10..]).await?;
    let Some(claim) = served.first().map(EvidenceClaim::from) else {
        return Err(Stop::Fail("no certificate is served".to_owned()));
    };
    let mut forgeries = vec![EvidenceClaim { bytes: Vec::new(), ..claim.clone() }];
    for byte in (0..claim.bytes.len()).step_by(7) {
        let mut forgery = claim.clone();
        forgery.bytes[byte] ^= 1;
        forgeries.push(forgery);
    }
    forgeries.push(EvidenceClaim { block: points[17].id, ..claim.clone() });
    for forgery in forgeries {
        let refused = match source.verify(&forgery).await {
            Ok(_) => return Err(Stop::Fail(format!("it vouches for {forgery:?}"))),
            Err(error) => error,
        };
        let kinds = [ErrorKind::Unverified, ErrorKind::InvalidData];
        ensure(kinds.contains(&refused.kind()), || refused.to_string())?;
    }
    Ok(())
}

async fn no_certificate(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let source = ability(subject.adapter.evidence.as_ref(), "evidence source")?;
    let points = subject.points().await?;
    let served = source.evidence(&points[10..]).await?;
    ensure(served.is_empty(), || format!("without a certificate, {served:?} is served"))?;
    subject.control.restart().await?;
    source.evidence(&points[10..]).await?;
    source.evidence(&[]).await?;
    Ok(())
}
