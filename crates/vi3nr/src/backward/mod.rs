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
//! # At most one root
//! Let f be absolutely continuous on bounded intervals with finite moments, z ~ N(0, s²), and
//! G(s) = s² E\[f'(z)²\] - E\[f(z)²\], so that cond = 1 is G = 0 and cond > 1 is G > 0 for equal fans. Then
//!
//! d/ds \[G(s)/s\] = E\[(z f'(z) - f(z))²\]/s² >= 0.
//!
//! Proof. Let c_n be the coefficients of u → f(su) in the orthonormal Hermite polynomials, for
//! u ~ N(0, 1). Then E\[f²\] = Σ c_n² and s² E\[f'²\] = Σ n c_n², so G = Σ (n-1) c_n². The heat
//! equation gives s dc_n/ds = n c_n + √((n+1)(n+2)) c_{n+2}, hence
//!
//! s dG/ds - G = Σ (n-1)(2n-1) c_n² + 2 Σ (n-1) √((n+1)(n+2)) c_n c_{n+2}
//!             = Σ ((n-1) c_n + √((n+1)(n+2)) c_{n+2})²,
//!
//! and the last sum is over the squares of the coefficients of z f'(z) - f(z). ∎
//!
//! For fan-out/fan-in r >= 1 and G_r = r s² E\[f'²\] - E\[f²\] the same steps give
//! s dG_r/ds - G_r = (1 - 1/r) E\[f²\] + E\[(√r z f' - f/√r)²\] >= 0. The cases of [`Basis`] follow:
//!
//! - z f' = f almost everywhere means f = a max(x, 0) + b min(x, 0): every σ_p is a root. For any other f
//!   G/s grows, and cond crosses 1 at most once, upwards.
//! - If f(0) = 0, then f(z)² <= |z| ∫ f'² over \[-|z|, |z|\], so E\[f²\]/s → 0 as s → 0. Hence G(s)/s
//!   starts at 0 or above and never falls: cond >= 1 for every σ_p, and none or every σ_p is a root.
//! - If f(0) ≠ 0, cond → 0 as σ_p → 0. One certain sign below 1 and one above it enclose the only root;
//!   one above excludes roots beyond it, one below excludes them before it.
//!
//! Neither holds where f jumps or r < 1: there may be several roots, and the condition is scanned.
//!
//! ```
//! use vi3nr::backward::{Approach, Basis, Solution, solve};
//!
//! // One root in closed form: sigma_p = sigma_a sqrt(1 + sqrt 2).
//! let answer = solve(&"gaussian:sigma=0.05".parse()?, 1.0)?;
//! assert!(answer.is_proof());
//! let Solution::Roots(roots) = answer.solution else { panic!() };
//! assert!((roots[0].sigma_p / (0.05 * (1.0 + 2f64.sqrt()).sqrt()) - 1.0).abs() < 1e-11);
//! // Every sigma_p serves the rectifier, none the sine: omega²sigma² coth(omega²sigma²) > 1.
//! assert_eq!(solve(&"relu".parse()?, 1.0)?.solution, Solution::Every);
//! let sine = solve(&"sine:omega=30".parse()?, 1.0)?;
//! assert_eq!(sine.solution, Solution::None { infimum: 0.0, approached_at: Approach::Zero });
//! assert_eq!(sine.basis, Basis::VanishesAtZero);
//! # Ok::<(), vi3nr::Error>(())
//! ```

mod answer;
mod auto;
mod curve;
mod ends;
mod grid;
mod one_crossing;
mod refine;
mod scan;
mod solve;
mod survey;

pub use answer::{Answer, Approach, Basis, Root, ScanReason, Solution};
pub use auto::auto_sigma_p;
pub(crate) use auto::{Choice, MAX_DEVIATION, choose};
pub use curve::{CurvePoint, curve};
pub use grid::{GridAnswer, GridSearch, grid_search};
pub(crate) use refine::crossing;
pub(crate) use scan::scan;
pub use solve::solve;

use crate::{Activation, Error, Gain};

/// The left side of the backward condition, Eq. (13), for M_i = M_{i+1}:
/// σ_p² E\[f'(z)²\] / E\[f(z)²\], the factor by which one layer multiplies the gradient's variance.
///
/// # Errors
/// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Gain::of`] does, which also gives the error
/// bound.
pub fn backward_condition(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    Ok(Gain::of(activation, sigma_p)?.finite_condition(activation)?.value)
}
