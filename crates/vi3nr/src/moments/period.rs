//! Periodic functions with many periods under the density.
//!
//! If f has the period P = 2π/ω, the density of z mod P is
//! (1 + 2 Σ_k e^(-(kωσ)²/2) cos(kωz))/P: for ωσ >= 10 it is uniform to 1e-21. The expectations are
//! then means over one period, however many of them lie under the density, and whatever f does in
//! one. For E\[(z/σ)² f²\] the factors in the sum are 1 - (kωσ)² times as large, below 1e-19; for
//! E\[(z/σ)⁴ f²\] the mean is multiplied by E\[(z/σ)⁴\] = 3, and the factors are
//! 3 - 6(kωσ)² + (kωσ)⁴ times as large, below 1e-17.

use super::integrand::{Integrand, Measure};
use super::sums::Four;
use crate::activation::formula::{Region, Sides};

/// The smallest ωσ for which the density is taken for uniform.
const MANY: f64 = 10.0;
/// What the measure may be off by, relatively, the rounding of P included.
const PART: f64 = 8.0 * f64::EPSILON;

/// What an integral may be off by for the sake of its measure.
pub(super) struct Wrapped {
    /// A part of the integral of the magnitude.
    pub(super) part: f64,
    /// What lies beside the rounded ends of the period.
    pub(super) ends: Four,
}

/// Has `integrand` integrated over one period, where it has a period and many of them.
pub(super) fn wrap(integrand: &mut Integrand) -> Wrapped {
    let exact = Wrapped { part: 0.0, ends: [0.0; 4] };
    let Some(omega) = integrand.definition.frequency() else { return exact };
    if omega * integrand.sigma < MANY {
        return exact;
    }
    let measure = integrand.measure;
    let length = std::f64::consts::TAU / omega;
    let weight = if measure == Measure::Normal(4) { 3.0 } else { 1.0 };
    integrand.measure = Measure::Period { length, weight };
    let (from, to) = (0.5 * length * (1.0 - PART), 0.5 * length * (1.0 + PART));
    let sides = if integrand.is_symmetric() { [1.0].iter() } else { [-1.0, 1.0].iter() };
    let mut ends = [0.0; 4];
    for side in sides {
        let region = Region::interval((side * from).min(side * to), (side * from).max(side * to));
        let moduli = integrand.ln_moduli(region, &mut Sides::default());
        for (end, modulus) in ends.iter_mut().zip(moduli) {
            *end += (to - from) * libm::exp(modulus);
        }
    }
    if ends.iter().all(|end| end.is_finite()) {
        return Wrapped { part: PART, ends };
    }
    // A pole at the ends of the period, or what looks like one.
    integrand.measure = measure;
    exact
}
