//! Reads the envelope of a JSON-RPC reply without copying what it holds.
//!
//! Decided here: a duplicate `id`, `result` or `error` is refused; so is an envelope written as an array. An `error`
//! that is not null outweighs a `result`. A `result` of null is a result. An id must be the very number that was sent,
//! except that an error may have the id null (the node could not read the request).

use core::fmt;
use core::ops::Range;
use std::borrow::Cow;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::fault::{ReplyFault, RpcFault};
use crate::redact::{EXCERPT, Scrub};

/// Is one reply: raw JSON texts that lie in the body.
pub(crate) struct Envelope<'a> {
    id: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Parses a body that holds one reply.
    pub(crate) fn parse(body: &'a str, scrub: &Scrub) -> Result<Self, ReplyFault> {
        serde_json::from_str(body).map_err(|error| not_json_rpc(body, &error, scrub))
    }

    /// Returns the number this reply answers; `None` for null or an absent id.
    pub(crate) fn id(&self, scrub: &Scrub) -> Result<Option<u64>, ReplyFault> {
        let Some(id) = self.id.map(RawValue::get).filter(|id| *id != "null") else { return Ok(None) };
        match id.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(ReplyFault::ForeignId { id: scrub.excerpt(id, 40) }),
        }
    }

    /// Returns what the node answered, whatever the id.
    pub(crate) fn outcome(&self, status: u16, scrub: &Scrub) -> Result<Outcome<'a>, ReplyFault> {
        match (self.error.map(RawValue::get).filter(|error| *error != "null"), self.result) {
            (Some(error), _) => fault(error, status, scrub).map(Outcome::Fault),
            (None, Some(result)) => Ok(Outcome::Result(result.get())),
            (None, None) => Err(ReplyFault::MissingOutcome),
        }
    }
}

/// Is what a node answered to one request.
pub(crate) enum Outcome<'a> {
    Fault(RpcFault),
    Result(&'a str),
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC reply")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope { id: None, result: None, error: None };
        while let Some(key) = map.next_key()? {
            let (slot, name) = match key {
                Key::Error => (&mut envelope.error, "error"),
                Key::Id => (&mut envelope.id, "id"),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Key::Result => (&mut envelope.result, "result"),
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(name));
            }
        }
        Ok(envelope)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Error,
    Id,
    Result,
    #[serde(other)]
    Other,
}

/// Reads the `error` member.
fn fault(error: &str, status: u16, scrub: &Scrub) -> Result<RpcFault, ReplyFault> {
    #[derive(Deserialize)]
    struct Object<'a> {
        code: i64,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
    }
    if !error.starts_with('{') {
        return Err(not_json_rpc(error, &"the error is not an object", scrub));
    }
    let object: Object<'_> = serde_json::from_str(error).map_err(|reason| not_json_rpc(error, &reason, scrub))?;
    let raw = object.message.map(RawValue::get).unwrap_or_default();
    // A message that is no string, or a string with half a surrogate pair, is shown as it stands.
    let message: Cow<'_, str> = serde_json::from_str::<String>(raw).map_or(Cow::Borrowed(raw), Cow::Owned);
    Ok(RpcFault::new(status, object.code, scrub.excerpt(&message, EXCERPT)))
}

pub(crate) fn not_json_rpc(body: &str, reason: &dyn fmt::Display, scrub: &Scrub) -> ReplyFault {
    let reason = scrub.excerpt(&reason.to_string(), EXCERPT);
    ReplyFault::NotJsonRpc { reason, start: scrub.excerpt(body, EXCERPT) }
}

/// Returns where `part`, a slice of `whole`, lies in it.
pub(crate) fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}

