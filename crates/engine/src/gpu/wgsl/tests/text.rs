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

#[test]
fn every_text_is_valid() {
    for name in catalog().map(|(name, _)| name).chain(FORMULAS) {
        let parsed: Activation = name.parse().unwrap();
        for order in 0..=3 {
            let text = activation(&parsed, order, "").unwrap();
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&text)));
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
            if let Err(error) = validator.validate(&module) {
                panic!("{name}: {}", error.emit_to_string(&text));
            }
        }
    }
}
