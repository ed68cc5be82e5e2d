//! The four expectations that decide an initialisation.
//!
//! For a preactivation z ~ N(0, σ²) they are E[f(z)], E[f(z)²], E[f'(z)] and E[f'(z)²]. The second
//! one is μ²(x) + σ²(x) of the postactivation x = f(z), the denominator of Eq. (4); the last one
//! that of Eq. (12).
//!
//! ```
//! use vi3nr::{Activation, Moments};
//!
//! let gaussian: Activation = "gaussian:sigma=0.05".parse()?;
//! let moments = Moments::of(&gaussian, 1.0)?;
//! // Eq. (16) with sigma_r = 0.05.
//! let exact = 0.05 / (0.05f64.powi(2) + 2.0).sqrt();
//! assert!((moments.second_moment / exact - 1.0).abs() < 1e-14);
//! # Ok::<(), vi3nr::Error>(())
//! ```

mod quadrature;

use crate::{Activation, Error};

/// E[f], E[f²], E[f'] and E[f'²] for z ~ N(0, σ²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// E\[f(z)\].
    pub mean: f64,
    /// E\[f(z)²\] = μ²(x) + σ²(x) of Eq. (5) and (6).
    pub second_moment: f64,
    /// E\[f'(z)\].
    pub derivative_mean: f64,
    /// E\[f'(z)²\] = μ²(f'(z)) + σ²(f'(z)) of Eq. (10).
    pub derivative_second_moment: f64,
}

impl Moments {
    /// The moments of `activation` under N(0, `sigma`²): in closed form where one is known, else by
    /// adaptive quadrature to a relative accuracy of about 1e-12.
    ///
    /// # Errors
    /// `sigma` is not a finite number above 0, or an expectation is not finite.
    pub fn of(activation: &Activation, sigma: f64) -> Result<Self, Error> {
        crate::require_positive("sigma_p", sigma)?;
        match activation.closed_moments(sigma) {
            Some(moments) => Ok(moments),
            None => quadrature::moments(activation, sigma),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_agree_with_quadrature() {
        for name in ["sine:omega=3", "gaussian:sigma=0.3", "wavelet:a=1.5", "relu"] {
            let activation: Activation = name.parse().unwrap();
            for sigma in [1e-3, 0.1, 0.5, 1.0, 2.0, 7.0] {
                let closed = activation.closed_moments(sigma).unwrap();
                let integrated = quadrature::moments(&activation, sigma).unwrap();
                let pairs = [
                    (closed.second_moment, integrated.second_moment),
                    (closed.derivative_second_moment, integrated.derivative_second_moment),
                ];
                for (exact, value) in pairs {
                    assert!(
                        (value / exact - 1.0).abs() < 1e-11,
                        "{name} at {sigma}: {value} {exact}"
                    );
                }
                let scale = closed.second_moment.sqrt();
                assert!((closed.mean - integrated.mean).abs() < 1e-11 * scale, "{name} at {sigma}");
                let scale = closed.derivative_second_moment.sqrt();
                let difference = closed.derivative_mean - integrated.derivative_mean;
                assert!(difference.abs() < 1e-11 * scale, "{name} at {sigma}");
            }
        }
    }

    #[test]
    fn sigma_must_be_positive_and_finite() {
        let tanh: Activation = "tanh".parse().unwrap();
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Moments::of(&tanh, sigma), Err(Error::OutOfRange { .. })));
        }
    }
}
