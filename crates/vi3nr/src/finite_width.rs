//! What a finite width adds: how far variances drift from their targets in one network.
//!
//! Eq. (3) and (10) are means over the weights. In one network of N units per layer, the variance q_i
//! of the preactivations that layer i receives is a sum over N units, so that its logarithm deviates
//! from its target by a random y_i. To first order in 1/N,
//!
//! y_{i+1} = s χ y_i + s ξ_i,  Var ξ_i = (E\[f⁴\]/E\[f²\]² - 1)/N,
//!
//! where s = M σ²(W) E\[f²\]/σ_p² is the share of the weights in the variance (the biases have the
//! rest), and χ is [`variance_sensitivity`]. The
//! logarithm of the gradient's variance adds up over the layers:
//!
//! ln v_0 = Σ_i (ln g + χ' y_i + ξ'_i),  Var ξ'_i = (3 E\[f'⁴\]/E\[f'²\]² - 1)/N,
//!
//! with g = M σ²(W) E\[f'²\] of Eq. (10) and χ' = d ln E\[f'²\]/d ln σ_p²; the 3 is the kurtosis of the sum
//! W^T g over the units of the next layer. ξ_i and ξ'_i come from the same preactivations and have the
//! covariance (E\[f² f'²\]/(E\[f²\] E\[f'²\]) - 1)/N. The variances themselves keep their means, so the mean of a
//! logarithm is minus half the variance that its own noise adds.
//!
//! The derivation neglects the dependence between a layer's preactivations and the weights through which
//! the gradient returns, as Eq. (10) does, and terms of order 1/N².

use crate::activation::formula::Derived;
use crate::moments::budget::Budget;
use crate::{Activation, Error, Moments, require_positive, variance_sensitivity};

/// The deepest network for which [`FiniteWidth::max_depth`] gives a number.
pub const MAX_COUNTED_DEPTH: usize = 10_000;

/// The expectations that decide what a finite width adds, for one activation and one σ_p.
///
/// ```
/// use vi3nr::finite_width::{FiniteWidth, Layers};
///
/// let tanh = FiniteWidth::of(&"tanh".parse()?, 1.0)?;
/// // Eq. (4) in 100 layers of 1,000 units: the paper measures E_f = 2.1 % (Table 2).
/// let plain = Layers { share: 1.0, growth: 1.178, width: 1000, depth: 100 };
/// assert!((tanh.forward(&plain).smape() - 2.1).abs() < 0.1);
/// // The rectifier has no σ_p of its own, so that nothing restores the variance.
/// let relu = FiniteWidth::of(&"relu".parse()?, 1.0)?;
/// assert_eq!(relu.max_depth(1.0, 1000), Some(20));
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiniteWidth {
    /// χ = d ln E\[f²\]/d ln σ_p².
    pub chi: f64,
    /// χ' = d ln E\[f'²\]/d ln σ_p².
    pub slope_chi: f64,
    /// E\[f⁴\]/E\[f²\]².
    pub value_ratio: f64,
    /// E\[f'⁴\]/E\[f'²\]².
    pub slope_ratio: f64,
    /// E\[f² f'²\]/(E\[f²\] E\[f'²\]).
    pub cross_ratio: f64,
}

/// Equal layers between hidden ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layers {
    /// The share of the weights in the variance of the preactivations, M σ²(W) E\[f²\]/σ_p²: 1 without
    /// biases.
    pub share: f64,
    /// The factor by which a layer multiplies the variance of the gradient, M σ²(W) E\[f'²\], Eq. (10).
    pub growth: f64,
    /// The number of units per layer.
    pub width: usize,
    /// The number of layers.
    pub depth: usize,
}

/// The predicted distribution of ln(v/t), where v is the variance over the units of one sample in one
/// network and t its target: normal with this mean and this standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogVariance {
    /// The mean.
    pub mean: f64,
    /// The standard deviation over networks.
    pub std: f64,
}

impl LogVariance {
    /// The expected error in percent, 100 E\[|v - t|/(v + t)\], without the factor 2 as in the paper. One
    /// network gives a single draw if all of its samples have become alike.
    pub fn smape(&self) -> f64 {
        // |v - t|/(v + t) = |tanh(ln(v/t)/2)|, over ±8 standard deviations.
        const STEPS: i32 = 400;
        let (mut sum, mut total) = (0.0, 0.0);
        for step in -STEPS..=STEPS {
            let u = 8.0 * f64::from(step) / f64::from(STEPS);
            let density = libm::exp(-0.5 * u * u);
            sum += density * libm::tanh(0.5 * (self.mean + self.std * u)).abs();
            total += density;
        }
        100.0 * sum / total
    }
}

