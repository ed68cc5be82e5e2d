//! The four expectations that decide an initialization.
//!
//! For a preactivation z ~ N(0, σ²) they are E[f(z)], E[f(z)²], E[f'(z)] and E[f'(z)²]. The second
//! one is μ²(x) + σ²(x) of the postactivation x = f(z), the denominator of Eq. (4); the last one
//! that of Eq. (12).
//!
//! ```
//! use vi3nr::{Activation, Moments};
//!
//! let gaussian: Activation = "gaussian:sigma=0.05".parse()?;
//! let moments = Moments::of(&gaussian, 1.0)?;
//! // Eq. (16) with sigma_r = 0.05.
//! let exact = 0.05 / (0.05f64.powi(2) + 2.0).sqrt();
//! assert!((moments.second_moment.value / exact - 1.0).abs() < 1e-14);
//! # Ok::<(), vi3nr::Error>(())
//! ```

pub(crate) mod budget;
mod closed;
mod existence;
mod function;
mod gauss;
mod integrand;
mod monte_carlo;
mod node_rule;
mod period;
mod quadrature;
pub(crate) mod scaled;
mod singular_panel;
mod strip;
mod sums;
mod tail;

pub use function::{FunctionError, FunctionMoments, Samples};

use crate::activation::formula::Derived;
use crate::{Activation, Bounded, Error};
use budget::Budget;

/// How expectations were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// From a formula for this activation.
    Closed,
    /// By integration with a bound on the error.
    Quadrature,
    /// From random samples, as in the paper (Sec. 3.5); the error is a standard error.
    MonteCarlo {
        /// How many samples.
        samples: u64,
        /// The seed they were drawn with.
        seed: u64,
    },
    /// By integration of a function that can only be evaluated; the errors are estimates.
    Function {
        /// The number of evaluations.
        evaluations: u64,
    },
}

/// E\[f\], E\[f²\], E\[f'\] and E\[f'²\] for z ~ N(0, σ²), each with a bound on its absolute error.
///
/// For [`Method::MonteCarlo`] the errors are one standard error instead: about every third exact
/// value lies farther away.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Moments {
    /// E\[f(z)\].
    pub mean: Bounded,
    /// E\[f(z)²\] = μ²(x) + σ²(x) of Eq. (5) and (6).
    pub second_moment: Bounded,
    /// E\[f'(z)\]; NaN if it does not exist, as for log(abs(x)).
    pub derivative_mean: Bounded,
    /// E\[f'(z)²\] = μ²(f'(z)) + σ²(f'(z)) of Eq. (10); infinite if f' is not square-integrable beside
    /// a point, as for sqrt(abs(x)). The gain then exists, and no backward condition.
    pub derivative_second_moment: Bounded,
    /// How they were obtained.
    pub method: Method,
}

impl Moments {
    /// The moments of `activation` under N(0, `sigma`²): in closed form where one is known, else by
    /// quadrature. Relative accuracy is some 1e-14 for second moments unless the function itself
    /// loses digits; the errors say.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma` is not a finite number above 0, and [`Error::Moment`] if
    /// the function is not a number somewhere, E\[f\] or E\[f²\] is infinite, or an expectation overflows
    /// or is not resolved by 40,000 panels or a million equally spaced points (some 0.3 s; fewer for
    /// a long expression).
    ///
    /// ```
    /// use vi3nr::{Activation, Moments};
    ///
    /// let swish: Activation = "x/(1+exp(-x))".parse()?;
    /// let moments = Moments::of(&swish, 1.0)?;
    /// assert!(moments.second_moment.error < 1e-13);
    ///
    /// let pole: Activation = "1/x".parse()?;
    /// assert!(Moments::of(&pole, 1.0).is_err());
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn of(activation: &Activation, sigma: f64) -> Result<Self, Error> {
        Self::within(activation, sigma, &Budget::unlimited())
    }

    /// [`Moments::of`] for one of many integrals of a search.
    pub(crate) fn within(
        activation: &Activation,
        sigma: f64,
        budget: &Budget,
    ) -> Result<Self, Error> {
        crate::require_positive("sigma_p", sigma)?;
        match Self::closed(activation, sigma)? {
            Some(moments) => Ok(moments),
            None => quadrature::moments(activation, sigma, budget),
        }
    }

