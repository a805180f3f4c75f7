//! One connection to a node's socket: segments in and out, messages put together within a limit.
//!
//! The two halves of the multiplexer are driven by whoever speaks, without tasks of their own: what is sent is written
//! when the call returns, dropping the connection closes it, and no more is read than is asked for.

use core::fmt;
use std::path::Path;

use pallas_codec::minicbor::{self, Encode};
use pallas_network::multiplexer::{self, Bearer, Demuxer, MAX_SEGMENT_PAYLOAD_LENGTH, Muxer, Protocol};

use crate::node::{NodeError, NodeStep};

pub(super) struct Wire {
    demuxer: Demuxer,
    muxer: Muxer,
    /// Holds what came for the protocol that is under way, beyond the last message.
    pending: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(path: &Path) -> Result<Self, NodeError> {
        let bearer = Bearer::connect_unix(path).await.map_err(|error| NodeError::from_open(path, &error))?;
        let (read, write) = bearer.into_split();
        Ok(Self { demuxer: Demuxer::new(read), muxer: Muxer::new(write), pending: Vec::new() })
    }

    pub(super) async fn send<M: Encode<()>>(
        &mut self,
        step: NodeStep,
        protocol: Protocol,
        message: &M,
    ) -> Result<(), NodeError> {
        let bytes = minicbor::to_vec(message)
            .map_err(|error| NodeError::Malformed { step, what: format!("cannot be asked: {error}") })?;
        for segment in bytes.chunks(MAX_SEGMENT_PAYLOAD_LENGTH) {
            self.muxer.mux((protocol, segment.to_vec())).await.map_err(|_| NodeError::Closed { step })?;
        }
        Ok(())
    }

    /// Reads the next message for `protocol`: one item of CBOR, of `limit` bytes at most.
    pub(super) async fn receive(
        &mut self,
        step: NodeStep,
        protocol: Protocol,
        limit: usize,
    ) -> Result<Vec<u8>, NodeError> {
        loop {
            if let Some(length) = item_length(step, &self.pending)? {
                let rest = self.pending.split_off(length);
                return Ok(core::mem::replace(&mut self.pending, rest));
            }
            if self.pending.len() > limit {
                return Err(NodeError::TooLarge { step, limit });
            }
            let (from, segment) = self.demuxer.read_segment().await.map_err(|error| broken(step, &error))?;
            // Nothing else was subscribed to, so a segment of another protocol answers no question.
            if from == protocol | FROM_SERVER {
                self.pending.extend_from_slice(&segment);
            }
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

/// Returns the length of the first item in `bytes`, `None` while its end has not come.
fn item_length(step: NodeStep, bytes: &[u8]) -> Result<Option<usize>, NodeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    match decoder.skip() {
        Ok(()) => Ok(Some(decoder.position())),
        Err(error) if error.is_end_of_input() => Ok(None),
        Err(error) => Err(NodeError::Malformed { step, what: error.to_string() }),
    }
}

fn broken(step: NodeStep, error: &multiplexer::Error) -> NodeError {
    match error {
        multiplexer::Error::BearerIo(io) if !is_close(io.kind()) => NodeError::Io { step, kind: io.kind() },
        _ => NodeError::Closed { step },
    }
}

fn is_close(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(kind, Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted)
}

/// Marks the segments that the accepting side sends (Ouroboros network specification, the multiplexer's header).
const FROM_SERVER: Protocol = 0x8000;
