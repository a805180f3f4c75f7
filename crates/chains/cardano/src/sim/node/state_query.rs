//! Answers questions about the ledger's state (local-state-query) from a [`SimLedger`].

use chrono::{DateTime, Datelike as _, Timelike as _};
use nodewright_core::BlockTime;
use pallas_codec::minicbor::encode::Error as CborError;
use pallas_codec::minicbor::{Encoder, to_vec};
use pallas_codec::utils::AnyCbor;
use pallas_network::miniprotocols::Point;
use pallas_network::miniprotocols::localstate::queries_v16::{BlockQuery, HardForkQuery, LedgerQuery, Request};
use pallas_network::miniprotocols::localstate::{AcquireFailure, ClientQueryRequest, Server};

use super::{SimLedger, SimNodeFault, State, lock};
use crate::node::NodeStep;

/// Serves one client until it is gone, or until a fault breaks the connection.
pub(super) async fn serve(mut server: Server, state: &State) {
    let mut began = false;
    match converse(&mut server, state, &mut began).await {
        Ok(End::Goodbye) => {
            state.count(|counts| counts.goodbyes += 1);
            // Nothing more is said; the wait ends when the client closes.
            drop(server.recv_message().await);
        }
        Ok(End::Fault) => {}
        Err(_) if began => state.count(|counts| counts.broken += 1),
        Err(_) => {}
    }
}

enum End {
    Goodbye,
    Fault,
}

/// Says that the client is gone, or broke the rules of the conversation.
struct Gone;

async fn converse(server: &mut Server, state: &State, began: &mut bool) -> Result<End, Gone> {
    while server.recv_while_idle().await.map_err(|_| Gone)?.is_some() {
        *began = true;
        let Some(mut ledger) = open(server, state).await? else { continue };
        loop {
            let query = match server.recv_while_acquired().await.map_err(|_| Gone)? {
                ClientQueryRequest::Query(query) => query,
                ClientQueryRequest::Release => break,
                ClientQueryRequest::ReAcquire(_) => match open(server, state).await? {
                    Some(newer) => {
                        ledger = newer;
                        continue;
                    }
                    None => break,
                },
            };
            let Ok(request) = query.into_decode::<Request>() else { return Ok(End::Fault) };
            let Some(answer) = answer(&request, &ledger, state).await else { return Ok(End::Fault) };
            server.send_result(AnyCbor::from_raw_bytes(answer)).await.map_err(|_| Gone)?;
        }
    }
    Ok(End::Goodbye)
}

/// Opens the ledger's state as it is now.
async fn open(server: &mut Server, state: &State) -> Result<Option<SimLedger>, Gone> {
    match state.fault(NodeStep::Acquire) {
        Some(SimNodeFault::Stall) => match state.stall().await {},
        Some(SimNodeFault::Refuse) => {
            server.send_failure(AcquireFailure::PointNotOnChain).await.map_err(|_| Gone)?;
            return Ok(None);
        }
        _ => {}
    }
    let ledger = lock(&state.ledger).clone();
    server.send_acquired().await.map_err(|_| Gone)?;
    Ok(Some(ledger))
}

/// Returns the answer in CBOR; `None` breaks the connection, as for a question that this node does not know.
async fn answer(request: &Request, ledger: &SimLedger, state: &State) -> Option<Vec<u8>> {
    match step(request).and_then(|step| state.fault(step)) {
        None => {}
        Some(SimNodeFault::Stall) => match state.stall().await {},
        Some(SimNodeFault::Garbage) => return to_vec("not an answer").ok(),
        Some(SimNodeFault::Oversize(bytes)) => {
            let mut encoder = Encoder::new(Vec::new());
            encoder.bytes(&vec![0; bytes]).ok()?;
            return Some(encoder.into_writer());
        }
        Some(SimNodeFault::EraMismatch) => return mismatch(),
        Some(SimNodeFault::Close | SimNodeFault::Refuse) => return None,
        // The others are of blocks.
        Some(_) => {}
    }
    match request {
        Request::GetSystemStart => system_start(lock(&state.chain).genesis().start),
        request => encode(request, ledger),
    }
}

fn encode(request: &Request, ledger: &SimLedger) -> Option<Vec<u8>> {
    match request {
        Request::GetChainPoint => to_vec(match ledger.tip.block {
            Some(block) => Point::Specific(block.slot?.0, block.id.hash.0.to_vec()),
            None => Point::Origin,
        })
        .ok(),
        Request::GetChainBlockNo => match ledger.tip.block {
            Some(block) => to_vec((1, block.id.height.0)).ok(),
            None => to_vec([0]).ok(),
        },
        Request::GetSystemStart => None,
        Request::LedgerQuery(LedgerQuery::HardForkQuery(HardForkQuery::GetCurrentEra)) => {
            to_vec(ledger.tip.era.index()).ok()
        }
        Request::LedgerQuery(LedgerQuery::HardForkQuery(_)) => None,
        Request::LedgerQuery(LedgerQuery::BlockQuery(era, _)) if *era != ledger.tip.era.index() => mismatch(),
        Request::LedgerQuery(LedgerQuery::BlockQuery(_, query)) => match query {
            BlockQuery::GetEpochNo => to_vec([ledger.tip.epoch.0]).ok(),
            BlockQuery::GetGenesisConfig => written(|encoder| ledger.encode_genesis(encoder)),
            BlockQuery::GetUTxOByAddress(addresses) => {
                let addresses: Vec<Vec<u8>> = addresses.iter().map(|address| address.to_vec()).collect();
                written(|encoder| ledger.encode_outputs(&addresses, encoder))
            }
            _ => None,
        },
    }
}

/// Writes a time as its year, the day in it from 1, and the picoseconds of that day.
fn system_start(start: BlockTime) -> Option<Vec<u8>> {
    let start = DateTime::from_timestamp(i64::try_from(start.0).ok()?, 0)?.naive_utc();
    let picoseconds = u64::from(start.num_seconds_from_midnight()).checked_mul(1_000_000_000_000)?;
    to_vec((start.year(), start.ordinal(), picoseconds)).ok()
}

/// Says in two parts, the era that was asked for and the one that holds, that they differ.
fn mismatch() -> Option<Vec<u8>> {
    to_vec(((6, "Conway"), (7, "Later"))).ok()
}

/// Names the step that asks this; `None` if no fault can be planted for it.
fn step(request: &Request) -> Option<NodeStep> {
    match request {
        Request::GetChainPoint => Some(NodeStep::Point),
        Request::GetChainBlockNo => Some(NodeStep::Height),
        Request::LedgerQuery(LedgerQuery::HardForkQuery(_)) => Some(NodeStep::Era),
        Request::LedgerQuery(LedgerQuery::BlockQuery(_, BlockQuery::GetEpochNo)) => Some(NodeStep::Epoch),
        Request::LedgerQuery(LedgerQuery::BlockQuery(_, BlockQuery::GetGenesisConfig)) => Some(NodeStep::Genesis),
        Request::LedgerQuery(LedgerQuery::BlockQuery(_, BlockQuery::GetUTxOByAddress(_))) => Some(NodeStep::Utxo),
        Request::GetSystemStart => Some(NodeStep::SystemStart),
        Request::LedgerQuery(LedgerQuery::BlockQuery(..)) => None,
    }
}

type VecError = CborError<core::convert::Infallible>;

fn written(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Result<(), VecError>) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder).ok()?;
    Some(encoder.into_writer())
}
