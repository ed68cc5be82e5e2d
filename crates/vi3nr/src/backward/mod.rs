//! The backward condition, Eq. (13), and the σ_p that satisfy it.
//!
//! One layer multiplies the variance of the gradient by M_{i+1} σ²(W_i) E\[f'(z)²\], Eq. (10).
//! With the weights of Eq. (4), σ²(W_i) = σ_p²/(M_i E\[f(z)²\]), that factor is
//!
//! cond(σ_p) = (M_{i+1}/M_i) σ_p² E\[f'(z)²\]/E\[f(z)²\],  z ~ N(0, σ_p²),
//!
//! and Eq. (13) asks for cond(σ_p) = 1. [`solve`] finds every solution, or says that every σ_p is
//! one, or that none exists; [`grid_search`] is the paper's own method, which always returns a
//! number.
//!
//! ```
//! use vi3nr::backward::{Approach, Solution, solve};
//!
//! // One root in closed form: sigma_p = sigma_a sqrt(1 + sqrt 2).
//! let Solution::Roots(roots) = solve(&"gaussian:sigma=0.05".parse()?, 1.0)? else { panic!() };
//! assert!((roots[0].sigma_p / (0.05 * (1.0 + 2f64.sqrt()).sqrt()) - 1.0).abs() < 1e-11);
//! // Every sigma_p serves the rectifier, none the sine: omega²sigma² coth(omega²sigma²) > 1.
//! assert_eq!(solve(&"relu".parse()?, 1.0)?, Solution::Every);
//! let sine = solve(&"sine:omega=30".parse()?, 1.0)?;
//! assert_eq!(sine, Solution::None { infimum: 0.0, approached_at: Approach::Zero });
//! # Ok::<(), vi3nr::Error>(())
//! ```

mod auto;
mod curve;
mod grid;
mod refine;
mod scan;
mod solve;

pub use auto::auto_sigma_p;
pub(crate) use auto::{BEARABLE, Fallback, fallback};
pub use curve::{CurvePoint, curve};
pub use grid::{GridAnswer, GridSearch, grid_search};
pub(crate) use refine::crossing;
pub(crate) use scan::scan;
pub use solve::{Approach, REACH, Root, Solution, solve};

use crate::{Activation, Error, Gain};

/// The left side of the backward condition, Eq. (13), for M_i = M_{i+1}:
/// σ_p² E\[f'(z)²\] / E\[f(z)²\], the factor by which one layer multiplies the gradient's variance.
///
/// # Errors
/// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Gain::of`] does, which also gives the error
/// bound.
pub fn backward_condition(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    Ok(Gain::of(activation, sigma_p)?.condition.value)
}
