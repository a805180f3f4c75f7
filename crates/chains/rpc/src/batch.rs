//! The answers to a batch, matched to their requests by id and left where they are in the body.

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use nodewright_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use crate::classify::fault_error;
use crate::envelope::{Envelope, Outcome, not_json_rpc, range_in, short};
use crate::fault::{ReplyFault, RpcFault};
use crate::redact::Scrub;

/// Holds the answers to a batch in the order of its requests, whatever order the node chose.
pub struct BatchReply {
    body: String,
    items: Vec<Item>,
    scrub: Arc<Scrub>,
}

struct Item {
    method: &'static str,
    answer: Slot,
}

enum Slot {
    Fault(RpcFault),
    Result(Range<usize>),
}

impl BatchReply {
    /// Returns the number of answers, which is the number of requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Says whether the batch asked nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the raw JSON of result `index`: a slice of the body, `null` included.
    ///
    /// # Errors
    /// The node's error for this request, or [`ErrorKind::OutOfRange`] if the batch had no such request.
    pub fn get(&self, index: usize) -> Result<&str> {
        let Some(item) = self.items.get(index) else {
            return Err(Error::new(ErrorKind::OutOfRange, "batch").with("index", index).with("len", self.items.len()));
        };
        match &item.answer {
            Slot::Fault(fault) => Err(fault_error(item.method, fault.clone(), None).with("index", index)),
            Slot::Result(range) => Ok(self.body.get(range.clone()).unwrap_or_default()),
        }
    }

    /// Parses result `index`. With `&str` a string without escapes, such as the hex of a block, is not copied.
    ///
    /// # Errors
    /// As [`BatchReply::get`], and [`ErrorKind::InvalidData`] if the result is not a `T`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T> {
        let text = self.get(index)?;
        serde_json::from_str(text).map_err(|error| {
            let op = self.items.get(index).map_or("batch", |item| item.method);
            Error::new(ErrorKind::InvalidData, op).with("index", index).with("reason", short(&error, &self.scrub))
        })
    }

    /// Returns the bytes of the body, which is what this reply keeps in memory.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Matches `body` to the requests with the ids `first`, `first + 1`, … for `methods` in their order.
    pub(crate) fn try_new(
        body: String,
        first: u64,
        methods: Vec<&'static str>,
        scrub: &Arc<Scrub>,
    ) -> core::result::Result<Self, ReplyFault> {
        let mut collector = Collector { body: &body, first, scrub, slots: Vec::new(), fault: None };
        collector.slots.resize_with(methods.len(), || None);
        let mut parser = serde_json::Deserializer::from_str(&body);
        let parsed = (&mut collector).deserialize(&mut parser).and_then(|()| parser.end());
        let Collector { slots, fault, .. } = collector;
        if let Some(fault) = fault {
            return Err(fault);
        }
        parsed.map_err(|error| not_json_rpc(&body, &error, scrub))?;
        let mut items = Vec::with_capacity(methods.len());
        for ((slot, method), id) in slots.into_iter().zip(methods).zip(first..) {
            items.push(Item { method, answer: slot.ok_or(ReplyFault::MissingId { id })? });
        }
        Ok(Self { body, items, scrub: Arc::clone(scrub) })
    }

    pub(crate) fn empty() -> Self {
        Self { body: String::new(), items: Vec::new(), scrub: Arc::default() }
    }

    /// Returns the first error if every request failed and each failure may pass: the batch as a whole can be retried.
    pub(crate) fn passing_failure(&self) -> Option<Error> {
        let mut first = None;
        for item in &self.items {
            let Slot::Fault(fault) = &item.answer else { return None };
            let error = fault_error(item.method, fault.clone(), None);
            if !matches!(error.retry(), nodewright_core::Retry::After(_)) {
                return None;
            }
            first = first.or(Some(error));
        }
        first
    }
}

impl fmt::Debug for BatchReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReply").field("len", &self.items.len()).field("body_len", &self.body.len()).finish()
    }
}

/// Puts each reply of the array into the slot of its request. Nothing but these slots is kept, so a body with more
/// replies than requests costs no memory.
struct Collector<'s> {
    body: &'s str,
    first: u64,
    scrub: &'s Scrub,
    slots: Vec<Option<Slot>>,
    fault: Option<ReplyFault>,
}

