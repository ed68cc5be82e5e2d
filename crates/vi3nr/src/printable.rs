//! Text from files and command lines, made safe to print.
//!
//! A file can hold control characters that a terminal obeys, characters that reverse the direction
//! of what follows, and lines of any length. An error that quotes such a file must not.

use std::borrow::Cow;

/// The maximum length of a line of [`message`], in characters.
const MAX_LINE: usize = 800;
/// The maximum number of lines of [`message`].
const MAX_LINES: usize = 30;

/// `text` with an escape sequence such as `\u{1b}` for each control character other than line feed
/// and tab, and for each character that changes the direction of writing.
///
/// ```
/// use vi3nr::printable::printable;
///
/// assert_eq!(printable("a\tb\nc"), "a\tb\nc");
/// assert_eq!(printable("\x1b[2J"), "\\u{1b}[2J");
/// assert_eq!(printable("a\r"), "a\\r");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_escaped(character) {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    safe.into()
}

/// `text` in one line of at most `max_chars` characters, which ends with `...` where text is left
/// out. White space of any length becomes one space, and what [`printable`] escapes is escaped.
///
/// ```
/// use vi3nr::printable::excerpt;
///
/// assert_eq!(excerpt(" two\n  lines ", 80), "two lines");
/// assert_eq!(excerpt("abcdef", 3), "abc...");
/// ```
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() > 4 * max_chars {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(max_chars + 1));
    }
    cut(&printable(&line), max_chars)
}

/// An error message with at most 30 lines of at most 800 characters each, escaped like
/// [`printable`].
pub fn message(text: &str) -> String {
    let mut lines = text.lines();
    let mut shown: Vec<String> =
        lines.by_ref().take(MAX_LINES).map(|line| cut(&printable(line), MAX_LINE)).collect();
    if lines.next().is_some() {
        shown.push("...".into());
    }
    shown.join("\n")
}

fn cut(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_escaped(character: char) -> bool {
    let acts = character.is_control() && !matches!(character, '\n' | '\t');
    acts || changes_direction(character)
}

/// The Unicode characters that set the direction of writing, which can make a text look like
/// another one.
fn changes_direction(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_acts_on_a_terminal_is_left() {
        let hostile = "\x1b]0;title\x07 \u{9b}2J \u{202e}gnp.exe \r\x08\x7f\0";
        for safe in [printable(hostile).into_owned(), excerpt(hostile, 300), message(hostile)] {
            assert!(!safe.contains(char::is_control), "{safe:?}");
            assert!(!safe.contains(changes_direction), "{safe:?}");
            assert!(safe.contains("\\u{1b}]0;title") && safe.contains("\\u{202e}"), "{safe}");
        }
        assert!(matches!(printable("Größe: ½ × σ"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_text_is_cut() {
        let long = "\x1b".repeat(1_000_000);
        assert_eq!(excerpt(&long, 12), "\\u{1b}\\u{1b}...");
        assert_eq!(message(&long).chars().count(), MAX_LINE + 3);
        assert_eq!(message(&"x".repeat(MAX_LINE)), "x".repeat(MAX_LINE));
        let lines = message(&"line\n".repeat(1000));
        assert_eq!(lines.lines().count(), MAX_LINES + 1);
        assert!(lines.ends_with("line\n..."));
        assert_eq!(excerpt(&"ä ".repeat(9), 5), "ä ä ä...");
        assert_eq!(excerpt("", 5), "");
    }
}
