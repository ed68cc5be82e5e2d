//! The gain of an activation, Eq. (15), and the two conditions on a layer's weights.

use crate::{Activation, Error, Moments};

/// gain²(f, σ_p) = σ_p² / E\[f(z)²\] for z ~ N(0, σ_p²), Eq. (15): the variance of a layer's weights
/// times its fan-in, so that preactivations of variance σ_p² give preactivations of variance σ_p².
///
/// Unlike the constants of `torch.nn.init.calculate_gain`, the value holds for one σ_p only, and
/// the first layer must establish that σ_p.
///
/// # Errors
/// Those of [`Moments::of`]; an activation that is zero almost everywhere.
///
/// ```
/// let tanh = "tanh".parse()?;
/// assert!((vi3nr::gain_squared(&tanh, 1.0)? - 2.53617543).abs() < 1e-8);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn gain_squared(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    let moments = Moments::of(activation, sigma_p)?;
    let gain_squared = sigma_p * sigma_p / moments.second_moment.value;
    if gain_squared.is_finite() && gain_squared > 0.0 {
        return Ok(gain_squared);
    }
    Err(Error::Moment {
        moment: "sigma_p^2 / E[f^2]",
        activation: activation.to_string(),
        sigma: sigma_p,
        reason: format!("E[f^2] is {}, so no finite weight variance exists", moments.second_moment),
    })
}

/// The left side of the backward condition, Eq. (13), for M_i = M_{i+1}:
/// σ_p² E\[f'(z)²\] / E\[f(z)²\], the factor by which one layer multiplies the gradient's variance.
///
/// # Errors
/// Those of [`gain_squared`].
pub fn backward_condition(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    let moments = Moments::of(activation, sigma_p)?;
    Ok(gain_squared(activation, sigma_p)? * moments.derivative_second_moment.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(seen: f64, exact: f64, digits: f64) {
        assert!((seen - exact).abs() <= digits, "{seen} is not {exact}");
    }

    /// Exact values at sigma_p = 1, computed apart from this code.
    #[test]
    fn gains_and_conditions_at_unit_sigma() {
        for (name, gain, condition) in [
            ("tanh", 2.53617543, 1.17780723),
            ("sigmoid", 3.40855984, 0.15282701),
            ("relu", 2.0, 1.0),
            ("gaussian:sigma=0.05", 28.3019434, 199.7503121),
            ("sinc", 1.30897650, 0.08564547),
            ("wavelet", 2.67741261, 1.38263517),
            ("sine:omega=1", 2.31303528, 1.31303528),
        ] {
            let activation = name.parse().unwrap();
            near(gain_squared(&activation, 1.0).unwrap(), gain, 6e-8 * gain.max(1.0));
            near(
                backward_condition(&activation, 1.0).unwrap(),
                condition,
                6e-8 * condition.max(1.0),
            );
        }
    }

    #[test]
    fn the_backward_condition_holds_at_the_known_roots() {
        let gaussian_root = 0.05 * (1.0 + 2f64.sqrt()).sqrt();
        for (name, root, gain) in [
            ("gaussian:sigma=0.05", gaussian_root, 0.0145710678),
            ("sigmoid", 6.754575, 103.0076),
            ("sinc", 2.223335, 10.68664),
            ("wavelet", 0.870469, 1.80391),
        ] {
            let activation = name.parse().unwrap();
            // The roots and gains are known to six or seven digits.
            near(backward_condition(&activation, root).unwrap(), 1.0, 3e-6);
            near(gain_squared(&activation, root).unwrap() / gain, 1.0, 3e-6);
        }
    }

    #[test]
    fn gaussian_gains_of_the_papers_table_8() {
        for (sigma_a, sigma_p, gain) in [
            (0.05, 0.33, 1.02227),
            (0.05, 0.41, 1.95661),
            (0.05, 0.15, 0.0980752),
            (0.05, 0.08, 0.0158327),
            (0.09, 0.40, 1.01831),
            (0.20, 0.65, 1.98732),
        ] {
            let activation = format!("gaussian:sigma={sigma_a}").parse().unwrap();
            near(gain_squared(&activation, sigma_p).unwrap() / gain, 1.0, 5e-6);
        }
        let siren_lemma = format!("sine:omega={}", std::f64::consts::FRAC_PI_2).parse().unwrap();
        near(gain_squared(&siren_lemma, 1.0).unwrap(), 2.01449, 5e-6);
    }
}