    /// E\[(z/σ)² f(z)²\] under N(0, `sigma`²) by quadrature.
    pub(crate) fn by_square(activation: &Activation, sigma: f64) -> Result<Bounded, Error> {
        crate::require_positive("sigma_p", sigma)?;
        let budget = Budget::unlimited();
        Ok(quadrature::moments_by_power(activation, sigma, (2, 2), &budget)?.second_moment)
    }

    /// The expectations with (z/σ)^`power` as a factor by quadrature, where `power` is 0, 2 or 4.
    pub(crate) fn by_power(
        activation: &Activation,
        sigma: f64,
        power: i32,
        budget: &Budget,
    ) -> Result<Self, Error> {
        crate::require_positive("sigma_p", sigma)?;
        quadrature::moments_by_power(activation, sigma, (power, 4), budget)
    }

    /// The moments of f' instead of f: `mean` is E\[f'\], `second_moment` E\[f'²\],
    /// `derivative_mean` E\[f''\] and `derivative_second_moment` E\[f''²\], by quadrature.
    ///
    /// Where f' jumps, as that of the ReLU does at 0, f'' has a point mass there: its mean is then
    /// NaN and E\[f''²\] infinite.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma` is not a finite number above 0, [`Error::Formula`] if
    /// the second derivative of a formula needs more operations or intermediate results than are
    /// allowed, and [`Error::Moment`] as [`Moments::of`] does; the function that it names is then
    /// f'.
    ///
    /// ```
    /// use vi3nr::Moments;
    ///
    /// // E[(ω² sin)²] = ω⁴ (1 - e^(-2ω²σ²))/2.
    /// let curvature = Moments::of_slope(&"sine:omega=3".parse()?, 0.5)?.derivative_second_moment;
    /// let exact = 81.0 * (1.0 - (-2.0f64 * 9.0 * 0.25).exp()) / 2.0;
    /// assert!((curvature.value / exact - 1.0).abs() < 1e-13);
    ///
    /// let relu = Moments::of_slope(&"relu".parse()?, 1.0)?;
    /// assert!(relu.derivative_second_moment.value.is_infinite());
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn of_slope(activation: &Activation, sigma: f64) -> Result<Self, Error> {
        Self::by_power(&activation.derived(Derived::Slope)?, sigma, 0, &Budget::unlimited())
    }

    /// The moments in closed form; `None` where none is known.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma` is not a finite number above 0, and [`Error::Moment`] if
    /// a moment overflows.
    pub fn closed(activation: &Activation, sigma: f64) -> Result<Option<Self>, Error> {
        crate::require_positive("sigma_p", sigma)?;
        let four = activation.form().and_then(|form| closed::moments(form, sigma));
        four.map(|four| Self::from_closed_form(four).checked(activation, sigma)).transpose()
    }

    /// The moments by quadrature, even where a closed form is known.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Moments::of`] does.
    pub fn by_quadrature(activation: &Activation, sigma: f64) -> Result<Self, Error> {
        crate::require_positive("sigma_p", sigma)?;
        quadrature::moments(activation, sigma, &Budget::unlimited())
    }

