//! The σ_p that a scheme implies for an activation.

use super::{InitRule, Scheme};
use crate::backward::{crossing, scan};
use crate::moments::budget::Budget;
use crate::{Activation, Bounded, Error, Gain, Moments, variance_sensitivity};

/// Operations for all integrals of a search.
const OPERATIONS: u64 = 30_000_000;

/// The values of σ_p that the hidden layers of a scheme preserve: the solutions of
/// gain²(f, σ_p) = M_i σ²(W_i).
#[derive(Debug, Clone, PartialEq)]
pub enum Implied {
    /// These σ_p, in increasing order (usually one).
    SigmaP(Vec<f64>),
    /// Every σ_p is preserved, as by Kaiming's scheme for the ReLU.
    Any,
    /// No σ_p is preserved: the standard deviation of the preactivations shrinks or grows from
    /// layer to layer.
    None {
        /// The limit of the standard deviation, 0 or infinity.
        toward: f64,
    },
}

impl Scheme {
    /// The values of σ_p for which Eq. (4) gives the same variance as this scheme, for a layer
    /// between hidden layers with the given fans. Table 8 of the paper lists them for Xavier and
    /// Kaiming.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a fan is 0 or a number of the scheme is not finite and
    /// above 0, [`Error::Scheme`] if the scheme does not apply to the activation, and
    /// [`Error::Moment`] if moments cannot be computed.
    pub fn implied_sigma_p(
        &self,
        activation: &Activation,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<Implied, Error> {
        InitRule::new(*self).kept_sigma_p(activation, fan_in, fan_out)
    }
}

impl InitRule {
    /// Which σ_p the hidden layers keep with these weights and biases, between hidden layers with the given
    /// fans: the fixed points of σ_p² = M_i σ²(W_i) E\[f²\] + Var(b).
    ///
    /// # Errors
    /// Returns the errors of [`Scheme::implied_sigma_p`].
    ///
    /// ```
    /// use vi3nr::{BiasRule, InitRule, Scheme};
    /// use vi3nr::scheme::Implied;
    ///
    /// let rule = InitRule::new(Scheme::ours(1.0)).with_biases(BiasRule::LikeWeights);
    /// let Implied::SigmaP(kept) = rule.kept_sigma_p(&"tanh".parse()?, 64, 64)? else { panic!() };
    /// assert!((kept[0] - 1.0357).abs() < 1e-3);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn kept_sigma_p(
        &self,
        activation: &Activation,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<Implied, Error> {
        let layer = self.hidden_layer(activation, fan_in, fan_out)?;
        let target = fan_in as f64 * layer.variance();
        let bias_variance = layer.bias_variance();
        // σ²/(M σ²(W) E[f²] + Var(b)), which is 1 at a solution, from gain² = σ²/E[f²].
        let budget = Budget::of(OPERATIONS, OPERATIONS);
        let quotient = |sigma: f64| -> Result<Bounded, Error> {
            let second_moment = Gain::within(activation, sigma, &budget)?.moments.second_moment;
            let kept = Bounded::exact(target) * second_moment + Bounded::exact(bias_variance);
            Ok(Bounded::exact(sigma) * Bounded::exact(sigma) / kept)
        };
        let seen: Vec<(f64, f64)> = scan(activation)
            .iter()
            .map(|sample| {
                let square = sample.sigma * sample.sigma;
                let kept = target * square / sample.gain_squared + bias_variance;
                (sample.sigma, square / kept)
            })
            .filter(|(_, quotient)| quotient.is_finite())
            .collect();
        let middle = quotient(activation.feature_width())?;
        let is_constant = seen.iter().all(|(_, seen)| (seen / middle.value - 1.0).abs() < 1e-6);
        if is_constant && (middle.value - 1.0).abs() <= 8.0 * middle.error {
            return Ok(Implied::Any);
        }
        let mut sigmas = Vec::new();
        for pair in seen.windows(2) {
            if !is_constant
                && (pair[0].1 < 1.0) != (pair[1].1 < 1.0)
                && let Some(sigma) = crossing(pair[0].0, pair[1].0, &quotient)?
            {
                sigmas.push(sigma);
            }
        }
        if sigmas.is_empty() {
            // Weights below the gain at every σ_p shrink the preactivations; weights above it grow
            // them.
            let toward = if middle.value > 1.0 { 0.0 } else { f64::INFINITY };
            return Ok(Implied::None { toward });
        }
        Ok(Implied::SigmaP(sigmas))
    }

