//! Keeps secrets, control characters and endless text out of errors.

use core::fmt;

use nodewright_core::Secret;

/// Replaces known secrets in text that came from elsewhere.
#[derive(Clone, Default)]
pub(crate) struct Scrub {
    secrets: Vec<Secret<String>>,
}

impl Scrub {
    /// Adds a secret; one of fewer than four bytes is left out, because it would blot out ordinary words.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= 4 && !self.secrets.iter().any(|known| known.expose() == secret) {
            self.secrets.push(Secret::new(secret.to_owned()));
            // The longest first, so that no secret is broken up by a shorter one inside it.
            self.secrets.sort_by_key(|secret| core::cmp::Reverse(secret.expose().len()));
        }
    }

    /// Returns a scrub that knows the secrets of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        other.secrets.iter().for_each(|secret| both.add(secret.expose()));
        both
    }

    /// Returns the start of `text`: scrubbed, on one line, at most `max` characters.
    pub(crate) fn excerpt(&self, text: &str, max: usize) -> String {
        // Scrub before cutting, or a cut secret would not be recognised. What is looked at is bounded too.
        let mut text = prefix(text, EXCERPT_WINDOW).to_owned();
        for secret in &self.secrets {
            if text.contains(secret.expose().as_str()) {
                text = text.replace(secret.expose().as_str(), REDACTED);
            }
        }
        one_line(&text, max)
    }

    /// Does the same for bytes that need not be text.
    pub(crate) fn excerpt_bytes(&self, bytes: &[u8], max: usize) -> String {
        let window = bytes.get(..EXCERPT_WINDOW).unwrap_or(bytes);
        self.excerpt(&String::from_utf8_lossy(window), max)
    }
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrub({} secrets)", self.secrets.len())
    }
}

/// Returns the first `max` characters of `text` on one line: control characters become spaces, runs of spaces one.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_control() || c.is_whitespace() || is_directional(c) {
            gap = !line.is_empty();
            continue;
        }
        if count + usize::from(gap) >= max {
            line.push('…');
            break;
        }
        if gap {
            line.push(' ');
            count += 1;
            gap = false;
        }
        line.push(c);
        count += 1;
    }
    line
}

/// Says whether `c` changes the direction of a terminal's text without being visible itself.
fn is_directional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn prefix(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Stands where a secret stood.
pub(crate) const REDACTED: &str = "…";

/// How much of a foreign text is looked at for an excerpt: far more than any excerpt shows, so that a secret that
/// begins inside the excerpt is seen whole.
const EXCERPT_WINDOW: usize = 4096;

/// Characters shown of a body or a message: two lines of a terminal.
pub(crate) const EXCERPT: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub<const N: usize>(secrets: [&str; N]) -> Scrub {
        let mut scrub = Scrub::default();
        secrets.iter().for_each(|secret| scrub.add(secret));
        scrub
    }

    #[test]
    fn control_characters_and_line_breaks_become_single_spaces() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31mc  d\n", 99), "a b [31mc d");
        assert_eq!(one_line("a\u{202e}b", 99), "a b");
    }

    #[test]
    fn an_excerpt_is_cut_at_its_limit_in_characters() {
        assert_eq!(one_line("ééééé", 3), "ééé…");
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abc ", 3), "abc");
    }

    #[test]
    fn a_secret_that_the_cut_would_split_is_still_replaced() {
        let scrub = scrub(["hunter2hunter2"]);
        assert_eq!(scrub.excerpt("no: hunter2hunter2 here", 8), "no: … he…");
        assert_eq!(format!("{scrub:?}"), "Scrub(1 secrets)");
    }

    #[test]
    fn a_secret_inside_a_longer_secret_does_not_break_it_up() {
        let scrub = scrub(["abcd", "xabcdx"]);
        assert_eq!(scrub.excerpt("1 xabcdx 2 abcd", 99), "1 … 2 …");
    }

    #[test]
    fn a_window_that_ends_inside_a_character_does_not_panic() {
        let text = "é".repeat(EXCERPT_WINDOW);
        assert_eq!(Scrub::default().excerpt(&text[..], 1), "é…");
        assert_eq!(Scrub::default().excerpt(&format!("a{text}"), 2), "aé…");
    }
}
