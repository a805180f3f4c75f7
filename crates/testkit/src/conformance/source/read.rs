//! Reads a whole chain through a source, to compare with what was seen in other ways.

use core::num::NonZeroU32;

use nodewright_core::{BlockHeight, BlockId, BlockPoint, Extension, Header, HeaderSource};

use super::{Stop, Subject, ensure};

impl Subject {
    /// Returns the block at height 0.
    pub(super) fn genesis(&self) -> BlockPoint {
        BlockPoint::from(BlockId { height: BlockHeight(0), hash: self.adapter.scope.network.genesis })
    }

    /// Reads the chain after `from`, up to the source's head.
    pub(super) async fn chain(&self, from: BlockPoint) -> Result<Vec<Header>, Stop> {
        let mut chain: Vec<Header> = Vec::new();
        loop {
            let tip = chain.last().map_or(from, |header| header.point);
            let answer = extend(&*self.adapter.headers, &[tip], 100).await?;
            ensure(answer.from == Some(tip), || format!("{tip:?} is no longer on the chain"))?;
            if answer.headers.is_empty() {
                return Ok(chain);
            }
            chain.extend(answer.headers);
        }
    }

    /// Reads the points of the chain from genesis to the source's head.
    pub(super) async fn points(&self) -> Result<Vec<BlockPoint>, Stop> {
        let genesis = self.genesis();
        let rest = self.chain(genesis).await?;
        Ok([genesis].into_iter().chain(rest.iter().map(|header| header.point)).collect())
    }
}

/// Asks for an extension and checks what holds for every one (HS-1).
pub(super) async fn extend(source: &dyn HeaderSource, locator: &[BlockPoint], max: u32) -> Result<Extension, Stop> {
    let most = NonZeroU32::new(max).unwrap_or(NonZeroU32::MIN);
    let answer = source.extend(locator, most).await?;
    check(&answer, locator, most)?;
    Ok(answer)
}

fn check(answer: &Extension, locator: &[BlockPoint], most: NonZeroU32) -> Result<(), Stop> {
    let headers = &answer.headers;
    let counted = u32::try_from(headers.len()).is_ok_and(|count| count <= most.get());
    ensure(counted, || format!("HS-1: {} headers, but {most} were asked for", headers.len()))?;
    let Some(from) = answer.from else {
        return ensure(headers.is_empty(), || "HS-1: headers that follow nothing".to_owned());
    };
    ensure(locator.contains(&from), || format!("HS-2: {from:?} is not in the locator"))?;
    let mut below = from;
    for header in headers {
        ensure(header.parent == below.id.hash, || format!("HS-1: {header:?} does not follow {below:?}"))?;
        let rises = header.point.id.height >= below.id.height;
        ensure(rises, || format!("HS-1: {header:?} is lower than {below:?}"))?;
        below = header.point;
    }
    let head = answer.tips.head;
    ensure(below.id.height <= head.height, || format!("HS-4: {below:?} is above the head {head:?}"))
}
