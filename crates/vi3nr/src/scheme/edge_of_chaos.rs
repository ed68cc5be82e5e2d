//! The edge of chaos: weights that keep the variance of gradients, and biases that make up for what the
//! variance of the preactivations then lacks.

use super::Scheme;
use crate::backward::{Solution, solve};
use crate::number::significant;
use crate::{Activation, Error, Gain, Moments, require_positive, stability, variance_sensitivity};

/// Digits of the numbers in messages.
const DIGITS: usize = 6;

/// The numbers of [`Scheme::EdgeOfChaos`] for one activation.
pub(super) struct EdgeOfChaos {
    /// M_i σ²(W_i) = 1/E\[f'²\].
    pub(super) weights: f64,
    /// The variance of the biases, σ_p² (1 - 1/cond).
    pub(super) biases: f64,
    /// The variance of the second layer's biases.
    pub(super) second_biases: f64,
}

impl EdgeOfChaos {
    /// The numbers of `scheme`, which has these σ_p, for messages.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a σ_p is not a finite number above 0, [`Error::Scheme`] if
    /// cond < 1 or E\[f'²\] is 0 or infinite, and [`Error::Moment`] if a moment cannot be computed.
    pub(super) fn of(
        activation: &Activation,
        scheme: &Scheme,
        sigma_p: f64,
        first_sigma_p: Option<f64>,
    ) -> Result<Self, Error> {
        let fails = |reason: String| {
            Err(Error::Scheme {
                scheme: scheme.to_string(),
                activation: activation.to_string(),
                reason,
            })
        };
        if let Some(first) = first_sigma_p {
            require_positive("first_sigma_p", first)?;
        }
        let gain = Gain::of(activation, sigma_p)?;
        let slope = gain.moments.derivative_second_moment.value;
        if slope <= 0.0 {
            return fails("f' is 0 almost everywhere".into());
        }
        if !slope.is_finite() {
            return fails("E[f'^2] is infinite".into());
        }
        let condition = gain.condition;
        // A homogeneous f has cond = 1 up to rounding.
        if condition.value < 1.0 - 8.0 * condition.error - 1e-12 {
            return fails(below_one(activation, sigma_p, condition.value));
        }
        let square = sigma_p * sigma_p;
        let missing = |second_moment: f64| {
            let kept = second_moment / slope;
            // Beside rounding errors the difference of equal variances is 0.
            if kept > (1.0 - 1e-15) * square { 0.0 } else { square - kept }
        };
        let biases = missing(gain.moments.second_moment.value);
        let second_biases = match first_sigma_p {
            Some(first) => missing(Moments::of(activation, first)?.second_moment.value),
            None => biases,
        };
        Ok(Self { weights: 1.0 / slope, biases, second_biases })
    }

    /// A warning if the fixed point is not stable: if |χ| exceeds cond at `sigma_p`.
    pub(super) fn warning(activation: &Activation, sigma_p: f64) -> Option<String> {
        let condition = Gain::of(activation, sigma_p).ok()?.condition.value;
        let chi = variance_sensitivity(activation, sigma_p).ok()?;
        let growth = (chi / condition).abs();
        (condition.is_finite() && growth > 1.0 + 1e-9).then(|| {
            format!(
                "eoc keeps the variance only where chi <= cond, but chi = {} and cond = {} at sigma_p = \
                 {}: a layer multiplies an error in the variance by {}{}",
                significant(chi, DIGITS),
                significant(condition, DIGITS),
                significant(sigma_p, DIGITS),
                significant(growth, DIGITS),
                stability::edge_of_chaos(activation, sigma_p).map_or_else(String::new, |stable| {
                    format!("; sigma_p = {} is stable", significant(stable, 3))
                }),
            )
        })
    }
}

