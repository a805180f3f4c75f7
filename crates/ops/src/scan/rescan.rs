//! Looking at a range of blocks again, without the sink and without the checkpoint.

use core::num::NonZeroU32;
use core::ops::RangeInclusive;

use futures_util::{StreamExt, stream};
use nodewright_core::policy::Stage;
use nodewright_core::{BlockHeight, BlockPoint, BlockReport, EraError, Error, ErrorKind, Header, Result};

use crate::scan::driver::{ScanDriver, ScanError, retry_wait};
use crate::scan::failures::Failures;
use crate::scan::open::Parts;

impl ScanDriver {
    /// Observes the blocks at the heights of `range` on the source's best chain and hands `found` one report a block, in
    /// order. Neither the sink nor its checkpoint is read or written; whether the blocks are final is for the scan to
    /// say. Ends early at the source's newest block; returns how many blocks there were.
    ///
    /// Blocks are those of one branch: each links to the one before. Genesis is left out, as it has no parent.
    ///
    /// # Errors
    /// `ScopeMismatch`, `Unsupported` without a height index or an observing source, `OutOfRange` if the range begins
    /// above the source's newest block, `Inconsistent` if a block that was already handed out left the chain meanwhile
    /// (rescan again), `EraUnsupported` before a block that the gate of the options keeps out, and what the error policy does not retry.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but the rest of the range.
    pub async fn rescan(
        &self,
        range: RangeInclusive<BlockHeight>,
        mut found: impl FnMut(BlockReport) + Send,
    ) -> core::result::Result<u64, ScanError> {
        let parts = &self.parts;
        let mut failures = Failures::default();
        let mut cursor = loop {
            match begin(parts, *range.start()).await {
                Ok(point) => break point,
                Err(error) => pause(parts, &mut failures, Stage::Open, error).await?,
            }
        };
        let mut blocks = 0_u64;
        loop {
            let points = loop {
                match next_points(parts, cursor, *range.end()).await {
                    Ok(points) => break points,
                    Err(error) => pause(parts, &mut failures, Stage::Headers, error).await?,
                }
            };
            failures.clear(Stage::Headers);
            let Some(last) = points.last().copied() else { return Ok(blocks) };
            let mut rest = points.as_slice();
            while !rest.is_empty() {
                let (done, outcome) = observe_some(parts, rest, &mut found).await;
                blocks = blocks.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
                rest = rest.get(done..).unwrap_or_default();
                match outcome {
                    Ok(()) => _ = failures.clear(Stage::Observe),
                    Err(error) => pause(parts, &mut failures, Stage::Observe, error).await?,
                }
            }
            cursor = last;
        }
    }
}

async fn begin(parts: &Parts, from: BlockHeight) -> Result<BlockPoint> {
    parts.check_source().await?;
    if parts.adapter.observations.is_none() {
        return Err(Error::new(ErrorKind::Unsupported, "observe").with("chain", &parts.adapter.scope.chain));
    }
    parts.point_before(from).await
}

/// Returns the points after `cursor` up to `end`; none if there are no more.
async fn next_points(parts: &Parts, cursor: BlockPoint, end: BlockHeight) -> Result<Vec<BlockPoint>> {
    let left = end.since(cursor.id.height).map_or(0, |delta| delta.0);
    let max = parts.options.limits.batch.get().min(u32::try_from(left).unwrap_or(u32::MAX));
    let Some(max) = NonZeroU32::new(max) else { return Ok(Vec::new()) };
    let extension = parts.adapter.headers.extend(&[cursor], max).await?;
    if extension.from != Some(cursor) {
        let error = Error::new(ErrorKind::Inconsistent, "rescan");
        return Err(error.with("left the chain meanwhile, height", cursor.id.height));
    }
    let mut last = cursor;
    let next = |header: &Header| {
        let linked = header.parent == last.id.hash && header.point.id.height <= end;
        last = header.point;
        linked.then_some(header.point)
    };
    let admitted = admitted(parts, &extension.headers)?;
    let points: Vec<_> = admitted.iter().map_while(next).collect();
    match extension.headers.first() {
        Some(first) if points.is_empty() && first.point.id.height <= end => {
            Err(Error::new(ErrorKind::InvalidData, "rescan").with("does not link at height", first.point.id.height))
        }
        _ => Ok(points),
    }
}

/// Returns the headers that the gate admits, up to the first that it does not; an error if that is the first of all.
fn admitted<'a>(parts: &Parts, headers: &'a [Header]) -> Result<&'a [Header]> {
    let Some(gate) = &parts.options.gate else { return Ok(headers) };
    for (index, header) in headers.iter().enumerate() {
        match (gate.admits(header)?, index) {
            (true, _) => {}
            (false, 0) => {
                let error = Error::from(EraError::Unsupported { era: gate.era(header)?.clone() });
                return Err(error.with("height", header.point.id.height));
            }
            (false, _) => return Ok(headers.get(..index).unwrap_or_default()),
        }
    }
    Ok(headers)
}

/// Observes `points` in batches, two at a time, until one fails; returns how many blocks were handed out.
async fn observe_some(
    parts: &Parts,
    points: &[BlockPoint],
    found: &mut (impl FnMut(BlockReport) + Send),
) -> (usize, Result<()>) {
    let Some(source) = &parts.adapter.observations else { return (0, Ok(())) };
    let batches = points.chunks(parts.options.observe_batch.get());
    let mut reports = stream::iter(batches)
        .map(|batch| async move { (batch, source.observe(batch, &parts.options.watch).await) })
        .buffered(2);
    let mut done = 0_usize;
    while let Some((batch, answer)) = reports.next().await {
        let reports = match answer {
            Ok(reports) => reports,
            Err(error) => return (done, Err(error)),
        };
        if !reports.iter().map(|report| &report.point).eq(batch) {
            return (done, Err(Error::new(ErrorKind::Inconsistent, "observe").with("reports", reports.len())));
        }
        done = done.saturating_add(batch.len());
        reports.into_iter().for_each(&mut *found);
    }
    (done, Ok(()))
}

async fn pause(
    parts: &Parts,
    failures: &mut Failures,
    stage: Stage,
    error: Error,
) -> core::result::Result<(), ScanError> {
    let wait = retry_wait(parts, failures, stage, error)?;
    tokio::time::sleep(wait).await;
    Ok(())
}
