//! Lines of JSON with a checksum in front, which covers all lines before it too.

use std::io::{self, BufRead, Read as _};
use std::path::PathBuf;

use serde::Serialize;

use super::error::FileError;

/// Adds `value` to `out` as one line and returns the checksum of everything up to its end.
pub(super) fn push(
    out: &mut Vec<u8>,
    crc: u32,
    value: &impl Serialize,
) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let start = out.len();
    out.extend_from_slice(PREFIX);
    serde_json::to_writer(&mut *out, value)?;
    out.push(b'\n');
    let line = out.get_mut(start..).unwrap_or_default();
    if line.len() as u64 > MAX_LINE {
        return Err(format!("{} bytes are more than {MAX_LINE}", line.len()).into());
    }
    let Some((prefix, json)) = line.split_at_mut_checked(PREFIX.len()) else {
        return Err("no room".into());
    };
    let crc = crc32(crc, json);
    prefix.copy_from_slice(format!("{crc:08x} ").as_bytes());
    Ok(crc)
}

/// Reads the lines of a file from one place to another.
pub(super) struct Lines {
    input: Box<dyn BufRead>,
    path: PathBuf,
    end: u64,
    offset: u64,
    crc: u32,
    line: Vec<u8>,
}

impl Lines {
    /// Reads from `input`, which stands at byte `offset` of the file at `path` after lines with the checksum `crc`, up to
    /// byte `end`.
    pub(super) fn new(input: Box<dyn BufRead>, path: PathBuf, offset: u64, crc: u32, end: u64) -> Self {
        Self { input, path, end, offset, crc, line: Vec::new() }
    }

    /// Counts the bytes before the next line.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the checksum of all lines before the next one.
    pub(super) fn crc(&self) -> u32 {
        self.crc
    }

    /// Returns the JSON of the next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, FileError> {
        if self.offset >= self.end {
            return Ok(None);
        }
        let limit = MAX_LINE.min(self.end - self.offset);
        self.line.clear();
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| self.io(source))? as u64;
        let (path, offset) = (&self.path, self.offset);
        if self.line.last() != Some(&b'\n') {
            return Err(match read {
                MAX_LINE => FileError::TooLong { path: path.clone(), offset, limit: MAX_LINE },
                _ if read == limit => FileError::Malformed { path: path.clone(), offset },
                _ => FileError::Truncated { path: path.clone(), len: offset + read, expected: self.end },
            });
        }
        let Some((crc, json)) = split(&self.line) else {
            return Err(FileError::Malformed { path: path.clone(), offset });
        };
        if crc32(self.crc, json) != crc {
            return Err(FileError::Checksum { path: path.clone(), offset });
        }
        self.crc = crc;
        self.offset += read;
        Ok(Some(json))
    }

    fn io(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), action: "read", source }
    }
}

/// Splits a line into its checksum and the rest, line feed included.
fn split(line: &[u8]) -> Option<(u32, &[u8])> {
    let (prefix, json) = line.split_at_checked(PREFIX.len())?;
    let digits = prefix.strip_suffix(b" ")?;
    let plain = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let crc = u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?;
    plain.then_some((crc, json))
}

/// Continues the CRC-32 `crc` with `bytes`; 0 begins one.
///
/// It is the reflected CRC with polynomial 0x04c11db7 of IEEE 802.3 and zlib, as in RFC 1952, section 8.
fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!crc, |crc, byte| {
        let index = crc.to_le_bytes()[0] ^ byte;
        TABLE[usize::from(index)] ^ (crc >> 8)
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    let mut byte = 0;
    while index < table.len() {
        let mut crc: u32 = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
        byte += 1;
    }
    table
};

/// Holds the place of a checksum, to be overwritten.
const PREFIX: &[u8] = b"00000000 ";

/// Is the longest line in bytes, so that a damaged file cannot ask for more memory than this. The largest block of the
/// supported chains is 4 MB; a report of it as JSON stays well below.
pub(super) const MAX_LINE: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, FileError> {
        let input = Box::new(Cursor::new(bytes.to_vec()));
        let mut lines = Lines::new(input, PathBuf::from("f"), 0, 0, bytes.len() as u64);
        let mut out = Vec::new();
        while let Some(json) = lines.next()? {
            out.push(String::from_utf8(json.to_vec()).unwrap());
        }
        Ok(out)
    }

    fn three() -> Vec<u8> {
        let mut out = Vec::new();
        let mut crc = 0;
        for word in ["a", "b", "c"] {
            crc = push(&mut out, crc, &word).unwrap();
        }
        out
    }

    #[test]
    fn the_checksum_has_the_check_value_of_its_catalogue_and_continues() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
    }

    #[test]
    fn lines_come_back() {
        assert_eq!(read(&three()).unwrap(), ["\"a\"\n", "\"b\"\n", "\"c\"\n"]);
        assert_eq!(read(b"").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn every_flipped_bit_and_every_lost_or_moved_line_is_noticed() {
        let whole = three();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "bit {bit}");
        }
        let line = whole.len() / 3;
        assert!(matches!(read(&whole[line..]), Err(FileError::Checksum { offset: 0, .. })));
        let moved = [&whole[..line], &whole[2 * line..], &whole[line..2 * line]].concat();
        assert!(matches!(read(&moved), Err(FileError::Checksum { offset, .. }) if offset == line as u64));
        for cut in (1..whole.len()).filter(|cut| cut % line != 0) {
            assert!(matches!(read(&whole[..cut]), Err(FileError::Malformed { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up_at_the_limit() {
        let endless = Box::new(io::BufReader::new(io::repeat(b'x')));
        let error = Lines::new(endless, PathBuf::from("f"), 0, 0, u64::MAX).next().map(drop).unwrap_err();
        assert!(matches!(error, FileError::TooLong { offset: 0, limit: MAX_LINE, .. }));
    }
}
