//! How far out the expectations have to be integrated.

use super::integrand::{Integrand, LN_TINY, Measure};
use crate::activation::formula::{Region, Sides, enclose};

/// Standard deviations at which the search for the end begins, and where it is given up.
const NEAREST: f64 = 1.0;
const FARTHEST: f64 = 100.0;
/// Pieces of a block that are enclosed one by one where the whole is not seen to have faded.
const PIECES: u32 = 64;
/// How often a piece that is not seen to have faded is cut again.
const DEEPEST: u32 = 1;
/// ln of how far below the tolerance the farthest block must be.
const FADED: f64 = 100.0;
/// ln of how far above the tolerance a block makes its enclosure suspect.
const LOOSE: f64 = 30.0;

/// Where one side's integral may end, in standard deviations, and ln of what lies beyond for each
/// of the four integrands; `None` if the integrands are not known to fade.
///
/// Blocks of the half-line are enclosed from the outside inwards, and the end is set where what has
/// been passed outweighs the tolerance. Beyond the farthest block, where the density is e^(-5000),
/// the integrands are taken to go on falling: an expression in elementary functions does not turn
/// around for ever.
pub(super) fn end(
    integrand: &Integrand,
    side: f64,
    ln_tolerance: [f64; 4],
) -> Option<(f64, [f64; 4])> {
    let mut blocks = vec![NEAREST];
    while blocks[blocks.len() - 1] < FARTHEST {
        blocks.push(1.03 * blocks[blocks.len() - 1]);
    }
    let mut beyond = [f64::NEG_INFINITY; 4];
    for (index, pair) in blocks.windows(2).enumerate().rev() {
        let (near, far) = (pair[0], pair[1]);
        let mut bounds = block(integrand, side, near, far);
        let outermost = index + 2 == blocks.len();
        let above = |bounds: &[f64; 4], by| (0..4).any(|k| bounds[k] > ln_tolerance[k] + by);
        // So much more than the tolerance may be the enclosure's fault.
        if above(&bounds, LOOSE) || (outermost && above(&bounds, -FADED)) {
            let limit = ln_tolerance.map(|ln| if outermost { ln - FADED } else { f64::MAX });
            bounds = in_pieces(integrand, side, (near, far), limit, DEEPEST);
        }
        if outermost && above(&bounds, -FADED) {
            return None;
        }
        let next: [f64; 4] = std::array::from_fn(|k| ln_sum(beyond[k], bounds[k]));
        if (0..4).any(|k| next[k] > ln_tolerance[k].max(LN_TINY)) {
            return Some((far, beyond));
        }
        beyond = next;
    }
    Some((NEAREST, beyond))
}

/// The same as [`block`] from pieces, those above `limit` in pieces again.
fn in_pieces(
    integrand: &Integrand,
    side: f64,
    (near, far): (f64, f64),
    limit: [f64; 4],
    depth: u32,
) -> [f64; 4] {
    let piece = |k: u32| near + (far - near) * f64::from(k) / f64::from(PIECES);
    (0..PIECES).fold([f64::NEG_INFINITY; 4], |sum, k| {
        let (from, to) = (piece(k), piece(k + 1));
        let mut part = block(integrand, side, from, to);
        let above = |bounds: &[f64; 4]| (0..4).any(|k| bounds[k] > limit[k]);
        // One piece that stays above decides; the rest need not be cut.
        if depth > 0 && above(&part) && !above(&sum) {
            part = in_pieces(integrand, side, (from, to), limit, depth - 1);
        }
        std::array::from_fn(|k| ln_sum(sum[k], part[k]))
    })
}

/// ln of bounds of the four integrals over a block, given in standard deviations.
fn block(integrand: &Integrand, side: f64, near: f64, far: f64) -> [f64; 4] {
    let ends = (side * near * integrand.sigma, side * far * integrand.sigma);
    let region = Region::interval(ends.0.min(ends.1), ends.0.max(ends.1));
    integrand.budget.spend_on_region(integrand.operations() as u64);
    let (f, slope) = enclose(integrand.definition.program(), region, &mut Sides::default());
    let (f, slope) = (f.ln_modulus(), slope.ln_modulus());
    let power = if let Measure::Normal(power) = integrand.measure { power } else { 0 };
    let by_power = f64::from(power) * libm::log(far);
    let density = -0.5 * near * near + libm::log(far - near) + by_power;
    let four = [f, 2.0 * f, slope, 2.0 * slope].map(|modulus| modulus + density);
    integrand.existing(four, f64::NEG_INFINITY)
}

/// ln(e^a + e^b).
pub(super) fn ln_sum(a: f64, b: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    if high.is_infinite() {
        return high;
    }
    high + libm::log1p(libm::exp(low - high))
}
