//! Initialization schemes: the variance of each layer's weights.
//!
//! A [`Scheme`] determines σ²(W_i) for every layer; an [`InitRule`] adds the distribution and the
//! biases. M_i is the fan-in of layer i and M_{i+1} its fan-out. `vi3nr` and `vi3nr-mc` are
//! accepted as other names of `ours` and `ours_mc`.
//!
//! | text | σ²(W_i) | derived for |
//! |---|---|---|
//! | `ours:sigma_p=S` | σ_p²/(M_i E\[f²\]), Eq. (4); first layer Eq. (24) | any f |
//! | `ours_mc:sigma_p=S,samples=N` | the same with E\[f²\] estimated from N samples, Sec. 3.5 | any f |
//! | `backward:sigma_p=S` | 1/(M_{i+1} E\[f'²\]), Eq. (12); first layer Eq. (24) | any f |
//! | `xavier` | 2/(M_i + M_{i+1}) | tanh: f(x) ≈ x |
//! | `kaiming`, `kaiming_out` | 2/M_i, 2/M_{i+1} | the ReLU |
//! | `kumar` | 1/(M_i f'(0)² (1 + f(0)²)) | f linear around 0, σ_p = 1 |
//! | `pytorch` | gain²/M_i with `calculate_gain`'s table | the activations in that table |
//! | `siren:omega=W` | first layer 1/(3M_0²), others 2/(ω² M_i) | sin(ωx) |
//! | `normal:std=S` | S² | none |
//!
//! ```
//! use vi3nr::{Activation, Scheme};
//! use vi3nr::scheme::Implied;
//!
//! // Table 8: for a Gaussian with sigma_a = 0.05, Xavier implies sigma_p = 0.33.
//! let gaussian: Activation = "gaussian:sigma=0.05".parse()?;
//! let xavier: Scheme = "xavier".parse()?;
//! assert_eq!(xavier.warnings(&gaussian).len(), 3);
//! let Implied::SigmaP(sigmas) = xavier.implied_sigma_p(&gaussian, 128, 128)? else { panic!() };
//! assert!((sigmas[0] - 0.33).abs() < 0.005);
//! # Ok::<(), vi3nr::Error>(())
//! ```

mod advice;
mod implied;
mod published;
mod request;
mod sigma_p;
mod text;
mod variance;

pub use implied::Implied;
pub use request::{ChosenScheme, SchemeField, SchemeRefusal, SchemeRequest};
pub use sigma_p::{SigmaP, SigmaReason, SigmaRequest, default_sigma_p};
pub use text::SchemeEntry;

use crate::{Error, InputDistribution, Network};

/// The maximum number of units of a layer with orthogonal weights, since the cost of drawing them
/// grows with the third power.
pub const MAX_ORTHOGONAL_WIDTH: usize = 4096;

/// The number of samples that the paper uses for a moment (Table 4).
pub const PAPER_SAMPLES: u64 = 1_000_000;

/// The fan that the variance of a layer's weights is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// M_i, the number of inputs.
    In,
    /// M_{i+1}, the number of outputs.
    Out,
}

/// A rule for the variance of each layer's weights.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// The scheme of the paper: all preactivations have the variance σ_p².
    ///
    /// The first layer has σ²(W_0) = σ_p²/(M_0 E\[x_0²\]), Eq. (24), where E\[x_0²\] = 1/3 for
    /// coordinates uniform on [-1, 1]. The other layers have σ²(W_i) = gain²(f, σ_p)/M_i, Eq. (4)
    /// and (15).
    VarianceInformed {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
        /// The standard deviation of the network's output, if it differs from σ_p. The variance of
        /// the last layer's weights is then (last_sigma_p/σ_p)² times as large.
        last_sigma_p: Option<f64>,
    },
    /// As [`Scheme::VarianceInformed`], but with a Monte Carlo estimate of E\[f²\] as in the
    /// paper's scripts: the mean over normal samples, drawn with seed 0 (Sec. 3.5). The error of
    /// the estimate decreases with the square root of the number of samples. Use it only for
    /// comparison.
    MonteCarlo {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
        /// The number of samples, 2 to 10 million; the paper uses [`PAPER_SAMPLES`].
        samples: u64,
    },
    /// All gradients have the same variance if the preactivations are N(0, σ_p²). The first layer
    /// is as in Eq. (24), and the others have σ²(W_i) = 1/(M_{i+1} E\[f'(z)²\]), Eq. (12).
    Backward {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
    },
    /// Glorot and Bengio 2010: σ²(W_i) = 2/(M_i + M_{i+1}).
    Xavier,
    /// He et al. 2015: σ²(W_i) = 2/M_i or 2/M_{i+1}.
    Kaiming {
        /// The fan that the variance is divided by.
        fan: Fan,
    },
    /// Kumar 2017: σ²(W_i) = 1/(M_i f'(0)² (1 + f(0)²)), from the linearization of f around 0 at
    /// σ_p = 1. At a kink, f'(0)² is the mean of the squared slopes of both sides, which gives
    /// Kumar's 2/M_i for the ReLU.
    Kumar,
    /// PyTorch: σ²(W_i) = gain²/M_i with the gain that `torch.nn.init.calculate_gain` lists
    /// ([`Activation::torch_gain`](crate::Activation::torch_gain)).
    PyTorch,
    /// SIREN (Sitzmann et al. 2020), derived for sin(ωx): the first layer has weights uniform on
    /// ±1/M_0, and the others have weights uniform on ±√(6/M_i)/ω.
    Siren {
        /// ω of the activation sin(ωx).
        omega: f64,
    },
    /// The baseline "random normal init" of the paper: one standard deviation for all layers.
    Normal {
        /// The standard deviation.
        std: f64,
    },
}

