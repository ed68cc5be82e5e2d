//! Rules for initial parameters: a scheme with the distributions of weights and biases.

use super::variance::Variances;
use super::{BiasRule, Scheme, WeightShape};
use crate::{Activation, Error, InputDistribution, Network, require_positive};

/// The maximum number of units of a layer with orthogonal weights, since the cost of drawing them
/// grows with the third power.
pub const MAX_ORTHOGONAL_WIDTH: usize = 4096;

/// A scheme together with the distribution of the weights and the rules for the biases. A rule and
/// a seed determine the initial parameters of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InitRule {
    /// The variance of each layer's weights.
    pub scheme: Scheme,
    /// The distribution of the weights.
    pub weights: WeightShape,
    /// The biases of all layers but the first.
    pub biases: BiasRule,
    /// The biases of the first layer. If they are 0 and the activation is even
    /// ([`Activation::is_even`](crate::Activation::is_even)), the initial network is an even
    /// function of its input, and training breaks this symmetry only slowly. If they are drawn like
    /// the weights of the first layer, the ridges w·x + b = 0 are spread over \[-1, 1\].
    pub first_biases: BiasRule,
}

/// The distributions of one layer's initial parameters, all of mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerPlan {
    /// The standard deviation of the weights, without noise.
    pub weight_std: f64,
    /// The distribution of the weights, without noise.
    pub weights: WeightShape,
    /// The standard deviation of normal noise that is added to the weights; 0 if there is none.
    pub noise_std: f64,
    /// The standard deviation of the biases; 0 if all of them are 0.
    pub bias_std: f64,
    /// The distribution of the biases, which is never orthogonal.
    pub biases: WeightShape,
}

impl LayerPlan {
    /// The variance σ²(W) of the weights, with noise.
    pub fn variance(&self) -> f64 {
        self.weight_std * self.weight_std + self.noise_std * self.noise_std
    }

    /// The standard deviation of the weights, with noise.
    pub fn std(&self) -> f64 {
        if self.noise_std == 0.0 { self.weight_std } else { libm::sqrt(self.variance()) }
    }

    /// The variance of the biases.
    pub fn bias_variance(&self) -> f64 {
        self.bias_std * self.bias_std
    }

    /// The bound of uniform weights, √3 σ(W), Eq. (7); `None` for other distributions and with noise.
    pub fn bound(&self) -> Option<f64> {
        let is_bounded = self.weights == WeightShape::Uniform && self.noise_std == 0.0;
        is_bounded.then(|| libm::sqrt(3.0) * self.weight_std)
    }
}

impl InitRule {
    /// Creates a rule with the distributions with which the scheme was published:
    /// [`Scheme::usual_weights`], [`Scheme::usual_biases`] and [`Scheme::usual_first_biases`].
    ///
    /// ```
    /// use vi3nr::{BiasRule, InitRule, Scheme, WeightShape};
    ///
    /// let rule = InitRule::new(Scheme::Xavier)
    ///     .with_weights(WeightShape::Normal)
    ///     .with_first_biases(BiasRule::LikeWeights);
    /// assert_eq!(rule.biases, BiasRule::Zero);
    /// ```
    pub fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            weights: scheme.usual_weights(),
            biases: scheme.usual_biases(),
            first_biases: scheme.usual_first_biases(),
        }
    }

    /// Replaces the distribution of the weights.
    pub fn with_weights(self, weights: WeightShape) -> Self {
        Self { weights, ..self }
    }

    /// Replaces the rule for the biases of all layers, including the first.
    pub fn with_biases(self, biases: BiasRule) -> Self {
        Self { biases, first_biases: biases, ..self }
    }

    /// Replaces the rule for the biases of the first layer.
    pub fn with_first_biases(self, first_biases: BiasRule) -> Self {
        Self { first_biases, ..self }
    }

    /// The distributions for every layer of `network`, in order, for coordinates uniform on [-1,
    /// 1].
    ///
    /// # Errors
    /// Returns the errors of [`InitRule::plan_for`].
    pub fn plan(&self, network: &Network) -> Result<Vec<LayerPlan>, Error> {
        self.plan_for(network, &InputDistribution::COORDINATES)
    }

    /// The distributions for every layer of `network`, in order, for inputs distributed as `input`.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a σ_p, ω, standard deviation or bound is not a finite
    /// number above 0, `input` has no second moment, or a layer with orthogonal weights is wider
    /// than [`MAX_ORTHOGONAL_WIDTH`]; [`Error::Scheme`] if the scheme does not apply to the
    /// activation, and [`Error::Moment`] if moments cannot be computed.
    pub fn plan_for(
        &self,
        network: &Network,
        input: &InputDistribution,
    ) -> Result<Vec<LayerPlan>, Error> {
        let too_wide = network.dims().iter().find(|&&width| width > MAX_ORTHOGONAL_WIDTH);
        if self.weights == WeightShape::Orthogonal
            && let Some(&width) = too_wide
        {
            return Err(Error::OutOfRange {
                quantity: "the width of a layer with orthogonal weights".into(),
                value: width as f64,
                expected: "at most 4096",
            });
        }
        self.biases.check()?;
        self.first_biases.check()?;
        let variances = self.scheme.variances(network, input)?;
        let layers = variances.iter().enumerate().map(|(index, own)| {
            let biases = if index == 0 { self.first_biases } else { self.biases };
            self.layer(*own, network.dims()[index], biases)
        });
        layers.collect()
    }

    /// The distributions for a layer between hidden layers with the given fans whose preactivations
    /// have the σ_p of the scheme.
    ///
    /// ```
    /// use vi3nr::{InitRule, Scheme};
    ///
    /// // Forward and backward variance, with biases.
    /// let scheme = Scheme::EdgeOfChaos { sigma_p: 1.0, first_sigma_p: None };
    /// let layer = InitRule::new(scheme).hidden_layer(&"tanh".parse()?, 64, 64)?;
    /// let moments = vi3nr::Moments::of(&"tanh".parse()?, 1.0)?;
    /// let slope = 64.0 * layer.variance() * moments.derivative_second_moment.value;
    /// let kept = 64.0 * layer.variance() * moments.second_moment.value + layer.bias_variance();
    /// assert!((slope - 1.0).abs() < 1e-12 && (kept - 1.0).abs() < 1e-12);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a fan is 0 or a number of the rule is not finite and above 0,
    /// [`Error::Scheme`] if the scheme does not apply to the activation, and [`Error::Moment`] if
    /// moments cannot be computed.
    pub fn hidden_layer(
        &self,
        activation: &Activation,
        fan_in: usize,
        fan_out: usize,
    ) -> Result<LayerPlan, Error> {
        if fan_in == 0 || fan_out == 0 {
            return Err(Error::OutOfRange {
                quantity: "the number of inputs or outputs of a layer".into(),
                value: 0.0,
                expected: "at least 1",
            });
        }
        self.biases.check()?;
        let own = self.scheme.hidden_variances(activation)?.between(fan_in, fan_out);
        self.layer(own, fan_in, self.biases)
    }

    fn layer(&self, own: Variances, fan_in: usize, rule: BiasRule) -> Result<LayerPlan, Error> {
        let weight_std = libm::sqrt(own.weights);
        require_positive("the standard deviation of the weights", weight_std)?;
        let (biases, bias_std) = rule.distribution(fan_in, self.weights, weight_std, own.biases);
        let noise_std = libm::sqrt(own.noise);
        if noise_std != 0.0 {
            require_positive("the standard deviation of the noise", noise_std)?;
        }
        Ok(LayerPlan { weight_std, weights: self.weights, noise_std, bias_std, biases })
    }
}