/// Why the scheme does not apply where cond is below 1.
fn below_one(activation: &Activation, sigma_p: f64, condition: f64) -> String {
    let mut reason = format!(
        "biases of the variance sigma_p^2 (1 - 1/cond) need cond >= 1, but the condition of Eq. (13) is \
         {} at sigma_p = {}",
        significant(condition, DIGITS),
        significant(sigma_p, DIGITS),
    );
    let roots = match solve(activation, 1.0).map(|answer| answer.solution) {
        Ok(Solution::Roots(roots)) => roots,
        _ => Vec::new(),
    };
    match roots.iter().find(|root| root.sigma_p > sigma_p) {
        Some(root) => {
            reason += &format!("; it is 1 at sigma_p = {}", significant(root.sigma_p, DIGITS));
        }
        None => reason += "; if f(0) = 0, it is at least 1 at every sigma_p",
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InitRule, Network};

    fn rule(sigma_p: f64, first_sigma_p: Option<f64>) -> InitRule {
        InitRule::new(Scheme::EdgeOfChaos { sigma_p, first_sigma_p })
    }

    /// Both conditions hold exactly, for any widths.
    #[test]
    fn forward_and_backward_variances_are_kept() {
        for (text, sigma_p) in
            [("tanh", 0.1), ("tanh", 2.0), ("sine:omega=30", 0.1), ("gaussian:sigma=0.05", 0.15)]
        {
            let activation: Activation = text.parse().unwrap();
            let moments = Moments::of(&activation, sigma_p).unwrap();
            let network = Network::new(vec![2, 64, 256, 16, 3], activation.clone()).unwrap();
            let plan = rule(sigma_p, None).plan(&network).unwrap();
            let square = sigma_p * sigma_p;
            assert!((plan[0].variance() / (1.5 * square) - 1.0).abs() < 1e-12);
            assert_eq!(plan[0].bias_std, 0.0);
            for (layer, plan) in network.layers().iter().zip(&plan).skip(1) {
                let through = layer.fan_in as f64 * plan.variance();
                let kept = through * moments.second_moment.value + plan.bias_variance();
                assert!((kept / square - 1.0).abs() < 1e-12, "{text}: {kept}");
                let slope = through * moments.derivative_second_moment.value;
                assert!((slope - 1.0).abs() < 1e-12, "{text}: {slope}");
            }
        }
    }

    /// For sin(ωx), E\[f'²\] = ω² (1 + e^(-2v))/2 and E\[f²\] = (1 - e^(-2v))/2 with v = ω²σ_p².
    #[test]
    fn the_sines_numbers_are_those_of_closed_forms_and_of_combette() {
        let sine: Activation = "sine:omega=30".parse().unwrap();
        let layer = |sigma_p: f64| rule(sigma_p, None).hidden_layer(&sine, 100, 100).unwrap();
        let v = 2.25f64;
        let seen = layer(0.05);
        let slope = 900.0 * (1.0 + (-2.0 * v).exp()) / 2.0;
        assert!((seen.variance() * 100.0 * slope - 1.0).abs() < 1e-12);
        let bias = 0.0025 * (1.0 - v.tanh() / v);
        assert!((seen.bias_variance() / bias - 1.0).abs() < 1e-12);
        // U(±√(3/N)/ω) without biases, as σ_p tends to 0.
        let limit = layer(1e-6);
        assert!((limit.bound().unwrap() / (0.03f64.sqrt() / 30.0) - 1.0).abs() < 1e-6);
        assert!(limit.bias_std < 1e-4 * 1e-6);
    }

    /// The second layer makes up for another standard deviation of the first.
    #[test]
    fn a_first_sigma_p_is_made_up_for_by_the_second_layer() {
        let tanh: Activation = "tanh".parse().unwrap();
        let network = Network::uniform(2, 32, 4, 1, tanh.clone()).unwrap();
        let slope = Moments::of(&tanh, 1.0).unwrap().derivative_second_moment.value;
        for first in [0.5, 1.0, 3.0] {
            let plan = rule(1.0, Some(first)).plan(&network).unwrap();
            assert!((plan[0].variance() / (1.5 * first * first) - 1.0).abs() < 1e-12);
            assert!((32.0 * plan[1].variance() * slope - 1.0).abs() < 1e-12);
            let second_moment = Moments::of(&tanh, first).unwrap().second_moment.value;
            let seen = 32.0 * plan[1].variance() * second_moment + plan[1].bias_variance();
            if first < 3.0 {
                assert!((seen - 1.0).abs() < 1e-12, "{first}: {seen}");
            } else {
                // They exceed sigma_p without biases.
                assert!(seen > 1.2 && plan[1].bias_std == 0.0, "{first}: {seen}");
            }
            assert_eq!(plan[2], rule(1.0, None).plan(&network).unwrap()[2]);
        }
    }

    #[test]
    fn homogeneous_functions_have_no_biases() {
        let layer = rule(0.7, None).hidden_layer(&Activation::relu(), 8, 8).unwrap();
        assert_eq!(layer.bias_std, 0.0);
        assert!((layer.variance() - 0.25).abs() < 1e-14);
    }

    #[test]
    fn it_is_refused_below_one_with_the_reason() {
        let refusal = |text: &str, sigma_p: f64| {
            rule(sigma_p, None).hidden_layer(&text.parse().unwrap(), 8, 8).unwrap_err().to_string()
        };
        let gaussian = refusal("gaussian:sigma=0.05", 0.01);
        assert!(gaussian.contains("Eq. (13) is 0.0") && gaussian.contains("0.01"), "{gaussian}");
        assert!(gaussian.ends_with("it is 1 at sigma_p = 0.0776887"), "{gaussian}");
        assert!(
            refusal("softplus", 1.0).ends_with("if f(0) = 0, it is at least 1 at every sigma_p")
        );
        assert!(refusal("1.5+0.5*sign(x)", 1.0).contains("f' is 0 almost everywhere"));
        for bad in [0.0, f64::NAN, -1.0] {
            let error = rule(1.0, Some(bad)).hidden_layer(&Activation::tanh(), 8, 8).unwrap_err();
            assert!(matches!(error, Error::OutOfRange { .. }), "{error}");
        }
    }

    #[test]
    fn an_unstable_fixed_point_is_a_warning() {
        let warnings = |text: &str, sigma_p: f64| {
            Scheme::EdgeOfChaos { sigma_p, first_sigma_p: None }.warnings(&text.parse().unwrap())
        };
        for text in ["gelu", "silu", "mish"] {
            let seen = warnings(text, 1.0);
            assert!(seen[0].contains("chi <= cond") && seen.len() == 1, "{text}: {seen:?}");
        }
        assert!(warnings("gelu", 1.0)[0].contains("chi = 1.144"));
        assert!(warnings("gelu", 1.0)[0].ends_with(" is stable"), "{:?}", warnings("gelu", 1.0));
        assert!(warnings("gelu", 3.0).is_empty());
        for text in ["tanh", "sine:omega=1", "relu", "leaky_relu", "erf"] {
            assert!(warnings(text, 1.0).is_empty(), "{text}");
        }
    }
}
