//! One HTTP exchange: send, read the answer within its bounds, name what broke.

use core::time::Duration;
use std::error::Error as StdError;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use nodewright_core::{Error, ErrorKind, Result, Retry};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

use crate::fault::TransportFault;
use crate::redact::{EXCERPT, Scrub};
use crate::retry_after;

/// Is an answer as it came, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

/// Is what matters of an answer's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
}

/// Sends `request` and reads its answer: at most `max_body` bytes of a body under status 200, and the first
/// [`REFUSAL_BODY`] bytes of any other.
pub(crate) async fn exchange(
    op: &'static str,
    request: RequestBuilder,
    max_body: usize,
    max_retry_after: Duration,
    scrub: &Scrub,
) -> Result<Answer> {
    let response = request.send().await.map_err(|error| send_error(op, &error, scrub))?;
    let status = response.status().as_u16();
    let retry_after = asked_wait(response.headers(), max_retry_after);
    let body = if status == 200 { whole(op, response, max_body, scrub).await? } else { start_of(response).await };
    Ok(Answer { head: Head { status, retry_after }, body })
}

/// Reads a whole body, or fails as soon as it is known to be larger than `max`.
async fn whole(op: &'static str, mut response: Response, max: usize, scrub: &Scrub) -> Result<Bytes> {
    let too_large =
        |size: &dyn core::fmt::Display| Error::new(ErrorKind::Limit, op).with("body", size).with("max bytes", max);
    let announced = response.content_length();
    if let Some(length) = announced.filter(|length| usize::try_from(*length).is_ok_and(|length| length > max)) {
        return Err(too_large(&format_args!("{length} bytes")));
    }
    let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(expected.min(FIRST_ALLOCATION));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > max.saturating_sub(body.len()) => {
                return Err(too_large(&format_args!("more than {} bytes", body.len())));
            }
            Ok(Some(chunk)) if body.is_empty() && chunk.len() == expected => return Ok(chunk),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body.into()),
            Err(error) => return Err(truncated(op, body.len(), &error, scrub)),
        }
    }
}

/// Reads the start of a refusal. The status has spoken already, so what is too long or breaks off is left unread.
async fn start_of(mut response: Response) -> Bytes {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = REFUSAL_BODY - body.len();
        if chunk.len() > room {
            body.extend_from_slice(chunk.get(..room).unwrap_or_default());
            break;
        }
        body.extend_from_slice(&chunk);
    }
    body.into()
}

fn asked_wait(headers: &HeaderMap, max: Duration) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    retry_after::wait(value, date, now, max)
}

fn send_error(op: &'static str, error: &reqwest::Error, scrub: &Scrub) -> Error {
    let cause = innermost(error, scrub);
    if error.is_builder() {
        return Error::new(ErrorKind::Config, op).with("request", cause);
    }
    let fault = if error.is_connect() { TransportFault::Connect { cause } } else { TransportFault::Lost { cause } };
    Error::new(ErrorKind::Unreachable, op).with_retry(Retry::After(None)).because(fault)
}

fn truncated(op: &'static str, received: usize, error: &reqwest::Error, scrub: &Scrub) -> Error {
    let fault = TransportFault::Truncated { received, cause: innermost(error, scrub) };
    Error::new(ErrorKind::Unreachable, op).with_retry(Retry::After(None)).because(fault)
}

/// Returns the last cause in words. The outer errors of reqwest name the URL; the innermost is the system's.
fn innermost(error: &reqwest::Error, scrub: &Scrub) -> String {
    let Some(mut cause) = error.source() else {
        return if error.is_timeout() { "timed out".to_owned() } else { "no cause given".to_owned() };
    };
    while let Some(next) = cause.source() {
        cause = next;
    }
    scrub.excerpt(&cause.to_string(), EXCERPT)
}

/// What is read of an answer that refuses: far above any help text, which Bitcoin Core returns as the
/// message of code -1.
const REFUSAL_BODY: usize = 64 * 1024;

/// What is set aside on the word of `Content-Length` alone; a body that really is larger grows its buffer.
const FIRST_ALLOCATION: usize = 1024 * 1024;
