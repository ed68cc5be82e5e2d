//! Adaptive Gauss-Legendre quadrature of the four moments at once, with error bounds.
//!
//! The line is halved until, on every panel, the enclosure of f and f' over a complex
//! neighborhood proves that a Gauss rule is exact to the tolerance ([`gauss`](super::gauss); the
//! algorithm is Petras's, as in Arb). Nothing can hide between the nodes: a spike or an
//! oscillation that a panel does not resolve makes the enclosure large and the panel is halved. At
//! a kink or jump the panels shrink until they no longer matter; the enclosure over the real
//! panel bounds what is left. The one place where the bound is an estimate, though a wide one, is a
//! point at which the enclosure stays infinite, such as x/tanh(x), (1-cos(x))/x^2 or abs(x)^0.9 at
//! 0: there the rules with 16, 32 and 64 points must agree, or the panels' contributions must fade,
//! or all integrands must be powers of x beside 0, else the integral is refused. The evaluation's own rounding is bounded by computing on
//! [`Bounded`]. An analytic function that oscillates very often under the density goes to
//! [`strip`], and of a periodic function with many periods there [`period`] leaves one.

use super::budget::Budget;
use super::gauss::{Rule, SIXTEEN, SIXTY_FOUR, THIRTY_TWO, ln_error_factor};
use super::integrand::{Integrand, Measure, rounded};
use super::period::{self, Wrapped};
use super::sums::{Four, Sums};
use super::{Method, Moments, existence, strip, tail};
use crate::activation::formula::{Region, Sides, Symmetry};
use crate::number::significant;
use crate::{Activation, Bounded, Error};

/// Part of each integral that one panel's truncation may be.
const PANEL_TOLERANCE: f64 = 1e-17;
/// Panels after which equally spaced points are tried on the whole line ([`strip`]).
const PATIENCE: usize = 200;
/// Panels after which an integral is declared unresolved, and operations on all of them: a long
/// expression has fewer panels.
const MAX_PANELS: usize = 40_000;
const MIN_PANELS: usize = 1000;
const MAX_OPERATIONS: usize = 600_000;
/// Panels that are enclosed infinitely in a row before a singular point is suspected.
const SUSPECT: u32 = 4;
/// Halvings of one panel after which a point is declared singular.
const DEEPEST: u32 = 1000;
/// The ellipses that are tried, from the one that serves smooth panels best.
const ELLIPSES: [f64; 5] = [3.2, 2.2, 5.0, 1.6, 12.0];
/// The rules, from the cheapest.
pub(super) const RULES: [&Rule; 3] = [&SIXTEEN, &THIRTY_TWO, &SIXTY_FOUR];

/// An interval that waits for its turn.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub(super) from: f64,
    pub(super) to: f64,
    depth: u32,
    /// How many intervals in a row, up to this one, had no finite enclosure.
    unbounded: u32,
}

impl Panel {
    fn middle(&self) -> f64 {
        0.5 * (self.from + self.to)
    }
}

/// The moments of `activation` under N(0, `sigma`²).
pub(super) fn moments(
    activation: &Activation,
    sigma: f64,
    budget: &Budget,
) -> Result<Moments, Error> {
    let count = existence::count(activation, sigma)?;
    against(Measure::Normal(0), activation, sigma, count, budget)
}

/// E\[(z/σ)^p g\] for the four g = f, f², f', f'², where p is 0, 2 or 4; of these the first `most`
/// that exist, as in [`Moments`].
pub(super) fn moments_by_power(
    activation: &Activation,
    sigma: f64,
    (power, most): (i32, usize),
    budget: &Budget,
) -> Result<Moments, Error> {
    let count = existence::count(activation, sigma)?.min(most);
    against(Measure::Normal(power), activation, sigma, count, budget)
}

/// The four integrals, of which the first `count` exist.
fn against(
    measure: Measure,
    activation: &Activation,
    sigma: f64,
    count: usize,
    budget: &Budget,
) -> Result<Moments, Error> {
    let definition = activation.to_formula()?;
    let own = budget.of_one();
    let mut integrand = Integrand { activation, definition, sigma, count, measure, budget: own };
    let wrapped = period::wrap(&mut integrand);
    let moments = integrand.moments(wrapped);
    budget.take(&integrand.budget);
    moments
}

