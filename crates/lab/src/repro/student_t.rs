//! Quantiles of Student's t distribution, for intervals from a small number of runs.

use std::f64::consts::FRAC_2_PI;

/// The t with P(|T| ≤ t) = `confidence` for `degrees` degrees of freedom, with a relative error of
/// at most 1e-12. Infinite for 0 degrees of freedom.
pub(super) fn two_sided_quantile(confidence: f64, degrees: u64) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    // The angle whose tangent is t/√ν lies between 0 and a right angle.
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if probability(middle, degrees) < confidence { low = middle } else { high = middle }
    }
    low.tan() * (degrees as f64).sqrt()
}

/// P(|T| ≤ √ν tan θ) by the finite sums of Abramowitz and Stegun, Eqs. (26.7.3) and (26.7.4).
fn probability(angle: f64, degrees: u64) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let is_odd = degrees % 2 == 1;
    let (mut term, mut sum) = (if is_odd { cosine } else { 1.0 }, 0.0);
    let first = if is_odd { 3 } else { 2 };
    for power in (first..=degrees).step_by(2) {
        sum += term;
        term *= cosine * cosine * (power - 1) as f64 / power as f64;
    }
    if is_odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the common statistical table.
    #[test]
    fn quantiles_are_those_of_the_table() {
        for (degrees, at_95, at_99) in [
            (1, 12.7062, 63.6567),
            (2, 4.3027, 9.9248),
            (3, 3.1824, 5.8409),
            (9, 2.2622, 3.2498),
            (10, 2.2281, 3.1693),
            (30, 2.0423, 2.7500),
            (999, 1.9623, 2.5808),
        ] {
            assert!((two_sided_quantile(0.95, degrees) - at_95).abs() < 6e-5, "{degrees}");
            assert!((two_sided_quantile(0.99, degrees) - at_99).abs() < 6e-5, "{degrees}");
        }
        assert_eq!(two_sided_quantile(0.99, 0), f64::INFINITY);
    }
}