impl Collector<'_> {
    fn place(&mut self, envelope: &Envelope<'_>) -> core::result::Result<(), ReplyFault> {
        let foreign = |id: &dyn fmt::Display| ReplyFault::ForeignId { id: id.to_string() };
        let id = envelope.id(self.scrub)?.ok_or_else(|| foreign(&"null"))?;
        let index = id.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let slot = index.and_then(|index| self.slots.get_mut(index)).ok_or_else(|| foreign(&id))?;
        if slot.is_some() {
            return Err(ReplyFault::DuplicateId { id });
        }
        *slot = Some(match envelope.outcome(BATCH_STATUS, self.scrub)? {
            Outcome::Fault(fault) => Slot::Fault(fault),
            Outcome::Result(text) => Slot::Result(range_in(self.body, text)),
        });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Collector<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> core::result::Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Collector<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of JSON-RPC replies")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> core::result::Result<(), A::Error> {
        while let Some(envelope) = seq.next_element::<Envelope<'de>>()? {
            if let Err(fault) = self.place(&envelope) {
                self.fault = Some(fault);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A batch is answered under this status; the errors in it have none of their own.
const BATCH_STATUS: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, count: usize) -> core::result::Result<BatchReply, ReplyFault> {
        BatchReply::try_new(body.to_owned(), 10, vec!["m"; count], &Arc::default())
    }

    #[test]
    fn answers_are_matched_by_id_in_any_order() {
        let reply = read(r#"[{"id":12,"result":"c"},{"id":10,"result":null},{"id":11,"result":{"b": 1}}]"#, 3).unwrap();
        assert_eq!((reply.len(), reply.is_empty()), (3, false));
        assert_eq!(
            [reply.get(0).unwrap(), reply.get(1).unwrap(), reply.get(2).unwrap()],
            ["null", "{\"b\": 1}", "\"c\""]
        );
        assert_eq!(reply.parse::<Option<u8>>(0).unwrap(), None);
    }

    #[test]
    fn a_string_without_escapes_is_borrowed_from_the_body() {
        let reply = read(r#"[{"id":10,"result":"00ff"},{"id":11,"result":"\u0030"}]"#, 2).unwrap();
        let hex: &str = reply.parse(0).unwrap();
        assert_eq!(hex, "00ff");
        assert!(reply.body.as_bytes().as_ptr_range().contains(&hex.as_ptr()));
        let error = reply.parse::<&str>(1).unwrap_err();
        assert_eq!((error.kind(), error.op()), (ErrorKind::InvalidData, "m"));
        assert_eq!(reply.parse::<String>(1).unwrap(), "0");
    }

    #[test]
    fn one_request_may_fail_while_others_succeed() {
        let reply =
            read(r#"[{"id":11,"error":{"code":-5,"message":"no"}},{"id":10,"result":1,"error":null}]"#, 2).unwrap();
        assert_eq!(reply.parse::<u8>(0).unwrap(), 1);
        let error = reply.get(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "m: not found, index: 1: code -5: no");
        assert!(reply.passing_failure().is_none());
    }

    #[test]
    fn an_index_beyond_the_batch_is_an_error() {
        let reply = read(r#"[{"id":10,"result":1}]"#, 1).unwrap();
        assert_eq!(reply.get(1).unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(BatchReply::empty().get(0).unwrap_err().kind(), ErrorKind::OutOfRange);
    }

    #[test]
    fn missing_duplicate_and_foreign_ids_are_told_apart() {
        let one = r#"{"id":10,"result":1}"#;
        assert_eq!(read("[]", 1).unwrap_err(), ReplyFault::MissingId { id: 10 });
        assert_eq!(read(&format!("[{one}]"), 2).unwrap_err(), ReplyFault::MissingId { id: 11 });
        assert_eq!(read(&format!("[{one},{one}]"), 2).unwrap_err(), ReplyFault::DuplicateId { id: 10 });
        for (id, shown) in [("9", "9"), ("12", "12"), ("null", "null"), (r#""10""#, r#""10""#)] {
            let foreign = format!(r#"[{one},{{"id":{id},"result":1}}]"#);
            assert_eq!(read(&foreign, 2).unwrap_err(), ReplyFault::ForeignId { id: shown.to_owned() });
        }
        assert_eq!(read(r#"[{"id":10}]"#, 1).unwrap_err(), ReplyFault::MissingOutcome);
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        for body in ["", "[", "[1]", "[[10,1,null]]", "[{}", r#"[{"id":10,"result":1}]x"#, r#"[{"id":10,"result":1},]"#]
        {
            assert!(
                matches!(read(body, 1), Err(ReplyFault::NotJsonRpc { .. } | ReplyFault::ForeignId { .. })),
                "{body}"
            );
        }
    }

    #[test]
    fn a_batch_fails_as_a_whole_when_each_failure_may_pass() {
        let warm = r#"{"id":10,"error":{"code":-28,"message":"Verifying blocks"}}"#;
        let reply = read(&format!("[{warm},{}]", warm.replace("10", "11")), 2).unwrap();
        assert_eq!(reply.passing_failure().unwrap().kind(), ErrorKind::WarmingUp);
        let reply = read(&format!("[{warm},{}]", warm.replace("10", "11").replace("-28", "-8")), 2).unwrap();
        assert!(reply.passing_failure().is_none());
    }

    #[test]
    fn no_body_makes_a_slice_that_is_not_a_json_value_of_it() {
        let seed = r#"[{"id":11,"result":"é00","error":null}, {"id":10,"result":{"a":[1,"\\\""]}},{"id":12,"error":{"code":-8}}]"#;
        let mut rng = fastrand::Rng::with_seed(1);
        let mut read_well = 0;
        for _ in 0..20_000 {
            let mut bytes = seed.as_bytes().to_vec();
            for _ in 0..rng.usize(0..3) {
                let at = rng.usize(0..bytes.len());
                match rng.u8(0..3) {
                    0 => bytes[at] = *rng.choice(br#"{}[]",:0129\e.-nul "#).unwrap(),
                    1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at + 1),
                }
            }
            let Ok(reply) = read(&String::from_utf8_lossy(&bytes), 3) else { continue };
            read_well += 1;
            for text in (0..3).filter_map(|index| reply.get(index).ok()) {
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "{text}");
            }
        }
        assert!((1_000..19_000).contains(&read_well), "{read_well} of 20000 bodies were read");
    }
}
