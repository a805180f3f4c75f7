//! What a benchmark measured: rows, their table, and the report file.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// One measured number, its peer and its bar.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    id: String,
    unit: &'static str,
    ours: f64,
    peer: Option<f64>,
    ratio: Option<f64>,
    bar: Option<f64>,
}

#[allow(dead_code, reason = "which of these are used depends on the benchmarks that there are")]
impl Row {
    /// A number where more is better, such as items per second, beside a peer's.
    pub(crate) fn more_is_better(id: &str, unit: &'static str, ours: f64, peer: f64) -> Self {
        Self { id: id.to_owned(), unit, ours, peer: Some(peer), ratio: Some(ours / peer), bar: None }
    }

    /// A number where less is better, such as bytes, beside a peer's.
    pub(crate) fn less_is_better(id: &str, unit: &'static str, ours: f64, peer: f64) -> Self {
        Self { id: id.to_owned(), unit, ours, peer: Some(peer), ratio: Some(peer / ours), bar: None }
    }

    /// A number without a peer.
    pub(crate) fn alone(id: &str, unit: &'static str, ours: f64) -> Self {
        Self { id: id.to_owned(), unit, ours, peer: None, ratio: None, bar: None }
    }

    /// Asks for at least this many times the peer's result.
    pub(crate) fn at_least_times_peer(self, bar: f64) -> Self {
        assert!(self.peer.is_some(), "{} has no peer to be compared with", self.id);
        Self { bar: Some(bar), ..self }
    }

    /// Asks for at most this number, of a row that has no peer.
    pub(crate) fn at_most(self, bar: f64) -> Self {
        assert!(self.peer.is_none(), "{} has a peer; its bar is a ratio", self.id);
        Self { bar: Some(bar), ..self }
    }
}

impl Row {
    /// Whether the bar is met; a row without one always is, and a number that is none never.
    pub(crate) fn ok(&self) -> bool {
        match (self.bar, self.ratio) {
            (None, _) => self.ours.is_finite(),
            (Some(bar), Some(ratio)) => ratio >= bar,
            (Some(bar), None) => self.ours <= bar,
        }
    }

    /// The row as one line, for while the benchmarks run.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{}: {} {}", self.id, number(self.ours), self.unit);
        if let (Some(peer), Some(ratio)) = (self.peer, self.ratio) {
            // Writing to a string cannot fail.
            let _infallible = write!(line, ", the peer {}, {ratio:.2} times", number(peer));
        }
        line
    }

    fn cells(&self) -> [String; 7] {
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let bar = match (self.bar, self.ratio) {
            (Some(bar), Some(_)) => Some(format!("≥ {bar}x")),
            (Some(bar), None) => Some(format!("≤ {}", number(bar))),
            (None, _) => None,
        };
        [
            self.id.clone(),
            self.unit.to_owned(),
            number(self.ours),
            or_dash(self.peer.map(number)),
            or_dash(self.ratio.map(|ratio| format!("{ratio:.2}x"))),
            or_dash(bar),
            if self.ok() { "yes" } else { "NO" }.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id, "unit": self.unit, "ours": self.ours, "peer": self.peer, "ratio": self.ratio,
            "bar": self.bar, "ok": self.ok(),
        })
    }
}

/// The rows as a table for people.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines = vec![["id", "unit", "ours", "peer", "ratio", "bar", "ok"].map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let widths: Vec<usize> =
        (0..7).map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)).collect();
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    });
    text.collect::<Vec<_>>().join("\n")
}

/// Writes the report: a list of rows. `bar` is the least `ratio` of a row that has a peer, else the most that `ours`
/// may be; `ratio` is above 1 where ours is better.
pub(crate) fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    let list: Vec<String> = rows.iter().map(|row| row.json().to_string()).collect();
    fs::write(path, format!("[\n  {}\n]\n", list.join(",\n  ")))
}

/// A number with its thousands apart; small ones keep their digits.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.3}");
    }
    let digits = format!("{value:.0}");
    let mut spaced = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 && !spaced.ends_with('-') {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_ratio_beside_a_peer_and_a_limit_alone() {
        assert!(Row::more_is_better("a", "x/s", 4.0, 1.0).at_least_times_peer(4.0).ok());
        assert!(!Row::more_is_better("a", "x/s", 3.9, 1.0).at_least_times_peer(4.0).ok());
        assert!(Row::less_is_better("a", "bytes", 1.0, 4.0).at_least_times_peer(4.0).ok());
        assert!(Row::alone("a", "bytes", 64.0).at_most(64.0).ok());
        assert!(!Row::alone("a", "bytes", 65.0).at_most(64.0).ok());
    }

    #[test]
    fn a_rate_that_is_no_number_misses_its_bar() {
        assert!(!Row::more_is_better("a", "x/s", 0.0, 0.0).at_least_times_peer(1.0).ok());
        assert!(!Row::alone("a", "x/s", f64::NAN).ok());
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1_234_567.0), "1 234 567");
        assert_eq!(number(0.5), "0.500");
        assert_eq!(number(999.6), "1 000");
    }
}
