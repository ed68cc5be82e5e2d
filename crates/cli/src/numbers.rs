//! Numbers as people read them.

use vi3nr::Bounded;
pub(crate) use vi3nr::number::significant;

/// Most significant digits that are shown.
const MAX_DIGITS: usize = 12;

/// The value down to the leading digit of its error bound, but with at most 12 significant digits.
pub(crate) fn bounded(number: Bounded) -> String {
    if number.value == 0.0 || number.error >= number.value.abs() {
        // No digit is certain: the value is 0 as far as one can tell.
        let size = number.value.abs().max(number.error);
        return if size < 1e-12 { "0".into() } else { significant(number.value, 1) };
    }
    let digits = number.value.abs().log10().floor() - number.error.log10().floor() + 1.0;
    // Infinite for an exact number; the cast saturates.
    significant(number.value, (digits as usize).clamp(1, MAX_DIGITS))
}

/// The bound itself, in words: `what` is "error at most" or "standard error".
pub(crate) fn bound(number: Bounded, what: &str) -> String {
    if number.error == 0.0 { "exact".into() } else { format!("{what} {:.1e}", number.error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_are_known() {
        for (value, error, text) in [
            (2.536175427741, 1e-15, "2.53617542774"),
            (2.536175427741, 1e-4, "2.5362"),
            (1.1834, 1.9e-2, "1.18"),
            (2.0, 0.0, "2"),
            (199.750312109, 1e-3, "199.75"),
            (-0.00123456, 1e-7, "-0.0012346"),
            (1.5e-9, 1e-30, "1.5e-9"),
            (1.25e17, 0.0, "1.25e17"),
            (1e-17, 3e-16, "0"),
            (2e-4, 7e-4, "0.0002"),
        ] {
            assert_eq!(bounded(Bounded { value, error }), text);
        }
    }
}
