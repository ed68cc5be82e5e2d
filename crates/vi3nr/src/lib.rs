//! Variance-informed initialization of coordinate networks, for any activation function.
//!
//! A coordinate network trains when two things hold at its start: every layer's preactivations have
//! the same variance, and gradients neither grow nor shrink from layer to layer. This crate turns an
//! activation function into weights for which the first holds exactly, and tells whether and where
//! the second does (Hewa Koneputugodage, Ben-Shabat, Ramasinghe and Gould, "VI³NR", CVPR 2025;
//! equation numbers are the paper's). No I/O, no threads, the same bits everywhere.
//!
//! # 1. The network and its activation
//!
//! Layer i maps x_i (M_i numbers) to z_i = W_i x_i (M_{i+1} numbers), and x_{i+1} = f(z_i). The
//! activation f is a built-in form or any expression in x ([`activation`], [`Formula`]):
//!
//! ```
//! use vi3nr::Activation;
//!
//! let built_in: Activation = "gaussian:sigma=0.05".parse()?;
//! let typed: Activation = "exp(-x^2/(2*s^2)):s=0.05".parse()?;
//! assert!((built_in.value(0.02) - typed.value(0.02)).abs() < 1e-15);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # 2. What f does to a normal distribution
//!
//! Wide layers add up many independent terms, so z ~ N(0, σ_p²). Four expectations under it decide
//! everything: E\[f\], E\[f²\], E\[f'\] and E\[f'²\]. [`Moments`] computes them in closed form where
//! one is known, for example Eq. (16), E\[f²\] = σ_r/√(σ_r² + 2) with σ_r = σ_a/σ_p for the Gaussian,
//! and otherwise by quadrature with an error bound that holds:
//!
//! ```
//! use vi3nr::Moments;
//!
//! let moments = Moments::of(&"x*tanh(log(1+exp(x)))".parse()?, 1.0)?;
//! assert!((moments.second_moment.value - 0.452342192375883).abs() < 1e-14);
//! assert!(moments.second_moment.error < 1e-13);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # 3. The forward condition
//!
//! Weights have mean 0 and are independent of each other and of x_i, so that of each product W x only
//! E\[W²\] E\[x²\] is left (the second moment, not the variance of x: f may have a mean):
//!
//! Var(z_i) = M_i σ²(W_i) E\[x_i²\]  (Eq. (3)).
//!
//! So the variance σ_p² is kept by
//!
//! σ²(W_i) = gain²(f, σ_p)/M_i,  gain²(f, σ_p) = σ_p²/E\[f(z)²\]  (Eq. (4) and (15)),
//!
//! or, for uniform weights on ±c, c = √3 σ(W_i), Eq. (7). The first layer sees coordinates instead
//! of f: σ²(W_0) = σ_p²/(M_0 E\[x_0²\]) with E\[x_0²\] = 1/3 on \[-1, 1\], Eq. (24)
//! ([`InputDistribution`]).
//!
//! ```
//! use vi3nr::Gain;
//!
//! // Close to the 2.78 that PyTorch found by experiment for tanh, but for sigma_p = 1 only.
//! let gain = Gain::of(&"tanh".parse()?, 1.0)?;
//! assert!((gain.gain_squared.value - 2.53617543).abs() < 1e-8);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # 4. The backward condition
//!
//! Going back, ∂L/∂z_i = f'(z_i) Σ_j W_ji ∂L/∂z_{i+1,j}, Eq. (8): M_{i+1} products where forward there
//! were M_i, and f' in the place of f. A layer multiplies the gradient's variance by
//! M_{i+1} σ²(W_i) E\[f'(z)²\], Eq. (10): a cond of 1.18, as of tanh at σ_p = 1, is a factor of 10^7 after
//! 100 layers. With the weights of the forward condition this is 1 where, Eq. (13),
//!
//! cond(σ_p) = (M_{i+1}/M_i) σ_p² E\[f'(z)²\]/E\[f(z)²\] = 1.
//!
//! σ_p is still free, and [`backward::solve`] finds all of its values that satisfy this; or every
//! value does, or none, and then it says how close one can come and where:
//!
//! ```
//! use vi3nr::backward::{Approach, Solution, solve};
//!
//! let Solution::Roots(roots) = solve(&"sinc".parse()?, 1.0)? else { panic!() };
//! assert!((roots[0].sigma_p - 2.223335).abs() < 1e-6);
//! let tanh = solve(&"tanh".parse()?, 1.0)?;
//! assert_eq!(tanh, Solution::None { infimum: 0.0, approached_at: Approach::Zero });
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! In networks of few layers σ_p is a choice with this value as the starting point (Sec. 3.5), and
//! [`auto_sigma_p`] makes one. What a σ_p does to f is seen best from its two ends: for σ_p far below
//! the width of f's features, f is its tangent: cond tends to 0 if f(0) ≠ 0, else to 1 if f'(0) ≠ 0; far above,
//! only f's tails count.
//!
//! # 5. Schemes, and the weights themselves
//!
//! A [`Scheme`] gives every layer its variance: the paper's and all the usual ones, each with what
//! it was derived for, a warning when it is misused, and the σ_p it amounts to. An [`InitRule`]
//! adds the distribution and the biases; [`draw`] draws the numbers from a counter-based generator
//! ([`rng`]), the same for a seed on every machine:
//!
//! ```
//! use vi3nr::{Activation, InitRule, Network, Scheme};
//!
//! let activation = Activation::gaussian(0.05)?;
//! let network =
//!     Network::builder().inputs(2).width(128).layers(8).outputs(3).activation(activation).build()?;
//! let rule = InitRule::new(Scheme::VarianceInformed { sigma_p: 0.15, last_sigma_p: None });
//! let plan = rule.plan(&network)?;
//! // Eq. (27): the first layer is uniform on ±sigma_p·sqrt(9/M_0).
//! let bound = plan[0].weight_std * 3f64.sqrt();
//! assert!((bound - 0.15 * (9.0f64 / 2.0).sqrt()).abs() < 1e-15);
//! let parameters = vi3nr::draw(&network, &plan, 1);
//! assert_eq!(parameters.len(), 99_843);
//!
//! let xavier: Scheme = "xavier".parse()?;
//! assert_eq!(xavier.derived_for(), "tanh, taken for the identity");
//! assert!(!xavier.warnings(network.activation()).is_empty());
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! A [`SchemeRequest`] and a [`SigmaRequest`] are what a person or a program asks for, such as `auto` and
//! `2*auto`; [`SchemeRequest::resolve`] gives the scheme, its σ_p, and the reason for it.
//!
//! # Accuracy
//!
//! [`Bounded`] carries a number and a bound on its distance from the exact one, roundings
//! included. Second moments are usually known to 1e-14 relative, roots to 1e-12. What is infinite,
//! undefined or unresolved is an [`Error`], never a number.
//!
//! The quadrature proves its bounds: f and f' are enclosed over complex neighborhoods of the pieces
//! of the line, which limits how much a Gauss rule can miss there. At points where an expression has
//! no enclosure, such as x/tanh(x) or abs(x)^0.9 at 0, the bound is a wide estimate instead, from how
//! much the rules with 16, 32 and 64 points differ. A gain takes 0.1 to 0.5 ms, some 20 ms where f
//! has tens of thousands of periods under the density (`cargo bench -p vi3nr`).

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
pub use backward::{Solution, auto_sigma_p, backward_condition};
pub use bounded::Bounded;
pub use error::Error;
pub use gain::{Gain, gain_squared};
pub use init::draw;
pub use input::InputDistribution;
pub use moments::{Method, Moments};
pub use network::{Layer, Network, NetworkBuilder};
pub use real::Real;
pub use scheme::{
    BiasRule, ChosenScheme, Fan, InitRule, LayerPlan, Scheme, SchemeRequest, SigmaP, SigmaRequest,
    WeightShape,
};

pub(crate) use error::require_positive;

/// Compiles and runs the example of README.md with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
