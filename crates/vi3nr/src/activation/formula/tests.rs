use super::jet::Derived;
use super::*;
use crate::{Activation, Bounded};

fn read(text: &str) -> Formula {
    Formula::read(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn message(text: &str) -> String {
    text.parse::<Activation>().unwrap_err().to_string()
}

#[test]
fn precedence_is_that_of_mathematics() {
    for (text, x, exact) in [
        ("-x^2", 3.0, -9.0),
        ("2^3^2+0*x", 1.0, 512.0),
        ("2^-x", 2.0, 0.25),
        ("1-2-3*x", 1.0, -4.0),
        ("8/4/2*x", 1.0, 1.0),
        ("--x", 2.0, 2.0),
        ("2--x", 2.0, 4.0),
        ("2*-x", 2.0, -4.0),
        ("1e2*x + .5 + 2.", 1.0, 102.5),
        ("2*e + x", 0.0, 2.0 * std::f64::consts::E),
        ("max(x, 1, -x)", -7.0, 7.0),
        ("min(1, x)", 0.5, 0.5),
        ("sign(x)", -2.0, -1.0),
        (" ( x ) ", 5.0, 5.0),
    ] {
        let (value, _) = read(text).program().run(x);
        assert!((value - exact).abs() < 1e-12, "{text} at {x} is {value}, not {exact}");
    }
}

/// Expressions with their derivatives computed by hand.
#[test]
fn derivatives_are_exact() {
    type Slope = fn(f64) -> f64;
    let cases: [(&str, Slope); 22] = [
        ("x^3 - 2*x", |x| 3.0 * x * x - 2.0),
        ("1/x", |x| -1.0 / (x * x)),
        ("x^-2", |x| -2.0 / (x * x * x)),
        ("abs(x)^1.5", |x| 1.5 * x.abs().sqrt() * x.signum()),
        ("exp(-x^2/2)", |x| -x * (-x * x / 2.0).exp()),
        ("exp(x)^2", |x| 2.0 * (2.0 * x).exp()),
        ("log(x^2+1)", |x| 2.0 * x / (x * x + 1.0)),
        ("sqrt(x^2+1)", |x| x / (x * x + 1.0).sqrt()),
        ("sin(3*x)*cos(x)", |x| 3.0 * (3.0 * x).cos() * x.cos() - (3.0 * x).sin() * x.sin()),
        ("tan(x/4)", |x| 0.25 / (x / 4.0).cos().powi(2)),
        ("tanh(2*x)", |x| 2.0 / (2.0 * x).cosh().powi(2)),
        ("sinh(x)-cosh(x)", |x| x.cosh() - x.sinh()),
        ("1/cosh(x)", |x| -x.sinh() / x.cosh().powi(2)),
        ("erf(x)", |x| std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp()),
        ("1+erf(x)", |x| std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp()),
        ("atan(2*x)", |x| 2.0 / (1.0 + 4.0 * x * x)),
        ("1/(1+exp(-x))", |x| (-x).exp() / (1.0 + (-x).exp()).powi(2)),
        ("log(1+exp(x))", |x| 1.0 / (1.0 + (-x).exp())),
        ("sin(2*x)/(3*x)", |x| (2.0 * (2.0 * x).cos() - (2.0 * x).sin() / x) / (3.0 * x)),
        ("(x^2+1)^x", |x| {
            (x * x + 1.0).powf(x) * ((x * x + 1.0).ln() + 2.0 * x * x / (x * x + 1.0))
        }),
        ("max(x, x^2) + min(x, 0)", |x| {
            if x > 1.0 {
                2.0 * x
            } else if x > 0.0 {
                1.0
            } else {
                2.0 * x + 1.0
            }
        }),
        ("abs(sin(x)) + sign(x)*x", |x| x.cos() * x.sin().signum() + x.signum()),
    ];
    for (text, slope) in cases {
        let formula = read(text);
        for x in [-2.3, -0.7, -0.01, 0.02, 0.4, 1.0 / 3.0, 1.9, 2.6] {
            let (value, seen) = formula.program().run(x);
            let exact = slope(x);
            assert!(
                (seen - exact).abs() <= 2e-13 * exact.abs().max(1.0) || !value.is_finite(),
                "({text})' at {x} is {seen}, not {exact}"
            );
        }
    }
}

#[test]
fn expressions_that_overflow_or_cancel_are_rewritten() {
    let mish = read("x*tanh(log(1+exp(x)))");
    assert_eq!(mish.program().run(8000.0), (8000.0, 1.0));
    assert_eq!(mish.program().run(-8000.0), (0.0, 0.0));
    assert_eq!(read("1/(1+exp(-x))").program().run(-1e4), (0.0, 0.0));
    assert_eq!(read("1/cosh(x)").program().run(1e4), (0.0, 0.0));
    let tanh = read("(exp(x)-exp(-x))/(exp(x)+exp(-x))");
    assert_eq!(tanh.program().run(-1e4), (-1.0, 0.0));
    assert_eq!(read("2/(exp(x)+exp(-x))").program().run(1.0).0, 1.0f64.sech());
    assert_eq!(read("sin(3*x)/(3*x)").program().run(0.0), (1.0, 0.0));
    assert_eq!(read("exp(x)-1").program().run(1e-20).0, 1e-20);
    assert!(read("x*(1+erf(x))").program().run(-10.0).0 < 0.0);
    // No 0/0 from a whole power at 0, and no logarithm in it.
    assert_eq!(read("x^2").program().run(0.0), (0.0, 0.0));
}

/// The program of f alone has fewer instructions than that of f and f', and the same bits.
#[test]
fn a_program_of_the_value_alone_is_shorter() {
    for (text, count) in [
        ("x*exp(-x^2)*cos(9*x)", 7),
        ("sin(x)/x", 1),
        ("x*sin(x)", 2),
        ("2+0*x", 0),
        ("x", 0),
        ("max(x,0.1*x)+cos(x)", 4),
    ] {
        let program = read(text).program().clone();
        let alone = program.first(1);
        assert_eq!(alone.instructions().len(), count, "{text}: {alone:?}");
        assert_eq!(program.first(2), program, "{text}");
        assert!(alone.run(0.5).1.is_nan());
        for x in [-2.5, -0.1, 0.0, 0.7, 3.0] {
            assert_eq!(alone.run(x).0, program.run(x).0, "{text} at {x}");
        }
    }
}

#[test]
fn subexpressions_are_computed_once() {
    // exp(-x^2/2) and its derivative share the exponential.
    let program = read("exp(-x^2/2)").program().clone();
    let is_exp = |i: &&Instruction| matches!(i.operation, Operation::Unary(Unary::Exp, _));
    assert_eq!(program.instructions().iter().filter(is_exp).count(), 1);
    // Sine and cosine come from one operation.
    let program = read("sin(30*x)").program().clone();
    let is_pair = |i: &&Instruction| matches!(i.operation, Operation::Pair { .. });
    assert_eq!(program.instructions().iter().filter(is_pair).count(), 1);
    assert_eq!(program.instructions().len(), 3);
    assert!(program.registers() <= 3);
}

#[test]
fn registers_are_not_overwritten_while_in_use() {
    // A value that is needed long after others have been overwritten.
    let text = "(x+1)*((x+2)*((x+3)*((x+4)*(sin(x)*cos(x)+x*exp(x)))))/(x+1+sin(x))";
    let formula = read(text);
    for x in [-0.3f64, 0.5, 2.0] {
        let f = |x: f64| {
            let inner = x.sin() * x.cos() + x * x.exp();
            (x + 1.0) * ((x + 2.0) * ((x + 3.0) * ((x + 4.0) * inner))) / (x + 1.0 + x.sin())
        };
        let (value, slope) = formula.program().run(x);
        assert!((value / f(x) - 1.0).abs() < 1e-14);
        let difference = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
        assert!((slope / difference - 1.0).abs() < 1e-8, "{slope} {difference}");
    }
}

#[test]
fn mistakes_are_shown_with_their_column() {
    for (text, column, reason) in [
        ("exp(-x^2", 4, "never closed"),
        ("x)+1", 2, "closes nothing"),
        ("2x", 2, "expected an operator"),
        ("x+", 3, "missing at the end"),
        ("x**2", 3, "written ^"),
        ("x # 2", 3, "expected an operator"),
        ("* x", 1, "found '*'"),
        ("gausian(x)", 1, "unknown function 'gausian'"),
        ("x + w", 5, "unknown symbol 'w'"),
        ("x + sin", 8, "needs its argument"),
        ("exp(x, 2)", 1, "takes one argument"),
        ("max(x)", 1, "two arguments"),
        ("x + 1.2.3", 5, "not a finite number"),
        ("x + 1e999", 5, "not a finite number"),
        ("x + ü", 5, "found 'ü'"),
        ("()", 2, "found ')'"),
    ] {
        let seen = message(text);
        assert!(seen.contains(&format!("column {column}:")), "{text}: {seen}");
        assert!(seen.contains(reason), "{text}: {seen}");
    }
}

#[test]
fn parameters_are_checked() {
    assert!(message("exp(-x^2/(2*s^2)):t=1").contains("'s'"));
    assert!(message("exp(-x):s=1").contains("'s'"));
    assert!(message("exp(-x*pi):pi=3").contains("'pi'"));
    assert!(message("exp(-x*s):s=inf").contains("finite"));
    assert!(message("exp(-x*s):s=1,s=2").contains("twice"));
    assert!(message("exp(-x*s):s").contains("key=value"));
    assert!(message("exp(-x*s):s=1:t=2").contains("not a number"));
    // A single name is a built-in form or a misspelled one, not a formula.
    assert!(message("gausian").contains("known: sine, gaussian"));
    assert!(message("gausian:sigma=1").contains("known: sine, gaussian"));
    assert!("x".parse::<Activation>().is_ok());
    let negative: Activation = "max(x,0)+s*min(x,0):s=-0.5".parse().unwrap();
    assert_eq!(negative.value(-2.0), 1.0);
}

#[test]
fn text_round_trips() {
    for text in ["exp(-x^2/(2*s^2)):s=0.05", "x*tanh(log(1+exp(x)))", "a*x+b*sin(x):b=2,a=-0.125"] {
        let activation: Activation = text.parse().unwrap();
        assert_eq!(activation.to_string(), text);
        assert_eq!(activation.to_string().parse::<Activation>().unwrap(), activation);
    }
}

#[test]
fn hostile_formulas_are_errors_and_do_not_overflow_the_stack() {
    assert!(message(&format!("{}x{}", "(".repeat(2000), ")".repeat(2000))).contains("deep"));
    assert!(message(&format!("x{}", "^2".repeat(1000))).contains("deep"));
    assert!(message(&"sin(".repeat(1000)).contains("deep"));
    assert!(message(&format!("{}x", "x+".repeat(1_000_000))).contains("bytes"));
    // 2000 distinct constants: too many operations.
    let sum: String = (0..350).map(|i| format!("+sin(x*{i})")).collect();
    assert!(message(&sum).contains("operations"), "{}", message(&sum));
    // Many signs in a row are a loop, not a recursion.
    assert!(format!("{}x", "-".repeat(4000)).parse::<Activation>().is_ok());
    // A power tower whose derivative doubles at every level.
    let tower = format!("{}x{}", "(".repeat(40), "+1)^(x+2)".repeat(40));
    let _ = tower.parse::<Activation>();
    for text in ["", ":", ":::", "x:", "=", "x=1", "\0", "x:x=1", "(((", "1/0", "log(0)", "x^1e300"]
    {
        let _ = text.parse::<Activation>().map(|f| f.value_and_slope(0.5));
    }
}

#[test]
fn kinks_are_found() {
    let kinks = |text: &str| read(text).kinks().to_vec();
    assert_eq!(kinks("abs(x)"), [0.0]);
    assert_eq!(kinks("max(x,0)"), [0.0]);
    assert_eq!(kinks("max(x-3, -5*x)"), [0.5]);
    assert_eq!(kinks("exp(-x^2)"), []);
    assert_eq!(kinks("abs(x^2+1)"), []);
    let found = kinks("abs(x^2-2)");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!((found[1] - 2f64.sqrt()).abs() < 1e-15);
    let found = kinks("sign(sin(x))*min(1, 300/abs(x))");
    assert!(found.len() == 256 && found.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(found.iter().any(|kink| (kink - std::f64::consts::PI).abs() < 1e-14));
    let found = kinks("abs(x - 1e-5)");
    assert!((found[0] - 1e-5).abs() < 1e-20);
}

#[test]
fn enclosures_hold() {
    for text in [
        "exp(-x^2/2)*cos(3*x)",
        "tanh(x)/(1+x^2)",
        "sqrt(x^2+0.3)-abs(x-0.4)",
        "sin(4*x)/(4*x)",
        "x*tanh(log(1+exp(x)))",
        "erf(2*x)-atan(x)",
        "1/cosh(x)+x^5-sinh(x/3)",
        "max(x,0)+0.1*min(x,0)",
        "(exp(x)-exp(-x))/(exp(x)+exp(-x))",
        "(x^2+1)^0.3",
    ] {
        let function = read(text);
        let derivative =
            function.derived(Derived::Slope, text, function.kinks().to_vec(), false).unwrap();
        let intervals = [(-3.0, -2.5), (-0.5, 0.25), (0.0, 1.0), (0.4, 0.41), (5.0, 900.0)];
        let cases = intervals.into_iter().flat_map(|ends| [(&function, ends), (&derivative, ends)]);
        for (formula, (from, to)) in cases {
            let mut sides = Sides::default();
            let (f, slope) = enclose(formula.program(), Region::interval(from, to), &mut sides);
            for step in 0..20 {
                let x = from + (to - from) * (f64::from(step) + 0.5) / 20.0;
                let (value, derivative) = formula.program().run(Bounded::exact(x));
                for (region, value) in [(f, value), (slope, derivative)] {
                    let region = region.plain();
                    if value.is_finite() {
                        let outside = value.value < region.lo - value.error
                            || value.value > region.hi + value.error;
                        assert!(!outside, "{text} at {x}: {value:?} outside {region:?}");
                    }
                }
            }
        }
    }
}

/// The second and third derivatives of formulas against fourth-order difference quotients.
#[test]
fn higher_derivatives_of_formulas_are_derivatives() {
    for text in [
        "exp(-x^2/2)",
        "x*exp(-x^2)*cos(9*x)",
        "sin(2*x)/(1+x^2)",
        "x*tanh(log(1+exp(x)))",
        "sin(3*x)/x",
        "erf(x)+atan(x)-sinh(x/2)*cosh(x/3)",
        "sqrt(1+x^2)+tan(x/4)",
        "max(x^3,0)+min(x,0.5)^4",
        "(x^2+1)^x",
        "sigmoid(3*x)*softplus(x)+sech(x)",
        "(1+abs(x))^3.5",
        "log(2+cos(x))",
        "x^5-3*x",
        "sinc(2*x)",
    ] {
        let formula = read(text);
        let program = formula.jet_program(3).unwrap();
        let second = formula.jet_program(2).unwrap();
        assert_eq!((program.outputs().len(), second.outputs().len()), (4, 3));
        for step in -30..=30 {
            let (x, h) = (0.0917 * f64::from(step) + 0.013, 2e-3);
            if formula.kinks().iter().any(|kink| (x - kink).abs() <= 2.0 * h) {
                continue;
            }
            let jet = program.run_jet(x);
            assert_eq!(second.run_jet(x)[..3], jet[..3], "{text} at {x}");
            assert!(second.run_jet(x)[3].is_nan());
            for order in [1, 2, 3] {
                let at = |offset: f64| program.run_jet(x + offset * h)[order - 1];
                let quotient = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
                let difference = (jet[order] - quotient).abs();
                let allowed = 1e-7 * jet.iter().fold(1.0, |sum: f64, f| sum.max(f.abs()));
                assert!(difference < allowed, "{text} at {x}: {jet:?}, {quotient}");
            }
        }
    }
}

/// Higher derivatives that are too long are an error when they are asked for, not before.
#[test]
fn limits_of_higher_derivatives_are_errors() {
    let chain = format!("{}x{}", "tanh(2*".repeat(40), ")".repeat(40));
    let formula = Formula::read(&chain, &[]).unwrap();
    let error = formula.jet_program(3).unwrap_err().to_string();
    assert!(error.contains("with its first 3 derivatives it needs over"), "{error}");
    let jet = Function::jet(&formula, 0.5);
    assert!(jet[0].is_finite() && jet[1].is_finite() && jet[3].is_nan(), "{jet:?}");
}
