//! The variance of each layer's weights under each scheme.

use super::{Fan, Scheme};
use crate::{
    Activation, Error, Gain, InputDistribution, Layer, Moments, Network, require_positive,
};

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
        let activation = network.activation();
        let last = network.layer_count() - 1;
        // M_0 σ²(W_0) for preactivations of variance 1, Eq. (24).
        let input_gain = 1.0 / input.second_moment()?;
        let hidden = self.hidden_variance(activation)?;
        let variance = |layer: &Layer| match *self {
            Self::VarianceInformed { sigma_p, last_sigma_p } => {
                let target =
                    if layer.index == last { last_sigma_p.unwrap_or(sigma_p) } else { sigma_p };
                let share = (target / sigma_p) * (target / sigma_p);
                if layer.index == 0 {
                    target * target * input_gain / layer.fan_in as f64
                } else {
                    share * hidden.of(layer)
                }
            }
            Self::MonteCarlo { sigma_p, .. } | Self::Backward { sigma_p } if layer.index == 0 => {
                sigma_p * sigma_p * input_gain / layer.fan_in as f64
            }
            Self::Siren { .. } if layer.index == 0 => {
                let bound = 1.0 / layer.fan_in as f64;
                bound * bound / 3.0
            }
            _ => hidden.of(layer),
        };
        if let Self::VarianceInformed { last_sigma_p: Some(last), .. } = self {
            require_positive("last sigma_p", *last)?;
        }
        let deviation = |layer: &Layer| {
            let std = libm::sqrt(variance(layer));
            require_positive("the standard deviation of the weights", std).map(|()| std)
        };
        network.layers().iter().map(deviation).collect()
    }

    /// The variance of the weights between two hidden layers, as a function of the fans.
    pub(super) fn hidden_variance(&self, activation: &Activation) -> Result<Hidden, Error> {
        let fails = |reason: &str| {
            Err(Error::Scheme {
                scheme: self.to_string(),
                activation: activation.to_string(),
                reason: reason.into(),
            })
        };
        Ok(match *self {
            Self::VarianceInformed { sigma_p, .. } => {
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
            Self::Xavier => Hidden::Sum,
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
            Self::Normal { std } => {
                require_positive("the standard deviation of the weights", std)?;
                Hidden::Fixed(std * std)
            }
        })
    }
}

/// The variance of the weights of a layer as a function of its fans.
pub(super) enum Hidden {
    /// A number divided by a fan.
    Over(Fan, f64),
    /// 2/(M_i + M_{i+1}).
    Sum,
    /// The same number for every layer.
    Fixed(f64),
}

impl Hidden {
    fn over(fan: Fan, numerator: f64) -> Self {
        Self::Over(fan, numerator)
    }

    fn of(&self, layer: &Layer) -> f64 {
        self.between(layer.fan_in, layer.fan_out)
    }

    pub(super) fn between(&self, fan_in: usize, fan_out: usize) -> f64 {
        match *self {
            Self::Over(Fan::In, numerator) => numerator / fan_in as f64,
            Self::Over(Fan::Out, numerator) => numerator / fan_out as f64,
            Self::Sum => 2.0 / (fan_in as f64 + fan_out as f64),
            Self::Fixed(variance) => variance,
        }
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
