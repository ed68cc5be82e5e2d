//! A first look at the gain over twelve decades of σ_p from one table of the function.

use crate::Activation;

/// Points per decade, of x and of σ_p.
const PER_DECADE: i32 = 24;
/// Decades of x below and above the function's own scale; those of σ_p are 6 each way.
const X_DECADES: (i32, i32) = (16, 8);
const SIGMA_DECADES: i32 = 6;

/// The approximate gain at one σ_p.
pub(crate) struct Sample {
    pub(crate) sigma: f64,
    /// σ_p²/E\[f²\].
    pub(crate) gain_squared: f64,
}

/// Approximate gains, in increasing σ_p; where f is not finite they are not either.
///
/// With x = w e^t the expectations are integrals over t of smooth functions, and the trapezoidal
/// rule with one geometric grid serves every σ_p. On functions that oscillate faster than the grid
/// it is a sample average. Roots are only sought with it; they are computed with exact moments.
pub(crate) fn scan(activation: &Activation) -> Vec<Sample> {
    let width = activation.feature_width();
    let step = libm::exp10(1.0 / f64::from(PER_DECADE));
    let place = |index: i32| width * libm::exp10(f64::from(index) / f64::from(PER_DECADE));
    let (first, last) = (-X_DECADES.0 * PER_DECADE, X_DECADES.1 * PER_DECADE);
    let table: Vec<f64> = (first..=last)
        .map(|index| {
            let x = place(index);
            let (a, b) = (activation.value(x), activation.value(-x));
            x * (a * a + b * b)
        })
        .collect();
    // exp(-u²/2) for u = x/σ, by the difference of the indices; beyond u = 10 it is 0.
    let nearest = first - SIGMA_DECADES * PER_DECADE;
    let density: Vec<f64> = (nearest..=PER_DECADE)
        .map(|difference| {
            let u = libm::exp10(f64::from(difference) / f64::from(PER_DECADE));
            libm::exp(-0.5 * u * u)
        })
        .collect();
    let reach = SIGMA_DECADES * PER_DECADE;
    (-reach..=reach)
        .map(|index| {
            // Below the table f is constant: a geometric series.
            let start = (first - index - nearest) as usize;
            let weighted =
                table.iter().zip(&density[start..]).map(|(square, weight)| square * weight);
            let squares = table[0] / (step - 1.0) + weighted.sum::<f64>();
            let sigma = place(index);
            // The density's 1/(σ√(2π)) and the step of the sum, ln of a decade over its points.
            let measure = std::f64::consts::LN_10
                / f64::from(PER_DECADE)
                / (sigma * libm::sqrt(2.0 * std::f64::consts::PI));
            Sample { sigma, gain_squared: sigma * sigma / (squares * measure) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_is_close_to_the_exact_gain() {
        for (name, digits) in [
            ("tanh", 1e-6),
            ("gaussian", 1e-6),
            ("sigmoid", 1e-6),
            ("relu", 1e-6),
            ("x^3", 1e-6),
            ("laplacian", 1e-6),
            ("sinc:a=1", 4e-2),
        ] {
            let activation: Activation = name.parse().unwrap();
            for sample in scan(&activation).into_iter().skip(60).step_by(31).take(5) {
                let exact = crate::Gain::of(&activation, sample.sigma).unwrap();
                let near = |seen: f64, exact: f64| (seen / exact - 1.0).abs() < digits;
                let (seen, exact) = (sample.gain_squared, exact.gain_squared.value);
                assert!(near(seen, exact), "{name} {}", sample.sigma);
            }
        }
    }
}
