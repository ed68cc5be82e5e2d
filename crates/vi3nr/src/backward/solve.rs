//! All σ_p that satisfy the backward condition, by the theorem where it applies, else by a scan.

use super::answer::{Answer, Approach, Basis, Root, ScanReason, Solution};
use super::ends::{Ends, vanishes_at_zero};
use super::one_crossing;
use super::refine::{Condition, crossing, is_sure};
use super::survey::{Sample, deepest, survey};
use crate::activation::formula::Operand;
use crate::moments::budget::Budget;
use crate::{Activation, Bounded, Error, Gain, require_positive};

/// σ_p to a decade of a scan, and of a search for the infimum alone.
const SCAN: i32 = 24;
const SEARCH: i32 = 6;
/// How many times farther from 1 than the nearest the condition must rise for a search to end.
const FAR: f64 = 100.0;
/// Operations for each direction of a survey, and for what is refined in the end; and for one integral.
const OPERATIONS: u64 = 12_000_000;
const PER_INTEGRAL: u64 = 4_000_000;
/// |cond - 1| below which the condition is taken to have reached its limit 1.
const REACHED: f64 = 1e-12;

/// Solves Eq. (13), cond(σ_p) = 1, for σ_p; `ratio` is M_{i+1}/M_i, 1 between hidden layers.
///
/// The cases of the theorem in [the module](crate::backward) take a few gains at most and are proofs, but for
/// a function of one crossing that is not found ([`Answer::is_proof`]).
/// Where f jumps or `ratio` is below 1, the condition is scanned from 1e-6 to 1e6 times the function's
/// own scale, or as far as moments can be computed within some ten million operations in each direction;
/// [`Basis`] tells which it was. A root that exists
/// only in the limit σ_p → 0 or ∞ is not one.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if `ratio` is not a finite number above 0, and [`Error::Moment`] if
/// moments do not exist or cannot be computed where they are needed.
pub fn solve(activation: &Activation, ratio: f64) -> Result<Answer, Error> {
    require_positive("the ratio of fan-out to fan-in", ratio)?;
    let budget = Budget::of(OPERATIONS, PER_INTEGRAL);
    let condition = |sigma: f64| -> Result<Bounded, Error> {
        let gain = Gain::within(activation, sigma, &budget)?;
        Ok(Bounded::exact(ratio) * gain.finite_condition(activation)?)
    };
    if let Some((constant, basis)) = constant(activation)? {
        return Ok(Answer { solution: everywhere(ratio * constant), basis });
    }
    let is_discontinuous = activation.singularities().is_some_and(|known| known.jump.is_some());
    if is_discontinuous || ratio < 1.0 {
        let reason =
            if is_discontinuous { ScanReason::Discontinuous } else { ScanReason::FewerOutputs };
        return scanned(activation, ratio, reason, &condition, &budget);
    }
    // Moments that do not exist at any σ_p must not be answered for.
    if activation.singularities().is_some_and(|known| known.divergent[3].is_some()) {
        condition(activation.feature_width())?;
    }
    if vanishes_at_zero(activation) {
        let solution = nearest(activation, ratio, None, &condition, &budget)?;
        return Ok(Answer { solution, basis: Basis::VanishesAtZero });
    }
    let found = one_crossing::find(activation, ratio, &condition)?;
    let (Some(first), Some(last)) = (found.seen.first(), found.seen.last()) else {
        return Err(unknown(activation));
    };
    let basis = Basis::OneCrossing { from: first.0, to: last.0 };
    let solution = match found.root {
        Some(sigma_p) => Solution::Roots(vec![root(activation, sigma_p)?]),
        None => nearest(activation, ratio, Some(&found.seen), &condition, &budget)?,
    };
    Ok(Answer { solution, basis })
}

fn root(activation: &Activation, sigma_p: f64) -> Result<Root, Error> {
    Ok(Root { sigma_p, gain_squared: Gain::of(activation, sigma_p)?.gain_squared.value })
}

/// The condition for equal fans where it is the same for every σ_p.
fn constant(activation: &Activation) -> Result<Option<(f64, Basis)>, Error> {
    let formula = activation.to_formula()?;
    let basis = match formula.degree() {
        Some(degree) => Basis::Homogeneous { degree },
        None if formula.program().slope() == Operand::Constant(0.0) => Basis::Flat,
        None => return Ok(None),
    };
    // The moments must exist, and f must not be 0.
    Gain::of(activation, activation.feature_width())?.finite_condition(activation)?;
    Ok(Some(match basis {
        Basis::Homogeneous { degree } if degree != 0.0 => {
            (degree * degree / (2.0 * degree - 1.0), basis)
        }
        _ => (0.0, basis),
    }))
}

