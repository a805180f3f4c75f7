//! Reads answers within their bounds, and names what broke.

use core::time::Duration;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{DATE, RETRY_AFTER};
use nodewright_core::{Error, ErrorKind, Result, Retry};
use tokio::sync::OwnedSemaphorePermit;

use crate::carrier::{Arrival, Body};
use crate::fault::TransportFault;
use crate::redact::Scrub;
use crate::retry_after;

/// Is an answer as it came, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Is what matters of an answer's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
}

/// Is an answer whose body is still to be read. It keeps its place among the client's connections.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) op: &'static str,
    pub(crate) head: Head,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) scrub: Arc<Scrub>,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Opened {
    pub(crate) fn new(
        op: &'static str,
        arrival: Arrival,
        max_retry_after: Duration,
        scrub: Arc<Scrub>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let Arrival { status, headers, body } = arrival;
        let head = Head { status, retry_after: asked_wait(&headers, max_retry_after) };
        Self { op, head, headers, body, scrub, permit }
    }

    /// Reads at most `max_body` bytes of a body whose status is `wanted`, and the first [`REFUSAL_BODY`] bytes of any
    /// other.
    pub(crate) async fn read(mut self, max_body: usize, wanted: fn(u16) -> bool) -> Result<Answer> {
        let body = if wanted(self.head.status) { self.whole(max_body).await? } else { self.start().await };
        tracing::trace!(op = self.op, status = self.head.status, bytes = body.len(), "answer");
        Ok(Answer { head: self.head, headers: self.headers, body })
    }

    /// Reads the start of a refusal. The status has spoken already, so what is too long or breaks off is left unread.
    pub(crate) async fn start(&mut self) -> Bytes {
        let mut start = Vec::new();
        while let Ok(Some(chunk)) = self.body.chunk(&self.scrub).await {
            let room = REFUSAL_BODY - start.len();
            if chunk.len() > room {
                start.extend_from_slice(chunk.get(..room).unwrap_or_default());
                break;
            }
            start.extend_from_slice(&chunk);
        }
        start.into()
    }

    /// Reads a whole body, or fails as soon as it is known to be larger than `max`.
    async fn whole(&mut self, max: usize) -> Result<Bytes> {
        let op = self.op;
        let too_large =
            |size: &dyn core::fmt::Display| Error::new(ErrorKind::Limit, op).with("body", size).with("max bytes", max);
        let announced = self.body.announced();
        if let Some(length) = announced.filter(|length| usize::try_from(*length).is_ok_and(|length| length > max)) {
            return Err(too_large(&format_args!("{length} bytes")));
        }
        let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        let mut whole = Vec::with_capacity(expected.min(FIRST_ALLOCATION));
        loop {
            match self.body.chunk(&self.scrub).await {
                Ok(Some(chunk)) if chunk.len() > max.saturating_sub(whole.len()) => {
                    return Err(too_large(&format_args!("more than {} bytes", whole.len())));
                }
                Ok(Some(chunk)) if whole.is_empty() && chunk.len() == expected => return Ok(chunk),
                Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
                Ok(None) => return Ok(whole.into()),
                Err(cause) => return Err(truncated(op, whole.len(), cause)),
            }
        }
    }
}

/// Makes the error for a body that broke off after `received` bytes.
pub(crate) fn truncated(op: &'static str, received: usize, cause: String) -> Error {
    let fault = TransportFault::Truncated { received, cause };
    Error::new(ErrorKind::Unreachable, op).with_retry(Retry::After(None)).because(fault)
}

fn asked_wait(headers: &HeaderMap, max: Duration) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    retry_after::wait(value, date, now, max)
}

/// What is read of an answer that refuses: far above any help text, which Bitcoin Core returns as the
/// message of code -1.
const REFUSAL_BODY: usize = 64 * 1024;

/// What is set aside on the word of `Content-Length` alone; a body that really is larger grows its buffer.
const FIRST_ALLOCATION: usize = 1024 * 1024;
