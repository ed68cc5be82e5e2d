//! The four integrands f, f², f', f'² times the normal density: values with bounds, and enclosures.

use std::f64::consts::PI;

use super::budget::Budget;
use super::existence::NAMES;
use super::scaled::Scaled;
use super::sums::Four;
use crate::activation::formula::{Formula, Region, Sides, Symmetry, enclose};
use crate::{Activation, Bounded, Error, Real};

/// ln of the smallest magnitude that is told from 0.
pub(super) const LN_TINY: f64 = -700.0;
/// A relative bound on f or f' beyond which more exponents are tried.
const SHARP: f64 = 1e-8;
/// √(2π).
const ROOT_TAU: f64 = 2.506_628_274_631_000_7;

/// What the integrands are integrated against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// The normal density times (x/σ)^p with p = 0, 2 or 4.
    Normal(i32),
    /// The uniform density over one period of this length, from -1/2 to 1/2 of it, times a weight
    /// ([`super::period`]).
    Period {
        /// The length.
        length: f64,
        /// E\[(z/σ)^p\] of the normal distribution.
        weight: f64,
    },
}

/// What is integrated.
pub(super) struct Integrand<'a> {
    pub(super) activation: &'a Activation,
    /// The formula of the function, for enclosures.
    pub(super) definition: Formula,
    pub(super) sigma: f64,
    /// How many of the four are integrated, from the first; the others do not exist.
    pub(super) count: usize,
    /// What the four are integrated against.
    pub(super) measure: Measure,
    /// What the integrals may cost.
    pub(super) budget: Budget,
}

impl Integrand<'_> {
    /// The error that an integral cannot be computed for this reason.
    pub(super) fn fail<T>(&self, index: usize, reason: impl Into<String>) -> Result<T, Error> {
        Err(Error::Moment {
            moment: NAMES[index],
            activation: self.activation.to_string(),
            sigma: self.sigma,
            reason: reason.into(),
        })
    }

    /// The length of the expression of f and f'.
    pub(super) fn operations(&self) -> usize {
        self.definition.program().instructions().len().max(1)
    }

    /// Whether the function is known to be even or odd.
    pub(super) fn is_symmetric(&self) -> bool {
        self.definition.symmetry() != Symmetry::Unknown
    }

    /// ln of bounds of the four integrands, density included, over a region.
    pub(super) fn ln_moduli(&self, region: Region, sides: &mut Sides) -> Four {
        self.budget.spend_on_region(self.operations() as u64);
        let (f, slope) = enclose(self.definition.program(), region, sides);
        let (f, slope) = (f.ln_modulus(), slope.ln_modulus());
        let nearest = region.lo.max(-region.hi).max(0.0) / self.sigma;
        let turned = region.im / self.sigma;
        let normal = 0.5 * (turned * turned - nearest * nearest) - self.ln_norm();
        let density = match self.measure {
            Measure::Normal(0) => normal,
            Measure::Normal(power) => {
                let farthest = libm::hypot(region.lo.abs().max(region.hi.abs()), region.im);
                normal + f64::from(power) * libm::log(farthest / self.sigma)
            }
            Measure::Period { length, weight } => libm::log(weight / length),
        };
        self.existing([f, 2.0 * f, slope, 2.0 * slope].map(|ln| ln + density), f64::NEG_INFINITY)
    }

    /// The four with `nothing` for those that do not exist.
    pub(super) fn existing<T: Copy>(&self, four: [T; 4], nothing: T) -> [T; 4] {
        std::array::from_fn(|k| if k < self.count { four[k] } else { nothing })
    }

    /// Below this a moment of f' is as good as 0 beside f: what the expression `f` computes to 1e-6 and
    /// 1e-12 of √E\[f²\]/σ and E\[f²\]/σ².
    pub(super) fn floor(&self, second_moment: f64) -> Four {
        let steepness = 1e-6 * libm::sqrt(second_moment) / (0.1 * self.reach());
        [0.0, 0.0, steepness, steepness * steepness]
    }

    /// How far from 0 what matters lies: ten standard deviations, or half a period.
    pub(super) fn reach(&self) -> f64 {
        match self.measure {
            Measure::Normal(_) => 10.0 * self.sigma,
            Measure::Period { length, .. } => 0.5 * length,
        }
    }

    /// ln(σ√(2π)).
    fn ln_norm(&self) -> f64 {
        libm::log(self.sigma) + 0.5 * libm::log(2.0 * PI)
    }

    /// The four integrands at `place`, times `weight` and the density.
    pub(super) fn node(&self, place: Bounded, weight: f64) -> [Bounded; 4] {
        self.budget.spend_at_point(self.operations() as u64);
        // The density is `factor` e^(-`square`/2), with so many roundings.
        let u = place.value / self.sigma;
        let normal = 1.0 / (self.sigma * ROOT_TAU);
        let (factor, square, roundings) = match self.measure {
            Measure::Normal(power) => {
                (Real::powi(u, power) * normal, u * u, 8.0 + 2.0 * f64::from(power))
            }
            Measure::Period { length, weight } => (weight / length, 0.0, 8.0),
        };
        let (value, slope) = self.activation.value_and_slope_on(place);
        let slope = if self.count > 2 { slope } else { Bounded::exact(0.0) };
        // Beside overflow, a bound that is far wider than roundings shows a subnormal intermediate.
        let tame = |number: Bounded| {
            let is_sharp =
                number.error <= SHARP * number.value.abs() || number.error < f64::MIN_POSITIVE;
            number.is_finite() && number.value.abs() < 1e100 && is_sharp
        };
        if square < 1200.0 && tame(value) && tame(slope) {
            let density = weight * libm::exp(-0.5 * square) * factor;
            let relative = f64::EPSILON * (roundings + 4.0 * square);
            let density = Bounded { value: density, error: relative * density };
            let four = [value, value * value, slope, slope * slope].map(|g| g * density);
            return self.existing(four, Bounded::exact(0.0));
        }
        let sharper = |scaled: Scaled, plain: Bounded| {
            // A wide bound may be that of a cancellation, which more exponents do not mend.
            if plain.is_finite() && plain.error <= scaled.plain().error {
                Scaled::new(plain)
            } else {
                scaled
            }
        };
        let (scaled, scaled_slope) = self.activation.value_and_slope_on(Scaled::new(place));
        let (value, slope) = (sharper(scaled, value), sharper(scaled_slope, slope));
        let power = -0.5 * square;
        let error = f64::EPSILON * (roundings + 4.0 * square);
        let density = Real::exp(Scaled::new(Bounded { value: power, error }));
        let density =
            density * Scaled::new(Bounded::exact(weight)) * Scaled::new(Bounded::exact(factor));
        let four = [value, value * value, slope, slope * slope].map(|g| (g * density).plain());
        self.existing(four, Bounded::exact(0.0))
    }

    /// Refuses a point at which the function is not a number.
    pub(super) fn require_defined(&self, x: f64) -> Result<(), Error> {
        let (value, slope) = self.activation.value_and_slope_on(Scaled::new(Bounded::exact(x)));
        if value.plain().value.is_nan() {
            return self.fail(0, format!("f({x:e}) is not a number"));
        }
        if slope.plain().value.is_nan() {
            return self.fail(2, format!("f'({x:e}) is not a number"));
        }
        Ok(())
    }
}

/// A node, which is rounded: f, f' and the density feel that.
pub(super) fn rounded(x: f64) -> Bounded {
    Bounded { value: x, error: f64::EPSILON * x.abs() }
}