    /// The factor M_{i+1} σ²(W_i) E\[f'(z)²\], z ~ N(0, σ_p²), by which a layer between hidden layers with
    /// the given fans multiplies the variance of the gradient, Eq. (10). Gradients keep their
    /// variance if it is 1.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma_p` or a number of the scheme is not finite and above 0,
    /// [`Error::Scheme`] if the scheme does not apply to the activation, and [`Error::Moment`] if
    /// moments cannot be computed.
    ///
    /// ```
    /// use vi3nr::{Activation, InitRule, Scheme, backward_condition};
    ///
    /// let gelu = Activation::gelu();
    /// let rule = InitRule::new(Scheme::ours(1.0));
    /// let growth = rule.gradient_growth(&gelu, 1.0, 64, 64)?;
    /// assert!((growth - backward_condition(&gelu, 1.0)?).abs() < 1e-12);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn gradient_growth(
        &self,
        activation: &Activation,
        sigma_p: f64,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<f64, Error> {
        let variance = self.hidden_layer(activation, fan_in, fan_out)?.variance();
        let slope = Moments::of(activation, sigma_p)?.derivative_second_moment.value;
        Ok(fan_out as f64 * variance * slope)
    }

    /// The factor by which a layer between hidden layers with the given fans multiplies a small relative
    /// error in the variance of its preactivations: the slope of the map σ_p² → M_i σ²(W_i) E\[f²\] +
    /// Var(b) on a logarithmic scale, at σ_p² = `sigma_p`².
    ///
    /// It is χ ([`variance_sensitivity`]) times the part of the variance that is not from biases, so
    /// that it is χ without biases and χ/cond for [`Scheme::EdgeOfChaos`]. An error fades with depth if
    /// it is below 1 in absolute value.
    ///
    /// # Errors
    /// Returns the errors of [`InitRule::gradient_growth`].
    ///
    /// ```
    /// use vi3nr::{InitRule, Scheme, backward_condition, variance_sensitivity};
    ///
    /// let tanh = "tanh".parse()?;
    /// let rule = InitRule::new(Scheme::EdgeOfChaos { sigma_p: 1.0, first_sigma_p: None });
    /// let growth = rule.error_growth(&tanh, 1.0, 64, 64)?;
    /// let expected = variance_sensitivity(&tanh, 1.0)? / backward_condition(&tanh, 1.0)?;
    /// assert!((growth - expected).abs() < 1e-12);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn error_growth(
        &self,
        activation: &Activation,
        sigma_p: f64,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<f64, Error> {
        let share = self.weight_share(activation, sigma_p, fan_in, fan_out)?;
        Ok(share * variance_sensitivity(activation, sigma_p)?)
    }

