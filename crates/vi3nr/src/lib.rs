//! Variance-informed initialization of coordinate networks, for any activation function.
//!
//! A coordinate network trains well if two conditions hold at initialization: the preactivations of
//! all layers have the same variance, and gradients neither grow nor shrink from layer to layer.
//! For any activation function, this crate computes initial weights that satisfy the first
//! condition, and finds the preactivation scales that satisfy the second one (Hewa Koneputugodage,
//! Ben-Shabat, Ramasinghe and Gould, "VI³NR", CVPR 2025; equation numbers are those of the paper).
//! The crate does no I/O, starts no threads, and gives the same bits on every machine.
//!
//! # 1. The network and its activation
//!
//! Layer i maps x_i (M_i numbers) to the preactivations z_i = W_i x_i (M_{i+1} numbers), and
//! x_{i+1} = f(z_i). The activation f is a built-in form or any expression in x ([`activation`],
//! [`Formula`]):
//!
//! ```
//! use vi3nr::Activation;
//!
//! let built_in: Activation = "gaussian:sigma=0.05".parse()?;
//! let formula: Activation = "exp(-x^2/(2*s^2)):s=0.05".parse()?;
//! assert!((built_in.value(0.02) - formula.value(0.02)).abs() < 1e-15);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # 2. What f does to a normal distribution
//!
//! A preactivation of a wide layer is a sum of many independent terms, so z ~ N(0, σ_p²). The
//! theory needs four expectations under this distribution: E\[f\], E\[f²\], E\[f'\] and E\[f'²\].
//! [`Moments`] computes them in closed form where one is known, for example Eq. (16), E\[f²\] =
//! σ_r/√(σ_r² + 2) with σ_r = σ_a/σ_p for the Gaussian, and otherwise by quadrature with an error
//! bound:
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
//! Weights have mean 0 and are independent of each other and of x_i. The variance of each product W
//! x is therefore E\[W²\] E\[x²\] (with the second moment of x, not its variance, since f(z) may
//! have a mean other than 0):
//!
//! Var(z_i) = M_i σ²(W_i) E\[x_i²\]  (Eq. (3)).
//!
//! All layers have the variance σ_p² if
//!
//! σ²(W_i) = gain²(f, σ_p)/M_i,  gain²(f, σ_p) = σ_p²/E\[f(z)²\]  (Eq. (4) and (15)),
//!
//! or, for weights uniform on ±c, c = √3 σ(W_i), Eq. (7). The inputs of the first layer are
//! coordinates instead of values of f: σ²(W_0) = σ_p²/(M_0 E\[x_0²\]) with E\[x_0²\] = 1/3 on \[-1,
//! 1\], Eq. (24) ([`InputDistribution`]).
//!
//! ```
//! use vi3nr::Gain;
//!
//! // Close to the 2.78 that PyTorch uses for tanh, but valid for sigma_p = 1 only.
//! let gain = Gain::of(&"tanh".parse()?, 1.0)?;
//! assert!((gain.gain_squared.value - 2.53617543).abs() < 1e-8);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # 4. The backward condition
//!
//! The backward pass computes ∂L/∂z_i = f'(z_i) Σ_j W_ji ∂L/∂z_{i+1,j}, Eq. (8), a sum of M_{i+1}
//! products instead of M_i, with f' instead of f. A layer multiplies the variance of the gradient
//! by M_{i+1} σ²(W_i) E\[f'(z)²\], Eq. (10). A factor of 1.18, that of tanh at σ_p = 1, grows to
//! 10^7 over 100 layers. With the weights of the forward condition the factor is 1 if, Eq. (13),
//!
//! cond(σ_p) = (M_{i+1}/M_i) σ_p² E\[f'(z)²\]/E\[f(z)²\] = 1.
//!
//! [`backward::solve`] finds all values of σ_p that satisfy this equation. If every value satisfies
//! it, or none does, it says so, and in the latter case also gives the infimum of |cond - 1|:
//!
//! ```
//! use vi3nr::backward::{Approach, Solution, solve};
//!
//! let Solution::Roots(roots) = solve(&"sinc:a=1".parse()?, 1.0)?.solution else { panic!() };
//! assert!((roots[0].sigma_p - 2.223335).abs() < 1e-6);
//! let tanh = solve(&"tanh".parse()?, 1.0)?.solution;
//! assert_eq!(tanh, Solution::None { infimum: 0.0, approached_at: Approach::Zero });
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! In networks with few layers, σ_p is a hyperparameter and this value is a starting point (Sec.
//! 3.5); [`auto_sigma_p`] chooses one. Two limits describe the effect of σ_p. If σ_p is far below
//! the width of the features of f, then f acts as its tangent at 0, and cond tends to 0 if f(0) ≠
//! 0, otherwise to 1 if f'(0) ≠ 0. If σ_p is far above that width, only the tails of f matter.
//!
//! # 5. Schemes and initial weights
//!
//! A [`Scheme`] determines the variance of each layer's weights. There is the scheme of the paper
//! and the common ones (Xavier, Kaiming, SIREN and others). Each scheme knows the activations that
//! it was derived for, warnings for other activations, and the σ_p that it implies. An [`InitRule`]
//! adds the distribution of the weights and the biases. [`draw`] draws the numbers from a
//! counter-based generator ([`rng`]), so that a seed gives the same numbers on every machine:
//!
//! ```
//! use vi3nr::{Activation, InitRule, Network, Scheme};
//!
//! let activation = Activation::gaussian(0.05)?;
//! let network =
//!     Network::builder().inputs(2).width(128).layers(8).outputs(3).activation(activation).build()?;
//! let rule = InitRule::new(Scheme::ours(0.15));
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
//! A [`SchemeRequest`] and a [`SigmaRequest`] can leave the choice open, for example as `auto` and
//! `2*auto`. [`SchemeRequest::resolve`] returns the scheme, its σ_p, and where that σ_p comes from.
//!
//! # 6. Derivatives by the coordinates
//!
//! A loss on ∂Φ/∂x_d or on the Laplacian starts from derivatives whose variances the initial weights
//! decide too. [`derivatives`] follows them from layer to layer; it needs E\[f''²\], which
//! [`Moments::of_slope`] computes. Far from the first layer, ∂z/∂x_d is multiplied by the factor of
//! Eq. (10) for equal fans:
//!
//! ```
//! use vi3nr::{Activation, InitRule, Network, Scheme};
//!
//! let network = Network::uniform(2, 128, 8, 3, Activation::gaussian(0.05)?)?;
//! let rule = InitRule::new(Scheme::ours(0.15));
//! let predicted = rule.derivative_variances(&network)?.derivatives;
//! let growth = rule.gradient_growth(network.activation(), 0.15, 128, 128)?;
//! assert!((predicted[7] / predicted[6] / growth - 1.0).abs() < 0.01);
//! # Ok::<(), vi3nr::Error>(())
//! ```
//!
//! # Accuracy
//!
//! [`Bounded`] is a number together with a bound on its error, rounding errors included. The
//! relative error of second moments is usually 1e-14, and that of roots 1e-12. An expectation that
//! is infinite, undefined or not resolved is an [`Error`], never a number.
//!
//! The error bounds of the quadrature are proven under two assumptions: the integrands decrease
//! beyond 100 σ, and no pole or jump lies beyond ±1e6. f and f' are enclosed over complex
//! neighborhoods of the intervals of integration, which bounds the error of a Gauss rule there. Near
//! points at which an expression has no enclosure, such as x/tanh(x) or abs(x)^0.9 at 0, the bound is
//! a conservative estimate from the differences between the rules with 16, 32 and 64 points. A gain
//! takes 0.1 to 0.5 ms, and about 20 ms if f has tens of thousands of periods under the density
//! (`cargo bench -p vi3nr`).

pub mod activation;
pub mod backward;
mod bounded;
pub mod derivatives;
mod error;
pub mod finite_width;
mod gain;
pub mod init;
mod input;
pub mod moments;
pub mod network;
pub mod number;
pub mod printable;
mod real;
pub mod rng;
pub mod scheme;
pub mod stability;
pub mod suggest;

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
pub use stability::variance_sensitivity;

pub(crate) use error::require_positive;

/// Compiles and runs the example in README.md as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
