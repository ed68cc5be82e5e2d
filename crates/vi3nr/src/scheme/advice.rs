//! The activations that a scheme was derived for, and warnings for others.

use super::edge_of_chaos::EdgeOfChaos;
use super::variance::{at_zero, kink_at_zero};
use super::{Fan, Scheme};
use crate::Activation;

impl Scheme {
    /// The activation that the scheme was derived for, as a phrase (column "D.F." of Table 8).
    pub fn derived_for(&self) -> &'static str {
        match self {
            Self::VarianceInformed { .. } | Self::MonteCarlo { .. } | Self::Backward { .. } => {
                "any activation"
            }
            Self::EdgeOfChaos { .. } => "activations with f(0) = 0, or any where cond >= 1",
            Self::Xavier => "tanh, taken for the identity",
            Self::Kaiming { .. } => "relu",
            Self::Kumar => "activations linear around 0, at sigma_p = 1",
            Self::PyTorch => "the activations that torch.nn.init.calculate_gain lists",
            Self::Siren { .. } | Self::WeightScaling { .. } | Self::Winner { .. } => "sin(omega x)",
            Self::Finer { .. } => "sin(omega (|x| + 1) x)",
            Self::Normal { .. } => "no activation",
        }
    }

    /// The assumptions of the scheme that `activation` does not satisfy, one warning each. The list
    /// is empty if it satisfies all of them. The function itself is tested, not its name.
    ///
    /// ```
    /// use vi3nr::Scheme;
    ///
    /// assert!(Scheme::Xavier.warnings(&"tanh".parse()?).is_empty());
    /// let misuse = Scheme::Siren { omega: 30.0 }.warnings(&"sine:omega=10".parse()?);
    /// assert!(misuse[0].contains("sin(30 x)"));
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn warnings(&self, activation: &Activation) -> Vec<String> {
        let mut warnings = Vec::new();
        let (value, slope_squared) = at_zero(activation);
        let slope = activation.value_and_slope(0.0).1;
        let kink = kink_at_zero(activation);
        let (left, right) = kink.unwrap_or((slope, slope));
        match *self {
            Self::VarianceInformed { .. } | Self::MonteCarlo { .. } | Self::Backward { .. } => {}
            Self::EdgeOfChaos { sigma_p, .. } => {
                warnings.extend(EdgeOfChaos::warning(activation, sigma_p));
            }
            Self::Xavier => {
                if !is_near(value, 0.0) {
                    warnings.push(format!("xavier assumes f(0) = 0, but f(0) = {value}"));
                }
                if kink.is_some() || !is_near(right, 1.0) {
                    warnings.push(format!(
                        "xavier assumes f'(0) = 1, but the slopes at 0 are {left} and {right}"
                    ));
                }
                if !everywhere(activation, |f, x| is_near(f(-x), -f(x))) {
                    warnings.push("xavier assumes f(-x) = -f(x), which does not hold".into());
                }
            }
            Self::Kaiming { fan } => {
                let is_rectifier = everywhere(activation, |f, x| is_near(f(x), x.max(0.0)));
                let is_alike = everywhere(activation, |f, x| is_near(f(2.0 * x), 2.0 * f(x)))
                    && is_near(0.5 * (left * left + right * right), 0.5);
                if !is_rectifier && !is_alike {
                    let moment =
                        if fan == Fan::In { "E[f(z)^2] = E[z^2]/2" } else { "E[f'(z)^2] = 1/2" };
                    warnings.push(format!("{self} assumes {moment}, which holds for relu"));
                }
            }
            Self::Kumar => {
                if kink.is_some() {
                    warnings.push(format!(
                        "kumar assumes f to be smooth at 0, but the slopes there are {left} and \
                         {right}"
                    ));
                } else if slope_squared == 0.0 {
                    warnings.push("kumar assumes f to be linear around 0, but f'(0) = 0".into());
                } else if !is_linear_to_one(activation) {
                    warnings.push(
                        "kumar assumes f to be linear over |x| < 1, but it departs from its tangent"
                            .into(),
                    );
                }
            }
            Self::PyTorch => {
                if activation.torch_gain().is_none() {
                    warnings
                        .push(format!("torch.nn.init.calculate_gain does not list {activation}"));
                }
            }
            Self::Siren { omega }
            | Self::WeightScaling { omega, .. }
            | Self::Winner { omega, .. } => {
                if !everywhere(activation, |f, x| is_near(f(x), libm::sin(omega * x))) {
                    warnings.push(format!("{self} was derived for sin({omega} x)"));
                }
            }
            Self::Finer { omega, .. } => {
                let finer = |x: f64| libm::sin(omega * (x.abs() + 1.0) * x);
                if !everywhere(activation, |f, x| is_near(f(x), finer(x))) {
                    warnings.push(format!("{self} was derived for sin({omega} (|x| + 1) x)"));
                }
            }
            Self::Normal { .. } => warnings.push(
                "normal gives all layers the same standard deviation, whatever their width and activation"
                    .into(),
            ),
        }
        warnings
    }
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

/// Whether a property holds at 48 points on the scale of the function's features.
fn everywhere(activation: &Activation, holds: impl Fn(&dyn Fn(f64) -> f64, f64) -> bool) -> bool {
    let f = |x: f64| activation.value(x);
    (1..=24).all(|step| {
        let x = activation.feature_width() * 0.173 * f64::from(step);
        holds(&f, x) && holds(&f, -x)
    })
}

/// Whether f stays within a tenth of its tangent at 0 over |x| <= 1.
fn is_linear_to_one(activation: &Activation) -> bool {
    let (start, slope) = activation.value_and_slope(0.0);
    [-1.0, -0.5, 0.5, 1.0].iter().all(|&x| {
        let tangent = start + slope * x;
        (activation.value(x) - tangent).abs() <= 0.1 * (tangent.abs() + start.abs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_warn_about_activations_that_they_were_not_derived_for() {
        for (scheme, fine, misused) in [
            ("xavier", "tanh", "gaussian"),
            ("xavier", "sinh(x)/cosh(x)", "relu"),
            ("kaiming", "relu", "tanh"),
            ("kaiming_out", "max(x,0)", "leaky_relu:slope=0.5"),
            ("kumar", "sigmoid", "gaussian"),
            ("kumar", "x", "relu"),
            ("kumar", "2*x+1", "sine:omega=30"),
            ("pytorch", "selu", "sinc:a=1"),
            ("siren:omega=30", "sin(30*x)", "sine:omega=29"),
            ("ws:alpha=2", "sine:omega=30", "tanh"),
            ("winner:s0=1,s1=0", "sine:omega=30", "gaussian"),
            ("finer:omega=30,k=20", "sin(30*(abs(x)+1)*x)", "sine:omega=30"),
            ("finer:omega=20", "finer:omega=20", "finer:omega=30"),
            ("ours:sigma_p=1", "exp(x)", ""),
            ("backward:sigma_p=1", "gaussian", ""),
            ("eoc:sigma_p=1", "tanh", "gelu"),
        ] {
            let scheme: Scheme = scheme.parse().unwrap();
            let seen = scheme.warnings(&fine.parse().unwrap());
            assert!(seen.is_empty(), "{scheme} for {fine}: {seen:?}");
            if !misused.is_empty() {
                assert!(
                    !scheme.warnings(&misused.parse().unwrap()).is_empty(),
                    "{scheme}, {misused}"
                );
            }
        }
    }
}
