//! Which variance each layer's weights get.
//!
//! A [`Scheme`] gives σ²(W_i) for every layer; an [`InitRule`] adds the distribution and the
//! biases. M_i is the fan-in of layer i and M_{i+1} its fan-out.
//!
//! | written | σ²(W_i) | derived for |
//! |---|---|---|
//! | `ours:sigma_p=S` | σ_p²/(M_i E\[f²\]), Eq. (4); first layer Eq. (24) | any f |
//! | `ours_mc:sigma_p=S,samples=N` | the same with E\[f²\] averaged over N samples, Sec. 3.5 | any f |
//! | `backward:sigma_p=S` | 1/(M_{i+1} E\[f'²\]), Eq. (12); first layer Eq. (24) | any f |
//! | `xavier` | 2/(M_i + M_{i+1}) | tanh: f(x) ≈ x |
//! | `kaiming`, `kaiming_out` | 2/M_i, 2/M_{i+1} | the rectifier |
//! | `kumar` | 1/(M_i f'(0)² (1 + f(0)²)) | f linear around 0, σ_p = 1 |
//! | `pytorch` | gain²/M_i with `calculate_gain`'s table | the activations in that table |
//! | `siren:omega=W` | first layer 1/(3M_0²), others 2/(ω² M_i) | sin(ωx) |
//! | `normal:std=S` | S² | none |
//!
//! ```
//! use vi3nr::{Activation, Scheme};
//! use vi3nr::scheme::Implied;
//!
//! // Table 8: on a Gaussian with sigma_a = 0.05, Xavier amounts to ours with sigma_p = 0.33.
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

use crate::{Error, InputDistribution, Network};

/// Largest layer for which orthogonal weights are drawn: the work grows with the third power.
pub const WIDEST_ORTHOGONAL: usize = 4096;

/// The paper's number of samples for a moment (Table 4).
pub const PAPER_SAMPLES: u64 = 1_000_000;

/// Which end of a layer the variance is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// M_i, the number of inputs.
    In,
    /// M_{i+1}, the number of outputs.
    Out,
}

/// A rule that gives every layer's weights their variance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// The paper's: every preactivation gets the variance σ_p².
    ///
    /// First layer σ²(W_0) = σ_p²/(M_0 E\[x_0²\]), Eq. (24), with coordinates uniform on [-1, 1];
    /// later layers σ²(W_i) = gain²(f, σ_p)/M_i, Eq. (4) and (15).
    VarianceInformed {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
        /// The standard deviation of the network's output, where it differs from σ_p: the last
        /// layer's variance is then (last/σ_p)² times as large.
        last_sigma_p: Option<f64>,
    },
    /// The same with E\[f²\] as the paper's scripts have it: the average over normal samples, drawn
    /// with seed 0 (Sec. 3.5). Its error falls with the root of their number; for comparison only.
    Sampled {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
        /// How many samples, 2 to 2^30; the paper takes [`PAPER_SAMPLES`].
        samples: u64,
    },
    /// Every layer hands its gradient on with its variance: first layer Eq. (24), later ones
    /// σ²(W_i) = 1/(M_{i+1} E\[f'(z)²\]), Eq. (12), with preactivations assumed N(0, σ_p²).
    Backward {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
    },
    /// Glorot and Bengio 2010: σ²(W_i) = 2/(M_i + M_{i+1}).
    Xavier,
    /// He et al. 2015: σ²(W_i) = 2/M_i or 2/M_{i+1}.
    Kaiming {
        /// The end that counts.
        fan: Fan,
    },
    /// Kumar 2017: σ²(W_i) = 1/(M_i f'(0)² (1 + f(0)²)), f linearized around 0 at σ_p = 1. At a
    /// kink f'(0)² is the mean of both sides', which gives his 2/M_i for the rectifier.
    Kumar,
    /// PyTorch: σ²(W_i) = gain²/M_i with the gain that `torch.nn.init.calculate_gain` lists
    /// ([`Activation::torch_gain`](crate::Activation::torch_gain)).
    PyTorch,
    /// SIREN's (Sitzmann et al. 2020): first layer U(±1/M_0), later ones U(±√(6/M_i)/ω), derived
    /// for sin(ωx).
    Siren {
        /// ω of the activation sin(ωx).
        omega: f64,
    },
    /// The paper's baseline "random normal init": one standard deviation for all layers.
    Normal {
        /// The standard deviation.
        std: f64,
    },
}

