//! Requests for σ_p, their resolution to a number, and where that number comes from.

use std::fmt;
use std::str::FromStr;

use crate::backward::{Choice, MAX_DEVIATION, choose};
use crate::number::{self, significant};
use crate::{Activation, Error, require_positive};

/// Digits of the numbers in reasons.
const DIGITS: usize = 6;

/// A request for σ_p: `0.15`, `auto` or `2*auto`.
///
/// ```
/// use vi3nr::Activation;
/// use vi3nr::scheme::{SigmaReason, SigmaRequest};
///
/// let gaussian = Activation::gaussian(0.05)?;
/// let twice = "2*auto".parse::<SigmaRequest>()?.resolve(&gaussian)?;
/// assert!((twice.value - 2.0 * 0.0776886987).abs() < 1e-9);
/// assert!(matches!(twice.reason, SigmaReason::TimesSmallestRoot { factor: 2.0, .. }));
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SigmaRequest {
    /// This number, finite and above 0.
    Given(f64),
    /// The choice of [`auto_sigma_p`](crate::auto_sigma_p).
    Auto,
    /// This multiple of [`SigmaRequest::Auto`]; the factor is finite and above 0.
    TimesAuto(f64),
}

/// A value of σ_p and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SigmaP {
    /// The standard deviation of the preactivations.
    pub value: f64,
    /// Where it comes from.
    pub reason: SigmaReason,
}

/// Where a σ_p comes from. The displayed text completes the sentence "σ_p is …".
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SigmaReason {
    /// It was given as a number.
    Given,
    /// It is the smallest root of Eq. (13).
    SmallestRoot,
    /// It is a multiple of the smallest root of Eq. (13).
    TimesSmallestRoot {
        /// The factor of the root.
        factor: f64,
        /// The root.
        root: f64,
    },
    /// It is 1, since every σ_p satisfies Eq. (13).
    EveryValue,
    /// It is 1, since no σ_p satisfies Eq. (13) and the left side at 1 is close enough to 1.
    NearOne,
    /// It is the largest value below 1 at which the left side of Eq. (13), which has no root, is
    /// close enough to 1.
    LargestNear,
    /// It is the largest value up to 1 with finite moments, since no σ_p satisfies Eq. (13) or
    /// comes close enough.
    LargestFinite,
    /// It is a multiple of the choice of [`auto_sigma_p`](crate::auto_sigma_p), where no σ_p or
    /// every σ_p satisfies Eq. (13).
    TimesAuto {
        /// The factor of the choice.
        factor: f64,
        /// The automatic choice.
        auto: f64,
    },
}

impl fmt::Display for SigmaReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("the number that was given"),
            Self::SmallestRoot => {
                f.write_str("the smallest value at which gradients keep their variance, Eq. (13)")
            }
            Self::TimesSmallestRoot { factor, root } => write!(
                f,
                "{factor} times the smallest value at which gradients keep their variance, Eq. (13), \
                 {}",
                significant(*root, DIGITS)
            ),
            Self::EveryValue => f.write_str(
                "the usual choice if every value keeps the variance of gradients, Eq. (13)",
            ),
            Self::NearOne => write!(
                f,
                "the usual choice if no value keeps the variance of gradients, Eq. (13), and a layer \
                 with sigma_p = 1 multiplies it by a factor within {MAX_DEVIATION} of 1"
            ),
            Self::LargestNear => write!(
                f,
                "the largest value below 1 at which a layer multiplies the variance of gradients by a \
                 factor within {MAX_DEVIATION} of 1; no value keeps it, Eq. (13)"
            ),
            Self::LargestFinite => write!(
                f,
                "the largest value up to 1 with finite moments; no value keeps the variance of \
                 gradients, Eq. (13), and none was found at which a layer multiplies it by a \
                 factor within {MAX_DEVIATION} of 1"
            ),
            Self::TimesAuto { factor, auto } => write!(
                f,
                "{factor} times {}, the automatic choice if no value or every value keeps the \
                 variance of gradients, Eq. (13)",
                significant(*auto, DIGITS)
            ),
        }
    }
}

