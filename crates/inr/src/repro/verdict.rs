//! When a number agrees with a printed one.

use serde::Serialize;

/// Standard deviations that a measured number may be off beyond the printed digits.
pub(super) const DEVIATIONS: f64 = 3.0;

/// How ours compares with the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Within the printed digits and our own spread.
    Agrees,
    /// Further away, or ours does not exist.
    Differs,
    /// Nothing to compare: a time on another machine, a number that the paper does not print.
    Shown,
}

/// Half a unit of the last digit of a number as printed: 0.05 for `98.5`, 5e-6 for `7.7e-4`.
pub fn printed_half_unit(printed: &str) -> Option<f64> {
    printed.parse::<f64>().ok()?;
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().ok()?;
    Some(0.5 * 10f64.powi(exponent - i32::try_from(decimals).ok()?))
}

/// `Agrees` if |mean - printed| is at most half a unit of the printed number's last digit plus
/// 3·sd·√(1 + 1/n): the paper's number is one run, ours the mean of n, and `sd` the
/// deviation among them (0 where nothing is random).
pub fn compare(printed: &str, mean: Option<f64>, sd: f64, count: u64) -> Verdict {
    let (Some(half), Some(mean), Ok(paper)) =
        (printed_half_unit(printed), mean, printed.parse::<f64>())
    else {
        return Verdict::Differs;
    };
    let allowed = half + DEVIATIONS * sd * (1.0 + 1.0 / count.max(1) as f64).sqrt();
    // A rounding of the subtraction is no difference.
    if (mean - paper).abs() <= allowed * (1.0 + 1e-9) { Verdict::Agrees } else { Verdict::Differs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_digits_decide() {
        for (printed, half) in [("98.5", 0.05), ("2", 0.5), ("10.700", 5e-4), ("7.7e-4", 5e-6)] {
            assert!((printed_half_unit(printed).unwrap() / half - 1.0).abs() < 1e-12, "{printed}");
        }
        assert_eq!(printed_half_unit("about 2"), None);
        assert_eq!(compare("2.54", Some(2.53617543), 0.0, 1), Verdict::Agrees);
        assert_eq!(compare("12.96", Some(12.8), 0.0, 1), Verdict::Differs);
        assert_eq!(compare("0.1", None, 0.0, 1), Verdict::Differs);
        assert_eq!(compare("100.0", Some(f64::NAN), 0.0, 1), Verdict::Differs);
    }

    #[test]
    fn spread_widens_what_is_allowed() {
        assert_eq!(compare("10.0", Some(11.0), 0.1, 3), Verdict::Differs);
        assert_eq!(compare("10.0", Some(11.0), 0.3, 3), Verdict::Agrees);
    }
}
