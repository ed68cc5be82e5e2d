//! All σ_p that satisfy the backward condition, or the proof that there are none to be had.

use super::refine::{Condition, LIMIT_REACHED, crossing, deepest_dip};
use super::scan::scan;
use crate::{Activation, Bounded, Error, Gain, require_positive};

/// Roots are sought from 1/`REACH` to `REACH` times the function's own scale.
pub const REACH: f64 = 1e6;

/// Halvings toward the σ_p beyond which moments cannot be computed.
const HALVINGS: u32 = 20;

/// A σ_p with cond(σ_p) = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Root {
    /// The σ_p, to 1e-10 relative.
    pub sigma_p: f64,
    /// gain²(f, σ_p), Eq. (15).
    pub gain_squared: f64,
}

/// Where |cond - 1| approaches its infimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Approach {
    /// As σ_p tends to 0.
    Zero,
    /// As σ_p tends to infinity.
    Infinity,
    /// At this σ_p.
    At(f64),
    /// The condition is the same for every σ_p.
    Everywhere,
}

/// The answer to cond(σ_p) = 1.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Solution {
    /// These σ_p and no others, in increasing order.
    Roots(Vec<Root>),
    /// Every σ_p: positively homogeneous functions such as the rectifier.
    Every,
    /// No σ_p.
    None {
        /// The infimum of |cond(σ_p) - 1|; 0 where the condition is met in the limit only.
        infimum: f64,
        /// Where it is approached.
        approached_at: Approach,
    },
}

/// Solves Eq. (13), cond(σ_p) = 1, for σ_p; `ratio` is M_{i+1}/M_i, 1 between hidden layers.
///
/// The condition is scanned from 1e-6 to 1e6 times the function's own scale (24 points a decade),
/// every change of sign is confirmed and refined with exact moments, dips are followed to their
/// bottom. A root that exists only in the limit σ_p → 0 or ∞ is not one. Two roots closer than a
/// tenth of each other may escape if the condition leaves 1 by less than 0.02 between them.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if `ratio` is not a finite number above 0, and [`Error::Moment`] if
/// moments cannot be computed where they are needed.
pub fn solve(activation: &Activation, ratio: f64) -> Result<Solution, Error> {
    require_positive("the ratio of fan-out to fan-in", ratio)?;
    let condition = |sigma: f64| -> Result<Bounded, Error> {
        Ok(Bounded::exact(ratio) * Gain::of(activation, sigma)?.condition)
    };
    let seen = survey(activation, ratio, &condition)?;
    if let Some(constant) = constant_condition(&seen, &condition)? {
        return Ok(if constant == 0.0 {
            Solution::Every
        } else {
            Solution::None { infimum: constant, approached_at: Approach::Everywhere }
        });
    }
    let mut roots = Vec::new();
    for pair in seen.windows(2) {
        if (pair[0].1 < 1.0) != (pair[1].1 < 1.0)
            && let Some(sigma) = crossing(pair[0].0, pair[1].0, &condition)?
        {
            roots.push(sigma);
        }
    }
    let dip = deepest_dip(&seen, &condition)?;
    if let Some((sigma, depth, is_touching)) = dip
        && is_touching
        && depth < LIMIT_REACHED
        && !roots.iter().any(|root: &f64| (root / sigma - 1.0).abs() < 0.2)
    {
        roots.push(sigma);
        roots.sort_by(f64::total_cmp);
    }
    if roots.is_empty() {
        return Ok(nearest_miss(&seen, dip, activation.feature_width()));
    }
    let root = |sigma_p: f64| -> Result<Root, Error> {
        Ok(Root { sigma_p, gain_squared: Gain::of(activation, sigma_p)?.gain_squared.value })
    };
    Ok(Solution::Roots(roots.into_iter().map(root).collect::<Result<_, _>>()?))
}

/// The condition over the range, from the scan where exact moments bear it out at three places,
/// else (a feature off 0 that its grid has missed) from exact moments throughout.
fn survey(
    activation: &Activation,
    ratio: f64,
    condition: Condition,
) -> Result<Vec<(f64, f64)>, Error> {
    let scale = activation.feature_width();
    let mut seen: Vec<(f64, f64)> =
        scan(activation).iter().map(|sample| (sample.sigma, ratio * sample.condition)).collect();
    let middle = seen.len() / 2;
    let mut failures = Vec::new();
    let mut is_borne_out = true;
    // On an oscillating function the scan is a sample average, and good to a factor.
    for (index, factor) in [(middle - 48, 1.1), (middle, 1.1), (middle + 18, 2.0)] {
        match condition(seen[index].0) {
            Ok(exact) => {
                let quotient = seen[index].1 / exact.value;
                is_borne_out &= (1.0 / factor..factor).contains(&quotient);
            }
            Err(error) => failures.push(error),
        }
    }
    if failures.len() == 3 {
        return Err(failures.swap_remove(1));
    }
    if !failures.is_empty() || !is_borne_out {
        let sigmas = (-40..=30).map(|step| scale * libm::exp10(0.1 * f64::from(step)));
        seen = sigmas.map(|s| (s, condition(s).map_or(f64::NAN, |cond| cond.value))).collect();
    }
    close_in_on_ends(&mut seen, condition);
    seen.retain(|(_, cond)| cond.is_finite());
    if seen.len() >= 3 {
        return Ok(seen);
    }
    Err(failures.pop().unwrap_or_else(|| Error::Moment {
        moment: "sigma_p^2 E[f'^2]/E[f^2]",
        activation: activation.to_string(),
        sigma: scale,
        reason: "it is finite at too few sigma_p".into(),
    }))
}

