//! The paper's estimate of the moments: averages over random samples (Sec. 3.5).

use super::{Method, Moments, existence};
use crate::rng::{Random, Stream};
use crate::{Activation, Bounded, Error};

/// Most samples, and most operations on all of them, some 2 s: a long expression has fewer samples.
const MAX_SAMPLES: u64 = 10_000_000;
const MAX_OPERATIONS: u64 = 400_000_000;
/// What drawing a sample costs, in operations.
const DRAWING: u64 = 10;

pub(super) fn moments(
    activation: &Activation,
    sigma: f64,
    samples: u64,
    seed: u64,
) -> Result<Moments, Error> {
    if !(2..=MAX_SAMPLES).contains(&samples) {
        return Err(Error::OutOfRange {
            quantity: "samples".into(),
            value: samples as f64,
            expected: "a number from 2 to 10 million",
        });
    }
    let operations = DRAWING + activation.to_formula()?.program().instructions().len() as u64;
    let most = MAX_OPERATIONS / operations;
    if samples > most {
        return Err(Error::Moment {
            moment: "E[f^2]",
            activation: activation.to_string(),
            sigma,
            reason: format!(
                "{samples} samples are too many for an expression of this length; expected at most {most}"
            ),
        });
    }
    // A sample mean of what has no expectation is a number about the sample alone.
    let exist = existence::count(activation, sigma)?;
    let random = Random::new(seed, Stream::SAMPLES, 0);
    // Welford's running means and sums of squared deviations.
    let (mut means, mut squares) = ([0.0; 4], [0.0; 4]);
    for index in 0..samples {
        let (value, slope) = activation.value_and_slope(sigma * random.normal(index));
        let four = [value, value * value, slope, slope * slope];
        for (k, sample) in four.into_iter().enumerate() {
            let deviation = sample - means[k];
            means[k] += deviation / (index + 1) as f64;
            squares[k] += deviation * (sample - means[k]);
        }
    }
    let count = samples as f64;
    let moment = |k: usize| Bounded {
        value: means[k],
        error: libm::sqrt(squares[k] / (count - 1.0) / count),
    };
    let four = std::array::from_fn(moment);
    let method = Method::MonteCarlo { samples, seed };
    Moments::from_four(four, exist, method).checked(activation, sigma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_errors_are_honest() {
        for name in ["tanh", "relu", "gaussian", "exp(-abs(x))"] {
            let activation: Activation = name.parse().unwrap();
            let exact = Moments::of(&activation, 1.0).unwrap();
            let mut deviations = 0.0;
            for seed in 0..20 {
                let estimate = Moments::by_sampling(&activation, 1.0, 4000, seed).unwrap();
                let seen = estimate.second_moment;
                let deviation = (seen.value - exact.second_moment.value) / seen.error;
                assert!(deviation.abs() < 5.0, "{name}, seed {seed}: {deviation} standard errors");
                deviations += deviation * deviation / 20.0;
            }
            assert!((0.3..2.5).contains(&deviations), "{name}: {deviations}");
        }
    }

    #[test]
    fn impossible_requests_are_refused() {
        let tanh: Activation = "tanh".parse().unwrap();
        assert!(Moments::by_sampling(&tanh, 1.0, 1, 0).is_err());
        for samples in [10_000_001, u64::MAX] {
            let error = Moments::by_sampling(&tanh, 1.0, samples, 0).unwrap_err();
            assert!(matches!(error, Error::OutOfRange { .. }), "{error}");
        }
        let terms: Vec<String> = (1..20).map(|k| format!("sin({k}*x)")).collect();
        let long: Activation = terms.join("+").parse().unwrap();
        let error = Moments::by_sampling(&long, 1.0, 10_000_000, 0).unwrap_err().to_string();
        assert!(error.contains("10000000 samples are too many for an expression"), "{error}");
        assert!(Moments::by_sampling(&long, 1.0, 100, 0).is_ok());
        let log: Activation = "log(x)".parse().unwrap();
        assert!(Moments::by_sampling(&log, 1.0, 100, 0).is_err());
        assert!(Moments::by_sampling(&tanh, -1.0, 100, 0).is_err());
        for infinite in ["1/x", "1/(x-0.5)^2", "tan(x)", "exp(x^2)"] {
            let activation: Activation = infinite.parse().unwrap();
            assert!(Moments::by_sampling(&activation, 1.0, 100, 0).is_err(), "{infinite}");
        }
        let root: Activation = "sqrt(abs(x))".parse().unwrap();
        let sampled = Moments::by_sampling(&root, 1.0, 100, 0).unwrap();
        assert_eq!(sampled.derivative_second_moment, Bounded::exact(f64::INFINITY));
    }
}