impl SigmaRequest {
    /// The number in the request, if it contains one.
    pub(super) fn number(&self) -> Option<f64> {
        match *self {
            Self::Given(number) | Self::TimesAuto(number) => Some(number),
            Self::Auto => None,
        }
    }

    /// The value of σ_p for `activation`.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a number of the request is not finite and above 0, and
    /// [`Error::Moment`] if the request contains `auto` and no σ_p up to 1 has finite moments.
    pub fn resolve(&self, activation: &Activation) -> Result<SigmaP, Error> {
        match *self {
            Self::Given(value) => {
                require_positive("sigma_p", value)?;
                Ok(SigmaP { value, reason: SigmaReason::Given })
            }
            Self::Auto => automatic(activation),
            Self::TimesAuto(factor) => {
                require_positive("the multiple of the automatic sigma_p", factor)?;
                let auto = automatic(activation)?;
                let reason = match auto.reason {
                    SigmaReason::SmallestRoot => {
                        SigmaReason::TimesSmallestRoot { factor, root: auto.value }
                    }
                    _ => SigmaReason::TimesAuto { factor, auto: auto.value },
                };
                let value = factor * auto.value;
                require_positive("sigma_p", value)?;
                Ok(SigmaP { value, reason })
            }
        }
    }
}

/// The default σ_p: `factor` times the smallest root of Eq. (13), or, if there is no such root, the
/// choice of [`auto_sigma_p`](crate::auto_sigma_p) without the factor.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if `factor` is not a finite number above 0, and [`Error::Moment`]
/// if no σ_p up to 1 has finite moments.
///
/// ```
/// use vi3nr::Activation;
/// use vi3nr::scheme::default_sigma_p;
///
/// let relu = default_sigma_p(&Activation::relu(), 2.0)?;
/// assert_eq!(relu.value, 1.0);
/// let reason = "the usual choice if every value keeps the variance of gradients, Eq. (13)";
/// assert_eq!(relu.reason.to_string(), reason);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn default_sigma_p(activation: &Activation, factor: f64) -> Result<SigmaP, Error> {
    require_positive("the multiple of the smallest root", factor)?;
    let auto = automatic(activation)?;
    if auto.reason != SigmaReason::SmallestRoot || factor == 1.0 {
        return Ok(auto);
    }
    let root = auto.value;
    let value = factor * root;
    require_positive("sigma_p", value)?;
    Ok(SigmaP { value, reason: SigmaReason::TimesSmallestRoot { factor, root } })
}

/// The choice of [`auto_sigma_p`](crate::auto_sigma_p) and the reason for it.
fn automatic(activation: &Activation) -> Result<SigmaP, Error> {
    let (value, choice) = choose(activation)?;
    let reason = match choice {
        Choice::SmallestRoot => SigmaReason::SmallestRoot,
        Choice::Every => SigmaReason::EveryValue,
        Choice::One => SigmaReason::NearOne,
        Choice::LargestNear => SigmaReason::LargestNear,
        Choice::LargestFinite => SigmaReason::LargestFinite,
    };
    Ok(SigmaP { value, reason })
}

/// Writes the text that [`SigmaRequest::from_str`] reads: `0.15`, `auto` or `2*auto`.
impl fmt::Display for SigmaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(value) => write!(f, "{value}"),
            Self::Auto => f.write_str("auto"),
            Self::TimesAuto(factor) => write!(f, "{factor}*auto"),
        }
    }
}

impl FromStr for SigmaRequest {
    type Err = Error;

