//! What becomes of an error in the variance of the preactivations from layer to layer.

use crate::{Activation, Error, Moments};

/// The step in ln σ_p of the differences.
const STEP: f64 = 2e-3;

/// χ = d ln E\[f(z)²\]/d ln σ_p² for z ~ N(0, σ_p²), equal to E\[z f(z) f'(z)\]/E\[f(z)²\] for continuous f:
/// the factor by which one layer with the weights of Eq. (4) multiplies a small relative error in the
/// variance of its preactivations.
///
/// The variance σ_p² is kept from layer to layer only for χ < 1 in absolute value. For gelu, silu and mish
/// χ is above 1 at σ_p = 1: the fixed point is unstable, and the error that a finite width makes grows as
/// χ^depth. From differences of exact moments, to about 1e-9.
///
/// # Errors
/// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Moments::of`] does.
///
/// ```
/// // sin(ωx): 2v/(e^(2v) - 1) with v = ω²σ_p².
/// let chi = vi3nr::variance_sensitivity(&"sine:omega=1".parse()?, 1.0)?;
/// assert!((chi - 2.0 / (2f64.exp() - 1.0)).abs() < 1e-8);
/// assert!(vi3nr::variance_sensitivity(&"gelu".parse()?, 1.0)? > 1.14);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn variance_sensitivity(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    let ln_square = |steps: f64| -> Result<f64, Error> {
        let moments = Moments::of(activation, sigma_p * libm::exp(steps * STEP))?;
        Ok(libm::log(moments.second_moment.value))
    };
    let near = ln_square(1.0)? - ln_square(-1.0)?;
    let far = ln_square(2.0)? - ln_square(-2.0)?;
    // The derivative to ln σ_p by differences of fourth order, halved for ln σ_p².
    Ok(0.5 * (8.0 * near - far) / (12.0 * STEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitivities_of_known_fixed_points() {
        for (text, sigma_p, chi) in [
            ("gelu", 1.0, 1.1441),
            ("silu", 1.0, 1.1726),
            ("mish", 1.0, 1.0763),
            ("tanh", 1.0, 0.4611),
            ("relu", 1.0, 1.0),
            ("erf", 1.0, 0.4086),
            ("softplus", 1.0, 0.4921),
            ("x^3", 0.3, 3.0),
        ] {
            let seen = variance_sensitivity(&text.parse().unwrap(), sigma_p).unwrap();
            assert!((seen - chi).abs() < 6e-5, "{text}: {seen}");
        }
        let root = 0.05 * (1.0 + 2f64.sqrt()).sqrt();
        let gaussian = "gaussian:sigma=0.05".parse().unwrap();
        let seen = variance_sensitivity(&gaussian, root).unwrap();
        assert!((seen - (1.0 - 2f64.sqrt())).abs() < 1e-8, "{seen}");
    }
}
