//! The conversation about blocks on one connection.
//!
//! The node keeps a place on its chain for the connection. `FindIntersect` sets it to the first of the offered points
//! that is on the chain; each `RequestNext` moves it by one block, or back to where the chain was left. At the end of the
//! chain `RequestNext` would wait for a block, and nothing else can be asked meanwhile; so the end is found by the tip that
//! comes with every answer, and a call that begins there looks for the place again, which tells the new tip at once.

use core::num::NonZeroU32;
use core::time::Duration;

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, Extension, Header, Membership, Slot, Tips};
use pallas_codec::minicbor;
use pallas_network::miniprotocols::chainsync::{BlockContent, Message, Tip};
use pallas_network::miniprotocols::{PROTOCOL_N2C_CHAIN_SYNC, Point};
use tokio::time::Instant;

use crate::node::socket::{NodeSocketOptions, Session};
use crate::node::{BlockHead, Genesis, NodeError, NodeStep};

type Result<T> = core::result::Result<T, NodeError>;

/// Is a connection on which blocks are followed.
#[derive(Debug)]
pub(super) struct ChainSession {
    session: Session,
    /// Is the node's place on its chain for this connection; `None` if it is not known.
    cursor: Option<BlockPoint>,
    /// Is the node's newest block, as of its last answer.
    tip: BlockPoint,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is our turn.
    Idle,
    /// It is our turn, and the node will begin by saying where its place is.
    Placed,
    /// The node waits for a block, and hears nothing until then.
    Awaiting,
    /// An answer did not come, or could not be read.
    Broken,
}

impl ChainSession {
    pub(super) async fn open(options: &NodeSocketOptions, genesis: &Genesis) -> Result<Self> {
        let mut session = Session::open(options).await?;
        let found = session.system_start().await?;
        if found != genesis.start {
            return Err(NodeError::OtherStart { expected: genesis.start, found });
        }
        Ok(Self { session, cursor: None, tip: genesis.origin(), state: State::Idle })
    }

