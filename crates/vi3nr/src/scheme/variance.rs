//! The variance of each layer's weights under each scheme.

use super::edge_of_chaos::EdgeOfChaos;
use super::{Fan, Scheme};
use crate::activation::Accepted;
use crate::{
    Activation, Error, Gain, InputDistribution, Layer, Moments, Network, require_positive,
};

/// The variances that a scheme gives to the parameters of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Variances {
    /// σ²(W) without noise.
    pub(super) weights: f64,
    /// The variance of normal noise that is added to the weights.
    pub(super) noise: f64,
    /// That of the biases that the scheme determines; 0 if it determines none.
    pub(super) biases: f64,
}

impl Variances {
    fn of_weights(weights: f64) -> Self {
        Self { weights, noise: 0.0, biases: 0.0 }
    }
}

impl Scheme {
    /// The standard deviation of the weights of every layer of `network`, in order.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if a σ_p, ω or standard deviation is not a finite number above
    /// 0 or `input` has no valid second moment, [`Error::Scheme`] if the scheme does not apply to
    /// the activation, and [`Error::Moment`] if a moment cannot be computed.
    pub fn weight_stds(
        &self,
        network: &Network,
        input: &InputDistribution,
    ) -> Result<Vec<f64>, Error> {
        let deviation = |own: &Variances| {
            let std = libm::sqrt(own.weights + own.noise);
            require_positive("the standard deviation of the weights", std).map(|()| std)
        };
        self.variances(network, input)?.iter().map(deviation).collect()
    }

    /// The variances of every layer of `network`, in order.
    ///
    /// # Errors
    /// Returns the errors of [`Scheme::weight_stds`].
    pub(super) fn variances(
        &self,
        network: &Network,
        input: &InputDistribution,
    ) -> Result<Vec<Variances>, Error> {
        let activation = network.activation();
        let layers = network.layers();
        // M_0 σ²(W_0) for preactivations of variance 1, Eq. (24).
        let input_gain = 1.0 / input.second_moment()?;
        let first = |sigma_p: f64| {
            let fan_in = network.inputs() as f64;
            Variances::of_weights(sigma_p * sigma_p * input_gain / fan_in)
        };
        let hidden = self.hidden_variances(activation)?;
        let mut all: Vec<Variances> = layers.iter().map(|layer| hidden.of(layer)).collect();
        match *self {
            Self::VarianceInformed { sigma_p, first_sigma_p, last_sigma_p } => {
                all[0] = first(first_sigma_p.unwrap_or(sigma_p));
                if let (Some(first), [_, layer, ..]) = (first_sigma_p, &layers[..]) {
                    let gain_squared = Gain::of(activation, first)?.gain_squared.value;
                    let share = (sigma_p / first) * (sigma_p / first);
                    all[1].weights = share * gain_squared / layer.fan_in as f64;
                }
                match (last_sigma_p, &mut all[..]) {
                    (None, _) => {}
                    (Some(last), [only]) => *only = first(last),
                    (Some(last), all) => {
                        let share = (last / sigma_p) * (last / sigma_p);
                        all[layers.len() - 1].weights *= share;
                    }
                }
            }
            Self::MonteCarlo { sigma_p, .. } | Self::Backward { sigma_p } => {
                all[0] = first(sigma_p)
            }
            Self::EdgeOfChaos { sigma_p, first_sigma_p } => {
                all[0] = first(first_sigma_p.unwrap_or(sigma_p));
                if let (Some(_), Some(second)) = (first_sigma_p, all.get_mut(1)) {
                    let edge = EdgeOfChaos::of(activation, self, sigma_p, first_sigma_p)?;
                    second.biases = edge.second_biases;
                }
            }
            Self::Siren { .. } | Self::Finer { .. } => all[0] = sirens_first(network),
            Self::Winner { s0, s1, .. } => {
                all[0] = sirens_first(network);
                for (layer, std) in all.iter_mut().zip([s0, s1]) {
                    layer.noise = std * std;
                }
            }
            Self::WeightScaling { alpha, .. } => {
                all[0].weights = alpha * alpha * sirens_first(network).weights;
                if let Some(last) = all.last_mut() {
                    last.weights /= alpha * alpha;
                }
            }
            Self::Xavier
            | Self::Kaiming { .. }
            | Self::Kumar
            | Self::PyTorch
            | Self::Normal { .. } => {}
        }
        Ok(all)
    }

