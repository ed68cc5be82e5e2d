//! What becomes of an error in the variance of the preactivations from layer to layer.

use std::fmt;

use crate::finite_width::FiniteWidth;
use crate::number::significant;
use crate::{Activation, Error, Gain, InitRule, Moments, Network};

/// Factors this close to 1 are taken for 1.
const SAME: f64 = 1e-6;
/// The factor of a σ_p that is offered: an error shrinks tenfold in 229 layers or fewer.
const MAX_OFFERED: f64 = 0.99;
/// The σ_p that are tried for an offer: so many per decade over so many decades on both sides.
const PER_DECADE: i32 = 6;
const DECADES: i32 = 3;

/// χ = d ln E\[f(z)²\]/d ln σ_p² for z ~ N(0, σ_p²), equal to E\[z f(z) f'(z)\]/E\[f(z)²\] for continuous f:
/// the factor by which one layer with the weights of Eq. (4) multiplies a small relative error in the
/// variance of its preactivations.
///
/// The variance σ_p² is kept from layer to layer only for χ < 1 in absolute value. For gelu, silu and mish
/// χ is above 1 at σ_p = 1: the fixed point is unstable, and the error that a finite width makes grows as
/// χ^depth.
///
/// The derivative of the density to ln σ_p gives χ = (E\[(z/σ_p)² f²\]/E\[f²\] - 1)/2, which holds for
/// discontinuous f too. Both moments are certified, so that χ has an absolute error of some 1e-13.
///
/// # Errors
/// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Moments::by_quadrature`] does.
///
/// ```
/// // sin(ωx): 2v/(e^(2v) - 1) with v = ω²σ_p².
/// let chi = vi3nr::variance_sensitivity(&"sine:omega=1".parse()?, 1.0)?;
/// assert!((chi - 2.0 / (2f64.exp() - 1.0)).abs() < 1e-13);
/// assert!(vi3nr::variance_sensitivity(&"gelu".parse()?, 1.0)? > 1.14);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn variance_sensitivity(activation: &Activation, sigma_p: f64) -> Result<f64, Error> {
    let plain = Moments::of(activation, sigma_p)?.second_moment;
    let by_square = Moments::by_square(activation, sigma_p)?;
    Ok(0.5 * ((by_square / plain).value - 1.0))
}

/// The number of layers in which a small error in the variance grows or shrinks tenfold if a layer
/// multiplies it by `factor`; infinite for 1 and -1, 0 for 0.
///
/// ```
/// // gelu at σ_p = 1 has χ = 1.144.
/// assert_eq!(vi3nr::stability::layers_to_tenfold(1.1441).round(), 17.0);
/// ```
pub fn layers_to_tenfold(factor: f64) -> f64 {
    let size = factor.abs();
    if (size - 1.0).abs() < SAME {
        f64::INFINITY
    } else {
        (core::f64::consts::LN_10 / libm::log(size)).abs()
    }
}

/// The layers of a network whose stability is in question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// The standard deviation σ_p of the preactivations.
    pub sigma_p: f64,
    /// The share of the weights in their variance, M σ²(W) E\[f²\]/σ_p²: 1 without biases.
    pub share: f64,
    /// The number of units of the narrowest hidden layer.
    pub width: usize,
    /// The number of layers.
    pub layers: usize,
}

impl Depth {
    /// The depth of `network` with initial parameters by `rule`, whose hidden layers keep `sigma_p`.
    /// `None` if the network has no hidden layer.
    ///
    /// # Errors
    /// Returns the errors of [`InitRule::hidden_layer`] and [`Moments::of`].
    ///
    /// ```
    /// use vi3nr::stability::Depth;
    /// use vi3nr::{InitRule, Network};
    ///
    /// let network = Network::new(vec![2, 64, 256, 3], "tanh".parse()?)?;
    /// let rule = InitRule::new("eoc:sigma_p=1".parse()?);
    /// let depth = Depth::of(&rule, &network, 1.0)?.unwrap();
    /// assert_eq!((depth.width, depth.layers), (64, 3));
    /// // With the biases of the edge of chaos, the weights have 1/cond of the variance.
    /// assert!((depth.share - 1.0 / 1.17780723).abs() < 1e-8);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn of(rule: &InitRule, network: &Network, sigma_p: f64) -> Result<Option<Self>, Error> {
        let (dims, layers) = (network.dims(), network.layer_count());
        let Some(&width) = dims[1..layers].iter().min() else { return Ok(None) };
        let share = rule.weight_share(network.activation(), sigma_p, width, width)?;
        Ok(Some(Self { sigma_p, share, width, layers }))
    }
}

