use super::*;
use crate::{Activation, Bounded};

#[test]
fn every_slope_is_the_derivative_of_its_value() {
    for (name, _) in catalog() {
        let activation: Activation = name.parse().unwrap();
        let h = 1e-5 * activation.feature_width();
        for step in -40..=40 {
            let x = 0.0707 * f64::from(step) * activation.feature_width() * 3.0 + 1.3e-3;
            if activation.kinks().iter().any(|kink| (x - kink).abs() <= h) {
                continue;
            }
            let difference = (activation.value(x + h) - activation.value(x - h)) / (2.0 * h);
            let slope = activation.value_and_slope(x).1;
            let scale = 1.0 / activation.feature_width();
            assert!(
                (slope - difference).abs() < 1e-8 * scale,
                "{activation}: f'({x}) = {slope}, difference quotient {difference}"
            );
        }
    }
}

/// f'' and f''' are the derivatives of f' and f'', by a fourth-order difference quotient.
#[test]
fn higher_derivatives_are_derivatives() {
    let variants = ["gaussian:sigma=2", "sinc:a=1", "softplus:beta=100", "elu:alpha=2"];
    for name in catalog().map(|(name, _)| name).chain(variants) {
        let activation: Activation = name.parse().unwrap();
        let width = activation.feature_width();
        let h = 2e-3 * width;
        for step in -40..=40 {
            let x = 0.0707 * f64::from(step) * width * 3.0 + 1.3e-3 * width;
            if activation.kinks().iter().any(|kink| (x - kink).abs() <= 2.0 * h) {
                continue;
            }
            let jet = activation.jet(x);
            let pair = activation.value_and_slope(x);
            let largest = (-20..=20).map(|i| activation.jet(x + f64::from(i) * 0.1 * width));
            let largest = largest.fold([0.0f64; 4], |largest, jet| {
                std::array::from_fn(|k| largest[k].max(jet[k].abs()))
            });
            for (k, same) in [pair.0, pair.1].into_iter().enumerate() {
                assert!((jet[k] - same).abs() <= 4e-15 * largest[k], "{name} at {x}: {jet:?}");
            }
            for order in [2, 3] {
                let at = |offset: f64| activation.jet(x + offset * h)[order - 1];
                let quotient = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
                let noise = 1e-12 / width.powi(order as i32);
                let allowed = noise + 1e-9 * (largest[order] + largest[order - 1] / width);
                let difference = (jet[order] - quotient).abs();
                assert!(difference < allowed, "{name}, order {order} at {x}: {jet:?}, {quotient}");
            }
        }
    }
}

/// The jets of the forms against the symbolic derivatives of their definitions, with bounds on the
/// rounding errors of both.
#[test]
fn higher_derivatives_agree_with_the_definitions() {
    for (name, _) in catalog() {
        let activation: Activation = name.parse().unwrap();
        let definition = activation.to_formula().unwrap();
        let program = definition.jet_program(3).unwrap();
        for step in -60..=60 {
            let x = 0.1234 * f64::from(step) * activation.feature_width() + 1e-3;
            let jet = activation.jet(x);
            let same = program.run_jet(Bounded::exact(x));
            let scale = activation.feature_width();
            for k in 0..4 {
                let own =
                    1e-13 * (0..=k).map(|j| jet[j].abs() / scale.powi((k - j) as i32)).sum::<f64>();
                let difference = (jet[k] - same[k].value).abs();
                assert!(
                    difference <= own + same[k].error,
                    "{name}, order {k} at {x}: {} and {:?}",
                    jet[k],
                    same[k]
                );
            }
        }
    }
}

#[test]
fn the_jet_of_sinc_is_smooth_across_its_series_limit() {
    let sinc: Activation = "sinc:a=1".parse().unwrap();
    for x in [1.4999999, 1.5, 1.5000001, -1.5, 0.3, 2.0] {
        let [value, slope, second, third] = sinc.jet(x);
        let exact = -value - 2.0 * slope / x;
        assert!((second - exact).abs() < 1e-14, "{x}: {second}, not {exact}");
        let exact = -slope - (value + 3.0 * second) / x;
        assert!((third - exact).abs() < 1e-13, "{x}: {third}, not {exact}");
    }
    assert_eq!(sinc.jet(0.0), [1.0, 0.0, -1.0 / 3.0, 0.0]);
    // u/5 - u³/42 near 0.
    let third = sinc.jet(1e-4)[3];
    assert!((third - (2e-5 - 1e-12 / 42.0)).abs() < 1e-19, "{third}");
}