impl Scheme {
    /// The standard deviation σ_p that the scheme gives to preactivations, where it names one.
    pub fn sigma_p(&self) -> Option<f64> {
        match *self {
            Self::VarianceInformed { sigma_p, .. }
            | Self::Sampled { sigma_p, .. }
            | Self::Backward { sigma_p } => Some(sigma_p),
            _ => None,
        }
    }
}

/// The distribution that weights are drawn from, at the variance that the scheme asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightShape {
    /// U(-c, c) with c = √3 times the standard deviation, Eq. (7).
    Uniform,
    /// N(0, σ²(W)).
    Normal,
    /// A normal distribution cut off at two of its own standard deviations and widened by 1.1369 to
    /// have the variance σ²(W).
    TruncatedNormal,
    /// Rows (or columns, where there are fewer) of a random orthogonal matrix, scaled so that the
    /// weights have the variance σ²(W). Beyond the paper: the variances of the theory hold, and all
    /// singular values are equal. For layers up to [`WIDEST_ORTHOGONAL`].
    Orthogonal,
}

impl WeightShape {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Uniform, Self::Normal, Self::TruncatedNormal, Self::Orthogonal];

    /// As it is written in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::TruncatedNormal => "truncated-normal",
            Self::Orthogonal => "orthogonal",
        }
    }
}

/// How biases start.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum BiasRule {
    /// All zero, as the theory assumes.
    Zero,
    /// Drawn from the distribution of the layer's weights (the paper's audio networks).
    LikeWeights,
    /// Drawn from U(-bound, bound).
    Uniform {
        /// A finite number above 0.
        bound: f64,
    },
}

/// A scheme with the distribution and the biases: all that decides a network's start but the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InitRule {
    /// The variance of each layer's weights.
    pub scheme: Scheme,
    /// Their distribution.
    pub weights: WeightShape,
    /// The biases of all layers but the first.
    pub biases: BiasRule,
    /// The first layer's biases. Where they are zero and the activation is even
    /// ([`Activation::is_even`](crate::Activation::is_even)) the network starts as an even function
    /// of its input and leaves such functions slowly. Drawn like the first weights they put the
    /// ridges w·x + b = 0 anywhere on \[-1, 1\].
    pub first_biases: BiasRule,
}

/// What one layer's parameters are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerPlan {
    /// The standard deviation of the weights.
    pub weight_std: f64,
    /// Their distribution.
    pub weights: WeightShape,
    /// The biases.
    pub biases: BiasRule,
}

impl LayerPlan {
    /// σ²(W).
    pub fn variance(&self) -> f64 {
        self.weight_std * self.weight_std
    }

    /// The bound of uniform weights, √3 σ(W), Eq. (7); `None` for other distributions.
    pub fn bound(&self) -> Option<f64> {
        (self.weights == WeightShape::Uniform).then(|| libm::sqrt(3.0) * self.weight_std)
    }
}

impl InitRule {
    /// The rule with uniform weights and biases of 0, as the theory has them.
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
        Self { scheme, weights: WeightShape::Uniform, biases, first_biases: biases }
    }

    /// The same with weights from this distribution.
    pub fn with_weights(self, weights: WeightShape) -> Self {
        Self { weights, ..self }
    }

    /// The same with these biases in all layers, the first one too.
    pub fn with_biases(self, biases: BiasRule) -> Self {
        Self { biases, first_biases: biases, ..self }
    }

    /// The same with these biases in the first layer.
    pub fn with_first_biases(self, first_biases: BiasRule) -> Self {
        Self { first_biases, ..self }
    }

    /// The plan of every layer of `network`, in order, for coordinates uniform on [-1, 1].
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`], [`Error::Scheme`] and [`Error::Moment`] as
    /// [`InitRule::plan_for`] does.
    pub fn plan(&self, network: &Network) -> Result<Vec<LayerPlan>, Error> {
        self.plan_for(network, &InputDistribution::COORDINATES)
    }

    /// The plan of every layer of `network`, in order, for inputs from `input`.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a σ_p, ω, standard deviation or bound is not a finite number
    /// above 0, `input` has no second moment, or a layer with orthogonal weights is wider than
    /// [`WIDEST_ORTHOGONAL`]; [`Error::Scheme`] if the scheme does not apply to the activation, and
    /// [`Error::Moment`] if moments cannot be computed.
    pub fn plan_for(
        &self,
        network: &Network,
        input: &InputDistribution,
    ) -> Result<Vec<LayerPlan>, Error> {
        let too_wide = network.dims().iter().find(|&&width| width > WIDEST_ORTHOGONAL);
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