/// The solution where the condition has this value for every σ_p.
fn everywhere(constant: f64) -> Solution {
    // p²/(2p - 1) times the ratio carries a few roundings.
    if (constant - 1.0).abs() <= 8.0 * f64::EPSILON {
        return Solution::Every;
    }
    Solution::None { infimum: (constant - 1.0).abs(), approached_at: Approach::Everywhere }
}

/// The infimum of |cond - 1| where no σ_p satisfies the condition: a limit at one end, or a minimum
/// inside. `known` are samples that are at hand.
fn nearest(
    activation: &Activation,
    ratio: f64,
    known: Option<&[Sample]>,
    condition: Condition,
    budget: &Budget,
) -> Result<Solution, Error> {
    let ends = Ends::of(activation).times(ratio);
    let distance = |limit: Option<f64>| limit.map(|limit| (limit - 1.0).abs());
    let least = if known.is_none() { ratio - 1.0 } else { 0.0 };
    for (end, approached_at) in [(ends.zero, Approach::Zero), (ends.infinity, Approach::Infinity)] {
        // No σ_p comes closer than the theorem's bound, which this end reaches.
        if distance(end).is_some_and(|distance| distance <= least + REACHED) {
            return Ok(Solution::None { infimum: least, approached_at });
        }
    }
    let seen = survey(activation, SEARCH, condition, budget, &|seen: &[Sample]| {
        let distance = |sample: &Sample| (sample.1.value - 1.0).abs();
        let best = seen.iter().map(distance).fold(f64::INFINITY, f64::min);
        let last: Vec<f64> = seen.iter().rev().take(4).map(distance).collect();
        last.len() == 4
            && last[0] > FAR * best.max(REACHED)
            && last.windows(2).all(|pair| pair[0] > pair[1])
    });
    budget.renew();
    let dip = deepest(&seen, condition).ok_or_else(|| unknown(activation))?;
    Ok(nearest_of(ends, dip))
}

/// The least of a dip and the limits at both ends.
fn nearest_of(ends: Ends, (sigma, depth, _): (f64, f64, bool)) -> Solution {
    let mut best = (depth, Approach::At(sigma));
    for (limit, approach) in [(ends.zero, Approach::Zero), (ends.infinity, Approach::Infinity)] {
        if let Some(limit) = limit {
            let distance = (limit - 1.0).abs();
            // A sample beside a limit may be nearer by rounding alone.
            if distance <= best.0 + REACHED {
                best = (if distance < REACHED { 0.0 } else { distance }, approach);
            }
        }
    }
    Solution::None { infimum: best.0, approached_at: best.1 }
}

/// Every change of sign over the range that can be computed.
fn scanned(
    activation: &Activation,
    ratio: f64,
    reason: ScanReason,
    condition: Condition,
    budget: &Budget,
) -> Result<Answer, Error> {
    let seen = survey(activation, SCAN, condition, budget, &|_| false);
    budget.renew();
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
        condition(activation.feature_width())?;
        return Err(unknown(activation));
    };
    let basis = Basis::Scan { from: first.0, to: last.0, reason };
    let sure: Vec<Sample> = seen.iter().copied().filter(|sample| is_sure(sample.1)).collect();
    let mut roots = Vec::new();
    for pair in sure.windows(2) {
        if (pair[0].1.value < 1.0) != (pair[1].1.value < 1.0)
            && let Some(sigma) = crossing(pair[0].0, pair[1].0, condition)?
        {
            roots.push(sigma);
        }
    }
    let dip = deepest(&seen, condition).ok_or_else(|| unknown(activation))?;
    if let (sigma, _, true) = dip
        && !roots.iter().any(|root: &f64| (root / sigma - 1.0).abs() < 0.2)
    {
        // Touched, not crossed.
        roots.push(sigma);
        roots.sort_by(f64::total_cmp);
    }
    let solution = if roots.is_empty() {
        nearest_of(Ends::of(activation).times(ratio), dip)
    } else {
        let roots = roots.into_iter().map(|sigma| root(activation, sigma));
        Solution::Roots(roots.collect::<Result<_, _>>()?)
    };
    Ok(Answer { solution, basis })
}

