//! The trapezoidal rule on the whole line, for functions with very many periods under the density.
//!
//! If g is analytic in the strip |Im z| < a, fades there, and ∫|g(x + ib)| dx ≤ M for every |b| < a,
//! then h Σ g(kh) over all whole k is off by at most 2M/(e^(2πa/h) - 1) (Trefethen and Weideman, "The
//! exponentially convergent trapezoidal rule", theorem 5.1). M is bounded by enclosures over
//! rectangles that cover the strip. Where a function oscillates ten thousand times within the
//! density, this takes a tenth of the points that Gauss rules on certified panels do.

use std::f64::consts::PI;

use super::integrand::Integrand;
use super::sums::{Four, Sums};
use super::tail;
use crate::Bounded;
use crate::activation::formula::{Region, Sides};

/// Part of each integral that the rule may be off by.
const TOLERANCE: f64 = 1e-15;
/// Most nodes, and most operations at all of them; some 0.2 s.
const MAX_NODES: f64 = 1_000_000.0;
const MAX_OPERATIONS: f64 = 15e6;
/// Most operations on enclosures of rectangles.
const MAX_ENCLOSED: usize = 600_000;
/// Standard deviations up to which the strip is covered with rectangles; as in [`tail`], the integrand
/// is taken to go on falling beyond.
const FARTHEST: f64 = 100.0;
/// Halvings of a rectangle that has no finite enclosure.
const DEEPEST: u32 = 8;
/// Widest strip that is tried, in standard deviations, the strips for each halving of it, and how many.
const WIDEST: f64 = 0.25;
const PER_HALVING: f64 = 4.0;
const STRIPS: i32 = 80;
/// The σ for which the rule is tried.
const MODERATE: std::ops::Range<f64> = 1e-250..1e250;
/// Nodes that are summed at a time.
const RUN: usize = 64;

/// The four integrals with their errors, over the right half where the integrand is symmetric; `None` where no strip is
/// known in which the integrands are analytic, or too many nodes would be needed.
pub(super) fn integrate(integrand: &Integrand, scale: Four) -> Option<Sums> {
    let tolerance = scale.map(|scale| (TOLERANCE * scale).max(f64::MIN_POSITIVE));
    let sigma = integrand.sigma;
    // Rectangles of subnormal size do not grow by a quarter.
    if !MODERATE.contains(&sigma) {
        return None;
    }
    let mut end = 0.0f64;
    let mut sums = Sums::default();
    for side in [-1.0, 1.0] {
        let (from, beyond) = tail::end(integrand, side, tolerance.map(libm::log))?;
        end = end.max(from);
        for (error, ln_beyond) in sums.error.iter_mut().zip(beyond) {
            // A block of the tail is longer than the spacing of the nodes: h times their number in it
            // is at most twice its length. The integral over it is as much again.
            *error += 3.0 * libm::exp(ln_beyond);
        }
    }
    let (spacing, truncation) = best_spacing(integrand, tolerance)?;
    let last = libm::ceil(end * sigma / spacing);
    let sides = if integrand.is_symmetric() { 1.0 } else { 2.0 };
    // The bound on the tail takes its blocks for longer than the spacing.
    let operations = integrand.operations() as f64;
    let nodes = sides * last;
    if nodes > MAX_NODES
        || nodes * operations > MAX_OPERATIONS.min(integrand.budget.left() as f64)
        || spacing > 0.02 * sigma
    {
        return None;
    }
    for (error, truncation) in sums.error.iter_mut().zip(truncation) {
        *error += truncation;
    }
    let last = last as i64;
    let node = |k: i64, weight: f64| {
        // Exact: the spacing has few digits.
        integrand.node(Bounded::exact(k as f64 * spacing), weight)
    };
    let first = if integrand.is_symmetric() { 1 } else { -last };
    let mut middle = Sums::default();
    if integrand.is_symmetric() {
        middle.add_node(node(0, 0.5 * spacing));
    }
    sums.add(&middle, [0.0; 4]);
    for start in (first..=last).step_by(RUN) {
        let mut part = Sums::default();
        for k in start..=last.min(start + RUN as i64 - 1) {
            part.add_node(node(k, spacing));
        }
        part.close(RUN);
        sums.add(&part, [0.0; 4]);
    }
    Some(sums)
}