    /// The variances of a layer between two hidden layers, as a function of the fans.
    pub(super) fn hidden_variances(&self, activation: &Activation) -> Result<Hidden, Error> {
        let fails = |reason: &str| {
            Err(Error::Scheme {
                scheme: self.to_string(),
                activation: activation.to_string(),
                reason: reason.into(),
            })
        };
        Ok(match *self {
            Self::VarianceInformed { sigma_p, first_sigma_p, last_sigma_p } => {
                for (name, own) in
                    [("first_sigma_p", first_sigma_p), ("last_sigma_p", last_sigma_p)]
                {
                    own.map_or(Ok(()), |own| require_positive(name, own))?;
                }
                Hidden::over(Fan::In, Gain::of(activation, sigma_p)?.gain_squared.value)
            }
            Self::MonteCarlo { sigma_p, samples } => {
                let moments = Moments::by_sampling(activation, sigma_p, samples, 0)?;
                let gain = Gain::from_moments(activation, sigma_p, moments)?;
                Hidden::over(Fan::In, gain.gain_squared.value)
            }
            Self::Backward { sigma_p } => {
                let square = Moments::of(activation, sigma_p)?.derivative_second_moment.value;
                if square <= 0.0 {
                    return fails("f' is 0 almost everywhere");
                }
                if !square.is_finite() {
                    return fails("E[f'^2] is infinite");
                }
                Hidden::over(Fan::Out, 1.0 / square)
            }
            Self::EdgeOfChaos { sigma_p, first_sigma_p } => {
                let edge = EdgeOfChaos::of(activation, self, sigma_p, first_sigma_p)?;
                Hidden { biases: edge.biases, ..Hidden::over(Fan::In, edge.weights) }
            }
            Self::Xavier => Hidden::without_biases(ByFan::Sum),
            Self::Kaiming { fan } => Hidden::over(fan, 2.0),
            Self::Kumar => {
                let (value, square) = at_zero(activation);
                let variance = 1.0 / (square * (1.0 + value * value));
                if !(variance.is_finite() && variance > 0.0) {
                    return fails("its formula needs a finite f(0) and f'(0) other than 0");
                }
                Hidden::over(Fan::In, variance)
            }
            Self::PyTorch => match activation.torch_gain() {
                Some(gain) => Hidden::over(Fan::In, gain * gain),
                None => return fails("torch.nn.init.calculate_gain does not list it"),
            },
            Self::Siren { omega } => {
                require_positive("omega", omega)?;
                Hidden::over(Fan::In, 2.0 / (omega * omega))
            }
            Self::WeightScaling { alpha, omega } => {
                require_positive("alpha", alpha)?;
                require_positive("omega", omega)?;
                Hidden::over(Fan::In, 2.0 * (alpha / omega) * (alpha / omega))
            }
            Self::Winner { omega, s0, s1 } => {
                require_positive("omega", omega)?;
                for (name, std) in [("s0", s0), ("s1", s1)] {
                    if !(std.is_finite() && std >= 0.0) {
                        let expected = Accepted::NotNegative.description();
                        return Err(Error::OutOfRange {
                            quantity: name.into(),
                            value: std,
                            expected,
                        });
                    }
                }
                Hidden::over(Fan::In, 2.0 / (omega * omega))
            }
            Self::Finer { omega, k } => {
                require_positive("k", k)?;
                require_positive("omega", omega)?;
                Hidden::over(Fan::In, 2.0 / (omega * omega))
            }
            Self::Normal { std } => {
                require_positive("the standard deviation of the weights", std)?;
                Hidden::without_biases(ByFan::Fixed(std * std))
            }
        })
    }
}

/// SIREN's first layer, uniform on ±1/M_0.
fn sirens_first(network: &Network) -> Variances {
    let bound = 1.0 / network.inputs() as f64;
    Variances::of_weights(bound * bound / 3.0)
}

/// The variances of a layer as a function of its fans.
pub(super) struct Hidden {
    weights: ByFan,
    biases: f64,
}

/// The variance of the weights as a function of the fans.
enum ByFan {
    /// A number divided by a fan.
    Over(Fan, f64),
    /// 2/(M_i + M_{i+1}).
    Sum,
    /// The same number for every layer.
    Fixed(f64),
}

impl Hidden {
    fn without_biases(weights: ByFan) -> Self {
        Self { weights, biases: 0.0 }
    }

    fn over(fan: Fan, numerator: f64) -> Self {
        Self::without_biases(ByFan::Over(fan, numerator))
    }

    fn of(&self, layer: &Layer) -> Variances {
        self.between(layer.fan_in, layer.fan_out)
    }

    pub(super) fn between(&self, fan_in: usize, fan_out: usize) -> Variances {
        let weights = match self.weights {
            ByFan::Over(Fan::In, numerator) => numerator / fan_in as f64,
            ByFan::Over(Fan::Out, numerator) => numerator / fan_out as f64,
            ByFan::Sum => 2.0 / (fan_in as f64 + fan_out as f64),
            ByFan::Fixed(variance) => variance,
        };
        Variances { weights, noise: 0.0, biases: self.biases }
    }
}

/// f(0) and f'(0)². If f' jumps at 0, the latter is the mean of the squared slopes of both sides.
pub(super) fn at_zero(activation: &Activation) -> (f64, f64) {
    let (value, slope) = activation.value_and_slope(0.0);
    match kink_at_zero(activation) {
        Some((left, right)) => (value, 0.5 * (left * left + right * right)),
        None => (value, slope * slope),
    }
}

/// f' just left and just right of 0 if f' jumps there.
pub(super) fn kink_at_zero(activation: &Activation) -> Option<(f64, f64)> {
    let distance = 1e-9 * activation.feature_width();
    if !activation.kinks().iter().any(|kink| kink.abs() < distance) {
        return None;
    }
    let slope = |x| activation.value_and_slope(x).1;
    let (left, right) = (slope(-distance), slope(distance));
    let jumps = (left - right).abs() > 1e-6 * left.abs().max(right.abs());
    jumps.then_some((left, right))
}
