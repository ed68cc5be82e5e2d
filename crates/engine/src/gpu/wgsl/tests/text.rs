//! The texts without a device.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use vi3nr::activation::builtin::catalog;

use super::super::*;

const FORMULAS: [&str; 8] = [
    "x*exp(-x^2)+0.5*sin(3*x)-tanh(x/2)",
    "max(x,0)^2",
    "sin(30*x)/(1+x^2)",
    "abs(x)^1.5",
    "x/0+1e300*x-1e-300",
    "x^0.5*sign(x)+x^-3+x^101",
    "exp(1000)*x+log(0*x)",
    "sinc(x)*sinh(x)*cosh(x)+sech(x)*atan(x)+min(tan(x),2)+softplus(x)",
];

/// Fails if the text of `name` up to the derivatives of `order` is not valid.
fn validate(name: &str, order: usize) {
    let text = activation(&name.parse().unwrap(), order, "").unwrap();
    let module = naga::front::wgsl::parse_str(&text)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&text)));
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    if let Err(error) = validator.validate(&module) {
        panic!("{name}: {}", error.emit_to_string(&text));
    }
}

#[test]
fn texts_of_built_in_forms_and_formulas_are_valid() {
    for name in catalog().map(|(name, _)| name).chain(FORMULAS) {
        (0..=3).for_each(|order| validate(name, order));
    }
}

#[test]
fn texts_of_all_functions_of_functions_and_of_constants_are_valid() {
    const FUNCTIONS: [&str; 18] = [
        "exp", "log", "sqrt", "abs", "sign", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sech",
        "erf", "erfc", "atan", "sinc", "sigmoid", "softplus",
    ];
    for outer in FUNCTIONS {
        for inner in FUNCTIONS {
            validate(&format!("{outer}({inner}(x))"), 2);
        }
        for constant in ["0", "-1", "1e39", "-1e39", "1e-46", "1/0", "log(0)", "exp(1000)"] {
            validate(&format!("x*{outer}({constant})/({constant})^2"), 1);
        }
    }
}

#[test]
fn texts_contain_what_is_needed_only() {
    let text = |name: &str, order| activation(&name.parse().unwrap(), order, "").unwrap();
    let sine = text("sine:omega=30", 1);
    assert!(sine.contains("fn math_sin_cos(") && !sine.contains("fn math_exp"), "{sine}");
    assert!(sine.contains("0x41f00000u") && !sine.contains("omega"), "{sine}");
    // The cosine and its factor belong to the derivative.
    assert!(sine.contains(".second") && !text("sine:omega=30", 0).contains(".second"));
    let named = text("exp(-x^2/width):width=2", 3);
    assert!(!named.contains("width") && !named.contains("//"), "{named}");
    let calls = |text: &str| text.matches("math_sech(x)").count();
    assert_eq!((calls(&text("tanh(x)", 0)), calls(&text("tanh(x)", 1))), (0, 1));
    // No result of a value or slope of a built-in form can overflow.
    for (name, _) in catalog() {
        let text = text(name, 1);
        let own = &text[text.find("fn activate").unwrap()..];
        assert!(!own.contains("3.4e38"), "{name}: {own}");
    }
}

#[test]
fn derivatives_of_too_large_a_formula_are_an_error() {
    let large = format!("{}x{}", "tanh(2*".repeat(40), ")".repeat(40));
    let large: Activation = large.parse().unwrap();
    activation(&large, 1, "").unwrap();
    let error = activation(&large, 3, "").unwrap_err();
    assert!(matches!(error, EngineError::Activation { .. }), "{error}");
}