impl FiniteWidth {
    /// Computes the expectations by quadrature under N(0, `sigma_p`²).
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma_p` is not a finite number above 0, [`Error::Formula`] if
    /// the program of f² or f'² exceeds the limits of programs, and [`Error::Moment`] if an expectation
    /// is infinite, undefined or not resolved, or E\[f'²\] is 0.
    pub fn of(activation: &Activation, sigma_p: f64) -> Result<Self, Error> {
        require_positive("sigma_p", sigma_p)?;
        let budget = Budget::unlimited();
        let by_power = |activation: &Activation, power: i32| {
            Moments::by_power(activation, sigma_p, power, &budget)
        };
        let plain = Moments::of(activation, sigma_p)?;
        let (value, slope) = (plain.second_moment.value, plain.derivative_second_moment.value);
        if !(slope.is_finite() && slope > 0.0) {
            return Err(Error::Moment {
                moment: "E[f'^2]",
                activation: activation.to_string(),
                sigma: sigma_p,
                reason: format!("it is {slope}, so the gradient has no variance to keep"),
            });
        }
        let square = by_power(&activation.derived(Derived::Square)?, 0)?;
        let squared_slope = by_power(&activation.derived(Derived::SquaredSlope)?, 0)?;
        let weighted_slope = by_power(activation, 2)?.derivative_second_moment.value;
        Ok(Self {
            chi: variance_sensitivity(activation, sigma_p)?,
            slope_chi: 0.5 * (weighted_slope / slope - 1.0),
            value_ratio: square.second_moment.value / (value * value),
            slope_ratio: squared_slope.second_moment.value / (slope * slope),
            // (f²)' = 2 f f'.
            cross_ratio: 0.25 * square.derivative_second_moment.value / (value * slope),
        })
    }

    /// ln(v/σ_p²) for the preactivations after the last layer. The input preactivations are N(0, σ_p²).
    pub fn forward(&self, layers: &Layers) -> LogVariance {
        let Layers { share, width, depth, .. } = *layers;
        let (mean, variance) = self.drift(share, width).take(depth).last().unwrap_or_default();
        let sampling = 2.0 / (width as f64 - 1.0);
        LogVariance { mean: mean - 0.5 * sampling, std: libm::sqrt(variance + sampling) }
    }

    /// The mean and the variance of y_1, y_2 and so on to that of [`MAX_COUNTED_DEPTH`].
    fn drift(&self, share: f64, width: usize) -> impl Iterator<Item = (f64, f64)> {
        let factor = share * self.chi;
        let noise = share * share * (self.value_ratio - 1.0) / width as f64;
        let next = move |(mean, variance): &(f64, f64)| {
            Some((factor * mean - 0.5 * noise, factor * factor * variance + noise))
        };
        core::iter::successors(next(&(0.0, 0.0)), next).take(MAX_COUNTED_DEPTH)
    }

    /// ln v for the gradient with respect to the input preactivations, whose target is 1. The gradient
    /// with respect to the last preactivations is N(0, 1).
    pub fn backward(&self, layers: &Layers) -> LogVariance {
        let Layers { share, growth, width, depth } = *layers;
        let (factor, width) = (share * self.chi, width as f64);
        let (value, slope, cross) =
            (self.value_ratio - 1.0, 3.0 * self.slope_ratio - 1.0, self.cross_ratio - 1.0);
        // The noise of a layer also reaches the slopes of all later layers, through their variances.
        let (mut later, mut variance) = (0.0, 2.0 / width);
        for _ in 0..depth.min(MAX_COUNTED_DEPTH) {
            let reach = self.slope_chi * share * later;
            variance += (slope + 2.0 * reach * cross + reach * reach * value) / width;
            later = 1.0 + factor * later;
        }
        LogVariance {
            mean: depth as f64 * libm::log(growth) - 0.5 * variance,
            std: libm::sqrt(variance),
        }
    }

    /// The largest number of layers of `width` units after which the variance q of the preactivations is
    /// within a factor of 2 of its target with a probability of 95 %: the mean and two standard
    /// deviations of ln(q/σ_p²) are within ln 2. `None` if it is at every depth. `share` is that of
    /// [`Layers`]. q is that over the weights of the layer, without the sampling error of a variance over
    /// its units.
    pub fn max_depth(&self, share: f64, width: usize) -> Option<usize> {
        self.drift(share, width).position(|(mean, variance)| {
            let reach = mean.abs() + 2.0 * libm::sqrt(variance);
            // A deviation that overflows is not a number.
            reach.is_nan() || reach > core::f64::consts::LN_2
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, sigma_p: f64) -> FiniteWidth {
        FiniteWidth::of(&text.parse().unwrap(), sigma_p).unwrap()
    }

    fn near(seen: f64, exact: f64) {
        assert!((seen - exact).abs() < 1e-10 * exact.abs().max(1.0), "{seen}, not {exact}");
    }

    /// Closed forms: E[sin⁴] = (3 - 4 e^(-2v) + e^(-8v))/8 with v = ω²σ², and the same with cos.
    #[test]
    fn expectations_are_those_of_closed_forms() {
        let (omega, sigma) = (3.0f64, 0.4f64);
        let v = (omega * sigma).powi(2);
        let seen = of("sine:omega=3", sigma);
        let sine = 0.5 * (1.0 - (-2.0 * v).exp());
        let cosine = 0.5 * (1.0 + (-2.0 * v).exp());
        let fourth = |sign: f64| (3.0 + sign * 4.0 * (-2.0 * v).exp() + (-8.0 * v).exp()) / 8.0;
        near(seen.value_ratio, fourth(-1.0) / (sine * sine));
        near(seen.slope_ratio, fourth(1.0) / (cosine * cosine));
        near(seen.cross_ratio, (1.0 - (-8.0 * v).exp()) / 8.0 / (sine * cosine));
        near(seen.chi, 2.0 * v / (2.0 * v).exp_m1());
        near(seen.slope_chi, -2.0 * v / ((2.0 * v).exp() + 1.0));
        let relu = of("relu", 0.7);
        near(relu.value_ratio, 6.0);
        near(relu.slope_ratio, 2.0);
        near(relu.cross_ratio, 2.0);
        near(relu.slope_chi, 0.0);
        // A formula and the built-in form agree.
        let (form, formula) = (of("tanh", 0.8), of("sinh(x)/cosh(x)", 0.8));
        near(form.value_ratio, formula.value_ratio);
        near(form.slope_ratio, formula.slope_ratio);
    }

    /// The logarithm of a variance that keeps its mean has minus half its variance as its mean.
    #[test]
    fn a_rectifier_walks_at_random() {
        let relu = of("relu", 1.0);
        let layers = Layers { share: 1.0, growth: 1.0, width: 500, depth: 40 };
        let forward = relu.forward(&layers);
        near(forward.std.powi(2), 40.0 * 5.0 / 500.0 + 2.0 / 499.0);
        near(forward.mean, -0.5 * forward.std.powi(2));
        let backward = relu.backward(&layers);
        near(backward.std.powi(2), 40.0 * 5.0 / 500.0 + 2.0 / 500.0);
    }

    #[test]
    fn unstable_and_narrow_networks_are_limited_in_depth() {
        let gelu = of("gelu", 1.0);
        let depth = gelu.max_depth(1.0, 500).unwrap();
        assert!((3..8).contains(&depth), "{depth}");
        assert!(gelu.max_depth(1.0, 5000).unwrap() > depth);
        // With chi < 1 the deviation is bounded.
        assert_eq!(of("tanh", 1.0).max_depth(1.0, 500), None);
        assert_eq!(of("tanh", 1.0).max_depth(1.0, 2), Some(0));
    }

    #[test]
    fn errors_of_deviations_have_no_factor_two() {
        near(LogVariance { mean: 0.0, std: 0.0 }.smape(), 0.0);
        near(LogVariance { mean: 3f64.ln(), std: 0.0 }.smape(), 50.0);
        // 100 E|y|/2 for small deviations.
        let small = LogVariance { mean: 0.0, std: 1e-3 }.smape();
        assert!((small / (0.05 * (2.0 / core::f64::consts::PI).sqrt()) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn what_does_not_exist_is_an_error() {
        for (text, sigma_p) in [("tanh", f64::NAN), ("sign(x)+2", 1.0), ("1/x", 1.0)] {
            assert!(FiniteWidth::of(&text.parse().unwrap(), sigma_p).is_err(), "{text}");
        }
    }
}
