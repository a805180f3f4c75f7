//! The conversation on one connection: handshake, then questions to the ledger's state (local-state-query).

use core::time::Duration;

use nodewright_core::BlockTime;
use pallas_codec::minicbor::Encode;
use pallas_codec::utils::AnyCbor;
use pallas_network::miniprotocols::handshake::{self, n2c};
use pallas_network::miniprotocols::localstate::{Message, queries_v16};
use pallas_network::miniprotocols::{PROTOCOL_N2C_HANDSHAKE, PROTOCOL_N2C_STATE_QUERY};
use pallas_network::multiplexer::Protocol;
use queries_v16::{BlockQuery, HardForkQuery, LedgerQuery, Request};
use tokio::time::timeout;

use super::NodeSocketOptions;
use super::reply::{self, Genesis, Outputs};
use super::wire::Wire;
use crate::node::{Address, ChainTip, LedgerEra, NodeError, NodeStep};

/// Is a connection that has agreed on a version; between readings no state is open.
#[derive(Debug)]
pub(in crate::node) struct Session {
    wire: Wire,
    limits: Limits,
}

impl Session {
    pub(in crate::node) async fn open(options: &NodeSocketOptions) -> Result<Self, NodeError> {
        let limits = Limits { step: options.step_limit, reply: options.max_reply };
        let wire = limits.within(NodeStep::Connect, Wire::connect(&options.path)).await?;
        let mut session = Self { wire, limits };
        session.limits.within(NodeStep::Handshake, shake_hands(&mut session.wire, options.magic)).await?;
        Ok(session)
    }

    /// Takes one reading from one state of the ledger.
    pub(super) async fn read(&mut self, want: Want<'_>) -> Result<Reading, NodeError> {
        self.acquire().await?;
        let point = self.ask(NodeStep::Point, Request::GetChainPoint).await?;
        let height = self.ask(NodeStep::Height, Request::GetChainBlockNo).await?;
        let era_query = Request::LedgerQuery(LedgerQuery::HardForkQuery(HardForkQuery::GetCurrentEra));
        let era = reply::era(&self.ask(NodeStep::Era, era_query).await?)?;
        let epoch = self.ask_ledger(NodeStep::Epoch, era, BlockQuery::GetEpochNo).await?;
        let tip = ChainTip { block: reply::block(&point, &height)?, epoch: reply::epoch(&epoch, era)?, era };
        let mut reading = Reading { tip, outputs: None, genesis: None };
        match want {
            Want::Tip => {}
            Want::Outputs(address) => {
                let addresses = vec![address.as_bytes().to_vec().into()];
                let bytes = self.ask_ledger(NodeStep::Utxo, era, BlockQuery::GetUTxOByAddress(addresses)).await?;
                reading.outputs = Some(reply::outputs(&bytes, era, address)?);
            }
            Want::Genesis => {
                let bytes = self.ask_ledger(NodeStep::Genesis, era, BlockQuery::GetGenesisConfig).await?;
                reading.genesis = Some(reply::genesis(&bytes, era)?);
            }
        }
        self.release().await?;
        Ok(reading)
    }

    /// Asks when the network's slot 0 began.
    pub(in crate::node) async fn system_start(&mut self) -> Result<BlockTime, NodeError> {
        self.acquire().await?;
        let start = reply::system_start(&self.ask(NodeStep::SystemStart, Request::GetSystemStart).await?)?;
        self.release().await?;
        Ok(start)
    }

    /// Says goodbye, so that the node does not log a broken connection.
    pub(in crate::node) async fn close(mut self) -> Result<(), NodeError> {
        self.tell(NodeStep::Release, PROTOCOL_N2C_STATE_QUERY, &Message::Done).await
    }

    async fn acquire(&mut self) -> Result<(), NodeError> {
        let wish = Message::Acquire(None);
        reply::acquired(&self.exchange(NodeStep::Acquire, PROTOCOL_N2C_STATE_QUERY, &wish).await?)
    }

    async fn release(&mut self) -> Result<(), NodeError> {
        self.tell(NodeStep::Release, PROTOCOL_N2C_STATE_QUERY, &Message::Release).await
    }

    async fn ask_ledger(&mut self, step: NodeStep, era: LedgerEra, query: BlockQuery) -> Result<Vec<u8>, NodeError> {
        self.ask(step, Request::LedgerQuery(LedgerQuery::BlockQuery(era.index(), query))).await
    }

    async fn ask(&mut self, step: NodeStep, request: Request) -> Result<Vec<u8>, NodeError> {
        let query = Message::Query(AnyCbor::from_encode(request));
        let reply = self.exchange(step, PROTOCOL_N2C_STATE_QUERY, &query).await?;
        reply::result(step, &reply)
    }

    /// Sends a message of `protocol` and waits for the answer. Nothing else may be under way on the connection.
    pub(in crate::node) async fn exchange<M: Encode<()>>(
        &mut self,
        step: NodeStep,
        protocol: Protocol,
        message: &M,
    ) -> Result<Vec<u8>, NodeError> {
        let wire = &mut self.wire;
        let limit = self.limits.reply;
        let both = async {
            wire.send(step, protocol, message).await?;
            wire.receive(step, protocol, limit).await
        };
        self.limits.within(step, both).await
    }

    /// Sends a message that is not answered.
    pub(in crate::node) async fn tell<M: Encode<()>>(
        &mut self,
        step: NodeStep,
        protocol: Protocol,
        message: &M,
    ) -> Result<(), NodeError> {
        self.limits.within(step, self.wire.send(step, protocol, message)).await
    }
}

/// Says what is read besides the tip.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want<'a> {
    Tip,
    Outputs(&'a Address),
    Genesis,
}

/// Holds what one state of the ledger said.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) tip: ChainTip,
    pub(super) outputs: Option<Outputs>,
    pub(super) genesis: Option<Genesis>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    step: Duration,
    reply: usize,
}

impl Limits {
    async fn within<T>(self, step: NodeStep, work: impl Future<Output = Result<T, NodeError>>) -> Result<T, NodeError> {
        match timeout(self.step, work).await {
            Ok(done) => done,
            Err(_) => Err(NodeError::TimedOut { step, limit: self.step }),
        }
    }
}

async fn shake_hands(wire: &mut Wire, magic: u64) -> Result<(), NodeError> {
    let proposal: handshake::Message<n2c::VersionData> =
        handshake::Message::Propose(n2c::VersionTable::v10_and_above(magic));
    wire.send(NodeStep::Handshake, PROTOCOL_N2C_HANDSHAKE, &proposal).await?;
    let bytes = wire.receive(NodeStep::Handshake, PROTOCOL_N2C_HANDSHAKE, MAX_HANDSHAKE).await?;
    reply::handshake(&bytes)
}

/// Is the greatest handshake message in bytes (Ouroboros network specification: 5,760).
const MAX_HANDSHAKE: usize = 5_760;
