//! What a person reads, or a program.

use nodewright::ops::era::Severity;
use serde_json::{Value, json};

/// Prints lines, as text or as JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a headline of the play.
    pub(crate) fn headline(self, text: &str) {
        self.data(&json!({ "event": "note", "text": text }), &format!("\n{text}"));
    }

    /// Prints a remark.
    pub(crate) fn remark(self, text: &str) {
        self.data(&json!({ "event": "note", "text": text }), &format!("             {text}"));
    }

    /// Prints one line about eras; `build` names whom it was told, if there are several.
    pub(crate) fn told(self, build: Option<&str>, severity: Severity, event: &str, text: &str) {
        let fields = json!({ "event": event, "build": build, "severity": word(severity), "text": text });
        let build = build.map(|build| format!("{build:<4}")).unwrap_or_default();
        self.data(&fields, &format!("{build}{:<9}{}", word(severity), short(text)));
    }

    /// Prints a line that says nothing to a program.
    pub(crate) fn text(self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// Prints one line of data in JSON mode, or `text`.
    pub(crate) fn data(self, fields: &Value, text: &str) {
        if self.json { println!("{fields}") } else { println!("{text}") }
    }
}

/// Shortens hashes and keys to what a person compares.
fn short(text: &str) -> String {
    let word = |word: &str| {
        let digits = word.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(word.len());
        match (word.get(..8), word.get(digits.saturating_sub(4)..)) {
            (Some(head), Some(tail)) if digits == HASH_DIGITS => format!("{head}…{tail}"),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// Is how many hex digits an id of a transaction, and a key, has.
const HASH_DIGITS: usize = 64;
