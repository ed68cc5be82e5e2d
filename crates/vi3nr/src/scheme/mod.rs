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
    /// Kumar 2017: σ²(W_i) = 1/(M_i f'(0)² (1 + f(0)²)), f linearised around 0 at σ_p = 1. At a
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
    /// The plan of every layer of `network`, in order, for coordinates uniform on [-1, 1].
    ///
    /// # Errors
    /// Those of [`InitRule::plan_for`].
    pub fn plan(&self, network: &Network) -> Result<Vec<LayerPlan>, Error> {
        self.plan_for(network, &InputDistribution::COORDINATES)
    }

    /// The plan of every layer of `network`, in order, for inputs from `input`.
    ///
    /// # Errors
    /// A σ_p, ω, standard deviation or bound that is not a finite number above 0, an activation to which
    /// the scheme does not apply, moments that cannot be computed, orthogonal weights for a layer
    /// over [`WIDEST_ORTHOGONAL`].
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
mod tests {
    use super::*;
    use crate::Activation;

    fn plan(scheme: Scheme, activation: &str) -> Vec<LayerPlan> {
        let network = Network::uniform(2, 128, 4, 3, activation.parse().unwrap()).unwrap();
        let rule = InitRule {
            scheme,
            weights: WeightShape::Uniform,
            biases: BiasRule::Zero,
            first_biases: BiasRule::Zero,
        };
        rule.plan(&network).unwrap()
    }

