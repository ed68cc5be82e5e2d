//! The gain of an activation, Eq. (15), which sets the variance of the weights.

use crate::moments::budget::Budget;
use crate::{Activation, Bounded, Error, Moments, Real};

/// gain²(f, σ_p) = σ_p² / E\[f(z)²\] for z ~ N(0, σ_p²), Eq. (15): the variance of a layer's
/// weights times its fan-in, so that preactivations of variance σ_p² give preactivations of
/// variance σ_p².
///
/// Unlike the constants of `torch.nn.init.calculate_gain`, the value is valid for one σ_p only, and
/// the first layer must give its preactivations that standard deviation.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if `sigma_p` is not a finite number above 0, and [`Error::Moment`]
/// if a moment cannot be computed or f is 0 almost everywhere.
///
/// ```
/// let tanh = "tanh".parse()?;
/// assert!((vi3nr::gain_squared(&tanh, 1.0)? - 2.53617543).abs() < 1e-8);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn gain_squared(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    Ok(Gain::of(activation, sigma_p)?.gain_squared.value)
}

/// The gain, the backward condition and the moments for one activation and one σ_p, each with its
/// error bound.
///
/// ```
/// use vi3nr::Gain;
///
/// let gain = Gain::of(&"gaussian:sigma=0.05".parse()?, 1.0)?;
/// // gain² = sigma_p² sqrt(sigma_r² + 2)/sigma_r, Eq. (53).
/// assert!((gain.gain_squared.value - 28.3019434).abs() < 1e-7);
/// assert!((gain.condition.value - 199.7503121).abs() < 1e-6);
/// assert!(gain.error_bound() < 1e-11);
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Gain {
    /// The standard deviation of the preactivations.
    pub sigma_p: f64,
    /// The moments of f and f' under N(0, σ_p²).
    pub moments: Moments,
    /// gain²(f, σ_p) = σ_p²/E\[f²\], Eq. (15).
    pub gain_squared: Bounded,
    /// The square root of `gain_squared`: the standard deviation of the weights times √M_i.
    pub gain: Bounded,
    /// σ_p² E\[f'²\]/E\[f²\], the left side of Eq. (13) for M_i = M_{i+1}; infinite where E\[f'²\] is.
    pub condition: Bounded,
}

impl Gain {
    /// Computes the gain from [`Moments::of`].
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma_p` is not a finite number above 0, and
    /// [`Error::Moment`] if a moment cannot be computed or f is 0 almost everywhere.
    pub fn of(activation: &Activation, sigma_p: f64) -> Result<Self, Error> {
        Self::within(activation, sigma_p, &Budget::unlimited())
    }

    /// [`Gain::of`] for one of many gains of a search.
    pub(crate) fn within(
        activation: &Activation,
        sigma_p: f64,
        budget: &Budget,
    ) -> Result<Self, Error> {
        Self::from_moments(activation, sigma_p, Moments::within(activation, sigma_p, budget)?)
    }

    /// Computes the gain from other moments, for example those of [`Moments::by_sampling`], whose
    /// standard errors then propagate to first order.
    ///
    /// # Errors
    /// Returns [`Error::Moment`] if E\[f²\] is so small or so large that σ_p²/E\[f²\] is 0 or not
    /// finite.
    pub fn from_moments(
        activation: &Activation,
        sigma_p: f64,
        moments: Moments,
    ) -> Result<Self, Error> {
        Self::of_function(&activation.to_string(), sigma_p, moments)
    }

    /// The same for the moments of a function called `name`, which are those of
    /// [`Moments::of_function`].
    ///
    /// # Errors
    /// Returns [`Error::Moment`] as [`Gain::from_moments`] does.
    pub fn of_function(name: &str, sigma_p: f64, moments: Moments) -> Result<Self, Error> {
        let sigma = Bounded::exact(sigma_p);
        let gain_squared = sigma * sigma / moments.second_moment;
        if !(gain_squared.is_finite() && gain_squared.value > 0.0) {
            let seen = moments.second_moment.value;
            return Err(Error::Moment {
                moment: "sigma_p^2 / E[f^2]",
                activation: name.to_owned(),
                sigma: sigma_p,
                reason: format!("E[f^2] is {seen:e}, so no finite weight variance exists"),
            });
        }
        let condition = if moments.derivative_second_moment.is_finite() {
            gain_squared * moments.derivative_second_moment
        } else {
            Bounded::exact(f64::INFINITY)
        };
        Ok(Self { sigma_p, moments, gain_squared, gain: gain_squared.sqrt(), condition })
    }

    /// [`Gain::condition`], where it is finite.
    ///
    /// # Errors
    /// Returns [`Error::Moment`] if E\[f'²\] is infinite.
    pub fn finite_condition(&self, activation: &Activation) -> Result<Bounded, Error> {
        if self.condition.is_finite() {
            return Ok(self.condition);
        }
        Err(Error::Moment {
            moment: "E[f'^2]",
            activation: activation.to_string(),
            sigma: self.sigma_p,
            reason: "it is infinite: f'^2 has no finite integral".into(),
        })
    }

    /// √3 times the gain: the half-width of uniform weights times √M_i, Eq. (7).
    pub fn uniform_bound(&self) -> Bounded {
        Bounded::exact(3.0).sqrt() * self.gain
    }

    /// The largest absolute error bound among the moments, the gain and the condition.
    pub fn error_bound(&self) -> f64 {
        let m = &self.moments;
        [m.mean, m.second_moment, m.derivative_mean, m.derivative_second_moment]
            .iter()
            .chain([&self.gain_squared, &self.gain, &self.condition])
            .filter(|number| number.is_finite())
            .fold(0.0, |largest, number| largest.max(number.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backward_condition;

    fn near(seen: f64, exact: f64, digits: f64) {
        assert!((seen - exact).abs() <= digits, "{seen} is not {exact}");
    }

    /// Exact values at sigma_p = 1, computed independently of this code.
    #[test]
    fn gains_and_conditions_at_unit_sigma() {
        for (name, gain, condition) in [
            ("tanh", 2.53617543, 1.17780723),
            ("sigmoid", 3.40855984, 0.15282701),
            ("relu", 2.0, 1.0),
            ("gaussian:sigma=0.05", 28.3019434, 199.7503121),
            ("sinc:a=1", 1.30897650, 0.08564547),
            ("wavelet:a=1", 2.67741261, 1.38263517),
            ("sine:omega=1", 2.31303528, 1.31303528),
        ] {
            let activation = name.parse().unwrap();
            near(gain_squared(&activation, 1.0).unwrap(), gain, 6e-8 * gain.max(1.0));
            near(
                backward_condition(&activation, 1.0).unwrap(),
                condition,
                6e-8 * condition.max(1.0),
            );
        }
    }

    #[test]
    fn gaussian_gains_of_the_papers_table_8() {
        for (sigma_a, sigma_p, gain) in [
            (0.05, 0.33, 1.02227),
            (0.05, 0.41, 1.95661),
            (0.05, 0.15, 0.0980752),
            (0.05, 0.08, 0.0158327),
            (0.09, 0.40, 1.01831),
            (0.20, 0.65, 1.98732),
        ] {
            let activation = Activation::gaussian(sigma_a).unwrap();
            near(gain_squared(&activation, sigma_p).unwrap() / gain, 1.0, 5e-6);
        }
        let siren_lemma = Activation::sine(std::f64::consts::FRAC_PI_2).unwrap();
        near(gain_squared(&siren_lemma, 1.0).unwrap(), 2.01449, 5e-6);
    }
}