impl Scheme {
    /// The standard deviation σ_p of the preactivations, if it is a parameter of the scheme.
    pub fn sigma_p(&self) -> Option<f64> {
        match *self {
            Self::VarianceInformed { sigma_p, .. }
            | Self::MonteCarlo { sigma_p, .. }
            | Self::Backward { sigma_p } => Some(sigma_p),
            _ => None,
        }
    }
}

/// The distribution of the weights, with mean 0 and the variance σ²(W) that the scheme determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightShape {
    /// U(-c, c) with c = √3 times the standard deviation, Eq. (7).
    Uniform,
    /// N(0, σ²(W)).
    Normal,
    /// A normal distribution truncated at two of its own standard deviations, and scaled by 1.1369
    /// to have the variance σ²(W).
    TruncatedNormal,
    /// Rows (or columns, if there are fewer of them) of a random orthogonal matrix, scaled to the
    /// variance σ²(W). The paper does not use it. The variances of the theory hold, and all
    /// singular values are equal. Layers can have at most [`MAX_ORTHOGONAL_WIDTH`] units.
    Orthogonal,
}

impl WeightShape {
    /// All distributions.
    pub const ALL: [Self; 4] =
        [Self::Uniform, Self::Normal, Self::TruncatedNormal, Self::Orthogonal];

    /// The name in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::TruncatedNormal => "truncated-normal",
            Self::Orthogonal => "orthogonal",
        }
    }
}

/// A rule for the initial biases.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum BiasRule {
    /// All biases are 0, as the theory assumes.
    Zero,
    /// Drawn from the distribution of the layer's weights, as in the paper's networks for audio.
    /// Biases of a layer with orthogonal weights are normal.
    LikeWeights,
    /// Drawn from U(-bound, bound).
    Uniform {
        /// The largest magnitude, a finite number above 0.
        bound: f64,
    },
}

impl BiasRule {
    /// The variance of the biases of a layer whose weights have the variance `weight_variance`.
    pub fn variance(&self, weight_variance: f64) -> f64 {
        match *self {
            Self::Zero => 0.0,
            Self::LikeWeights => weight_variance,
            Self::Uniform { bound } => bound * bound / 3.0,
        }
    }
}

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

/// The distributions of one layer's initial parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerPlan {
    /// The standard deviation of the weights.
    pub weight_std: f64,
    /// The distribution of the weights.
    pub weights: WeightShape,
    /// The rule for the biases.
    pub biases: BiasRule,
}

impl LayerPlan {
    /// The variance σ²(W) of the weights.
    pub fn variance(&self) -> f64 {
        self.weight_std * self.weight_std
    }

    /// The bound of uniform weights, √3 σ(W), Eq. (7); `None` for other distributions.
    pub fn bound(&self) -> Option<f64> {
        (self.weights == WeightShape::Uniform).then(|| libm::sqrt(3.0) * self.weight_std)
    }
}

impl Scheme {
    /// The distribution with which the scheme was published: normal for [`Scheme::Normal`], otherwise
    /// uniform.
    pub fn usual_weights(&self) -> WeightShape {
        match self {
            Self::Normal { .. } => WeightShape::Normal,
            _ => WeightShape::Uniform,
        }
    }
}

impl InitRule {
    /// Creates a rule with the scheme's own distribution ([`Scheme::usual_weights`]) and with biases of
    /// 0, as in the theory.
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
        let biases = BiasRule::Zero;
        Self { scheme, weights: scheme.usual_weights(), biases, first_biases: biases }
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
        for rule in [self.biases, self.first_biases] {
            if let BiasRule::Uniform { bound } = rule
                && !(bound.is_finite() && bound > 0.0)
            {
                return Err(Error::OutOfRange {
                    quantity: "the bound of the biases".into(),
                    value: bound,
                    expected: "a finite number above 0",
                });
            }
        }
        let deviations = self.scheme.weight_stds(network, input)?;
        let layer = |(index, weight_std)| LayerPlan {
            weight_std,
            weights: self.weights,
            biases: if index == 0 { self.first_biases } else { self.biases },
        };
        Ok(deviations.into_iter().enumerate().map(layer).collect())
    }
}

#[cfg(test)]
mod tests;