    /// Reads a number, `auto`, or `K*auto` with a number K.
    ///
    /// # Errors
    /// Returns [`Error::Unreadable`] if the text is none of these or a number is not finite and
    /// above 0.
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = |text: &str| {
            number::real(text.trim()).filter(|value| value.is_finite() && *value > 0.0)
        };
        let request = if text == "auto" {
            Some(Self::Auto)
        } else if let Some(factor) = text.strip_suffix("auto") {
            factor.trim().strip_suffix('*').and_then(read).map(Self::TimesAuto)
        } else {
            read(text).map(Self::Given)
        };
        let expected = "a finite number above 0, auto, or a multiple such as 2*auto";
        request.ok_or_else(|| Error::unreadable("a sigma_p", text, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auto_sigma_p;

    #[test]
    fn requests_are_read_as_they_are_written() {
        for (text, request) in [
            ("0.15", SigmaRequest::Given(0.15)),
            ("1000000", SigmaRequest::Given(1e6)),
            ("auto", SigmaRequest::Auto),
            ("2*auto", SigmaRequest::TimesAuto(2.0)),
            ("0.5*auto", SigmaRequest::TimesAuto(0.5)),
        ] {
            assert_eq!(text.parse(), Ok(request));
            assert_eq!(request.to_string(), text);
        }
        assert_eq!("2 * auto".parse(), Ok(SigmaRequest::TimesAuto(2.0)));
        for text in [
            "",
            "0",
            "-1",
            "nan",
            "inf",
            "1e999",
            "automatic",
            "*auto",
            "0*auto",
            "inf*auto",
            "2auto",
        ] {
            let error = text.parse::<SigmaRequest>().unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{text}: {error}");
            assert!(error.to_string().contains("above 0, auto, or a multiple"), "{error}");
        }
    }

    #[test]
    fn values_are_those_of_auto_sigma_p_with_their_reasons() {
        for (text, reason) in [
            ("gaussian:sigma=0.05", SigmaReason::SmallestRoot),
            ("sinc:a=1", SigmaReason::SmallestRoot),
            ("relu", SigmaReason::EveryValue),
            ("tanh", SigmaReason::NearOne),
            ("sine:omega=30", SigmaReason::LargestNear),
            ("x^2", SigmaReason::LargestFinite),
        ] {
            let activation: Activation = text.parse().unwrap();
            let auto = auto_sigma_p(&activation).unwrap();
            let seen = SigmaRequest::Auto.resolve(&activation).unwrap();
            assert_eq!(seen, SigmaP { value: auto, reason }, "{text}");
            assert_eq!(default_sigma_p(&activation, 1.0).unwrap(), seen);
            let twice = SigmaRequest::TimesAuto(2.0).resolve(&activation).unwrap();
            assert_eq!(twice.value, 2.0 * auto);
            let default = default_sigma_p(&activation, 2.0).unwrap();
            if reason == SigmaReason::SmallestRoot {
                let multiple = SigmaReason::TimesSmallestRoot { factor: 2.0, root: auto };
                assert_eq!((default, twice.reason), (twice, multiple));
            } else {
                assert_eq!(default, seen);
                assert_eq!(twice.reason, SigmaReason::TimesAuto { factor: 2.0, auto });
            }
        }
    }

    #[test]
    fn reasons_are_in_words() {
        let words = |reason: SigmaReason| reason.to_string();
        assert_eq!(words(SigmaReason::Given), "the number that was given");
        let multiple = SigmaReason::TimesSmallestRoot { factor: 2.0, root: 0.07768869870150184 };
        assert_eq!(
            words(multiple),
            "2 times the smallest value at which gradients keep their variance, Eq. (13), 0.0776887"
        );
        assert!(words(SigmaReason::NearOne).contains("within 0.3131 of 1"));
        assert!(words(SigmaReason::LargestNear).contains("no value keeps it"));
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let tanh = Activation::tanh();
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            for request in [SigmaRequest::Given(value), SigmaRequest::TimesAuto(value)] {
                assert!(matches!(request.resolve(&tanh), Err(Error::OutOfRange { .. })));
            }
            assert!(matches!(default_sigma_p(&tanh, value), Err(Error::OutOfRange { .. })));
        }
        let infinite: Activation = "1/x".parse().unwrap();
        assert!(matches!(SigmaRequest::Auto.resolve(&infinite), Err(Error::Moment { .. })));
    }
}
