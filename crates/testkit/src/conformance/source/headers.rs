//! HS-1 to HS-6: how a source answers for headers.

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, Membership};

use super::read::extend;
use super::{Builder, Entry, Scenario, Stop, ensure};

pub(super) const ALL: &[Entry] = &[
    Entry { id: "HS-1", name: "headers link to one another, however many are asked for", run: |b| Box::pin(linked(b)) },
    Entry { id: "HS-1", name: "genesis alone is a chain", run: |b| Box::pin(genesis(b)) },
    Entry { id: "HS-2", name: "it answers from the newest point that it holds", run: |b| Box::pin(newest(b)) },
    Entry { id: "HS-2", name: "unknown points are passed over", run: |b| Box::pin(unknown(b)) },
    Entry { id: "HS-2", name: "after a reorganisation it answers from the fork", run: |b| Box::pin(forked(b)) },
    Entry { id: "HS-3", name: "edited headers are not handed out", run: |b| Box::pin(edited(b)) },
    Entry { id: "HS-4", name: "one answer comes from one of two views", run: |b| Box::pin(one_view(b)) },
    Entry { id: "HS-5", name: "a node that is behind answers from what it has", run: |b| Box::pin(behind(b)) },
    Entry { id: "HS-6", name: "membership agrees with the chain", run: |b| Box::pin(membership(b)) },
    Entry { id: "HS-6", name: "replaced blocks are stale", run: |b| Box::pin(stale(b)) },
];

async fn linked(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 40 }).await?;
    let points = subject.points().await?;
    ensure(points.len() == 41, || format!("{} blocks of 41", points.len()))?;
    for (place, max) in [(0, 1), (0, 7), (0, 40), (0, 1_000), (13, 5), (39, 2_000)] {
        let answer = extend(&*subject.adapter.headers, &points[place..=place], max).await?;
        let all = usize::try_from(max).is_ok_and(|max| answer.headers.len() == max.min(40 - place));
        ensure(all, || format!("{} headers after {place} of at most {max}", answer.headers.len()))?;
        let same = answer
            .headers
            .iter()
            .map(|header| header.point)
            .eq(points[place + 1..].iter().copied().take(answer.headers.len()));
        ensure(same, || format!("other headers after {place} than before"))?;
        ensure(answer.tips.head == points[40].id, || format!("the head is {:?}", answer.tips.head))?;
    }
    Ok(())
}

async fn genesis(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 0 }).await?;
    let scope = subject.adapter.headers.scope().await?;
    ensure(scope == subject.adapter.scope, || {
        format!("the source is of {scope}, the adapter of {}", subject.adapter.scope)
    })?;
    let answer = extend(&*subject.adapter.headers, &[subject.genesis()], 10).await?;
    ensure(answer.from == Some(subject.genesis()) && answer.headers.is_empty(), || format!("{answer:?}"))?;
    ensure(answer.tips.head == subject.genesis().id, || format!("the head is {:?}", answer.tips.head))
}

async fn newest(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let points = subject.points().await?;
    for newest in [20, 12, 1, 0] {
        let locator: Vec<_> = points[..=newest].iter().rev().copied().collect();
        let answer = extend(&*subject.adapter.headers, &locator, 100).await?;
        ensure(answer.from == Some(points[newest]), || format!("from {:?} of {:?}", answer.from, points[newest]))?;
    }
    Ok(())
}

async fn unknown(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 5 }).await?;
    let points = subject.points().await?;
    let answer = extend(&*subject.adapter.headers, &[made_up(9), made_up(3), points[2], points[1]], 100).await?;
    ensure(answer.from == Some(points[2]), || format!("from {:?} of {:?}", answer.from, points[2]))?;
    let answer = extend(&*subject.adapter.headers, &[made_up(9), made_up(3)], 100).await?;
    ensure(answer.from.is_none(), || format!("from {:?}, which it cannot know", answer.from))?;
    ensure(answer.tips.head == points[5].id, || format!("the head is {:?}", answer.tips.head))
}