/// Adds places between the outermost finite conditions and the failures beyond them: where E\[f²\] is
/// finite below some σ_p only, such as for exp(x²), the condition may cross 1 just there.
fn close_in_on_ends(seen: &mut Vec<(f64, f64)>, condition: Condition) {
    let finite = |place: &(f64, f64)| place.1.is_finite();
    let (Some(first), Some(last)) = (seen.iter().position(finite), seen.iter().rposition(finite))
    else {
        return;
    };
    let mut close_in = |inside: usize, outside: Option<usize>| {
        let Some(outside) = outside.filter(|index| *index < seen.len()) else { return };
        let (mut inner, mut outer) = (libm::log(seen[inside].0), libm::log(seen[outside].0));
        for _ in 0..HALVINGS {
            let middle = 0.5 * (inner + outer);
            match condition(libm::exp(middle)) {
                Ok(cond) => {
                    seen.push((libm::exp(middle), cond.value));
                    inner = middle;
                }
                Err(_) => outer = middle,
            }
        }
    };
    close_in(last, Some(last + 1));
    close_in(first, first.checked_sub(1));
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
}

/// |cond - 1| if the condition is the same everywhere, exactly 0 if it is 1.
fn constant_condition(seen: &[(f64, f64)], condition: Condition) -> Result<Option<f64>, Error> {
    let first = seen[0].1;
    if seen.iter().any(|(_, cond)| (cond / first - 1.0).abs() > 1e-6) {
        return Ok(None);
    }
    let middle = seen.len() / 2;
    let places = [middle - middle / 3, middle, middle + middle / 3].map(|index| seen[index].0);
    let mut exact = [Bounded::exact(0.0); 3];
    for (exact, sigma) in exact.iter_mut().zip(places) {
        *exact = condition(sigma)?;
    }
    let agree = |a: Bounded, b: f64| (a.value - b).abs() <= 4.0 * a.error + 1e-13 * b.abs();
    if !exact.iter().all(|cond| agree(*cond, exact[0].value)) {
        return Ok(None);
    }
    let is_one = exact.iter().all(|cond| agree(*cond, 1.0));
    Ok(Some(if is_one { 0.0 } else { (exact[0].value - 1.0).abs() }))
}

/// The infimum of |cond - 1| where nothing crosses: a limit at one end or a dip inside.
fn nearest_miss(seen: &[(f64, f64)], dip: Option<(f64, f64, bool)>, scale: f64) -> Solution {
    let decade = (1.0 / libm::log10(seen[1].0 / seen[0].0)).round() as i64;
    let end = |index: usize, inward: i64, beyond: Approach| {
        let at = |decades: i64| {
            let place = (index as i64 + decades * decade * inward).clamp(0, seen.len() as i64 - 1);
            (seen[place as usize].1 - 1.0).abs()
        };
        let limit = limit(at(2), at(1), at(0));
        // A range cut short ends at a σ_p of its own.
        let is_cut = libm::log(seen[index].0 / scale).abs() < 0.9 * libm::log(REACH);
        if is_cut && at(0) >= LIMIT_REACHED {
            (at(0), Approach::At(seen[index].0))
        } else {
            (limit, beyond)
        }
    };
    let mut best = end(0, 1, Approach::Zero);
    let right = end(seen.len() - 1, -1, Approach::Infinity);
    if right.0 < best.0 {
        best = right;
    }
    if let Some((sigma, depth, _)) = dip
        && depth < best.0
    {
        best = (depth, Approach::At(sigma));
    }
    Solution::None { infimum: best.0, approached_at: best.1 }
}

/// The limit of a sequence taken a decade apart, the last value nearest to it (Aitken); 0 if it
/// is falling toward 0.
fn limit(first: f64, second: f64, last: f64) -> f64 {
    if last < LIMIT_REACHED || (last < 0.2 * second && second < 0.2 * first) {
        return 0.0;
    }
    let (earlier, later) = (second - first, last - second);
    let converging = later.abs() < 0.5 * earlier.abs();
    let extrapolated = last - later * later / (later - earlier);
    if converging && extrapolated >= 0.0 { extrapolated } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(text: &str, ratio: f64) -> Vec<Root> {
        match solve(&text.parse().unwrap(), ratio).unwrap() {
            Solution::Roots(roots) => roots,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn none(text: &str) -> (f64, Approach) {
        match solve(&text.parse().unwrap(), 1.0).unwrap() {
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
        assert!(matches!(solve(&"relu".parse().unwrap(), 1.0), Ok(Solution::Every)));
        let (infimum, at) = match solve(&"relu".parse().unwrap(), 3.0).unwrap() {
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
            assert_eq!(solve(&text.parse().unwrap(), 1.0).unwrap(), Solution::Every, "{text}");
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
            let found = match solve(&activation, 1.0).unwrap() {
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

    #[test]
    fn several_roots_are_all_found() {
        // A Gaussian on two scales: cond falls below 1 between them.
        let found = roots("exp(-x^2/2)+exp(-x^2/2000000)", 1.0);
        for root in &found {
            let text = "exp(-x^2/2)+exp(-x^2/2000000)".parse().unwrap();
            assert!((crate::backward_condition(&text, root.sigma_p).unwrap() - 1.0).abs() < 1e-10);
        }
        assert!(
            !found.is_empty() && found.windows(2).all(|pair| pair[0].sigma_p < pair[1].sigma_p)
        );
    }
}
