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
//! | `eoc:sigma_p=S` | 1/(M_i E\[f'²\]), biases σ_p²(1 - 1/cond); first layer Eq. (24) | cond ≥ 1 |
//! | `xavier` | 2/(M_i + M_{i+1}) | tanh: f(x) ≈ x |
//! | `kaiming`, `kaiming_out` | 2/M_i, 2/M_{i+1} | the ReLU |
//! | `kumar` | 1/(M_i f'(0)² (1 + f(0)²)) | f linear around 0, σ_p = 1 |
//! | `pytorch` | gain²/M_i with `calculate_gain`'s table | the activations in that table |
//! | `siren:omega=W` | first layer 1/(3M_0²), others 2/(ω² M_i) | sin(ωx) |
//! | `ws:alpha=A,omega=W` | as `siren`, times α² in all layers but the last | sin(ωx) |
//! | `winner:omega=W,s0=S,s1=T` | as `siren`, plus S² and T² of noise in the first two layers | sin(ωx) |
//! | `finer:omega=W,k=K` | as `siren`; biases of the first layer U(-k, k) | sin(ω(\|x\| + 1)x) |
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
mod distribution;
mod edge_of_chaos;
mod implied;
mod published;
mod request;
mod rule;
mod sigma_p;
mod text;
mod variance;

pub use distribution::{BiasRule, WeightShape};
pub use implied::Implied;
pub use request::{ChosenScheme, SchemeField, SchemeRefusal, SchemeRequest, SigmaRequests};
pub use rule::{InitRule, LayerPlan, MAX_ORTHOGONAL_WIDTH};
pub use sigma_p::{SigmaP, SigmaReason, SigmaRequest, default_sigma_p};
pub use text::{OptionalParameter, SchemeEntry};

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
        /// The standard deviation of the first layer's preactivations, if it differs from σ_p. The
        /// second layer then has the E\[f²\] of this value, so that its preactivations have σ_p.
        first_sigma_p: Option<f64>,
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
    /// The edge of chaos: preactivations *and* gradients keep their variance, which takes biases. With
    /// cond = σ_p² E\[f'²\]/E\[f²\], the left side of Eq. (13) at equal fans,
    ///
    /// σ²(W_i) = 1/(M_i E\[f'²\]),  b_i ~ N(0, σ_p² (1 - 1/cond)).
    ///
    /// Then M_i σ²(W_i) E\[f²\] + σ²(b_i) = σ_p² for any widths, and the factor M_{i+1} σ²(W_i) E\[f'²\]
    /// of the gradient's variance, Eq. (10), is M_{i+1}/M_i. The first layer is as in Eq. (24), without
    /// biases.
    ///
    /// There is such a bias only where cond ≥ 1, which holds for every σ_p if f(0) = 0. The fixed point
    /// is stable if |χ| < cond ([`variance_sensitivity`](crate::variance_sensitivity)), since the
    /// variance map then has the slope χ/cond. For sin(ωx) with σ_p → 0 this is the initialization of
    /// Combette, Venaille and Pustelnik 2025 (arXiv 2512.06427): U(±√(3/M_i)/ω) without biases.
    EdgeOfChaos {
        /// The standard deviation σ_p of the preactivations.
        sigma_p: f64,
        /// The standard deviation of the first layer's preactivations, if it differs from σ_p. The
        /// biases of the second layer then have the variance max(0, σ_p² - E₁\[f²\]/E\[f'²\]), where E₁
        /// is the expectation at this value: its preactivations have σ_p unless those of the first layer
        /// are so large that they exceed it without biases.
        first_sigma_p: Option<f64>,
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
    /// Weight scaling (Yeom, Lee and Lee, "Fast training of sinusoidal neural fields via scaling
    /// initialization", ICLR 2025, arXiv 2410.04779), derived for sin(ωx): SIREN's weights times α in
    /// all layers but the last. The authors' code has α = 2.5 for images.
    WeightScaling {
        /// The factor α of the weights.
        alpha: f64,
        /// ω of the activation sin(ωx).
        omega: f64,
    },
    /// FINER (Liu et al., "FINER: Flexible spectral-bias tuning in implicit neural representation by
    /// variable-periodic activation functions", CVPR 2024, arXiv 2312.02434), derived for
    /// sin(ω(|x| + 1)x): SIREN's weights, and biases of the first layer uniform on ±k. The authors' code
    /// has k = 1 for signed distances; for images it leaves PyTorch's biases, uniform on ±1/√M_0.
    Finer {
        /// ω of the activation.
        omega: f64,
        /// The bound of the first layer's biases.
        k: f64,
    },
    /// WINNER, the initialization of SIREN² (Chandravamsi, Shenoy, Zinn, Pisnoy and Frankel, "Spectral
    /// bottleneck in deep neural networks: noise is all you need", 2025, arXiv 2509.09719), derived for
    /// sin(ωx): SIREN's weights, plus noise from N(0, s_0²) on the weights of the first layer and from
    /// N(0, s_1²) on those of the second. The scales of the authors are ω s_0 and ω s_1; they follow
    /// from the spectral centroid of the signal.
    Winner {
        /// ω of the activation sin(ωx).
        omega: f64,
        /// The standard deviation of the noise on the weights of the first layer, at least 0.
        s0: f64,
        /// The standard deviation of the noise on the weights of the second layer, at least 0.
        s1: f64,
    },
    /// The baseline "random normal init" of the paper: one standard deviation for all layers.
    Normal {
        /// The standard deviation.
        std: f64,
    },
}

impl Scheme {
    /// [`Scheme::VarianceInformed`] with the same σ_p in all layers.
    pub fn ours(sigma_p: f64) -> Self {
        Self::VarianceInformed { sigma_p, first_sigma_p: None, last_sigma_p: None }
    }

    /// The standard deviation σ_p of the preactivations, if it is a parameter of the scheme.
    pub fn sigma_p(&self) -> Option<f64> {
        match *self {
            Self::VarianceInformed { sigma_p, .. }
            | Self::MonteCarlo { sigma_p, .. }
            | Self::EdgeOfChaos { sigma_p, .. }
            | Self::Backward { sigma_p } => Some(sigma_p),
            _ => None,
        }
    }

    /// The distribution with which the scheme was published: normal for [`Scheme::Normal`], otherwise
    /// uniform.
    pub fn usual_weights(&self) -> WeightShape {
        match self {
            Self::Normal { .. } => WeightShape::Normal,
            _ => WeightShape::Uniform,
        }
    }

    /// The biases with which the scheme was published, of the first layer: U(-k, k) for
    /// [`Scheme::Finer`], otherwise 0.
    pub fn usual_first_biases(&self) -> BiasRule {
        match *self {
            Self::Finer { k, .. } => BiasRule::Uniform { bound: k },
            _ => BiasRule::Zero,
        }
    }

    /// The biases with which the scheme was published, of all layers but the first: those that the
    /// scheme determines for [`Scheme::EdgeOfChaos`], otherwise 0.
    pub fn usual_biases(&self) -> BiasRule {
        match self {
            Self::EdgeOfChaos { .. } => BiasRule::Scheme,
            _ => BiasRule::Zero,
        }
    }
}

#[cfg(test)]
mod tests;
