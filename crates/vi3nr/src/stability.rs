//! What becomes of an error in the variance of the preactivations from layer to layer.

use crate::{Activation, Error, Moments};

/// χ = d ln E\[f(z)²\]/d ln σ_p² for z ~ N(0, σ_p²), equal to E\[z f(z) f'(z)\]/E\[f(z)²\] for continuous f:
/// the factor by which one layer with the weights of Eq. (4) multiplies a small relative error in the
/// variance of its preactivations.
///
/// The variance σ_p² is kept from layer to layer only for χ < 1 in absolute value. For gelu, silu and mish
/// χ is above 1 at σ_p = 1: the fixed point is unstable, and the error that a finite width makes grows as
/// χ^depth.
///
/// The derivative of the density to ln σ_p gives χ = (E\[(z/σ_p)² f²\]/E\[f²\] - 1)/2, which holds for
/// discontinuous f too. Both moments are certified, so that χ has an absolute error of some 1e-13.
///
/// # Errors
/// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Moments::by_quadrature`] does.
///
/// ```
/// // sin(ωx): 2v/(e^(2v) - 1) with v = ω²σ_p².
/// let chi = vi3nr::variance_sensitivity(&"sine:omega=1".parse()?, 1.0)?;
/// assert!((chi - 2.0 / (2f64.exp() - 1.0)).abs() < 1e-13);
/// assert!(vi3nr::variance_sensitivity(&"gelu".parse()?, 1.0)? > 1.14);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn variance_sensitivity(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    let plain = Moments::of(activation, sigma_p)?.second_moment;
    let by_square = Moments::by_square(activation, sigma_p)?;
    Ok(0.5 * ((by_square / plain).value - 1.0))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

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
    }

    /// The closed forms, with s = σ_p².
    #[test]
    fn sensitivities_are_those_of_closed_forms() {
        let erf = |s: f64| {
            let second_moment = 2.0 / PI * (2.0 * s / (1.0 + 2.0 * s)).asin();
            4.0 * s / (PI * (1.0 + 2.0 * s) * (1.0 + 4.0 * s).sqrt() * second_moment)
        };
        let gelu = |s: f64| {
            let asin = (s / (1.0 + s)).asin();
            let root = (1.0 + 2.0 * s).sqrt();
            let second_moment =
                s / 4.0 + (2.0 * s * s / ((1.0 + s) * root) + s * asin) / (2.0 * PI);
            let slope = 0.25
                + (asin + s / ((1.0 + s) * root)) / (2.0 * PI)
                + (2.0 * s * (2.0 + s) / ((1.0 + s).powi(2) * root)
                    - 2.0 * s * s / ((1.0 + s) * root.powi(3)))
                    / (2.0 * PI);
            s * slope / second_moment
        };
        let wavelet = |s: f64| {
            let d = 1.0 + 4.0 * s;
            -2.0 * s / d - 2.0 * s / (d * d) / (1.0 + (2.0 * s / d).exp())
        };
        type Closed<'a> = &'a dyn Fn(f64) -> f64;
        let cases: [(&str, Closed); 10] = [
            ("sin(3*x)", &|s| 18.0 * s / ((18.0 * s).exp() - 1.0)),
            ("cos(x)", &|s| -2.0 * s / ((2.0 * s).exp() + 1.0)),
            ("gaussian:sigma=0.5", &|s| -4.0 * s / (1.0 + 8.0 * s)),
            ("super_gaussian:sigma=1,b=2", &|s| -2.0 * s / (1.0 + 4.0 * s)),
            ("wavelet:a=1", &wavelet),
            ("erf", &erf),
            ("gelu", &gelu),
            ("exp(0.3*x)", &|s| 2.0 * 0.09 * s),
            ("abs(x)^1.5", &|_| 1.5),
            // A jump at 0: E[f²] is the same for every σ_p.
            ("1.5+0.5*sign(x)", &|_| 0.0),
        ];
        for (text, closed) in cases {
            for sigma_p in [0.1, 0.7, 1.0, 2.0] {
                let seen = variance_sensitivity(&text.parse().unwrap(), sigma_p).unwrap();
                let exact = closed(sigma_p * sigma_p);
                assert!((seen - exact).abs() < 1e-12, "{text} at {sigma_p}: {seen} {exact}");
            }
        }
        // E[f²] of a step at 1 is P(z > 1).
        let seen = variance_sensitivity(&"max(0,sign(x-1))".parse().unwrap(), 1.0).unwrap();
        let exact = (-0.5f64).exp() / (2.0 * PI).sqrt() / libm::erfc(0.5f64.sqrt());
        assert!((seen - exact).abs() < 1e-12, "{seen} {exact}");
    }
}
