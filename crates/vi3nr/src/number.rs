//! Numbers as people write and read them, on a command line or as text in a file.

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

/// `value` with `digits` significant digits, trailing zeros left out; in scientific notation where
/// plain notation would be long.
///
/// ```
/// use vi3nr::number::significant;
///
/// assert_eq!(significant(0.07768869870150184, 6), "0.0776887");
/// assert_eq!(significant(1.5e-9, 6), "1.5e-9");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..=9).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        return without_zeros(&format!("{value:.decimals$}")).into();
    }
    format!("{}e{exponent}", without_zeros(mantissa))
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
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

    #[test]
    fn shown_numbers_have_the_digits_that_are_asked_for() {
        for (value, digits, text) in [
            (123456.0, 3, "123456"),
            (2.0, 6, "2"),
            (0.155377397403, 6, "0.155377"),
            (0.0, 3, "0"),
            (-1.25e17, 12, "-1.25e17"),
            (f64::INFINITY, 3, "inf"),
        ] {
            assert_eq!(significant(value, digits), text);
        }
    }
}