/// A network in which the variance of the preactivations does not stay at σ_p², although its mean over
/// the weights does. [`fmt::Display`] says why, and what is stable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Instability {
    /// The activation.
    pub activation: String,
    /// The standard deviation σ_p of the preactivations.
    pub sigma_p: f64,
    /// What a layer multiplies an error in the variance by, above 1: the share of the weights times χ.
    pub factor: f64,
    /// The number of units of the narrowest hidden layer.
    pub width: usize,
    /// The largest number of layers after which the variance is within a factor of 2 of σ_p² with a
    /// probability of 95 % ([`FiniteWidth::max_depth`]), if it can be computed.
    pub max_depth: Option<usize>,
    /// The nearest σ_p at which an error shrinks without biases, if one within three decades does.
    pub stable_sigma_p: Option<f64>,
    /// The nearest σ_p, which may be the same, at which an error shrinks with the biases of the edge of
    /// chaos: cond ≥ 1 and |χ| < cond.
    pub edge_of_chaos_sigma_p: Option<f64>,
}

impl Instability {
    /// The instability of a network as deep as `depth`; `None` if an error neither grows tenfold in it
    /// nor is expected to exceed a factor of 2 because of its growth.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`variance_sensitivity`] does.
    ///
    /// ```
    /// use vi3nr::stability::{Depth, Instability};
    ///
    /// let depth = Depth { sigma_p: 1.0, share: 1.0, width: 500, layers: 100 };
    /// let found = Instability::of(&"gelu".parse()?, &depth)?.unwrap();
    /// assert!(found.factor > 1.14 && found.max_depth.unwrap() < 10);
    /// assert!(found.stable_sigma_p.is_none());
    /// assert!((2.0..4.0).contains(&found.edge_of_chaos_sigma_p.unwrap()));
    /// assert!(Instability::of(&"tanh".parse()?, &depth)?.is_none());
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn of(activation: &Activation, depth: &Depth) -> Result<Option<Self>, Error> {
        let Depth { sigma_p, share, width, layers } = *depth;
        let factor = share * variance_sensitivity(activation, sigma_p)?;
        if factor.abs() <= 1.0 + SAME {
            return Ok(None);
        }
        let max_depth =
            FiniteWidth::of(activation, sigma_p).ok().and_then(|own| own.max_depth(share, width));
        let is_exceeded = max_depth.is_some_and(|max_depth| layers > max_depth);
        if !is_exceeded && (layers as f64) < layers_to_tenfold(factor) {
            return Ok(None);
        }
        Ok(Some(Self {
            activation: activation.to_string(),
            sigma_p,
            factor,
            width,
            max_depth,
            stable_sigma_p: nearest(sigma_p, |sigma| is_stable(activation, sigma)),
            edge_of_chaos_sigma_p: edge_of_chaos(activation, sigma_p),
        }))
    }
}

/// The σ_p nearest to `sigma_p`, which may be the same, at which the edge of chaos is stable.
pub(crate) fn edge_of_chaos(activation: &Activation, sigma_p: f64) -> Option<f64> {
    nearest(sigma_p, |sigma| {
        let Ok(gain) = Gain::of(activation, sigma) else { return false };
        let condition = gain.condition.value;
        condition >= 1.0
            && variance_sensitivity(activation, sigma)
                .is_ok_and(|chi| (chi / condition).abs() <= MAX_OFFERED)
    })
}

