//! Markers: the name of an era and the epoch that it begins with, and lists of them in their exact JSON.

use nodewright_core::{Activation, Epoch, EraError, EraId, EraMarker, EraSchedule};
use serde::{Deserialize, Serialize};

/// Says when one era of Mithril begins.
///
/// Its JSON is exactly `{"name":"thales","epoch":1}`, or `null` for the epoch while nobody has said when.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marker {
    /// Names the era.
    pub name: EraId,
    /// Is the first epoch of the era; `None` while it is only announced.
    pub epoch: Option<Epoch>,
}

impl Marker {
    /// Makes a marker.
    #[must_use]
    pub fn new(name: EraId, epoch: Option<Epoch>) -> Self {
        Self { name, epoch }
    }
}

impl From<&Marker> for EraMarker {
    fn from(marker: &Marker) -> Self {
        let activation = marker.epoch.map_or(Activation::Unscheduled, Activation::Epoch);
        Self::new(marker.name.clone(), activation)
    }
}

/// Is a list of markers in the order in which it was signed or written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Marker>", into = "Vec<Marker>")]
pub struct Markers(Vec<Marker>);

impl Markers {
    /// Is the greatest number of markers; Mithril's own tool writes two.
    pub const MAX_MARKERS: usize = 64;

    /// Is the greatest length of a list's JSON in bytes: enough for the most markers with the longest names.
    pub const MAX_JSON: usize = 16 << 10;

    /// Takes the markers.
    ///
    /// # Errors
    /// [`MarkersError::TooMany`].
    pub fn try_new(markers: impl IntoIterator<Item = Marker>) -> Result<Self, MarkersError> {
        let markers: Vec<_> = markers.into_iter().take(Self::MAX_MARKERS + 1).collect();
        if markers.len() > Self::MAX_MARKERS { Err(MarkersError::TooMany) } else { Ok(Self(markers)) }
    }

    /// Reads a list from JSON. Space between tokens and unknown fields are allowed, as Mithril allows them.
    ///
    /// # Errors
    /// [`MarkersError`].
    pub fn parse(json: &[u8]) -> Result<Self, MarkersError> {
        if json.len() > Self::MAX_JSON {
            return Err(MarkersError::TooLarge { length: json.len() });
        }
        serde_json::from_slice(json).map_err(|error| MarkersError::Json { reason: error.to_string() })
    }

    /// Returns the compact JSON, byte by byte what is signed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers alone, with text keys: there is nothing that JSON could not say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the list.
    #[must_use]
    pub fn as_slice(&self) -> &[Marker] {
        &self.0
    }

    /// Finds the marker of an era.
    #[must_use]
    pub fn find(&self, era: &EraId) -> Option<&Marker> {
        self.0.iter().find(|marker| marker.name == *era)
    }

    /// Returns the era that holds in `epoch`: of the markers whose epoch is reached, the one with the greatest.
    #[must_use]
    pub fn current(&self, epoch: Epoch) -> Option<&Marker> {
        // Of equal ones the first, as Mithril does.
        self.0
            .iter()
            .rev()
            .filter(|marker| marker.epoch.is_some_and(|at| at <= epoch))
            .max_by_key(|marker| marker.epoch)
    }

    /// Makes the schedule that the list states.
    ///
    /// # Errors
    /// When it names no era, names one twice, or lets two begin with one epoch.
    pub fn schedule(&self) -> Result<EraSchedule, EraError> {
        EraSchedule::try_new(self.0.iter().map(EraMarker::from))
    }

    /// Returns what Mithril's own nodes make of the list in `epoch`, for comparison: the next era is simply the last of
    /// the list, unless that is the current one (`mithril-era`, read at commit `c8ff793`).
    #[must_use]
    pub fn upstream(&self, epoch: Epoch) -> Option<UpstreamView<'_>> {
        let current = self.current(epoch)?;
        Some(UpstreamView { current, next: self.0.last().filter(|last| *last != current) })
    }
}

impl TryFrom<Vec<Marker>> for Markers {
    type Error = MarkersError;

    fn try_from(markers: Vec<Marker>) -> Result<Self, MarkersError> {
        Self::try_new(markers)
    }
}

impl From<Markers> for Vec<Marker> {
    fn from(markers: Markers) -> Self {
        markers.0
    }
}