/// Shortens the message of a parser, which may repeat a whole string of the body.
pub(crate) fn short(error: &serde_json::Error, scrub: &Scrub) -> String {
    scrub.excerpt(&error.to_string(), EXCERPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<(Option<u64>, String), ReplyFault> {
        let scrub = Scrub::default();
        let envelope = Envelope::parse(body, &scrub)?;
        let outcome = match envelope.outcome(200, &scrub)? {
            Outcome::Fault(fault) => fault.to_string(),
            Outcome::Result(text) => {
                assert_eq!(&body[range_in(body, text)], text, "the result lies in the body");
                text.to_owned()
            }
        };
        Ok((envelope.id(&scrub)?, outcome))
    }

    fn refused(body: &str) -> String {
        read(body).unwrap_err().to_string()
    }

    #[test]
    fn both_versions_are_read_whatever_their_order_and_spacing() {
        let expected = Ok((Some(7), "{\"a\": [1]}".to_owned()));
        assert_eq!(read(r#"{"result":{"a": [1]},"error":null,"id":7}"#), expected);
        assert_eq!(read("\r\n {\"id\" : 7, \"jsonrpc\":\"2.0\", \"result\" : {\"a\": [1]} } \n"), expected);
        assert_eq!(read(r#"{"\u0072esult":{"a": [1]},"i\u0064":7}"#), expected, "keys may be escaped");
    }

    #[test]
    fn a_null_result_is_a_result_and_a_missing_one_is_not() {
        assert_eq!(read(r#"{"result":null,"error":null,"id":1}"#), Ok((Some(1), "null".to_owned())));
        assert_eq!(read(r#"{"result":null,"id":1}"#), Ok((Some(1), "null".to_owned())));
        assert_eq!(refused(r#"{"error":null,"id":1}"#), "neither result nor error");
        assert_eq!(refused("{}"), "neither result nor error");
    }

    #[test]
    fn an_error_outweighs_a_result() {
        let body = r#"{"result":1,"error":{"code":-5,"message":"Block\n not\u001b[2J found","data":{}},"id":1}"#;
        assert_eq!(read(body), Ok((Some(1), "code -5: Block not [2J found".to_owned())));
    }

    #[test]
    fn a_message_of_any_shape_is_shown_and_cut() {
        let message =
            |message: &str| read(&format!(r#"{{"error":{{"code":1,"message":{message}}},"id":1}}"#)).unwrap().1;
        assert_eq!(message("null"), "code 1: ");
        assert_eq!(message(r#"{"a":1}"#), r#"code 1: {"a":1}"#);
        assert_eq!(message(r#""\ud800""#), r#"code 1: "\ud800""#);
        assert_eq!(message(&format!("{:?}", "x".repeat(9999))).chars().count(), "code 1: ".len() + EXCERPT + 1);
        assert_eq!(read(r#"{"error":{"code":1},"id":1}"#).unwrap().1, "code 1: ");
    }

    #[test]
    fn an_error_without_a_usable_code_is_not_json_rpc() {
        for error in [r#""text""#, "5", "[1,2]", r#"{"message":"m"}"#, r#"{"code":"-5"}"#, r#"{"code":1.5}"#, "true"] {
            assert!(refused(&format!(r#"{{"error":{error},"id":1}}"#)).starts_with("not a JSON-RPC reply"), "{error}");
        }
        assert!(refused(r#"{"error":{"code":99999999999999999999},"id":1}"#).starts_with("not a JSON-RPC reply"));
        assert!(refused(r#"{"error":{"code":1,"code":2},"id":1}"#).contains("duplicate field `code`"));
    }

    #[test]
    fn a_duplicate_member_is_refused_and_an_unknown_one_is_not() {
        for body in [
            r#"{"id":1,"id":1,"result":1}"#,
            r#"{"id":1,"result":1,"result":2}"#,
            r#"{"id":1,"error":null,"error":null,"result":1}"#,
            r#"{"id":1,"result":1,"re\u0073ult":1}"#,
        ] {
            assert!(refused(body).contains("duplicate field"), "{body}");
        }
        assert_eq!(read(r#"{"id":1,"x":1,"x":[{}],"result":2}"#), Ok((Some(1), "2".to_owned())));
    }

    #[test]
    fn an_id_is_the_number_or_foreign() {
        assert_eq!(read(r#"{"id":18446744073709551615,"result":1}"#).unwrap().0, Some(u64::MAX));
        assert_eq!(read(r#"{"id":null,"result":1}"#).unwrap().0, None);
        assert_eq!(read(r#"{"result":1}"#).unwrap().0, None);
        for id in [r#""7""#, "7.0", "7e0", "-7", "18446744073709551616", "[7]", "true"] {
            let fault = read(&format!(r#"{{"id":{id},"result":1}}"#)).unwrap_err();
            assert_eq!(fault, ReplyFault::ForeignId { id: id.to_owned() });
        }
    }

    #[test]
    fn what_is_no_reply_is_named_by_its_first_characters() {
        for body in ["", " ", "null", "[]", "[1,2,3]", "true", "{", r#"{"id":1,"result":1"#, r#"{"id":1,"result":1}}"#]
        {
            assert!(refused(body).starts_with("not a JSON-RPC reply ("), "{body}");
        }
        let fault = refused("<html>\n<body>Sign in</body>");
        assert!(fault.ends_with("begins: <html> <body>Sign in</body>"), "{fault}");
    }

    #[test]
    fn deep_nesting_and_huge_numbers_pass_through_unread() {
        let deep = format!("{}1e99999{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&format!(r#"{{"id":1,"skipped":{deep},"result":{deep}}}"#)), Ok((Some(1), deep)));
    }
}