/// Whether an error shrinks without biases.
fn is_stable(activation: &Activation, sigma: f64) -> bool {
    variance_sensitivity(activation, sigma).is_ok_and(|chi| chi.abs() <= MAX_OFFERED)
}

/// The nearest of a grid around `sigma_p` with a property.
fn nearest(sigma_p: f64, has: impl Fn(f64) -> bool) -> Option<f64> {
    (0..=PER_DECADE * DECADES)
        .flat_map(|step| [step, -step])
        .map(|step| sigma_p * libm::pow(10.0, f64::from(step) / f64::from(PER_DECADE)))
        .find(|sigma| has(*sigma))
}

impl fmt::Display for Instability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { activation, factor, width, .. } = self;
        write!(
            f,
            "sigma_p = {} is not stable for {activation}: a layer multiplies an error in the variance \
             by {}, tenfold {}",
            significant(self.sigma_p, 6),
            significant(*factor, 4),
            match layers_to_tenfold(*factor) {
                layers if layers < 1.5 => "in one layer".to_owned(),
                layers => format!("in {layers:.0} layers"),
            },
        )?;
        if let Some(max_depth) = self.max_depth {
            write!(
                f,
                "; with {width} units per layer the variance stays within a factor of 2 {}",
                match max_depth {
                    0 => "in no layer".to_owned(),
                    1 => "for one layer".to_owned(),
                    layers => format!("for {layers} layers"),
                },
            )?;
        }
        let shown = |sigma_p: f64| significant(sigma_p, 3);
        match (self.stable_sigma_p.map(shown), self.edge_of_chaos_sigma_p.map(shown)) {
            (Some(plain), None) => write!(f, "; sigma_p = {plain} is stable"),
            (Some(plain), Some(edge)) => {
                write!(f, "; sigma_p = {plain} is stable, or the scheme eoc with sigma_p = {edge}")
            }
            (None, Some(edge)) => {
                write!(
                    f,
                    "; no other sigma_p is stable, but the scheme eoc is with sigma_p = {edge}"
                )
            }
            (None, None) => {
                write!(f, "; no other sigma_p is stable, with or without the scheme eoc")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn sensitivities_of_known_fixed_points() {
        for (text, sigma_p, chi) in [
            ("gelu", 1.0, 1.1441),
            ("silu", 1.0, 1.1726),
            ("mish", 1.0, 1.0763),
            ("tanh", 1.0, 0.4611),
            ("relu", 1.0, 1.0),
            ("erf", 1.0, 0.4086),
            ("softplus", 1.0, 0.4921),
            ("x^3", 0.3, 3.0),
        ] {
            let seen = variance_sensitivity(&text.parse().unwrap(), sigma_p).unwrap();
            assert!((seen - chi).abs() < 6e-5, "{text}: {seen}");
        }
    }

    /// The closed forms, with s = σ_p².
    #[test]
    fn sensitivities_are_those_of_closed_forms() {
        let erf = |s: f64| {
            let second_moment = 2.0 / PI * (2.0 * s / (1.0 + 2.0 * s)).asin();
            4.0 * s / (PI * (1.0 + 2.0 * s) * (1.0 + 4.0 * s).sqrt() * second_moment)
        };
        let gelu = |s: f64| {
            let asin = (s / (1.0 + s)).asin();
            let root = (1.0 + 2.0 * s).sqrt();
            let second_moment =
                s / 4.0 + (2.0 * s * s / ((1.0 + s) * root) + s * asin) / (2.0 * PI);
            let slope = 0.25
                + (asin + s / ((1.0 + s) * root)) / (2.0 * PI)
                + (2.0 * s * (2.0 + s) / ((1.0 + s).powi(2) * root)
                    - 2.0 * s * s / ((1.0 + s) * root.powi(3)))
                    / (2.0 * PI);
            s * slope / second_moment
        };
        let wavelet = |s: f64| {
            let d = 1.0 + 4.0 * s;
            -2.0 * s / d - 2.0 * s / (d * d) / (1.0 + (2.0 * s / d).exp())
        };
        type Closed<'a> = &'a dyn Fn(f64) -> f64;
        let cases: [(&str, Closed); 10] = [
            ("sin(3*x)", &|s| 18.0 * s / ((18.0 * s).exp() - 1.0)),
            ("cos(x)", &|s| -2.0 * s / ((2.0 * s).exp() + 1.0)),
            ("gaussian:sigma=0.5", &|s| -4.0 * s / (1.0 + 8.0 * s)),
            ("super_gaussian:sigma=1,b=2", &|s| -2.0 * s / (1.0 + 4.0 * s)),
            ("wavelet:a=1", &wavelet),
            ("erf", &erf),
            ("gelu", &gelu),
            ("exp(0.3*x)", &|s| 2.0 * 0.09 * s),
            ("abs(x)^1.5", &|_| 1.5),
            // A jump at 0: E[f²] is the same for every σ_p.
            ("1.5+0.5*sign(x)", &|_| 0.0),
        ];
        for (text, closed) in cases {
            for sigma_p in [0.1, 0.7, 1.0, 2.0] {
                let seen = variance_sensitivity(&text.parse().unwrap(), sigma_p).unwrap();
                let exact = closed(sigma_p * sigma_p);
                assert!((seen - exact).abs() < 1e-12, "{text} at {sigma_p}: {seen} {exact}");
            }
        }
        // E[f²] of a step at 1 is P(z > 1).
        let seen = variance_sensitivity(&"max(0,sign(x-1))".parse().unwrap(), 1.0).unwrap();
        let exact = (-0.5f64).exp() / (2.0 * PI).sqrt() / libm::erfc(0.5f64.sqrt());
        assert!((seen - exact).abs() < 1e-12, "{seen} {exact}");
    }

    /// x³ multiplies an error by 3 at every σ_p, and softplus of a large argument is nearly linear.
    #[test]
    fn what_is_stable_is_offered() {
        let depth = |sigma_p| Depth { sigma_p, share: 1.0, width: 100, layers: 50 };
        let found =
            |text: &str, sigma_p| Instability::of(&text.parse().unwrap(), &depth(sigma_p)).unwrap();
        let cube = found("x^3", 0.5).unwrap();
        assert!((cube.factor - 3.0).abs() < 1e-9 && cube.stable_sigma_p.is_none());
        assert!(cube.to_string().contains("tenfold in 2 layers"), "{cube}");
        // sin(x)³ is x³ for small σ_p only.
        let sine = found("sin(x)^3", 0.1).unwrap();
        let offered = sine.stable_sigma_p.unwrap();
        assert!(variance_sensitivity(&"sin(x)^3".parse().unwrap(), offered).unwrap() < 0.98);
        assert!(sine.to_string().contains("is stable"), "{sine}");
        let silu = found("silu", 1.0).unwrap();
        let edge = silu.edge_of_chaos_sigma_p.unwrap();
        let chi = variance_sensitivity(&"silu".parse().unwrap(), edge).unwrap();
        assert!(chi / crate::backward_condition(&"silu".parse().unwrap(), edge).unwrap() <= 0.99);
        assert!(silu.to_string().contains("but the scheme eoc is with sigma_p = "), "{silu}");
        // 3 is above cond = 9/5 everywhere.
        assert!(cube.to_string().ends_with("with or without the scheme eoc"), "{cube}");
        // A shallow network has no time to drift.
        let shallow = Depth { sigma_p: 1.0, share: 1.0, width: 4096, layers: 4 };
        assert_eq!(Instability::of(&"gelu".parse().unwrap(), &shallow).unwrap(), None);
        for calm in ["tanh", "relu", "gaussian:sigma=0.5", "sine:omega=1"] {
            assert_eq!(found(calm, 1.0), None, "{calm}");
        }
    }

    #[test]
    fn tenfold_is_counted_in_layers() {
        assert!((layers_to_tenfold(0.1) - 1.0).abs() < 1e-12);
        assert!((layers_to_tenfold(-10.0) - 1.0).abs() < 1e-12);
        assert_eq!(layers_to_tenfold(1.0), f64::INFINITY);
        assert_eq!(layers_to_tenfold(0.0), 0.0);
    }
}