    /// The paper's estimate: means over `samples` draws from N(0, `sigma`²), the same for the same
    /// `seed` everywhere. With a million samples it is good to about 1e-3.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma` is not a finite number above 0 or `samples` is not from 2
    /// to 10 million, and [`Error::Moment`] if E\[f\] or E\[f²\] is infinite, a sum is not finite, or
    /// an expression of more than 30 operations has too many samples (400 million operations in all).
    ///
    /// ```
    /// use vi3nr::Moments;
    ///
    /// let tanh = "tanh".parse()?;
    /// let estimate = Moments::by_sampling(&tanh, 1.0, 10_000, 1)?.second_moment;
    /// let exact = Moments::of(&tanh, 1.0)?.second_moment.value;
    /// assert!((estimate.value - exact).abs() < 5.0 * estimate.error);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn by_sampling(
        activation: &Activation,
        sigma: f64,
        samples: u64,
        seed: u64,
    ) -> Result<Self, Error> {
        crate::require_positive("sigma_p", sigma)?;
        monte_carlo::moments(activation, sigma, samples, seed)
    }

    /// Whether E\[f²\] and E\[f'²\] exist under N(0, `sigma`²), as far as that is known without
    /// integrating; moments that exist may still overflow or not be resolved.
    pub(crate) fn exist(activation: &Activation, sigma: f64) -> bool {
        matches!(existence::count(activation, sigma), Ok(4))
    }

    /// Moments from a closed form, each with the bound that its arithmetic has carried along.
    fn from_closed_form(four: [Bounded; 4]) -> Self {
        // What underflows is off by less than the smallest normal number.
        let [mean, second_moment, derivative_mean, derivative_second_moment] =
            four.map(|m| Bounded { value: m.value, error: m.error + f64::MIN_POSITIVE });
        let method = Method::Closed;
        Self { mean, second_moment, derivative_mean, derivative_second_moment, method }
    }

    /// Moments of which the first `count` exist.
    fn from_four(four: [Bounded; 4], count: usize, method: Method) -> Self {
        let [mean, second_moment, mut derivative_mean, mut derivative_second_moment] = four;
        if count < 3 {
            derivative_mean = Bounded { value: f64::NAN, error: f64::INFINITY };
        }
        if count < 4 {
            derivative_second_moment = Bounded { value: f64::INFINITY, error: 0.0 };
        }
        Self { mean, second_moment, derivative_mean, derivative_second_moment, method }
    }

    fn checked(self, activation: &Activation, sigma: f64) -> Result<Self, Error> {
        let named = [
            ("E[f]", self.mean),
            ("E[f^2]", self.second_moment),
            ("E[f']", self.derivative_mean),
            ("E[f'^2]", self.derivative_second_moment),
        ];
        // Moments that do not exist are told from those that overflow by the exact infinity.
        let is_known = |moment: &Bounded| moment.is_finite();
        let count = if self.derivative_second_moment == Bounded::exact(f64::INFINITY) {
            if self.derivative_mean.value.is_nan() { 2 } else { 3 }
        } else {
            4
        };
        match named.into_iter().take(count).find(|(_, moment)| !is_known(moment)) {
            None => Ok(self),
            Some((moment, _)) => Err(Error::Moment {
                moment,
                activation: activation.to_string(),
                sigma,
                reason: "it overflows".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_agree_with_quadrature() {
        for name in ["sine:omega=3", "gaussian:sigma=0.3", "wavelet:a=1.5", "relu"] {
            let activation: Activation = name.parse().unwrap();
            for sigma in [1e-3, 0.1, 0.5, 1.0, 2.0, 7.0] {
                let closed = Moments::closed(&activation, sigma).unwrap().unwrap();
                let integrated = Moments::by_quadrature(&activation, sigma).unwrap();
                let four = |m: Moments| {
                    [m.mean, m.second_moment, m.derivative_mean, m.derivative_second_moment]
                };
                for (exact, value) in four(closed).into_iter().zip(four(integrated)) {
                    let bound = exact.error + value.error;
                    assert!(
                        (exact.value - value.value).abs() <= bound,
                        "{name} at {sigma}: {value:?} {exact:?}"
                    );
                    assert!(exact.relative_error() < 1e-13 || exact.value.abs() < 1e-10);
                }
            }
        }
    }

    /// E[f''²] against closed forms.
    #[test]
    fn second_derivatives_have_the_moments_of_closed_forms() {
        let gaussian = |width: f64, sigma: f64| {
            let t = (sigma / width).powi(2);
            let q = t / (1.0 + 2.0 * t);
            (3.0 * q * q - 2.0 * q + 1.0) / (1.0 + 2.0 * t).sqrt() / width.powi(4)
        };
        let erf = |s: f64| 16.0 / std::f64::consts::PI * s * s / (1.0 + 4.0 * s * s).powf(1.5);
        for sigma in [0.01, 0.3, 1.0, 4.0, 30.0f64] {
            let left = 0.5 * (2.0 * sigma * sigma).exp() * libm::erfc(2f64.sqrt() * sigma);
            for (text, exact) in [
                ("gaussian:sigma=0.3", gaussian(0.3, sigma)),
                ("exp(-x^2/2)", gaussian(1.0, sigma)),
                ("erf", erf(sigma)),
                ("sine:omega=2", 8.0 * -(-8.0 * sigma * sigma).exp_m1()),
                ("x^3", 36.0 * sigma * sigma),
                ("x*abs(x)", 4.0),
                ("elu", if sigma < 5.0 { left } else { continue }),
            ] {
                let moments = Moments::of_slope(&text.parse().unwrap(), sigma).unwrap();
                let seen = moments.derivative_second_moment;
                assert!(
                    (seen.value - exact).abs() <= seen.error + 1e-13 * exact
                        && seen.error < 1e-10 * exact,
                    "{text} at {sigma}: {seen:?}, not {exact}"
                );
            }
        }
    }

    /// The moments of f' agree with those that belong to f, and those of f'' with a plain sum over
    /// the values of the jet, for every built-in form and some formulas; where f' jumps there are
    /// none.
    #[test]
    fn moments_of_slopes_agree_with_sums_over_jets() {
        let formulas = ["x*tanh(log(1+exp(x)))", "sin(3*x)/x", "sqrt(1+x^2)", "x^2*exp(-abs(x))"];
        let jumps = ["relu", "leaky_relu", "selu", "laplacian", "elu:alpha=2", "abs(x)", "sign(x)"];
        let names = crate::activation::builtin::catalog().map(|(name, _)| name);
        for text in names.chain(formulas).chain(jumps) {
            let activation: Activation = text.parse().unwrap();
            let sigma = 1.3 * activation.feature_width().min(1.0);
            let of_slope = Moments::of_slope(&activation, sigma).unwrap();
            if jumps.contains(&text) {
                assert!(of_slope.derivative_second_moment.value.is_infinite(), "{text}");
                assert!(of_slope.derivative_mean.value.is_nan(), "{text}");
                continue;
            }
            let own = Moments::of(&activation, sigma).unwrap();
            for (a, b) in [
                (own.derivative_mean, of_slope.mean),
                (own.derivative_second_moment, of_slope.second_moment),
            ] {
                let allowed = a.error + b.error + 1e-300;
                assert!((a.value - b.value).abs() <= allowed, "{text}: {a:?} {b:?}");
            }
            let h = sigma / 2000.0;
            let sum: f64 = (-20_000..20_000)
                .map(|k| {
                    let x = h * (f64::from(k) + 0.5);
                    activation.jet(x)[2].powi(2) * (-0.5 * (x / sigma).powi(2)).exp()
                })
                .sum();
            let sum = sum / 2000.0 / std::f64::consts::TAU.sqrt();
            let seen = of_slope.derivative_second_moment;
            assert!((seen.value / sum - 1.0).abs() < 1e-6, "{text}: {seen:?}, sum {sum}");
            assert!(seen.relative_error() < 1e-9, "{text}: {seen:?}");
        }
    }

    /// E[u⁴ g] where f has many periods under the density, and where it has few.
    #[test]
    fn powers_weigh_the_tails() {
        let sine: Activation = "sin(x)".parse().unwrap();
        for sigma in [0.5, 2.0, 9.0, 11.0, 200.0f64] {
            // E[u⁴ cos(2σu)] = (3 - 6t + t²) e^(-t/2) with t = 4σ².
            let t = 4.0 * sigma * sigma;
            let exact = 1.5 - 0.5 * (3.0 - 6.0 * t + t * t) * (-0.5 * t).exp();
            let seen = Moments::by_power(&sine, sigma, 4, &Budget::unlimited());
            let seen = seen.unwrap().second_moment;
            assert!(seen.contains(exact) && seen.error < 1e-13, "{sigma}: {seen:?}, not {exact}");
        }
    }

    #[test]
    fn sigma_must_be_positive_and_finite() {
        let tanh: Activation = "tanh".parse().unwrap();
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Moments::of(&tanh, sigma), Err(Error::OutOfRange { .. })));
        }
    }
}
