//! Dates of certificates, exact to the nanosecond.

use core::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Holds an instant as nanoseconds since the Unix epoch, negative before it: the form that certificates hash.
///
/// It reaches from 1677 to 2262. The text form is RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes an instant of nanoseconds since the Unix epoch.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the Unix epoch.
    #[must_use]
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }
}

/// Prints RFC 3339 with 0, 3, 6 or 9 digits after the point, as Mithril does.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = DateTime::from_timestamp_nanos(self.0);
        f.write_str(&date.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let date = DateTime::parse_from_rfc3339(text).ok().and_then(|date| date.timestamp_nanos_opt());
        date.map(Self).ok_or_else(|| TimestampError { text: text.chars().take(80).collect() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Says that a text is no date, or one outside the range of [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date between 1677 and 2262 in the form of RFC 3339: {text:?}")]
pub struct TimestampError {
    /// Holds the text, cut to 80 characters.
    pub text: String,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_exact() {
        let date: Timestamp = "2026-05-21T14:42:19.370724260Z".parse().unwrap();
        assert_eq!(date.nanos(), 1_779_374_539_370_724_260);
        assert_eq!(date.to_string(), "2026-05-21T14:42:19.370724260Z");
        assert_eq!("2026-05-21T16:42:19.37072426+02:00".parse(), Ok(date));
        assert_eq!("1969-12-31T23:59:59.999999999Z".parse::<Timestamp>().unwrap().seconds(), -1);
    }

    #[test]
    fn the_text_is_as_short_as_mithril_writes_it() {
        for text in ["2023-03-16T01:51:00.880Z", "2023-03-16T01:51:00Z", "2023-03-16T01:51:00.000001Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "2026-05-21", "2026-05-21T14:42:19", "1500-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