impl Integrand<'_> {
    /// The four from their integrals, each of which may be off by `wrapped` in its measure.
    fn moments(&self, wrapped: Wrapped) -> Result<Moments, Error> {
        let mut scale = self.rough_magnitudes();
        let mut sums = self.integrate(scale)?;
        // A first guess that was far too large has set the tolerances too wide.
        for _ in 0..2 {
            let coarse = (0..4).any(|k| scale[k] > 8.0 * sums.magnitude[k]);
            if !coarse {
                break;
            }
            scale = sums.magnitude;
            sums = self.integrate(scale)?;
        }
        for k in 0..4 {
            sums.error[k] += wrapped.part * sums.magnitude[k] + wrapped.ends[k];
        }
        self.finish(&sums)
    }

    /// The magnitudes of the four integrals from some hundred points: only efficiency depends on it.
    fn rough_magnitudes(&self) -> Four {
        let mut sums = [0.0; 4];
        let mut sample = |x: f64, weight: f64| {
            for (sum, part) in sums.iter_mut().zip(self.node(rounded(x), weight)) {
                *sum += if part.value.is_finite() { part.value.abs() } else { 0.0 };
            }
        };
        let reach = self.reach();
        let finest = self.activation.feature_width().min(0.1 * reach) * 0.05;
        let steps = (2.0 * libm::log2(reach / finest)).min(200.0) as i32;
        for step in 0..=steps {
            let x = finest * libm::exp2(0.5 * f64::from(step));
            sample(x, 0.35 * x);
            sample(-x, 0.35 * x);
        }
        sums
    }

    /// All panels, each halved until its truncation error is within the tolerance.
    fn integrate(&self, scale: Four) -> Result<Sums, Error> {
        let floor = self.floor(scale[1]);
        let scale: Four = std::array::from_fn(|k| scale[k].max(floor[k]));
        let tolerance = scale.map(|scale| (PANEL_TOLERANCE * scale).max(f64::MIN_POSITIVE));
        let operations = self.operations();
        let max_panels = (MAX_OPERATIONS / operations).clamp(MIN_PANELS, MAX_PANELS);
        let mut sums = Sums::default();
        let mut waiting = self.first_panels(tolerance, &mut sums)?;
        let mut sides = Sides::default();
        for looked_at in 0.. {
            let Some(panel) = waiting.pop() else { break };
            if looked_at == PATIENCE
                && !matches!(self.measure, Measure::Period { .. })
                && let Some(sums) = strip::integrate(self, scale)
            {
                return Ok(sums);
            }
            if looked_at > max_panels || self.budget.left() == 0 {
                waiting.push(panel);
                return self.unresolved(&sums, &waiting, max_panels);
            }
            // What has been found so far may outweigh the first guess.
            let tolerance: Four =
                std::array::from_fn(|k| tolerance[k].max(PANEL_TOLERANCE * sums.magnitude[k]));
            let on_axis = self.ln_moduli(Region::interval(panel.from, panel.to), &mut sides);
            if let Some((part, truncation)) = self.resolved(&panel, on_axis, tolerance, &mut sides)
            {
                self.require_finite(&part, panel.middle())?;
                sums.add(&part, truncation);
                continue;
            }
            let middle = panel.middle();
            let exhausted = middle <= panel.from || middle >= panel.to;
            // What the panel holds at most, by the bound over the real panel.
            let width = panel.to - panel.from;
            let crude = on_axis.map(|modulus| 2.0 * width * libm::exp(modulus));
            let negligible = (0..4).all(|k| crude[k] <= tolerance[k]);
            if negligible || (exhausted && crude.iter().all(|bound| bound.is_finite())) {
                sums.add(&self.apply(&SIXTEEN, &panel), crude);
                continue;
            }
            let unbounded = if on_axis.contains(&f64::INFINITY) { panel.unbounded + 1 } else { 0 };
            if crude.contains(&f64::INFINITY) {
                self.require_finite(&self.apply(&SIXTEEN[7..], &panel), middle)?;
            }
            if unbounded >= SUSPECT
                && let Some((part, estimate)) = self.power_law(&panel)
            {
                sums.add(&part, estimate);
                continue;
            }
            if unbounded >= SUSPECT {
                let (part, estimate) = self.estimate(&panel);
                // A difference within the rounding noise cannot be made smaller by halving.
                if (0..4).all(|k| estimate[k] <= 16.0 * tolerance[k] + 20.0 * part.error[k]) {
                    self.require_finite(&part, middle)?;
                    sums.add(&part, estimate);
                    continue;
                }
            }
            if exhausted || panel.depth >= DEEPEST {
                let worst = (0..4).max_by(|&a, &b| on_axis[a].total_cmp(&on_axis[b])).unwrap_or(1);
                return self.fail(
                    worst,
                    format!("it is infinite or has no bound near x = {}", significant(middle, 6)),
                );
            }
            let half = |from, to| Panel { from, to, depth: panel.depth + 1, unbounded };
            waiting.push(half(panel.from, middle));
            waiting.push(half(middle, panel.to));
        }
        Ok(sums)
    }

    /// The error of a spent budget, with what is known of E\[f²\].
    fn unresolved<T>(&self, sums: &Sums, waiting: &[Panel], panels: usize) -> Result<T, Error> {
        let sides = if self.is_symmetric() { 2.0 } else { 1.0 };
        let open: f64 = waiting
            .iter()
            .map(|panel| {
                let region = Region::interval(panel.from, panel.to);
                let modulus = self.ln_moduli(region, &mut Sides::default())[1];
                (panel.to - panel.from) * libm::exp(modulus)
            })
            .sum();
        let least = sides * (sums.value[1] - sums.error[1]).max(0.0);
        let most = sides * (sums.value[1] + sums.error[1] + open);
        let known = if most.is_finite() {
            format!("all that is known is {least:.6e} <= E[f^2] <= {most:.6e}")
        } else {
            format!("all that is known is E[f^2] >= {least:.6e}")
        };
        let limit = self.budget.limit(panels);
        self.fail(1, format!("it is not resolved to 1e-10 {limit}; {known}"))
    }

    /// The panels between the ends of the line, 0 and the kinks; what lies beyond the ends goes
    /// into the error of `sums`. Of an even or odd function only the right half is integrated.
    fn first_panels(&self, tolerance: Four, sums: &mut Sums) -> Result<Vec<Panel>, Error> {
        let mut ends = vec![0.0];
        if matches!(self.measure, Measure::Period { .. }) {
            let half = self.reach();
            ends.extend(if self.is_symmetric() { [half, half] } else { [-half, half] });
            return Ok(self.between(ends));
        }
        for side in if self.is_symmetric() { [1.0].iter() } else { [-1.0, 1.0].iter() } {
            let Some((end, beyond)) = tail::end(self, *side, tolerance.map(libm::log)) else {
                self.require_defined(side * 1e3 * self.sigma)?;
                return self.fail(1, "it is infinite or overflows: the function grows at least as fast as the normal density falls");
            };
            ends.push(side * end * self.sigma);
            for (error, ln_beyond) in sums.error.iter_mut().zip(beyond) {
                *error += libm::exp(ln_beyond);
            }
        }
        Ok(self.between(ends))
    }

    /// The panels between these ends, in any order, and the kinks.
    fn between(&self, mut ends: Vec<f64>) -> Vec<Panel> {
        ends.sort_by(f64::total_cmp);
        let (first, last) = (ends[0], ends[ends.len() - 1]);
        for kink in self.activation.kinks() {
            // A kink is known to a rounding or two, unless it is exactly 0.
            let blur = 4.0 * f64::EPSILON * kink.abs();
            ends.extend([kink - blur, kink + blur].iter().filter(|x| first < **x && **x < last));
        }
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        let panel = |pair: &[f64]| Panel { from: pair[0], to: pair[1], depth: 0, unbounded: 0 };
        ends.windows(2).map(panel).collect()
    }

    /// The integrals over a panel by the cheapest rule whose truncation error is proven to be
    /// within the tolerance, or far below the integrals over the panel itself.
    fn resolved(
        &self,
        panel: &Panel,
        on_axis: Four,
        tolerance: Four,
        sides: &mut Sides,
    ) -> Option<(Sums, Four)> {
        if !sides.are_certain || on_axis.contains(&f64::INFINITY) {
            return None;
        }
        let ln_half = libm::log(0.5 * (panel.to - panel.from));
        let mut best = [[f64::INFINITY; 4]; RULES.len()];
        for rho in ELLIPSES {
            let moduli = self.ln_moduli(Region::around_ellipse(panel.from, panel.to, rho), sides);
            for (best, rule) in best.iter_mut().zip(RULES) {
                let factor = ln_error_factor(2 * rule.len(), rho) + ln_half;
                for k in 0..4 {
                    best[k] = best[k].min(libm::exp(moduli[k] + factor));
                }
            }
            let within = |best: &Four| (0..4).all(|k| best[k] <= tolerance[k]);
            if let Some(index) = best[..2].iter().position(within) {
                return Some((self.apply(RULES[index], panel), best[index]));
            }
        }
        let within = |best: &Four| (0..4).all(|k| best[k] <= tolerance[k]);
        if let Some(index) = best.iter().position(within) {
            return Some((self.apply(RULES[index], panel), best[index]));
        }
        // Small beside the largest that the panel can hold? Then see what it does hold.
        let ln_small = libm::log(PANEL_TOLERANCE);
        let promising = (0..4).all(|k| {
            best[2][k] <= tolerance[k] || libm::log(best[2][k]) <= on_axis[k] + ln_half + ln_small
        });
        let part = promising.then(|| self.apply(&SIXTY_FOUR, panel))?;
        let enough =
            |k: usize| best[2][k] <= tolerance[k].max(8.0 * PANEL_TOLERANCE * part.magnitude[k]);
        (0..4).all(enough).then_some((part, best[2]))
    }

    /// The four integrals over the panel with a bound on the rounding errors.
    pub(super) fn apply(&self, rule: &Rule, panel: &Panel) -> Sums {
        let (center, half) = (0.5 * (panel.from + panel.to), 0.5 * (panel.to - panel.from));
        let mut sums = Sums::default();
        for (node, weight) in rule {
            for x in [center - half * node, center + half * node] {
                sums.add_node(self.node(rounded(x), half * weight));
            }
        }
        sums.close(2 * rule.len());
        sums
    }

    /// Refuses a panel in which a value is not finite.
    fn require_finite(&self, part: &Sums, near: f64) -> Result<(), Error> {
        let lost = |k: &usize| !part.value[*k].is_finite();
        match (0..4).find(lost) {
            None => Ok(()),
            Some(k) => {
                // Beside the point, which may be the very pole.
                self.require_defined(near + 1e-12 * near.abs())?;
                self.fail(
                    k,
                    format!("it is infinite or overflows near x = {}", significant(near, 6)),
                )
            }
        }
    }

    fn finish(&self, sums: &Sums) -> Result<Moments, Error> {
        let sides = if self.is_symmetric() { 2.0 } else { 1.0 };
        let vanishing = match self.definition.symmetry() {
            Symmetry::Odd => Some(0),
            Symmetry::Even => Some(2),
            Symmetry::Unknown => None,
        };
        let floor = self.floor(sums.magnitude[1]);
        let mut moments = [Bounded::exact(0.0); 4];
        for (k, moment) in moments.iter_mut().enumerate() {
            let value = sums.value[k] + sums.rest[k];
            let error = sums.error[k] + 4.0 * f64::EPSILON * sums.magnitude[k] + f64::MIN_POSITIVE;
            if vanishing != Some(k) {
                *moment = Bounded { value: sides * value, error: sides * error };
            }
            if !moment.is_finite() {
                return self.fail(k, "it overflows");
            }
            let size = sums.magnitude[k].max(floor[k]).max(f64::MIN_POSITIVE * 1e4);
            if k < self.count && error > 1e-3 * size {
                return self.fail(k, format!("only {value:e} +- {error:e} could be reached"));
            }
        }
        Ok(Moments::from_four(moments, self.count, Method::Quadrature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What does not end by itself ends with its budget, and what is known is told.
    #[test]
    fn a_spent_budget_is_an_error() {
        let endless: Activation = "sin(sinh(2*x))".parse().unwrap();
        let budget = Budget::of(1_000_000, 300_000);
        for used in 1..=3 {
            let error = moments(&endless, 1.0, &budget).unwrap_err().to_string();
            let expected = "not resolved to 1e-10 within the operations that a search may take; all \
                that is known is 0";
            assert!(error.contains(expected), "{error}");
            let left = 1_000_000 - used * 300_000;
            assert!((left - 20_000..=left).contains(&(budget.left() as i64)), "{budget:?}");
        }
        let before = budget.left();
        let tanh: Activation = "tanh".parse().unwrap();
        assert!(moments(&tanh, 1.0, &budget).is_ok());
        assert!((1..20_000).contains(&(before - budget.left())));
        let closed: Activation = "sine".parse().unwrap();
        let spent = Budget::of(0, 0);
        assert!(moments(&tanh, 1.0, &spent).is_err());
        assert!(Moments::within(&closed, 1.0, &spent).is_ok());
    }
}
