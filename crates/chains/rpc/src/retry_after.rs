//! Reads `Retry-After`: seconds, or a date (RFC 9110, 10.2.3 and 5.6.7).

use core::time::Duration;

/// Returns the wait that `value` asks for, at most `max`; `None` if it is neither seconds nor a date.
///
/// A date is measured against `date`, the answer's own `Date` header, so that the two machines' clocks need not agree;
/// `now` (seconds since 1970) serves if there is none.
pub(crate) fn wait(value: &str, date: Option<&str>, now: u64, max: Duration) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds is still a number of seconds, and `max` cuts it anyway.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let now = date.and_then(|date| unix_time(date.trim())).unwrap_or(now);
        Duration::from_secs(unix_time(value)?.saturating_sub(now))
    };
    Some(asked.min(max))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the only form a server may send today; the day's name is not checked.
fn unix_time(text: &str) -> Option<u64> {
    let (_, text) = text.split_once(", ")?;
    let text = text.strip_suffix(" GMT")?;
    let mut parts = text.split(' ');
    let day = number(parts.next()?, 2)?;
    let name = parts.next()?;
    let year = number(parts.next()?, 4)?;
    let mut clock = parts.next()?.split(':');
    if parts.next().is_some() {
        return None;
    }
    let (hour, minute, second) = (number(clock.next()?, 2)?, number(clock.next()?, 2)?, number(clock.next()?, 2)?);
    if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 || year < 1970 {
        return None;
    }
    let leap = u64::from(is_leap(year));
    let index = MONTHS.iter().position(|month| *month == name)?;
    let length = |month: usize| DAYS.get(month).map(|days| days + if month == 1 { leap } else { 0 });
    if day == 0 || day > length(index)? {
        return None;
    }
    let past_years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let past_months: u64 = (0..index).filter_map(length).sum();
    Some((past_years + past_months + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Reads exactly `digits` decimal digits.
fn number(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_secs(60);

    #[test]
    fn dates_become_seconds_since_1970() {
        // Checked with `date -u -d '…' +%s`.
        assert_eq!(unix_time("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(unix_time("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(unix_time("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(unix_time("Fri, 01 Mar 2024 00:00:00 GMT"), Some(1_709_251_200));
        assert_eq!(unix_time("Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 30 Feb 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:01 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
        ] {
            assert_eq!(unix_time(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_taken_and_cut_at_the_bound() {
        assert_eq!(wait("7", None, 0, MAX), Some(Duration::from_secs(7)));
        assert_eq!(wait("0", None, 0, MAX), Some(Duration::ZERO));
        assert_eq!(wait("86400", None, 0, MAX), Some(MAX));
        assert_eq!(wait(&"9".repeat(99), None, 0, MAX), Some(MAX));
        assert_eq!(wait("-5", None, 0, MAX), None);
        assert_eq!(wait("soon", None, 0, MAX), None);
        assert_eq!(wait("", None, 0, MAX), None);
    }

    #[test]
    fn a_date_is_measured_against_the_servers_own_clock() {
        let later = "Sun, 06 Nov 1994 08:49:47 GMT";
        assert_eq!(wait(later, Some("Sun, 06 Nov 1994 08:49:37 GMT"), 0, MAX), Some(Duration::from_secs(10)));
        assert_eq!(wait(later, None, 784_111_780, MAX), Some(Duration::from_secs(7)));
        assert_eq!(wait(later, None, 999_999_999, MAX), Some(Duration::ZERO));
        assert_eq!(wait(later, None, 0, MAX), Some(MAX));
    }
}
