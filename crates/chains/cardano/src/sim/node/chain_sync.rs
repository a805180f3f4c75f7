//! Follows a [`SimChain`] for a client, as a node does (node-to-client, chain-sync).

use nodewright_core::{BlockHash, BlockPoint};
use pallas_network::miniprotocols::Point;
use pallas_network::miniprotocols::chainsync::{BlockContent, ClientRequest, N2CServer, Tip};

use super::chain::{edit_body, edit_header};
use super::{SimChain, SimNodeFault, State, lock};
use crate::node::NodeStep;

/// Serves one client; returns only when a fault shall break the connection.
pub(super) async fn serve(mut server: N2CServer, state: &State) {
    let mut follower = Follower { state, at: lock(&state.chain).genesis().hash, placed: true, began: false };
    match follower.converse(&mut server).await {
        Ok(End::Fault) => return,
        Ok(End::Goodbye) => state.count(|counts| counts.goodbyes += 1),
        Err(_) if follower.began => state.count(|counts| counts.broken += 1),
        Err(_) => {}
    }
    // The connection ends with its other protocol.
    std::future::pending().await
}

enum End {
    Goodbye,
    Fault,
}

/// Says that the client is gone, or broke the rules of the conversation.
struct Gone;

/// Is the client's place on the chain.
struct Follower<'a> {
    state: &'a State,
    at: BlockHash,
    /// Says that the client has yet to be told its place.
    placed: bool,
    began: bool,
}

/// Is what a follower hears next.
enum Next {
    Back(BlockPoint),
    Forward(BlockPoint, Vec<u8>),
}

impl Follower<'_> {
    async fn converse(&mut self, server: &mut N2CServer) -> Result<End, Gone> {
        while let Some(request) = server.recv_while_idle().await.map_err(|_| Gone)? {
            self.began = true;
            let step = match request {
                ClientRequest::Intersect(_) => NodeStep::Intersect,
                ClientRequest::RequestNext => NodeStep::NextBlock,
            };
            match step {
                NodeStep::Intersect => self.state.count(|counts| counts.intersections += 1),
                _ => self.state.count_block(),
            }
            let fault = self.state.fault(NodeStep::Call).or_else(|| self.state.fault(step));
            match fault {
                Some(SimNodeFault::Close | SimNodeFault::Refuse) => return Ok(End::Fault),
                Some(SimNodeFault::Stall) => match self.state.stall().await {},
                _ => {}
            }
            match request {
                ClientRequest::Intersect(points) => self.intersect(server, &points).await?,
                ClientRequest::RequestNext => self.next(server, fault).await?,
            }
        }
        Ok(End::Goodbye)
    }

    async fn intersect(&mut self, server: &mut N2CServer, points: &[Point]) -> Result<(), Gone> {
        let (found, tip) = {
            let chain = lock(&self.state.chain);
            let found = points.iter().find_map(|point| Some((point.clone(), place(&chain, point)?)));
            (found, tip(&chain))
        };
        match found {
            Some((point, hash)) => {
                (self.at, self.placed) = (hash, true);
                server.send_intersect_found(point, tip).await.map_err(|_| Gone)
            }
            None => server.send_intersect_not_found(tip).await.map_err(|_| Gone),
        }
    }

    async fn next(&mut self, server: &mut N2CServer, fault: Option<SimNodeFault>) -> Result<(), Gone> {
        let mut changed = self.state.changed.subscribe();
        let mut told = false;
        let (next, mut tip) = loop {
            changed.mark_unchanged();
            let step = {
                let chain = lock(&self.state.chain);
                self.step(&chain).map(|next| (next, tip(&chain)))
            };
            if let Some(step) = step {
                break step;
            }
            if !told {
                server.send_await_reply().await.map_err(|_| Gone)?;
                told = true;
            }
            // A client that goes away meanwhile is noticed by the connection's other protocol.
            changed.changed().await.map_err(|_| Gone)?;
        };
        if let Some(SimNodeFault::WrongTip) = fault {
            tip = wrong(tip);
        }
        let sent = match (next, fault) {
            (_, Some(SimNodeFault::UnknownPoint)) => {
                server.send_roll_backward(Point::Specific(7, vec![0xee; 32]), tip).await
            }
            (Next::Back(point), _) => {
                (self.at, self.placed) = (point.id.hash, false);
                server.send_roll_backward(named(point), tip).await
            }
            (Next::Forward(point, bytes), fault) => {
                self.at = point.id.hash;
                let bytes = match fault {
                    Some(SimNodeFault::Garbage) => vec![0x82, 0x07, 0xff],
                    Some(SimNodeFault::Oversize(length)) => vec![0; length],
                    Some(SimNodeFault::EditedHeader) => edit_header(&bytes),
                    Some(SimNodeFault::EditedBody) => edit_body(&bytes),
                    _ => bytes,
                };
                server.send_roll_forward(BlockContent(bytes), tip).await
            }
        };
        sent.map_err(|_| Gone)
    }

    /// Returns what comes next; `None` at the end of the chain.
    fn step(&self, chain: &SimChain) -> Option<Next> {
        let shown = chain.shown();
        let at = |place: usize| match place.checked_sub(1) {
            None => chain.genesis().origin(),
            Some(place) => shown.get(place).copied().unwrap_or_default(),
        };
        let fork = chain.fork(self.at);
        if self.placed || chain.place(self.at).is_none() {
            return Some(Next::Back(at(fork)));
        }
        let point = shown.get(fork).copied()?;
        Some(Next::Forward(point, chain.bytes(point.id)?.to_vec()))
    }
}

/// Returns the hash by which the chain shows `point`.
fn place(chain: &SimChain, point: &Point) -> Option<BlockHash> {
    match point {
        Point::Origin => Some(chain.genesis().hash),
        Point::Specific(..) => chain.shown().iter().find(|shown| named(**shown) == *point).map(|shown| shown.id.hash),
    }
}

fn tip(chain: &SimChain) -> Tip {
    let tip = chain.tip();
    Tip(named(tip), tip.id.height.0)
}

/// Gives the tip another hash.
fn wrong(Tip(point, height): Tip) -> Tip {
    match point {
        Point::Origin => Tip(point, height),
        Point::Specific(slot, _) => Tip(Point::Specific(slot, vec![0xdd; 32]), height),
    }
}

fn named(point: BlockPoint) -> Point {
    match point.slot {
        None => Point::Origin,
        Some(slot) => Point::Specific(slot.0, point.id.hash.0.to_vec()),
    }
}
