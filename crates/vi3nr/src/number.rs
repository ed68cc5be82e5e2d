//! Numbers as people write them, on a command line or as text in a file.

/// The largest whole number that a double-precision number holds with all its neighbors, 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a number: `0.05`, `1e-3`, `10_000`. `None` if the text is not a number; infinities and NaN
/// are numbers.
///
/// ```
/// use vi3nr::number::real;
///
/// assert_eq!(real("1_000.5"), Some(1000.5));
/// assert_eq!(real("1e-3"), Some(0.001));
/// assert_eq!(real("_1"), None);
/// ```
pub fn real(text: &str) -> Option<f64> {
    digits(text)?.parse().ok()
}

/// Reads a whole number: `1000`, `10_000`, `1e3`, `2.5e3`. `None` if the text is not one, is below
/// 0 or cannot be held exactly.
///
/// ```
/// use vi3nr::number::whole;
///
/// assert_eq!(whole("30_000"), Some(30_000));
/// assert_eq!(whole("1e3"), Some(1000));
/// assert_eq!(whole("1.5"), None);
/// assert_eq!(whole("-1"), None);
/// ```
pub fn whole(text: &str) -> Option<u64> {
    let text = digits(text)?;
    text.parse().ok().or_else(|| whole_of(text.parse().ok()?))
}

/// `value` as a whole number, if it is one from 0 to 2^53.
pub fn whole_of(value: f64) -> Option<u64> {
    ((0.0..=MAX_EXACT).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

/// The text without the underscores between digits; `None` if one stands elsewhere, as in TOML.
fn digits(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let mut plain = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            '_' if index > 0 && is_digit(index - 1) && is_digit(index + 1) => {}
            '_' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_have_exponents() {
        for (text, value) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("1e3", Some(1000)),
            ("1E+3", Some(1000)),
            ("2.5e1", Some(25)),
            ("3.0", Some(3)),
            ("1_000_000", Some(1_000_000)),
            ("1e17", None),
            ("2.5", None),
            ("1e-1", None),
            ("-1", None),
            ("1__0", None),
            ("10_", None),
            ("nan", None),
            ("inf", None),
            ("", None),
            (" 1", None),
        ] {
            assert_eq!(whole(text), value, "{text}");
        }
    }

    #[test]
    fn real_numbers_may_be_infinite() {
        assert_eq!(real("inf"), Some(f64::INFINITY));
        assert_eq!(real("-0.5"), Some(-0.5));
        for text in ["", "1e", "1_.5", "1._5", "0x10", "much"] {
            assert_eq!(real(text), None, "{text}");
        }
    }
}
