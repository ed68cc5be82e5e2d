//! The moments agree with references computed with mpmath at 34 digits (`moments.py` next to this
//! file made `moments.tsv`): every value within 1e-10 relative, and within the stated bound.

use vi3nr::{Activation, Bounded, Moments};

/// Written form, sigma, and the four exact moments.
fn references() -> impl Iterator<Item = (&'static str, f64, [f64; 4])> {
    include_str!("moments.tsv").lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| fields[index].parse::<f64>().unwrap();
        (fields[0], number(1), [number(2), number(3), number(4), number(5)])
    })
}

fn four(m: Moments) -> [Bounded; 4] {
    [m.mean, m.second_moment, m.derivative_mean, m.derivative_second_moment]
}

#[test]
fn values_hold_and_bounds_are_never_exceeded() {
    let mut lines = 0;
    for (text, sigma, exact) in references() {
        let activation: Activation = text.parse().unwrap();
        let of = Moments::of(&activation, sigma).unwrap();
        // A billion periods are more than quadrature resolves; only the closed form reaches there.
        let is_hopeless = text.starts_with("finer") && sigma > 100.0;
        let quadrature =
            if is_hopeless { of } else { Moments::by_quadrature(&activation, sigma).unwrap() };
        // Means are compared on the scale of the root of the mean square.
        let scale = [exact[1].sqrt(), exact[1], exact[3].sqrt(), exact[3]];
        let tiny = 2.0 * f64::MIN_POSITIVE;
        for moments in [of, quadrature] {
            for (k, moment) in four(moments).into_iter().enumerate() {
                let error = (moment.value - exact[k]).abs();
                let case = format!("{text} at {sigma}, moment {k}, {:?}", moments.method);
                // The reference itself is rounded to a double here.
                let rounding = f64::EPSILON * exact[k].abs() + 1e-32 * scale[k];
                assert!(error <= moment.error + rounding, "{case}: {moment:?}, exact {}", exact[k]);
                assert!(error <= 1e-10 * scale[k] + tiny, "{case}: {moment:?}, exact {}", exact[k]);
                // 1/tanh(x) - x/sinh(x)^2 loses most of its digits near 0, and the bound knows.
                let tight = if text == "x/tanh(x)" && sigma < 0.01 { 1e-7 } else { 1e-9 };
                assert!(moment.error <= tight * scale[k] + tiny, "{case}: {moment:?}");
            }
        }
        lines += 1;
    }
    assert!(lines > 214, "{lines}");
}

/// Never a number for what has none.
#[test]
fn infinite_undefined_and_unresolved_expectations_are_errors() {
    for (text, sigma, reason) in [
        ("1/x", 1.0, "no finite integral exists near x = 0"),
        ("1/(x-3)", 1.0, "no finite integral exists near x = 3"),
        ("1/(x-0.5)^2", 1.0, ""),
        ("log(x)", 1.0, "not a number"),
        ("sqrt(x)", 1.0, "not a number"),
        ("(x-1)^0.5", 1.0, "not a number"),
        ("1/(1-x)", 1e-4, "no finite integral exists near x = 1"),
        ("tan(x)", 0.01, "no finite integral exists"),
        ("exp(x^2)", 1.0, "it is infinite"),
        ("exp(x^2)", 0.8, "as fast as the normal density falls"),
        ("exp(x^2/4)", 1.0, "as fast as the normal density falls"),
        ("exp(x)", 1000.0, "overflows"),
        ("exp(x)", 19.5, "overflow"),
        ("tan(x)", 1.0, "no finite integral exists"),
        ("1/sin(x)", 1.0, ""),
        ("x^200", 1e3, "overflow"),
        ("1/0+x", 1.0, ""),
        ("x^0.5", 1.0, "not a number"),
        ("sin(1e9*x)+x", 1.0, "all that is known is"),
    ] {
        let activation: Activation = text.parse().unwrap();
        let seen = Moments::of(&activation, sigma);
        let message = seen.map_err(|error| error.to_string());
        let message = message.expect_err(text);
        assert!(message.contains(reason), "{text} at {sigma}: {message}");
    }
}

/// The gain needs E\[f²\] only.
#[test]
fn a_gain_without_a_backward_condition_is_given() {
    for (text, second_moment) in [
        ("sqrt(abs(x))", 0.7978845608028654),
        ("abs(x)^0.5", 0.7978845608028654),
        // (ln 2 + gamma)²/4 + pi²/8.
        ("log(abs(x))", 0.25 * 1.2703628454614782f64.powi(2) + 1.2337005501361697),
    ] {
        let activation: Activation = text.parse().unwrap();
        let gain = vi3nr::Gain::of(&activation, 1.0).unwrap();
        let seen = gain.moments.second_moment;
        assert!((seen.value - second_moment).abs() < 1e-10, "{text}: {seen:?}");
        assert_eq!(gain.moments.derivative_second_moment.value, f64::INFINITY);
        assert_eq!(gain.condition.value, f64::INFINITY);
        assert!(gain.error_bound().is_finite());
        assert!(vi3nr::backward_condition(&activation, 1.0).is_err());
        assert_eq!(vi3nr::auto_sigma_p(&activation), Ok(1.0));
    }
}

