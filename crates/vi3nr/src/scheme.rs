//! Which variance each layer's weights get.

use std::fmt;

use crate::{Error, Network, gain_squared, require_positive};

/// E\[x_0²\] of coordinates uniform on [-1, 1], Eq. (22) and (23).
pub const COORDINATE_SECOND_MOMENT: f64 = 1.0 / 3.0;

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
    /// SIREN's (Sitzmann et al. 2020): first layer U(±1/M_0), later ones U(±√(6/M_i)/ω), derived
    /// for sin(ωx).
    Siren {
        /// ω of the activation sin(ωx).
        omega: f64,
    },
}

impl fmt::Display for Scheme {
    /// As `NAME:key=value`, for example `ours:sigma_p=0.15` or `siren:omega=30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VarianceInformed { sigma_p, last_sigma_p: None } => {
                write!(f, "ours:sigma_p={sigma_p}")
            }
            Self::VarianceInformed { sigma_p, last_sigma_p: Some(last) } => {
                write!(f, "ours:sigma_p={sigma_p},last_sigma_p={last}")
            }
            Self::Siren { omega } => write!(f, "siren:omega={omega}"),
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
}

/// How biases start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BiasRule {
    /// All zero, as the theory assumes.
    Zero,
    /// Drawn from the distribution of the layer's weights (the paper's audio networks).
    LikeWeights,
}

/// A scheme with the distribution and the biases: all that decides a network's start but the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InitRule {
    /// The variance of each layer's weights.
    pub scheme: Scheme,
    /// Their distribution.
    pub weights: WeightShape,
    /// The biases.
    pub biases: BiasRule,
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

impl InitRule {
    /// The plan of every layer of `network`, in order.
    ///
    /// # Errors
    /// A σ_p or ω that is not a finite number above 0, or an activation without a finite gain.
    pub fn plan(&self, network: &Network) -> Result<Vec<LayerPlan>, Error> {
        let last = network.layer_count() - 1;
        let layers = network.layers();
        let deviation: Box<dyn Fn(usize, f64) -> f64> = match self.scheme {
            Scheme::VarianceInformed { sigma_p, last_sigma_p } => {
                require_positive("sigma_p", sigma_p)?;
                let output = last_sigma_p.unwrap_or(sigma_p);
                require_positive("last sigma_p", output)?;
                let gain = gain_squared(network.activation(), sigma_p)?.sqrt();
                Box::new(move |index, fan_in| {
                    let target = if index == last { output } else { sigma_p };
                    if index == 0 {
                        target / (fan_in * COORDINATE_SECOND_MOMENT).sqrt()
                    } else {
                        target / sigma_p * gain / fan_in.sqrt()
                    }
                })
            }
            Scheme::Siren { omega } => {
                require_positive("omega", omega)?;
                Box::new(move |index, fan_in| {
                    let bound =
                        if index == 0 { 1.0 / fan_in } else { (6.0 / fan_in).sqrt() / omega };
                    bound / 3f64.sqrt()
                })
            }
        };
        let plan = |layer: &crate::Layer| LayerPlan {
            weight_std: deviation(layer.index, layer.fan_in as f64),
            weights: self.weights,
            biases: self.biases,
        };
        Ok(layers.iter().map(plan).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(scheme: Scheme, activation: &str) -> Vec<LayerPlan> {
        let network = Network::uniform(2, 128, 4, 3, activation.parse().unwrap()).unwrap();
        let rule = InitRule { scheme, weights: WeightShape::Uniform, biases: BiasRule::Zero };
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

    #[test]
    fn impossible_sigmas_are_refused() {
        let network = Network::uniform(2, 8, 3, 1, "tanh".parse().unwrap()).unwrap();
        for scheme in [
            Scheme::VarianceInformed { sigma_p: 0.0, last_sigma_p: None },
            Scheme::VarianceInformed { sigma_p: 1.0, last_sigma_p: Some(f64::NAN) },
            Scheme::Siren { omega: -1.0 },
        ] {
            let rule = InitRule { scheme, weights: WeightShape::Normal, biases: BiasRule::Zero };
            assert!(rule.plan(&network).is_err());
        }
    }
}
