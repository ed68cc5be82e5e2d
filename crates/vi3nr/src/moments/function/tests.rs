use std::convert::Infallible;

use super::*;
use crate::{Activation, variance_sensitivity};

fn found(activation: &Activation, sigma: f64, with_slopes: bool) -> FunctionMoments {
    let mut evaluate = |points: &[f64]| {
        let pairs = points.iter().map(|x| activation.value_and_slope(*x));
        let (values, slopes): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Ok::<_, Infallible>(Samples { values, slopes: with_slopes.then_some(slopes) })
    };
    Moments::of_function(&activation.to_string(), sigma, f64::EPSILON, &mut evaluate).unwrap()
}

/// Every number of a function that is only evaluated lies within its estimated error of the exact one.
#[test]
fn estimates_agree_with_exact_moments() {
    for text in [
        "tanh",
        "gelu",
        "silu",
        "sine:omega=30",
        "gaussian:sigma=0.05",
        "sinc",
        "relu",
        "selu",
        "leaky_relu",
        "softplus",
        "exp(-abs(x))",
        "max(0,x-0.3)^2",
        "abs(x-1/3)",
        "x^3-x",
        "wavelet:a=10",
        "max(-1,min(1,x))",
        "x*max(0,sign(abs(x)-0.5))",
    ] {
        let Ok(activation) = text.parse::<Activation>() else { panic!("{text}") };
        for sigma in [0.05, 1.0, 7.0] {
            let Ok(exact) = Moments::of(&activation, sigma) else { continue };
            for with_slopes in [true, false] {
                let FunctionMoments { moments, sensitivity } =
                    found(&activation, sigma, with_slopes);
                for (name, seen, truth) in [
                    ("f", moments.mean, exact.mean),
                    ("f^2", moments.second_moment, exact.second_moment),
                    ("f'", moments.derivative_mean, exact.derivative_mean),
                    ("f'^2", moments.derivative_second_moment, exact.derivative_second_moment),
                ] {
                    let off = (seen.value - truth.value).abs();
                    assert!(
                        off <= seen.error + truth.error + f64::MIN_POSITIVE,
                        "{text} {sigma} {with_slopes}: {name} {seen:?}, exact {truth:?}"
                    );
                    let scale = truth.value.abs().max(libm::sqrt(exact.second_moment.value));
                    assert!(
                        seen.error <= 1e-9 * scale.max(1e-300) || !with_slopes,
                        "{text} {seen:?}"
                    );
                }
                if !text.contains("sign") {
                    let exact = variance_sensitivity(&activation, sigma).unwrap();
                    assert!((sensitivity.value - exact).abs() < 1e-7, "{text} {sigma}");
                }
            }
        }
    }
}

#[test]
fn what_is_infinite_or_not_a_number_is_an_error() {
    let of = |f: &dyn Fn(f64) -> f64, sigma: f64| {
        let mut evaluate = |points: &[f64]| {
            let values = points.iter().map(|x| f(*x)).collect();
            Ok::<_, Infallible>(Samples { values, slopes: None })
        };
        Moments::of_function("f", sigma, f64::EPSILON, &mut evaluate)
    };
    assert!(of(&|x| 1.0 / x, 1.0).is_err());
    assert!(of(&|x| libm::exp(x * x), 1.0).is_err());
    let message = of(&|x| libm::log(x), 1.0).unwrap_err().to_string();
    assert!(message.contains("f is NaN at x = -"), "{message}");
    // E[f'^2] of a root is infinite, and the gain exists.
    let root = of(&|x| libm::sqrt(x.abs()), 1.0).unwrap().moments;
    assert_eq!(root.derivative_second_moment.value, f64::INFINITY);
    let exact = libm::sqrt(2.0 / std::f64::consts::PI);
    assert!((root.second_moment.value - exact).abs() <= root.second_moment.error + 1e-15);
    // exp(x) overflows far out, where the density is negligible.
    assert!(of(&|x| x / (1.0 + libm::exp(-x)), 40.0).is_ok());
    // What is evaluated in single precision has a larger error.
    let mut single = |points: &[f64]| {
        let values = points.iter().map(|x| f64::from((*x as f32).tanh())).collect();
        Ok::<_, Infallible>(Samples { values, slopes: None })
    };
    let epsilon = f64::from(f32::EPSILON);
    let found = Moments::of_function("f", 1.0, epsilon, &mut single).unwrap().moments;
    let exact = Moments::of(&"tanh".parse().unwrap(), 1.0).unwrap();
    let off = (found.second_moment.value - exact.second_moment.value).abs();
    assert!(off <= found.second_moment.error && found.second_moment.error < 1e-5, "{found:?}");
}

#[test]
fn a_wrong_number_of_values_and_a_failure_are_reported() {
    let mut short = |_: &[f64]| Ok::<_, Infallible>(Samples::default());
    let error = Moments::of_function("f", 1.0, 0.0, &mut short).unwrap_err();
    assert!(error.to_string().contains("it gave 0 values for"), "{error}");
    let mut fails = |_: &[f64]| Err("no");
    let error = Moments::of_function("f", 1.0, 0.0, &mut fails).unwrap_err();
    assert!(matches!(error, FunctionError::Evaluation("no")));
}
