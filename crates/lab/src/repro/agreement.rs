//! The criterion for the agreement of a measured number with a printed one.

use serde::Serialize;

use super::student_t::two_sided_quantile;

/// The probability that one more run of ours lies in the interval in which a printed number must
/// lie.
pub(super) const CONFIDENCE: f64 = 0.99;

/// The result of comparing our number with the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Ours lies within the printed digits, allowing for the spread of our runs.
    Agrees,
    /// Ours is further away, or does not exist.
    Differs,
    /// There is nothing to compare: a time on another machine, a number that the paper does not
    /// print, or a random number that was measured only once.
    Shown,
}

/// Half a unit of the last digit of a printed number: 0.05 for `98.5`, 5e-6 for `7.7e-4`. `None` if
/// the text is not a number.
pub fn printed_half_unit(printed: &str) -> Option<f64> {
    printed.parse::<f64>().ok()?;
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().ok()?;
    Some(0.5 * 10f64.powi(exponent - i32::try_from(decimals).ok()?))
}

/// `Agrees` if the printed number lies in the 99 % prediction interval for one more run of ours,
/// widened by half a unit of its last digit: |mean - printed| ≤ half + t·sd·√(1 + 1/n).
///
/// The paper's number is taken as one run, and ours is the `mean` of `count` = n runs with standard
/// deviation `sd`; t is the quantile of Student's distribution with n - 1 degrees of freedom. If
/// `sd` is 0, nothing is random and only the digits count. The interval assumes normally
/// distributed runs.
pub fn compare(printed: &str, mean: Option<f64>, sd: f64, count: u64) -> Agreement {
    let (Some(half), Some(mean), Ok(paper)) =
        (printed_half_unit(printed), mean, printed.parse::<f64>())
    else {
        return Agreement::Differs;
    };
    let spread = match sd > 0.0 {
        true => {
            let t = two_sided_quantile(CONFIDENCE, count.saturating_sub(1));
            t * sd * (1.0 + 1.0 / count.max(1) as f64).sqrt()
        }
        false => 0.0,
    };
    // Allows for the rounding error of the subtraction.
    let allowed = (half + spread) * (1.0 + 1e-9);
    if (mean - paper).abs() <= allowed { Agreement::Agrees } else { Agreement::Differs }
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
        assert_eq!(compare("2.54", Some(2.53617543), 0.0, 1), Agreement::Agrees);
        assert_eq!(compare("12.96", Some(12.8), 0.0, 1), Agreement::Differs);
        assert_eq!(compare("0.1", None, 0.0, 1), Agreement::Differs);
        assert_eq!(compare("100.0", Some(f64::NAN), 0.0, 1), Agreement::Differs);
    }

    /// Ten runs: t = 3.2498, so 0.05 + 3.2498 · 0.1 · √1.1 = 0.3908 is allowed.
    #[test]
    fn the_tolerance_grows_with_the_spread() {
        assert_eq!(compare("10.0", Some(10.39), 0.1, 10), Agreement::Agrees);
        assert_eq!(compare("10.0", Some(9.609), 0.1, 10), Agreement::Differs);
        // Three runs: t = 9.9248.
        assert_eq!(compare("10.0", Some(11.19), 0.1, 3), Agreement::Agrees);
        assert_eq!(compare("10.0", Some(11.21), 0.1, 3), Agreement::Differs);
    }
}