/// The error of a condition that is nowhere known well enough.
fn unknown(activation: &Activation) -> Error {
    Error::Moment {
        moment: "sigma_p^2 E[f'^2]/E[f^2]",
        activation: activation.to_string(),
        sigma: activation.feature_width(),
        reason: "it is known at too few sigma_p".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(text: &str, ratio: f64) -> Vec<Root> {
        match solve(&text.parse().unwrap(), ratio).unwrap().solution {
            Solution::Roots(roots) => roots,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn none(text: &str) -> (f64, Approach) {
        match solve(&text.parse().unwrap(), 1.0).unwrap().solution {
            Solution::None { infimum, approached_at } => (infimum, approached_at),
            other => panic!("{text}: {other:?}"),
        }
    }

    /// The table of the known roots, those of the formulas included.
    #[test]
    fn known_roots_are_found_and_no_others() {
        let gaussian = 0.05 * (1.0 + 2f64.sqrt()).sqrt();
        for (text, root, gain, digits) in [
            ("gaussian:sigma=0.05", gaussian, 0.0145710678, 1e-8),
            ("exp(-x^2/(2*s^2)):s=0.05", gaussian, 0.0145710678, 1e-8),
            ("super_gaussian:sigma=0.1,b=4", gaussian, 0.0145710678, 1e-8),
            ("sigmoid", 6.754575, 103.0076, 3e-7),
            ("1/(1+exp(-x))", 6.754575, 103.0076, 3e-7),
            ("sinc:a=1", 2.223335, 10.68664, 3e-7),
            ("sin(x)/x", 2.223335, 10.68664, 3e-7),
            ("wavelet:a=1", 0.870469, 1.80391, 2e-6),
        ] {
            let roots = roots(text, 1.0);
            assert_eq!(roots.len(), 1, "{text}: {roots:?}");
            assert!((roots[0].sigma_p / root - 1.0).abs() < digits, "{text}: {roots:?}");
            assert!((roots[0].gain_squared / gain - 1.0).abs() < 1e-5, "{text}: {roots:?}");
            let exact = crate::backward_condition(&text.parse().unwrap(), roots[0].sigma_p);
            assert!((exact.unwrap() - 1.0).abs() < 1e-11, "{text}");
            let answer = solve(&text.parse().unwrap(), 1.0).unwrap();
            assert!(matches!(answer.basis, Basis::OneCrossing { .. }), "{text}: {answer:?}");
        }
        let exact = roots("gaussian:sigma=0.05", 1.0)[0].sigma_p;
        assert!((exact / gaussian - 1.0).abs() < 1e-11);
    }

    #[test]
    fn the_ratio_of_the_fans_moves_the_roots() {
        // omega²sigma² coth(omega²sigma²) = 2 at omega²sigma² = 1.9150080481545...
        let sigma = roots("sine:omega=1", 0.5)[0].sigma_p;
        let square = sigma * sigma;
        assert!((square / square.tanh() - 2.0).abs() < 1e-10);
        let relu = solve(&"relu".parse().unwrap(), 1.0).unwrap();
        assert_eq!(relu.solution, Solution::Every);
        assert_eq!(relu.basis, Basis::Homogeneous { degree: 1.0 });
        let (infimum, at) = match solve(&"relu".parse().unwrap(), 3.0).unwrap().solution {
            Solution::None { infimum, approached_at } => (infimum, approached_at),
            other => panic!("{other:?}"),
        };
        assert!((infimum - 2.0).abs() < 1e-12 && at == Approach::Everywhere);
        for ratio in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(solve(&"relu".parse().unwrap(), ratio).is_err());
        }
    }

    #[test]
    fn homogeneous_functions_are_solved_by_every_sigma() {
        for text in ["relu", "leaky_relu:slope=0.2", "abs(x)", "max(x,0)-0.3*min(x,0)", "2*x"] {
            let answer = solve(&text.parse().unwrap(), 1.0).unwrap();
            assert_eq!(answer.solution, Solution::Every, "{text}");
        }
        // x^n has the constant condition n²/(2n - 1).
        let (infimum, at) = none("x^2");
        assert!((infimum - 1.0 / 3.0).abs() < 1e-12 && at == Approach::Everywhere);
    }

    #[test]
    fn what_is_only_approached_is_no_root() {
        for text in ["tanh", "sine:omega=30", "sin(30*x)", "sine:omega=1", "erf", "atan(x)"] {
            assert_eq!(none(text), (0.0, Approach::Zero), "{text}");
        }
    }

    /// E\[exp(2cx²)\] is finite for 4cσ² < 1, and there cond = 4c²σ⁴/(1 - 4cσ²).
    #[test]
    fn roots_beside_the_end_of_finite_moments_are_found() {
        for (text, c) in [("exp(x^2)", 1.0), ("exp(x^2/10)", 0.1), ("exp(x^2/2)", 0.5f64)] {
            let roots = roots(text, 1.0);
            let exact = ((2f64.sqrt() - 1.0) / (2.0 * c)).sqrt();
            assert_eq!(roots.len(), 1, "{text}: {roots:?}");
            assert!((roots[0].sigma_p / exact - 1.0).abs() < 1e-10, "{text}: {roots:?} {exact}");
        }
    }

    #[test]
    fn no_crossing_of_any_built_in_is_missed() {
        for (name, _) in crate::activation::builtin::catalog() {
            let activation: Activation = name.parse().unwrap();
            let found = match solve(&activation, 1.0).unwrap().solution {
                Solution::Roots(roots) => roots.len(),
                _ => 0,
            };
            let mut crossings = 0;
            let mut before = 0;
            for step in -60..=40 {
                let sigma = activation.feature_width() * 10f64.powf(0.05 * f64::from(step));
                let cond = Gain::of(&activation, sigma).unwrap().condition;
                let side = match cond.value - 1.0 {
                    away if away.abs() <= 2.0 * cond.error => 0,
                    away => away.signum() as i32,
                };
                crossings += usize::from(side * before < 0);
                before = if side == 0 { before } else { side };
            }
            assert_eq!(found, crossings, "{name}");
        }
    }

    #[test]
    fn what_has_no_condition_is_an_error() {
        for text in ["1/x", "log(x)", "0*x", "sqrt(abs(x))"] {
            assert!(solve(&text.parse().unwrap(), 1.0).is_err(), "{text}");
        }
    }

    /// A jump, and a layer with fewer outputs: there may be several roots.
    #[test]
    fn several_roots_are_all_found_by_a_scan() {
        let two = "exp(-x^2/2)+2*max(0,sign(abs(x)-4))";
        let three = "exp(-x^2/2)+5*max(0,sign(x-10))";
        for (text, ratio, exact) in [
            (two, 1.0, &[1.6564167336759335, 3.14168053798571, 6.527495055599828][..]),
            (three, 1.0, &[1.5537740, 8.1942567, 24.0849450]),
            ("x+2*x*exp(-x^2)", 0.95, &[0.372717, 28.4757]),
        ] {
            let found = roots(text, ratio);
            assert_eq!(found.len(), exact.len(), "{text}: {found:?}");
            for (root, exact) in found.iter().zip(exact) {
                assert!((root.sigma_p / exact - 1.0).abs() < 2e-6, "{text}: {root:?} {exact}");
            }
            let answer = solve(&text.parse().unwrap(), ratio).unwrap();
            let (from, to) = answer.basis.range().unwrap();
            assert!(!answer.is_proof() && from < 1e-5 && to > 1e5, "{answer:?}");
        }
    }

    /// cond = 4u²/(1 + 2u + 3u²) with u = a σ_p²/b for f = b + a x²: 1 at u = 1 + √2, however far.
    #[test]
    fn roots_far_from_the_functions_scale_are_found() {
        for (text, ratio) in [("1+1e-20*x^2", 1e20), ("1e-20+x^2", 1e-20), ("1+1e-60*x^2", 1e60)] {
            let exact = libm::sqrt((1.0 + 2f64.sqrt()) * ratio);
            let roots = roots(text, 1.0);
            assert_eq!(roots.len(), 1, "{text}: {roots:?}");
            assert!((roots[0].sigma_p / exact - 1.0).abs() < 1e-9, "{text}: {roots:?}");
        }
    }

    /// cond of the softplus tends to 1, so its sign beyond the computed range is not known.
    #[test]
    fn one_crossing_proves_a_root_and_not_that_there_is_none() {
        for (text, is_proof) in [("softplus", false), ("1+x", false), ("1+abs(x)^0.75", true)] {
            let answer = solve(&text.parse().unwrap(), 1.0).unwrap();
            assert_eq!(answer.basis.name(), "one-crossing");
            assert_eq!(
                matches!(answer.solution, Solution::Roots(_)),
                is_proof,
                "{text}: {answer:?}"
            );
            assert_eq!(answer.is_proof(), is_proof, "{text}: {answer:?}");
        }
    }

    #[test]
    fn the_case_of_the_proof_is_named() {
        for (text, ratio, name) in [
            ("tanh", 1.0, "vanishes-at-zero"),
            ("tanh", 1.5, "vanishes-at-zero"),
            ("tanh", 0.5, "scan"),
            ("gaussian", 1.0, "one-crossing"),
            ("softplus", 1.0, "one-crossing"),
            ("x^3", 1.0, "homogeneous"),
            ("sign(x)+sign(x-1)", 1.0, "flat"),
            ("sign(x)*exp(-x^2)", 1.0, "scan"),
        ] {
            let answer = solve(&text.parse().unwrap(), ratio).unwrap();
            assert_eq!(answer.basis.name(), name, "{text}: {answer:?}");
        }
    }

    /// E\[f²\] underflows below: one crossing there is certain, and no root within the range.
    #[test]
    fn a_range_that_is_cut_is_told() {
        let answer = solve(&"exp(-(x-3)^2/(2*1e-6))".parse().unwrap(), 1.0).unwrap();
        let Basis::OneCrossing { from, .. } = answer.basis else { panic!("{answer:?}") };
        assert!(from > 1e-3, "{answer:?}");
        assert!(matches!(answer.solution, Solution::None { .. }), "{answer:?}");
    }
}
