//! When a number agrees with a printed one.

use serde::Serialize;

use super::student_t::two_sided_quantile;

/// How often one more run of ours would lie in the interval that a printed number must lie in.
pub(super) const CONFIDENCE: f64 = 0.99;

/// How ours compares with the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Within the printed digits and what another run of ours would spread by.
    Agrees,
    /// Further away, or ours does not exist.
    Differs,
    /// Nothing to compare: a time on another machine, a number that the paper does not print, a
    /// random one that was measured only once.
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

/// `Agrees` if the printed number lies in the 99 % prediction interval for one more run of ours,
/// widened by half a unit of its last digit: |mean - printed| ≤ half + t·sd·√(1 + 1/n).
///
/// The paper's number is one run, ours the `mean` of `count` = n runs with standard deviation `sd`;
/// t is Student's, with n - 1 degrees of freedom. With `sd` 0 nothing is random and the digits alone
/// decide. The interval takes runs for normally distributed.
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
    // A rounding of the subtraction is no difference.
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
    fn spread_widens_what_is_allowed() {
        assert_eq!(compare("10.0", Some(10.39), 0.1, 10), Agreement::Agrees);
        assert_eq!(compare("10.0", Some(9.609), 0.1, 10), Agreement::Differs);
        // From three runs little is known: t = 9.9248.
        assert_eq!(compare("10.0", Some(11.19), 0.1, 3), Agreement::Agrees);
        assert_eq!(compare("10.0", Some(11.21), 0.1, 3), Agreement::Differs);
    }
}
