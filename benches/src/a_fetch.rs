//! What a node can serve: the same blocks fetched in every way there is, with nothing done to them.
//!
//! These rows have no bar. They are what `docs/adr/0004-raw-block-path.md` decides by, and they show on another node what
//! would be best there.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::http::Connection;
use crate::litecoin::Litecoin;
use crate::measure::Scale;
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let Some(node) = Litecoin::start()? else { return Ok(Vec::new()) };
    let (blocks, large) = scale.pick(BLOCKS, SMOKE);
    let mining = Instant::now();
    let hashes = node.mine(blocks, large)?;
    println!("mined {blocks} blocks in {:.1} s", mining.elapsed().as_secs_f64());
    let rounds = scale.pick(3, 1);
    let mut best = vec![0.0_f64; WAYS.len()];
    for _ in 0..rounds {
        for (way, best) in WAYS.iter().zip(&mut best) {
            let started = Instant::now();
            fetch(&node, &hashes, *way)?;
            *best = best.max(blocks as f64 / started.elapsed().as_secs_f64());
        }
    }
    Ok(WAYS.iter().zip(best).map(|(way, rate)| Row::alone(&way.id(), "blocks/s", rate)).collect())
}

/// A way to fetch blocks whose hashes are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    call: Call,
    connections: usize,
    quick: bool,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    /// REST, one request a block, binary.
    Rest,
    /// JSON-RPC `getblock` with verbosity 0, so many in a batch.
    Rpc { batch: usize },
}

impl Way {
    pub(crate) const fn rest(connections: usize) -> Self {
        Self { call: Call::Rest, connections, quick: false }
    }

    pub(crate) const fn rpc(connections: usize, batch: usize) -> Self {
        Self { call: Call::Rpc { batch }, connections, quick: false }
    }

    pub(crate) const fn quick(self) -> Self {
        Self { quick: true, ..self }
    }

    fn id(self) -> String {
        let call = match self.call {
            Call::Rest => "rest".to_owned(),
            Call::Rpc { batch } => format!("rpc-{batch}"),
        };
        format!("a_fetch-{call}-x{}{}", self.connections, if self.quick { "-quickack" } else { "" })
    }
}

/// Fetches every block and looks at nothing but that something came.
pub(crate) fn fetch(node: &Litecoin, hashes: &[String], way: Way) -> Result<u64, String> {
    let per_request = match way.call {
        Call::Rest => 1,
        Call::Rpc { batch } => batch,
    };
    let requests: Vec<&[String]> = hashes.chunks(per_request).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut connection = node.connect()?;
        if way.quick {
            connection = connection.quick();
        }
        let mut bytes = 0;
        while let Some(hashes) = requests.get(next.fetch_add(1, Relaxed)) {
            bytes += carry_out(&mut connection, hashes, way.call)?;
        }
        Ok(bytes)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..way.connections).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?).sum()
    })
}

fn carry_out(connection: &mut Connection, hashes: &[String], call: Call) -> Result<u64, String> {
    let reply = match call {
        Call::Rest => connection.get(&format!("/rest/block/{}.bin", hashes[0]))?,
        Call::Rpc { .. } => {
            let calls = hashes.iter().map(|hash| json!({"id": 0, "method": "getblock", "params": [hash, 0]}));
            connection.post(serde_json::Value::Array(calls.collect()).to_string().as_bytes())?
        }
    };
    if reply.len() < 80 * hashes.len() {
        return Err(format!("{} bytes for {} blocks", reply.len(), hashes.len()));
    }
    Ok(reply.len() as u64)
}

/// How many blocks, and how many of them hold about 60 KB.
pub(crate) const BLOCKS: (u64, u64) = (2_600, 150);
pub(crate) const SMOKE: (u64, u64) = (130, 3);

const WAYS: &[Way] = &[
    Way::rest(1),
    Way::rest(1).quick(),
    Way::rest(4),
    Way::rest(4).quick(),
    Way::rest(8),
    Way::rest(8).quick(),
    Way::rpc(1, 1),
    Way::rpc(1, 1).quick(),
    Way::rpc(1, 16),
    Way::rpc(1, 16).quick(),
    Way::rpc(2, 16),
    Way::rpc(2, 16).quick(),
    Way::rpc(4, 1),
    Way::rpc(4, 1).quick(),
    Way::rpc(4, 8),
    Way::rpc(4, 8).quick(),
    Way::rpc(4, 16),
    Way::rpc(4, 16).quick(),
    Way::rpc(4, 32),
    Way::rpc(4, 32).quick(),
    Way::rpc(4, 64),
    Way::rpc(4, 128),
    Way::rpc(6, 16),
    Way::rpc(6, 16).quick(),
    Way::rpc(8, 8),
    Way::rpc(8, 8).quick(),
    Way::rpc(8, 16),
    Way::rpc(8, 16).quick(),
    Way::rpc(8, 32),
    Way::rpc(8, 64),
];
