//! What every watch answers: a finding with a severity and one line of text.

use core::fmt::{self, Debug, Display};
use core::time::Duration;

/// Is what a watch found. `Display` is one line that says what is wrong and what to do about it.
pub trait Finding: Debug + Display + Send + Sync {
    /// Says how urgent it is.
    fn severity(&self) -> Severity;
}

/// Says how urgent a finding is; the order is from calm to alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// All is as it should be.
    Fine,
    /// Something is worth knowing, and passes by itself.
    Notice,
    /// Something goes wrong unless somebody acts, and there is time for it.
    Warning,
    /// Something is wrong now, or cannot be mended once the time that is left has passed.
    Critical,
}

impl Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fine => "fine",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

/// Writes a duration with its two greatest units, as `3 d 4 h`.
pub(super) struct Span(pub(super) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, minutes) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, hours, minutes) => write!(f, "{hours} h {minutes} min"),
            (days, hours, _) => write!(f, "{days} d {hours} h"),
        }
    }
}

/// Multiplies a span by a count; saturates at the end of the range.
pub(super) fn times(span: Duration, count: u64) -> Duration {
    let nanos = span.as_nanos().saturating_mul(u128::from(count));
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).unwrap_or(0))
}

/// Chooses the ending of a counted word.
pub(super) fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_show_their_two_greatest_units() {
        let text = |seconds| Span(Duration::from_secs(seconds)).to_string();
        assert_eq!([text(59), text(61), text(3_600)], ["59 s", "1 min 1 s", "1 h 0 min"]);
        assert_eq!(text(93 * 86_400 + 3_600), "93 d 1 h");
        assert_eq!(times(Duration::from_millis(1_500), 3), Duration::from_millis(4_500));
        assert_eq!(times(Duration::from_secs(u64::MAX), 3).as_secs(), u64::MAX);
    }
}
