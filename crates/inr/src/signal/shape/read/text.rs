//! Lines and numbers of text files in any encoding.

/// The lines of a file with their numbers from 1. Bytes that are not UTF-8 occur in names and
/// comments and are replaced; a byte order mark is dropped.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, String)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // Lines may end with \n, \r\n or, in very old files, \r.
    let is_old = !bytes.contains(&b'\n');
    let lines = bytes.split(move |byte| *byte == b'\n' || (is_old && *byte == b'\r'));
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    lines.enumerate().map(move |(index, line)| (index + 1, text(line)))
}

/// A number, or what was seen instead.
///
/// # Errors
/// Returns what was seen, and the line.
pub(super) fn number(word: &str, line: usize) -> Result<f64, String> {
    word.parse().map_err(|_| format!("line {line}: '{word}' is not a number"))
}

/// The first three words as coordinates.
///
/// # Errors
/// Returns what was seen, and the line.
pub(super) fn coordinates(words: &[&str], line: usize) -> Result<[f64; 3], String> {
    let [x, y, z, ..] = words else {
        return Err(format!("line {line}: {} coordinates; expected 3", words.len()));
    };
    Ok([number(x, line)?, number(y, line)?, number(z, line)?])
}