async fn forked(builder: &dyn Builder) -> Result<(), Stop> {
    for (depth, count) in [(1, 2), (6, 7), (5, 3)] {
        let subject = builder.build(Scenario { blocks: 20 }).await?;
        let before: Vec<_> = subject.points().await?;
        subject.control.reorg(depth, count).await?;
        let locator: Vec<_> = before.iter().rev().copied().collect();
        let answer = extend(&*subject.adapter.headers, &locator, 100).await?;
        let fork = before[20 - depth];
        ensure(answer.from == Some(fork), || format!("from {:?}, the fork is {fork:?}", answer.from))?;
        ensure(answer.headers.len() == count, || format!("{} headers of {count}", answer.headers.len()))?;
        let known = answer.headers.iter().any(|header| before.contains(&header.point));
        ensure(!known, || "a replaced block is still there".to_owned())?;
        subject.control.grow(1).await?;
    }
    Ok(())
}

async fn edited(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 10 }).await?;
    let points = subject.points().await?;
    subject.control.edit_headers().await?;
    match extend(&*subject.adapter.headers, &points[..1], 100).await {
        Ok(answer) => {
            let true_ones = answer.headers.iter().all(|header| points.contains(&header.point));
            ensure(true_ones, || "headers that do not hash to their id were handed out".to_owned())?;
        }
        Err(Stop::Fail(_)) => {}
        Err(skip) => return Err(skip),
    }
    subject.control.heal().await?;
    ensure(subject.points().await? == points, || "it does not recover".to_owned())
}

async fn one_view(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let best = subject.points().await?;
    subject.control.split(5, 4).await?;
    let locator: Vec<_> = best.iter().rev().copied().collect();
    for _ in 0..40 {
        let answer = extend(&*subject.adapter.headers, &locator, 100).await?;
        let last = answer.headers.last().map(|header| header.point).or(answer.from).unwrap_or_default();
        // The answer is not full, so it ends at the head of the view that it is from, unless it was cut.
        let on_best = best.contains(&last);
        let shared = best.iter().take(16).any(|point| *point == last);
        let same_view = on_best == best.iter().any(|point| point.id == answer.tips.head);
        let whole = last.id == answer.tips.head || shared || same_view;
        ensure(whole, || format!("it ends at {last:?}, its head is {:?}", answer.tips.head))?;
    }
    subject.control.heal().await?;
    ensure(subject.points().await? == best, || "it does not recover".to_owned())
}

async fn behind(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let points = subject.points().await?;
    let locator: Vec<_> = points.iter().rev().copied().collect();
    subject.control.lag(6).await?;
    let answer = extend(&*subject.adapter.headers, &locator, 100).await?;
    ensure(answer.from == Some(points[14]) && answer.headers.is_empty(), || format!("{answer:?}"))?;
    ensure(answer.tips.head == points[14].id, || format!("the head is {:?}", answer.tips.head))?;
    let stands = subject.adapter.headers.membership(&points[20]).await?;
    ensure(stands != Membership::Canonical, || "a block ahead of its head is called canonical".to_owned())?;
    subject.control.lag(0).await?;
    ensure(subject.points().await? == points, || "it does not catch up".to_owned())
}

async fn membership(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 12 }).await?;
    for point in subject.points().await? {
        let stands = subject.adapter.headers.membership(&point).await?;
        ensure(stands == Membership::Canonical, || format!("{point:?} is {stands:?}"))?;
    }
    match subject.adapter.headers.membership(&made_up(4)).await {
        Ok(stands) => ensure(stands == Membership::Unknown, || format!("a made-up block is {stands:?}")),
        Err(error) => Err(Stop::Fail(format!("a made-up block is an error: {error}"))),
    }
}

async fn stale(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 12 }).await?;
    let before = subject.points().await?;
    subject.control.reorg(3, 4).await?;
    for (place, point) in before.iter().enumerate() {
        let stands = subject.adapter.headers.membership(point).await?;
        let expected = if place <= 9 { Membership::Canonical } else { Membership::Stale };
        ensure(stands == expected, || format!("{point:?} is {stands:?}, not {expected:?}"))?;
    }
    Ok(())
}

/// Names a block that no chain holds.
fn made_up(height: u64) -> BlockPoint {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    BlockPoint::from(BlockId { height: BlockHeight(height), hash: BlockHash(hash) })
}