/// Subnormal intermediates (references by Arb) and cancellations that rewriting avoids.
#[test]
fn bounds_hold_where_intermediates_underflow_or_cancel() {
    for (text, sigma, second_moment, slope_squared) in [
        ("max(x,0)*erfc(x)*exp(x^2)", 10.0, 0.142362674138, Some(0.0097783889)),
        ("log(exp(x))", 1000.0, 1e6, Some(1.0)),
        ("log(exp(x))", 250.0, 62500.0, Some(1.0)),
        ("sech(x)^0.01", 300.0, 0.13134534087, None),
        ("sin(x)^2+cos(x)^2", 1.0, 1.0, Some(0.0)),
        ("erf(x)+erfc(x)", 1.0, 1.0, Some(0.0)),
        ("abs(x)/x", 1.0, 1.0, Some(0.0)),
        ("(x*1e-170)^2*1e300", 1.0, 3e-80, Some(4e-80)),
        // By mpmath: e^x overflows where tanh(e^x) is 1.
        ("x*tanh(exp(x))", 10.0, 50.008_048_658_342_23, Some(0.508_353_800_332_248)),
        ("x*tanh(exp(x))", 1000.0, 500_000.000_081_898, Some(0.500_084_125_897_478_6)),
        // Means over one of very many periods.
        ("abs(sin(x))", 1e9, 0.5, Some(0.5)),
        ("sign(sin(x))", 1e6, 1.0, Some(0.0)),
    ] {
        let activation: Activation = text.parse().unwrap();
        let moments = Moments::of(&activation, sigma).unwrap();
        let seen = moments.second_moment;
        let off = (seen.value - second_moment).abs();
        assert!(off <= seen.error + 1e-10 * second_moment, "{text}: {seen:?}");
        assert!(seen.error <= 1e-9 * seen.value, "{text}: {seen:?}");
        if let Some(exact) = slope_squared {
            let seen = moments.derivative_second_moment;
            assert!((seen.value - exact).abs() <= seen.error + 1e-9 * exact, "{text}: {seen:?}");
        }
    }
    // Refused before, finite all along.
    for (text, sigma) in [
        ("log(sigmoid(x))", 1e3),
        ("sqrt(exp(-x^2))", 30.0),
        ("exp(-x^2)/(exp(-x^2)+exp(-(x-1)^2))", 100.0),
        ("x/(exp(x)-1)", 1e4),
        ("max(0,x)+min(0,0.5*(exp(x/0.5)-1))", 1e4),
        ("max(0,x)+min(0,0.5*(exp(x/0.5)-1))", 1e-3),
    ] {
        let moments = Moments::of(&text.parse().unwrap(), sigma).unwrap();
        let seen = moments.second_moment;
        assert!(seen.error <= 1e-10 * seen.value, "{text} at {sigma}: {seen:?}");
    }
}

/// A formula that spells out a built-in form has its numbers, its closed forms included.
#[test]
fn formulas_equal_to_built_ins_have_their_moments() {
    for (formula, built_in) in [
        ("sin(w*x):w=30", "sine:omega=30"),
        ("sin(x*30)", "sine:omega=30"),
        ("sin(w*(abs(x)+1)*x):w=30", "finer:omega=30"),
        ("exp(-x^2/(2*s^2)):s=0.05", "gaussian:sigma=0.05"),
        ("exp(-200*x^2)", "gaussian:sigma=0.05"),
        ("exp(-sin(3*x))", "expsin:a=3"),
        ("max(x,0)", "relu"),
        ("max(0,x)", "relu"),
        ("sin(2*x)/(2*x)", "sinc:a=2"),
        ("x*tanh(log(1+exp(x)))", "mish"),
        ("x/(1+exp(-x))", "silu"),
        ("0.5*x*(1+erf(x/sqrt(2)))", "gelu"),
        ("exp(-abs(x)/0.5)", "laplacian:sigma=0.5"),
        ("cos(x)*exp(-x^2)", "wavelet:a=1"),
        ("erf(x)", "erf"),
    ] {
        let (formula, built_in) =
            (formula.parse::<Activation>().unwrap(), built_in.parse::<Activation>().unwrap());
        for sigma in [1e-3, 0.05, 1.0, 30.0, 1e3] {
            let formulas = four(Moments::of(&formula, sigma).unwrap());
            let built_in = four(Moments::of(&built_in, sigma).unwrap());
            let scale = [built_in[1].value.sqrt(), built_in[1].value];
            for (k, (a, b)) in formulas.into_iter().zip(built_in).enumerate() {
                let scale = if k < 2 { scale[k] } else { b.value.abs().max(scale[0] / sigma) };
                assert!(
                    (a.value - b.value).abs() <= 1e-12 * scale,
                    "{formula} {sigma}: {a:?} {b:?}"
                );
            }
        }
    }
}

/// A spike, an oscillation or a step that nobody announces.
#[test]
fn hidden_features_are_found() {
    let second_moment = |text: &str, sigma: f64| {
        let activation: Activation = text.parse().unwrap();
        Moments::of(&activation, sigma).unwrap().second_moment
    };
    let spike = second_moment("exp(-(x-7.7)^2/(2*s^2)):s=0.00001", 10.0);
    let variance = 100.0 + 0.5e-10;
    let exact = (0.5e-10f64 / variance).sqrt() * (-7.7f64 * 7.7 / (2.0 * variance)).exp();
    assert!((spike.value / exact - 1.0).abs() < 1e-9, "{spike:?} {exact}");
    let fast = second_moment("sin(1e12*x)", 1e3);
    assert!((fast.value - 0.5).abs() <= fast.error && fast.error < 1e-14);
    let steps = second_moment("sign(sin(20*x))", 2.0);
    assert!((steps.value - 1.0).abs() < 1e-12 && steps.error < 1e-10);
    let step = second_moment("max(sign(x-1e-7),0)", 1.0);
    let above = 0.5 - 1e-7 / (2.0 * std::f64::consts::PI).sqrt();
    assert!((step.value - above).abs() < 1e-14, "{step:?}");
}