    #[test]
    fn hidden_layers_follow_eq_7_and_the_last_its_own_sigma() {
        let scheme = Scheme::VarianceInformed { sigma_p: 0.15, last_sigma_p: Some(0.3) };
        let plan = plan(scheme, "gaussian:sigma=0.05");
        let hidden = (0.0980752f64 / 128.0).sqrt();
        assert!((plan[1].weight_std / hidden - 1.0).abs() < 1e-6);
        assert!((plan[2].weight_std / hidden - 1.0).abs() < 1e-6);
        assert!((plan[3].weight_std / (2.0 * hidden) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn siren_bounds_are_sirens() {
        let plan = plan(Scheme::Siren { omega: 30.0 }, "sine");
        let bounds: Vec<_> = plan.iter().map(|layer| layer.weight_std * 3f64.sqrt()).collect();
        assert!((bounds[0] - 0.5).abs() < 1e-15);
        assert!((bounds[1] - (6f64 / 128.0).sqrt() / 30.0).abs() < 1e-15);
    }

    /// Table 1: M σ²(W) of each method, with Kumar's sigmoid at 12.8 (the paper's 12.96 is 3.6²).
    #[test]
    fn table_1() {
        for (scheme, activation, product) in [
            ("xavier", "tanh", 1.0),
            ("kaiming", "relu", 2.0),
            ("kaiming_out", "relu", 2.0),
            ("kumar", "tanh", 1.0),
            ("kumar", "sigmoid", 12.8),
            ("kumar", "relu", 2.0),
            ("pytorch", "tanh", 25.0 / 9.0),
            ("pytorch", "sigmoid", 1.0),
            ("pytorch", "relu", 2.0),
            ("pytorch", "leaky_relu:slope=0.5", 1.6),
            ("pytorch", "selu", 0.5625),
            ("ours:sigma_p=1", "tanh", 2.53617543),
            ("ours:sigma_p=1", "sigmoid", 3.40855984),
            ("backward:sigma_p=1", "relu", 2.0),
            ("siren:omega=30", "sine", 2.0 / 900.0),
            ("normal:std=0.5", "sine", 32.0),
        ] {
            let plan = plan(scheme.parse().unwrap(), activation);
            let seen = 128.0 * plan[1].weight_std * plan[1].weight_std;
            assert!((seen / product - 1.0).abs() < 1e-8, "{scheme}, {activation}: {seen}");
        }
    }

    #[test]
    fn sampled_variances_are_near_the_exact_ones() {
        let stds = |scheme: &str| {
            let plan = plan(scheme.parse().unwrap(), "gaussian:sigma=0.05");
            plan.iter().map(|layer| layer.weight_std).collect::<Vec<_>>()
        };
        let (exact, sampled) = (stds("ours:sigma_p=0.15"), stds("ours_mc:sigma_p=0.15"));
        assert_eq!(exact[0], sampled[0]);
        let error = |sampled: f64| (sampled / exact[1] - 1.0).abs();
        assert!(error(sampled[1]) > 0.0 && error(sampled[1]) < 2e-3, "{sampled:?}");
        assert_eq!(sampled[1], sampled[2]);
        assert!(error(stds("ours_mc:sigma_p=0.15,samples=1000")[1]) < 0.1);
    }

    #[test]
    fn unequal_fans_and_other_inputs() {
        let network = Network::new(vec![3, 100, 400, 1], "tanh".parse().unwrap()).unwrap();
        let variances = |scheme: &str, input: InputDistribution| -> Vec<f64> {
            let scheme: Scheme = scheme.parse().unwrap();
            let stds = scheme.weight_stds(&network, &input).unwrap();
            stds.iter().map(|std| std * std).collect()
        };
        let near =
            |seen: f64, exact: f64| assert!((seen / exact - 1.0).abs() < 1e-12, "{seen} {exact}");
        let cube = InputDistribution::COORDINATES;
        near(variances("xavier", cube)[1], 2.0 / 500.0);
        near(variances("kaiming", cube)[1], 2.0 / 100.0);
        near(variances("kaiming_out", cube)[1], 2.0 / 400.0);
        let square =
            crate::Moments::of(network.activation(), 0.5).unwrap().derivative_second_moment;
        near(variances("backward:sigma_p=0.5", cube)[1], 1.0 / (400.0 * square.value));
        near(variances("backward:sigma_p=0.5", cube)[0], 0.25 * 3.0 / 3.0);
        let normal = InputDistribution::Normal { mean: 0.0, std: 2.0 };
        near(variances("ours:sigma_p=0.5", normal)[0], 0.25 / (3.0 * 4.0));
    }

    #[test]
    fn schemes_that_do_not_apply_say_why() {
        let network = Network::uniform(2, 8, 3, 1, "gaussian".parse().unwrap()).unwrap();
        for (scheme, reason) in [("kumar", "f'(0) other than 0"), ("pytorch", "does not list it")] {
            let scheme: Scheme = scheme.parse().unwrap();
            let error = scheme.weight_stds(&network, &InputDistribution::COORDINATES).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
        let wide = Network::new(vec![2, 5000, 1], "tanh".parse().unwrap()).unwrap();
        let rule = InitRule {
            scheme: Scheme::Xavier,
            weights: WeightShape::Orthogonal,
            biases: BiasRule::Zero,
            first_biases: BiasRule::Zero,
        };
        assert!(rule.plan(&wide).unwrap_err().to_string().contains("4096"));
    }

    /// A function has one initialization, however it is written.
    #[test]
    fn formulas_have_the_scheme_and_gain_of_the_form_that_they_spell() {
        for (formula, form) in [
            ("sin(30*x)", "sine:omega=30"),
            ("sin(w*x):w=30", "sine:omega=30"),
            ("sin(x*30)", "sine:omega=30"),
            ("sin(x)", "sine:omega=1"),
            ("tanh(x)", "tanh"),
            ("max(x,0)", "relu"),
            ("max(x,0)+0.2*min(x,0)", "leaky_relu:slope=0.2"),
            ("1/(1+exp(-x))", "sigmoid"),
            ("exp(-x^2/(2*s^2)):s=0.05", "gaussian:sigma=0.05"),
            ("cos(30*x)", "gaussian"),
        ] {
            let formula: Activation = formula.parse().unwrap();
            let form: Activation = form.parse().unwrap();
            assert_eq!(formula.own_scheme(), form.own_scheme(), "{formula}");
            assert_eq!(formula.torch_gain(), form.torch_gain(), "{formula}");
            assert_eq!(formula.sine_frequency(), form.sine_frequency(), "{formula}");
        }
    }

    #[test]
    fn impossible_sigmas_are_refused() {
        let network = Network::uniform(2, 8, 3, 1, "tanh".parse().unwrap()).unwrap();
        for scheme in [
            Scheme::VarianceInformed { sigma_p: 0.0, last_sigma_p: None },
            Scheme::VarianceInformed { sigma_p: 1.0, last_sigma_p: Some(f64::NAN) },
            Scheme::Siren { omega: -1.0 },
        ] {
            let rule = InitRule {
                scheme,
                weights: WeightShape::Normal,
                biases: BiasRule::Zero,
                first_biases: BiasRule::Zero,
            };
            assert!(rule.plan(&network).is_err());
        }
    }
}