#[test]
fn every_form_agrees_with_its_definition() {
    for (name, _) in catalog() {
        let activation: Activation = name.parse().unwrap();
        let definition = activation.to_formula().unwrap();
        for step in -60..=60 {
            let x = 0.1234 * f64::from(step) * activation.feature_width() + 1e-3;
            let (value, slope) = activation.value_and_slope_on(Bounded::exact(x));
            let (same, also) = definition.program().run(Bounded::exact(x));
            for (a, b) in [(value, same), (slope, also)] {
                let allowed = a.error + b.error + 1e-14 * a.value.abs();
                assert!((a.value - b.value).abs() <= allowed, "{name} at {x}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn stated_symmetries_are_those_of_the_definitions() {
    for (name, _) in catalog() {
        let activation: Activation = name.parse().unwrap();
        let definition = activation.to_formula().unwrap();
        assert_eq!(activation.symmetry(), definition.symmetry(), "{name}");
    }
}

/// The stated evenness agrees with samples of the function.
#[test]
fn evenness_agrees_with_samples() {
    let formulas =
        ["cos(x)", "x*abs(x)", "sin(x)+1", "cos(x)*exp(-x^2)", "abs(x)^1.5", "max(x,-x)"];
    let forms = catalog().map(|(name, _)| name).chain(["leaky_relu:slope=-1"]);
    for text in forms.chain(formulas) {
        let activation: Activation = text.parse().unwrap();
        let is_seen_even = (1..200).all(|step| {
            let x = 0.0173 * f64::from(step) * activation.feature_width();
            let (right, left) = (activation.value(x), activation.value(-x));
            (right - left).abs() <= 1e-12 * right.abs().max(left.abs())
        });
        assert_eq!(activation.is_even(), is_seen_even, "{text}");
    }
}

#[test]
fn tails_neither_overflow_nor_cancel() {
    let at = |name: &str, x: f64| name.parse::<Activation>().unwrap().value_and_slope(x);
    for (name, _) in catalog() {
        for x in [-1e4, -800.0, 800.0, 1e4] {
            let (value, slope) = at(name, x);
            assert!(value.is_finite() && slope.is_finite(), "{name} at {x}: {value} {slope}");
            let jet = name.parse::<Activation>().unwrap().jet(x);
            assert!(jet.iter().all(|f| f.is_finite()), "{name} at {x}: {jet:?}");
        }
        // Where x² overflows, but sin(x²) has no value.
        for x in [-1e200, 1e200] {
            let jet = name.parse::<Activation>().unwrap().jet(x);
            assert!(name == "finer" || jet.iter().all(|f| f.is_finite()), "{name} at {x}: {jet:?}");
        }
    }
    // Left tails with all their digits: x e^x, x Φ(x), e^x.
    assert!((at("silu", -40.0).0 / (-40.0 * (-40f64).exp()) - 1.0).abs() < 1e-14);
    assert!((at("softplus", -40.0).0 / (-40f64).exp() - 1.0).abs() < 1e-14);
    assert!((at("mish", -40.0).0 / (-40.0 * (-40f64).exp()) - 1.0).abs() < 1e-14);
    assert!((at("gelu", -10.0).0 / -7.619853024160495e-23 - 1.0).abs() < 1e-12);
    assert_eq!(at("elu", -1e-20).0, -1e-20);
}

#[test]
fn text_round_trips() {
    for text in ["sine:omega=30", "gaussian:sigma=0.05", "sinc:a=2.5", "tanh", "relu"] {
        let activation: Activation = text.parse().unwrap();
        assert_eq!(activation.to_string(), text);
        assert_eq!(activation.to_string().parse::<Activation>().unwrap(), activation);
    }
    let spaced: Activation = " gaussian : sigma = 5e-2 ".parse().unwrap();
    assert_eq!(spaced.to_string(), "gaussian:sigma=0.05");
}

#[test]
fn defaults_suit_coordinates() {
    let written: Vec<_> =
        catalog().map(|(name, _)| name.parse::<Activation>().unwrap().to_string()).collect();
    assert_eq!(
        written,
        [
            "sine:omega=30",
            "gaussian:sigma=0.05",
            "sinc:a=20",
            "wavelet:a=10",
            "tanh",
            "sigmoid",
            "relu",
            "leaky_relu:slope=0.01",
            "elu:alpha=1",
            "selu",
            "gelu",
            "silu",
            "softplus:beta=1",
            "mish",
            "erf",
            "laplacian:sigma=1",
            "quadratic:a=1",
            "multi_quadratic:a=1",
            "super_gaussian:sigma=1,b=1",
            "expsin:a=1",
            "finer:omega=30"
        ]
    );
}

#[test]
fn errors_say_what_was_expected() {
    let message = |text: &str| text.parse::<Activation>().unwrap_err().to_string();
    assert!(message("gausian").contains("known: sine, gaussian"));
    assert!(message("gaussian:omega=1").contains("known: sigma"));
    assert!(message("tanh:a=1").contains("known: none"));
    assert!(message("gaussian:sigma=0").contains("above 0"));
    assert!(message("gaussian:sigma=-1").contains("above 0"));
    assert!(message("gaussian:sigma=nan").contains("finite"));
    assert!(message("gaussian:sigma=inf").contains("finite"));
    assert!(message("gaussian:sigma").contains("not key=value"));
    assert!(message("gaussian:sigma=x").contains("not a number"));
    assert!(message("gaussian:sigma=1,sigma=2").contains("twice"));
    assert!(message("").contains("empty"));
    assert!(message(&"x".repeat(100_000)).contains("100000 bytes"));
}