/// Is what Mithril's own nodes make of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamView<'a> {
    /// Is the era that they think holds.
    pub current: &'a Marker,
    /// Is the era that they warn of.
    pub next: Option<&'a Marker>,
}

/// Says why something is not a list of markers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkersError {
    /// It is not the JSON of a list of markers.
    #[error("not a list of era markers: {reason}")]
    Json {
        /// Says what is wrong.
        reason: String,
    },
    /// The JSON is too long.
    #[error("{length} bytes are more than the {} that era markers may have", Markers::MAX_JSON)]
    TooLarge {
        /// Counts the bytes.
        length: usize,
    },
    /// There are too many markers.
    #[error("more than {} era markers", Markers::MAX_MARKERS)]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(markers: &[(&str, Option<u64>)]) -> Markers {
        let marker = |&(name, epoch): &(&str, Option<u64>)| Marker::new(name.try_into().unwrap(), epoch.map(Epoch));
        Markers::try_new(markers.iter().map(marker)).unwrap()
    }

    #[test]
    fn the_compact_form_is_the_one_that_mithril_signs() {
        let markers = list(&[("thales", Some(1)), ("pythagoras", None)]);
        let json = r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":null}]"#;
        assert_eq!(markers.to_json(), json);
        assert_eq!(Markers::parse(json.as_bytes()), Ok(markers));
    }

    #[test]
    fn space_a_missing_epoch_and_unknown_fields_are_read_and_not_written() {
        let json = b" [ { \"epoch\" : 1 , \"name\" : \"thales\", \"colour\" : [] }, {\"name\":\"pythagoras\"} ]\n";
        let markers = Markers::parse(json).unwrap();
        assert_eq!(markers, list(&[("thales", Some(1)), ("pythagoras", None)]));
    }

    #[test]
    fn other_json_is_refused_by_name() {
        let long = format!("[{}]", " ".repeat(Markers::MAX_JSON));
        assert_eq!(Markers::parse(long.as_bytes()), Err(MarkersError::TooLarge { length: long.len() }));
        let many = format!("[{}]", vec![r#"{"name":"a"}"#; 65].join(","));
        assert!(matches!(Markers::parse(many.as_bytes()), Err(MarkersError::Json { .. })));
        assert_eq!(Markers::try_new(vec![Marker::new("a".try_into().unwrap(), None); 65]), Err(MarkersError::TooMany));
        for json in [
            "",
            "{}",
            "[1]",
            r#"[{"epoch":1}]"#,
            r#"[{"name":"","epoch":1}]"#,
            r#"[{"name":"a\n","epoch":1}]"#,
            r#"[{"name":"a","epoch":-1}]"#,
            r#"[{"name":"a","epoch":1.0}]"#,
            r#"[{"name":"a","epoch":1,"epoch":2}]"#,
            r#"[{"name":"a","epoch":18446744073709551616}]"#,
            r#"[{"name":"a","epoch":1}]x"#,
        ] {
            assert!(matches!(Markers::parse(json.as_bytes()), Err(MarkersError::Json { .. })), "{json}");
        }
    }

    #[test]
    fn the_current_era_is_the_latest_begun_and_of_equals_the_first() {
        let markers = list(&[("b", Some(5)), ("a", Some(1)), ("c", None), ("d", Some(5))]);
        let current = |epoch| markers.current(Epoch(epoch)).map(|marker| marker.name.as_str());
        assert_eq!([0, 1, 4, 5, 99].map(current), [None, Some("a"), Some("a"), Some("b"), Some("b")]);
    }

    #[test]
    fn mithril_takes_the_last_of_the_list_for_the_next_and_the_schedule_does_not() {
        let markers = list(&[("pythagoras", Some(5)), ("thales", Some(1))]);
        let view = markers.upstream(Epoch(6)).unwrap();
        assert_eq!((view.current.name.as_str(), view.next.unwrap().name.as_str()), ("pythagoras", "thales"));
        let position = nodewright_core::ChainPosition {
            epoch: Some(Epoch(6)),
            ..nodewright_core::ChainPosition::at(nodewright_core::BlockHeight(0))
        };
        assert_eq!(markers.schedule().unwrap().next(&position), Ok(None));
        assert_eq!(list(&[("a", None)]).upstream(Epoch(9)), None);
    }
}