/// The largest spacing whose truncation error is proven to be within the tolerance, over all strips,
/// with that error.
fn best_spacing(integrand: &Integrand, tolerance: Four) -> Option<(f64, Four)> {
    let mut best: Option<(f64, Four)> = None;
    let operations = integrand.operations();
    let mut left = MAX_ENCLOSED / operations;
    for step in 0..STRIPS {
        let width = WIDEST * integrand.sigma * libm::exp2(-f64::from(step) / PER_HALVING);
        let Some(ln_size) = ln_integrals(integrand, width, &mut left) else { continue };
        let needed = (0..4)
            .map(|k| ln_size[k] + libm::log(2.0) - libm::log(tolerance[k]))
            .fold(1.0, f64::max);
        let spacing = 2.0 * PI * width / (needed + 1.0);
        if !spacing.is_normal() {
            continue;
        }
        let spacing = few_digits(spacing);
        match best {
            Some((known, _)) if known >= spacing => {
                // Narrower strips of a function that has them only get worse from here on.
                if known > 2.0 * spacing {
                    break;
                }
            }
            _ => {
                let exponent = 2.0 * PI * width / spacing;
                let off = |ln: f64| 2.0 * libm::exp(ln - exponent) / (1.0 - libm::exp(-exponent));
                best = Some((spacing, ln_size.map(off)));
            }
        }
    }
    best
}

/// ln of bounds of ∫|g(x + ib)| dx over the line for every |b| up to `width`.
fn ln_integrals(integrand: &Integrand, width: f64, left: &mut usize) -> Option<Four> {
    let reach = FARTHEST * integrand.sigma;
    // From the middle outwards, each rectangle half as long again as the one before.
    let mut ends = vec![0.0, width.max(1e-3 * integrand.sigma)];
    while ends[ends.len() - 1] < reach {
        ends.push(1.25 * ends[ends.len() - 1]);
    }
    let mut sums = [f64::NEG_INFINITY; 4];
    // Of a symmetric function the other half is the mirror image, but abs may still switch between them.
    let mut branch = Branch { sides: None, left };
    for side in [1.0, -1.0] {
        for pair in ends.windows(2) {
            let (from, to) = (side * pair[0], side * pair[1]);
            let part = rectangle(integrand, (from.min(to), from.max(to)), width, 0, &mut branch)?;
            sums = std::array::from_fn(|k| tail::ln_sum(sums[k], part[k]));
        }
    }
    Some(sums)
}

/// The sides that all switches take, the same over the whole strip: else its rectangles enclose
/// different functions.
struct Branch<'a> {
    sides: Option<Sides>,
    /// How many rectangles may still be enclosed.
    left: &'a mut usize,
}

impl Branch<'_> {
    fn is(&mut self, sides: &Sides) -> bool {
        sides.are_certain && self.sides.get_or_insert_with(|| sides.clone()) == sides
    }
}

/// ln of bounds of the integrals along any line through the rectangle \[from, to\] × i\[-width, width\].
fn rectangle(
    integrand: &Integrand,
    (from, to): (f64, f64),
    width: f64,
    depth: u32,
    branch: &mut Branch,
) -> Option<Four> {
    *branch.left = branch.left.checked_sub(1)?;
    let mut sides = Sides::default();
    // On the axis first: which side of its switch every abs or max takes.
    integrand.ln_moduli(Region::interval(from, to), &mut sides);
    if !branch.is(&sides) {
        return None;
    }
    let moduli = integrand.ln_moduli(Region::rectangle(from, to, width), &mut sides);
    if moduli.contains(&f64::INFINITY) {
        let middle = 0.5 * (from + to);
        if depth == DEEPEST {
            return None;
        }
        let left = rectangle(integrand, (from, middle), width, depth + 1, branch)?;
        let right = rectangle(integrand, (middle, to), width, depth + 1, branch)?;
        return Some(std::array::from_fn(|k| tail::ln_sum(left[k], right[k])));
    }
    Some(moduli.map(|modulus| modulus + libm::log(to - from)))
}

/// `value` rounded down to 20 binary digits, so that its multiples up to 2^32 are exact.
fn few_digits(value: f64) -> f64 {
    let unit = libm::ldexp(1.0, libm::ilogb(value) - 19);
    libm::floor(value / unit) * unit
}

#[cfg(test)]
mod tests {
    use crate::{Activation, Gain, variance_sensitivity};

    /// Found by mutation: a spacing of 0, and rectangles that never grew.
    #[test]
    fn extreme_scales_end() {
        let cases = [
            ("sech(2/-2147483648)-(erfc(x))^(x)", 1e-320),
            ("sin(399999999999999999999999*x)", 1e-320),
            ("x*log(abs(x))", 1e-320),
            ("sin(sinh(2*x))", f64::MAX),
        ];
        for (text, sigma) in cases {
            let activation: Activation = text.parse().unwrap();
            let _ = variance_sensitivity(&activation, sigma);
            let _ = Gain::of(&activation, sigma);
        }
    }
}
