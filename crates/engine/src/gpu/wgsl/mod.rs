//! Activations as WGSL text.
//!
//! [`activation`] translates the program of an activation, built-in or typed, to straight-line code
//! on `vec4<f32>`. Its elementary functions are those of the files in `math`, because the functions
//! of WGSL may be accurate to 2^-11 only. Every file states the error of its function, which the
//! tests measure.
//!
//! # Numbers
//! Drivers may assume that there is neither infinity nor NaN, may fuse a product and a sum or not,
//! and may reassociate sums. The text therefore keeps the steps of a sum whose order matters apart
//! with a `min`, and differs from the programs of the CPU in these points:
//!
//! - Results that could overflow for an argument within ±1e15, quotients by 0 and the logarithm of 0
//!   are bounded by ±3.4e38. An exponential is at most that, and 0 for arguments below -87.33.
//! - A NaN argument gives NaN, so that a loss is not finite if anything before it is NaN, but its
//!   derivatives may be finite. Within a formula, only the logarithm and the power of a negative number
//!   make sure of a NaN.
//! - A sine of an argument beyond ±8192 loses its accuracy, and is only bounded far beyond.

mod functions;
mod program;
mod range;

use vi3nr::Activation;
use vi3nr::activation::formula::Program;

use crate::EngineError;

/// The text of `struct Jet { f0: vec4<f32>, … }` with `order` + 1 fields and of
/// `fn activate(x: vec4<f32>) -> Jet`, which computes the activation and its derivatives up to
/// `order`, 0 to 3, with the functions that it and the text `caller` use. All other names start with `math_` or `Math`.
///
/// At a kink, the derivatives of a built-in form are those of its left side, as in the other engines.
///
/// # Errors
/// Returns [`EngineError::Activation`] if the derivatives of a formula exceed its limits.
pub(in crate::gpu) fn activation(
    activation: &Activation,
    order: usize,
    caller: &str,
) -> Result<String, EngineError> {
    let body = body(activation, order)?;
    let library = functions::used_by(&format!("{body}{caller}"));
    let jet = jet("Jet", order);
    Ok(format!("{library}{jet}fn activate(x: vec4<f32>) -> Jet {{\n{body}}}\n"))
}

/// The struct of a value and its derivatives up to `order`.
fn jet(name: &str, order: usize) -> String {
    let fields: Vec<String> = (0..=order).map(|k| format!("f{k}: vec4<f32>")).collect();
    format!("struct {name} {{ {} }}\n", fields.join(", "))
}

/// The lines of a function that returns a `Jet`.
fn body(activation: &Activation, order: usize) -> Result<String, EngineError> {
    let failure = |error: vi3nr::Error| EngineError::Activation { reason: error.to_string() };
    let formula = activation.to_formula().map_err(failure)?;
    let program: &Program = formula.jet_program(order).map_err(failure)?;
    let kinks = match activation.definition() {
        Some(_) => program::Kinks::Left,
        None => program::Kinks::Mean,
    };
    Ok(program::lines(program, order, kinks))
}

#[cfg(test)]
mod tests;
