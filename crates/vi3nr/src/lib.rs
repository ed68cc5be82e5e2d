//! Variance-informed initialisation of coordinate networks, for any activation function.
//!
//! A coordinate network trains when two things hold at its start: every layer's preactivations have
//! the same variance σ_p², and gradients neither grow nor shrink from layer to layer. This crate
//! turns an activation function and a choice of σ_p into weights for which the first holds, and
//! tells how well the second does (Hewa Koneputugodage, Ben-Shabat, Ramasinghe and Gould, "VI³NR",
//! CVPR 2025; equation numbers are the paper's).
//!
//! Read in this order: [`activation`] (what a function is), [`moments`] (what it does to a normal
//! distribution), [`gain_squared`] (what the weights must do in return), [`network`], [`scheme`]
//! (the choice for every layer), [`init`] (the weights themselves), [`rng`] (where their randomness
//! comes from).
//!
//! ```
//! use vi3nr::{BiasRule, InitRule, Network, Scheme, WeightShape};
//!
//! let network = Network::uniform(2, 128, 8, 3, "gaussian:sigma=0.05".parse()?)?;
//! let rule = InitRule {
//!     scheme: Scheme::VarianceInformed { sigma_p: 0.15, last_sigma_p: None },
//!     weights: WeightShape::Uniform,
//!     biases: BiasRule::Zero,
//! };
//! let plan = rule.plan(&network)?;
//! // Eq. (27): the first layer is uniform on ±sigma_p·sqrt(9/M_0).
//! let bound = plan[0].weight_std * 3f64.sqrt();
//! assert!((bound - 0.15 * (9.0f64 / 2.0).sqrt()).abs() < 1e-15);
//! let parameters = vi3nr::draw(&network, &plan, 1);
//! assert_eq!(parameters.len(), 99_843);
//! # Ok::<(), vi3nr::Error>(())
//! ```

pub mod activation;
pub mod backward;
mod bounded;
mod error;
mod gain;
pub mod init;
mod input;
pub mod moments;
pub mod network;
mod real;
pub mod rng;
pub mod scheme;

pub use activation::{Activation, Formula};
pub use backward::{Solution, backward_condition};
pub use bounded::Bounded;
pub use error::Error;
pub use gain::{Gain, gain_squared};
pub use init::draw;
pub use input::InputDistribution;
pub use moments::{Method, Moments};
pub use network::{Layer, Network};
pub use real::Real;
pub use scheme::{BiasRule, Fan, InitRule, LayerPlan, Scheme, WeightShape};

/// Refuses what is not a finite number above 0.
fn require_positive(quantity: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::OutOfRange { quantity: quantity.into(), value, expected: "a finite number above 0" })
}