    /// Returns whether another call can use the connection.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Idle | State::Placed)
    }

    /// Says goodbye, where the protocol lets one.
    pub(super) async fn close(mut self) -> Result<()> {
        if self.is_at_rest() {
            let done = Message::<BlockContent>::Done;
            self.session.tell(NodeStep::Release, PROTOCOL_N2C_CHAIN_SYNC, &done).await?;
        }
        if self.state == State::Broken {
            return Ok(());
        }
        self.session.close().await
    }

    /// Reads up to `max` blocks after the newest point of `locator` that the node has, and stops after `patience`.
    pub(super) async fn extend(
        &mut self,
        genesis: &Genesis,
        locator: &[BlockPoint],
        max: NonZeroU32,
        patience: Duration,
    ) -> Result<Extension> {
        let start = Instant::now();
        let most = usize::try_from(max.get()).unwrap_or(usize::MAX);
        for _ in 0..TURNS {
            let Some(from) = self.stand_at(genesis, locator).await? else {
                return Ok(Extension { from: None, headers: Vec::new(), tips: self.tips() });
            };
            let mut headers = Vec::new();
            if self.read_on(genesis, from, &mut headers, most, || start.elapsed() >= patience).await? {
                return Ok(Extension { from: Some(from), headers, tips: self.tips() });
            }
        }
        Err(NodeError::Unsteady)
    }

    /// Says whether `point` is on the node's chain.
    pub(super) async fn membership(&mut self, genesis: &Genesis, point: &BlockPoint) -> Result<Membership> {
        if self.intersect(genesis, core::slice::from_ref(point)).await?.is_some() {
            return Ok(Membership::Canonical);
        }
        let passed = point.slot.is_some() && (self.tip.slot, self.tip.id.height) >= (point.slot, point.id.height);
        Ok(if passed { Membership::Stale } else { Membership::Unknown })
    }

    /// Checks that the first block of the node's chain, if there is one, follows `genesis`.
    pub(super) async fn check_first(&mut self, genesis: &Genesis) -> Result<()> {
        let origin = genesis.origin();
        self.intersect(genesis, &[origin]).await?;
        let mut first = Vec::new();
        self.read_on(genesis, origin, &mut first, 1, || false).await.map(|_| ())
    }

    /// Places the node at the newest point of `locator` that it has.
    async fn stand_at(&mut self, genesis: &Genesis, locator: &[BlockPoint]) -> Result<Option<BlockPoint>> {
        match self.cursor {
            Some(cursor) if locator.first() == Some(&cursor) && cursor.id != self.tip.id => Ok(Some(cursor)),
            _ => self.intersect(genesis, locator).await,
        }
    }

    /// Reads blocks until `most` are there, the tip is reached, or `is_late` says so; an answer that holds blocks is cut
    /// where the chain changes under it. Returns false if the chain left `from`: then nothing was read.
    async fn read_on(
        &mut self,
        genesis: &Genesis,
        from: BlockPoint,
        headers: &mut Vec<Header>,
        most: usize,
        is_late: impl Fn() -> bool,
    ) -> Result<bool> {
        let mut below = from;
        while headers.len() < most && below.id != self.tip.id && (headers.is_empty() || !is_late()) {
            let placed = self.state == State::Placed;
            match self.next().await? {
                Message::RollForward(block, tip) => {
                    self.turn(genesis, tip)?;
                    let header = header(genesis, below, &BlockHead::read(&block, genesis.byron_epoch)?)?;
                    below = header.point;
                    self.cursor = Some(below);
                    headers.push(header);
                }
                Message::RollBackward(point, tip) => {
                    self.turn(genesis, tip)?;
                    if placed && is_at(genesis, &below, &point) {
                        continue;
                    }
                    let kept = headers.iter().rposition(|header| is_at(genesis, &header.point, &point));
                    let kept = kept.map(|place| place.saturating_add(1));
                    let Some(kept) = kept.or_else(|| is_at(genesis, &from, &point).then_some(0)) else {
                        self.cursor = None;
                        headers.clear();
                        return Ok(false);
                    };
                    headers.truncate(kept);
                    below = headers.last().map_or(from, |header| header.point);
                    self.cursor = Some(below);
                    if !headers.is_empty() {
                        break;
                    }
                }
                Message::AwaitReply => {
                    self.state = State::Awaiting;
                    // The node says that `below` is its tip. If it called its tip by another hash, one of them is wrong.
                    if (below.slot, below.id.height) == (self.tip.slot, self.tip.id.height) {
                        return Err(NodeError::WrongId { computed: below.id, stated: self.tip.id.hash });
                    }
                    self.tip = below;
                    break;
                }
                _ => return Err(self.broken(NodeStep::NextBlock, "not an answer to the request")),
            }
        }
        Ok(true)
    }

    /// Offers `points`, newest first, and returns the one at which the node stands now; `None` if it has none of them.
    async fn intersect(&mut self, genesis: &Genesis, points: &[BlockPoint]) -> Result<Option<BlockPoint>> {
        let mut offered: Vec<_> = points.iter().filter_map(|point| offer(genesis, point)).collect();
        let nothing = offered.is_empty();
        if nothing {
            // What every chain holds, to be told the tip.
            offered.push(Point::Origin);
        }
        self.cursor = None;
        match self.ask(NodeStep::Intersect, &Message::FindIntersect(offered)).await? {
            Message::IntersectFound(point, tip) => {
                self.turn(genesis, tip)?;
                self.state = State::Placed;
                if nothing {
                    return Ok(None);
                }
                let found = points.iter().find(|ours| is_at(genesis, ours, &point)).copied();
                let found = found.ok_or_else(|| self.broken(NodeStep::Intersect, "a point that was not offered"))?;
                self.cursor = Some(found);
                Ok(Some(found))
            }
            Message::IntersectNotFound(tip) => {
                self.turn(genesis, tip)?;
                Ok(None)
            }
            _ => Err(self.broken(NodeStep::Intersect, "not an answer to the offer")),
        }
    }

    async fn next(&mut self) -> Result<Message<BlockContent>> {
        self.ask(NodeStep::NextBlock, &Message::RequestNext).await
    }

    async fn ask(&mut self, step: NodeStep, message: &Message<BlockContent>) -> Result<Message<BlockContent>> {
        self.state = State::Broken;
        let bytes = self.session.exchange(step, PROTOCOL_N2C_CHAIN_SYNC, message).await?;
        minicbor::decode(&bytes).map_err(|error| self.broken(step, &error.to_string()))
    }

    /// Takes an answer's tip: it is our turn again.
    fn turn(&mut self, genesis: &Genesis, Tip(point, height): Tip) -> Result<()> {
        self.tip = match point {
            Point::Origin => genesis.origin(),
            Point::Specific(slot, hash) => {
                let hash = hash.try_into().map_err(|_| self.broken(NodeStep::Point, "a hash that has not 32 bytes"))?;
                let id = BlockId { height: BlockHeight(height), hash: BlockHash(hash) };
                BlockPoint { id, slot: Some(Slot(slot)) }
            }
        };
        self.state = State::Idle;
        Ok(())
    }

    fn broken(&mut self, step: NodeStep, what: &str) -> NodeError {
        self.state = State::Broken;
        NodeError::Malformed { step, what: what.to_owned() }
    }

    fn tips(&self) -> Tips {
        Tips { head: self.tip.id, safe: None, reported_final: None }
    }
}

/// Makes core's header of a block, if it follows `below`.
fn header(genesis: &Genesis, below: BlockPoint, head: &BlockHead) -> Result<Header> {
    let first = below == genesis.origin();
    let parent = match head.parent {
        None if first => genesis.hash,
        parent => parent.unwrap_or_default(),
    };
    if parent != below.id.hash {
        return Err(match first {
            true => NodeError::OtherGenesis { expected: genesis.hash, found: parent },
            false => NodeError::Unlinked { below: below.id.hash, block: head.point.id, parent },
        });
    }
    Ok(Header { point: head.point, parent, time: genesis.time(head.point.slot.unwrap_or_default()) })
}

/// Returns how the protocol calls `point`; `None` if it cannot, because the slot is missing.
fn offer(genesis: &Genesis, point: &BlockPoint) -> Option<Point> {
    if *point == genesis.origin() {
        return Some(Point::Origin);
    }
    point.slot.map(|slot| Point::Specific(slot.0, point.id.hash.0.to_vec()))
}

fn is_at(genesis: &Genesis, ours: &BlockPoint, theirs: &Point) -> bool {
    offer(genesis, ours).as_ref() == Some(theirs)
}

/// Is how often a call begins again because the chain left its beginning.
const TURNS: usize = 4;