    /// The share of the weights in the variance of the preactivations of a layer between hidden layers
    /// with the given fans, M_i σ²(W_i) E\[f²\]/(M_i σ²(W_i) E\[f²\] + Var(b)): 1 without biases.
    pub(crate) fn weight_share(
        &self,
        activation: &Activation,
        sigma_p: f64,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<f64, Error> {
        let layer = self.hidden_layer(activation, fan_in, fan_out)?;
        if layer.bias_std == 0.0 {
            return Ok(1.0);
        }
        let second_moment = Moments::of(activation, sigma_p)?.second_moment.value;
        let from_weights = fan_in as f64 * layer.variance() * second_moment;
        Ok(from_weights / (from_weights + layer.bias_variance()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BiasRule;

    fn implied(scheme: &str, activation: &str) -> Implied {
        let scheme: Scheme = scheme.parse().unwrap();
        scheme.implied_sigma_p(&activation.parse().unwrap(), 128, 128).unwrap()
    }

    /// The parentheses of Table 8.
    #[test]
    fn table_8() {
        for (scheme, sigma_a, sigma_p) in [
            ("xavier", 0.05, 0.33),
            ("kaiming", 0.05, 0.41),
            ("xavier", 0.09, 0.40),
            ("kaiming", 0.20, 0.65),
        ] {
            let Implied::SigmaP(found) = implied(scheme, &format!("gaussian:sigma={sigma_a}"))
            else {
                panic!("{scheme} {sigma_a}")
            };
            assert_eq!(found.len(), 1);
            assert!((found[0] - sigma_p).abs() < 0.006, "{scheme}, {sigma_a}: {found:?}");
        }
    }

    /// Biases raise the variance that is kept: by (gain²/M)/(1 - χ) to first order.
    #[test]
    fn biases_are_part_of_what_is_kept() {
        let scheme = Scheme::ours(1.0);
        let tanh = "tanh".parse().unwrap();
        let kept = |biases: BiasRule| match InitRule::new(scheme)
            .with_biases(biases)
            .kept_sigma_p(&tanh, 64, 64)
            .unwrap()
        {
            Implied::SigmaP(sigmas) => sigmas[0],
            other => panic!("{other:?}"),
        };
        assert!((kept(BiasRule::Zero) - 1.0).abs() < 1e-10);
        let raised = kept(BiasRule::LikeWeights).powi(2);
        assert!((raised - 1.07).abs() < 0.01, "{raised}");
        assert!(kept(BiasRule::Uniform { bound: 1.0 }) > 1.1);
    }

    /// The edge of chaos keeps its σ_p with its biases, and another one without them.
    #[test]
    fn the_edge_of_chaos_keeps_its_sigma_p_by_its_biases() {
        let sine = "sine:omega=30".parse().unwrap();
        let rule = InitRule::new("eoc:sigma_p=0.1".parse().unwrap());
        let Implied::SigmaP(kept) = rule.kept_sigma_p(&sine, 64, 64).unwrap() else { panic!() };
        assert!(kept.len() == 1 && (kept[0] / 0.1 - 1.0).abs() < 1e-9, "{kept:?}");
        let growth = rule.gradient_growth(&sine, 0.1, 64, 64).unwrap();
        assert!((growth - 1.0).abs() < 1e-12, "{growth}");
        let plain = rule.with_biases(BiasRule::Zero);
        let Implied::SigmaP(kept) = plain.kept_sigma_p(&sine, 64, 64).unwrap() else { panic!() };
        assert!(kept[0] < 0.03, "{kept:?}");
        // gelu has its own fixed point, which is unstable, and a stable one below.
        let gelu = "gelu".parse().unwrap();
        let rule = InitRule::new("eoc:sigma_p=1".parse().unwrap());
        let Implied::SigmaP(kept) = rule.kept_sigma_p(&gelu, 64, 64).unwrap() else { panic!() };
        assert!(kept.len() == 2 && (kept[1] - 1.0).abs() < 1e-9, "{kept:?}");
        let growth = |sigma_p| rule.error_growth(&gelu, sigma_p, 64, 64).unwrap();
        assert!(growth(kept[0]) < 1.0 && growth(kept[1]) > 1.06, "{}", growth(kept[1]));
    }

    /// Xavier's scheme takes tanh for the identity, whose slope is 1.
    #[test]
    fn gradients_grow_by_the_weights_and_the_slope() {
        let growth = |scheme: Scheme, activation: &str, sigma_p: f64| {
            let activation = activation.parse().unwrap();
            InitRule::new(scheme).gradient_growth(&activation, sigma_p, 64, 64).unwrap()
        };
        assert!((growth(Scheme::Xavier, "tanh", 1e-3) - 1.0).abs() < 1e-5);
        let kaiming = Scheme::Kaiming { fan: crate::scheme::Fan::In };
        assert!((growth(kaiming, "relu", 3.0) - 1.0).abs() < 1e-12);
        let narrowing =
            InitRule::new(kaiming).gradient_growth(&"relu".parse().unwrap(), 1.0, 64, 16).unwrap();
        assert!((narrowing - 0.25).abs() < 1e-12);
    }

    #[test]
    fn schemes_imply_the_sigma_p_that_they_were_derived_for() {
        assert_eq!(implied("kaiming", "relu"), Implied::Any);
        // tanh contracts, so the preactivations vanish under Xavier.
        assert_eq!(implied("xavier", "tanh"), Implied::None { toward: 0.0 });
        let Implied::SigmaP(found) = implied("ours:sigma_p=0.7", "tanh") else { panic!() };
        assert!((found[0] / 0.7 - 1.0).abs() < 1e-10);
        // The gain 5/3 of calculate_gain preserves a sigma_p slightly above 1.
        let Implied::SigmaP(found) = implied("pytorch", "tanh") else { panic!() };
        assert!((1.0..1.3).contains(&found[0]), "{found:?}");
        assert!(
            "xavier"
                .parse::<Scheme>()
                .unwrap()
                .implied_sigma_p(&"relu".parse().unwrap(), 0, 1)
                .is_err()
        );
    }
}
