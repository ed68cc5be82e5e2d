//! Moments of a function that can only be evaluated, such as one written in another language.
//!
//! Adaptive Gauss-Legendre quadrature: each panel is integrated with 17 and with 32 points, and halved
//! until the two agree. Only one of them has a node in the middle: two even rules would agree on a panel
//! with a jump close to its middle. Nothing is known about the function between the nodes, so the errors are
//! estimates, unlike those of [`Moments::of`].

use super::node_rule::NodeRule;
use super::{Method, Moments};
use crate::{Bounded, Error};

/// The integrals: of f, f², f', f'² and u f f', each times the standard normal density of u = x/σ.
const INTEGRALS: usize = 5;
/// The largest |u|; the density beyond it is not a number of double precision.
const RANGE: f64 = 38.5;
/// Beyond this |u| the density is below 1e-60, and values that are not finite count as 0.
const NEGLIGIBLE_FROM: f64 = 16.7;
/// The difference of the two rules at which a panel is accepted, relative to the integral.
const TOLERANCE: f64 = 1e-15;
/// The maximum number of times that a panel is halved.
const MAX_DEPTH: u32 = 52;
/// Panels that were halved more often show whether the integral converges at the point where they
/// lie.
const DEEP: u32 = 40;
/// The maximum number of panels.
const MAX_PANELS: usize = 40_000;
/// An integral whose error is above this part of it is not resolved.
const MAX_RELATIVE_ERROR: f64 = 1e-3;

/// The values of a function at points, and those of its derivative where they are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// f(x) for each x.
    pub values: Vec<f64>,
    /// f'(x) for each x. If `None`, the derivative is that of the polynomial through the values at
    /// the nodes of a panel, which has 32 points.
    pub slopes: Option<Vec<f64>>,
}

/// The moments of a function, and its sensitivity to the variance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FunctionMoments {
    /// The moments. Their errors are estimates.
    pub moments: Moments,
    /// χ = E\[z f f'\]/E\[f²\], see [`variance_sensitivity`](crate::variance_sensitivity); valid
    /// for continuous f.
    pub sensitivity: Bounded,
}

/// Why the moments of a function cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError<E> {
    /// The function cannot be evaluated.
    #[error("the function cannot be evaluated")]
    Evaluation(E),
    /// A moment is infinite, or it is not resolved.
    #[error(transparent)]
    Moment(#[from] Error),
}

/// What the moments are computed of.
struct Setting<'a> {
    name: &'a str,
    sigma: f64,
    /// The relative rounding error of the values.
    rounding: f64,
    rules: [NodeRule; 2],
}

#[derive(Debug, Clone, Copy)]
struct Panel {
    from: f64,
    to: f64,
    depth: u32,
}

/// The integrals over a panel with both rules.
struct Integrals {
    coarse: [f64; INTEGRALS],
    fine: [f64; INTEGRALS],
    /// The integrals of the absolute values, with the fine rule.
    absolute: [f64; INTEGRALS],
    /// What rounding errors of the values amount to, amplified by differentiation.
    noise: [f64; INTEGRALS],
}

/// What the accepted panels add up to.
#[derive(Default)]
struct Sums {
    value: [f64; INTEGRALS],
    error: [f64; INTEGRALS],
    absolute: [f64; INTEGRALS],
    /// The part of `absolute` in panels that were halved more than [`DEEP`] times.
    deep: [f64; INTEGRALS],
    /// The part of `absolute` at the ends of the range.
    ends: [f64; INTEGRALS],
}

impl Moments {
    /// The moments under N(0, `sigma`²) of a function called `name`, which `evaluate` evaluates at
    /// points x, and whose values have the relative rounding error `rounding`
    /// ([`f64::EPSILON`] for a function in double precision).
    ///
    /// The errors are estimates: a feature that is narrower than σ/1000 can be missed. The result
    /// takes some 10,000 evaluations, in about 50 calls for a function with a kink.
    ///
    /// # Errors
    /// Returns [`FunctionError::Evaluation`] if `evaluate` fails, and [`FunctionError::Moment`] if
    /// `sigma` is not a finite number above 0, a value is not finite or a moment is not resolved.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use vi3nr::moments::{FunctionMoments, Samples};
    /// use vi3nr::{Moments, moments};
    ///
    /// let mut evaluate = |points: &[f64]| {
    ///     let values = points.iter().map(|x| x.tanh()).collect();
    ///     Ok::<_, Infallible>(Samples { values, slopes: None })
    /// };
    /// let found = Moments::of_function("tanh", 1.0, f64::EPSILON, &mut evaluate)?.moments;
    /// let exact = Moments::of(&"tanh".parse()?, 1.0)?;
    /// assert!((found.second_moment.value - exact.second_moment.value).abs() < 1e-14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_function<E>(
        name: &str,
        sigma: f64,
        rounding: f64,
        evaluate: &mut dyn FnMut(&[f64]) -> Result<Samples, E>,
    ) -> Result<FunctionMoments, FunctionError<E>> {
        crate::require_positive("sigma_p", sigma)?;
        let rules = [NodeRule::gauss(17), NodeRule::gauss(32)];
        let setting = Setting { name, sigma, rounding: rounding.max(f64::EPSILON), rules };
        let mut sums = Sums::default();
        let mut panels = first_panels();
        let mut evaluations = 0;
        let mut count = 0;
        while !panels.is_empty() {
            count += panels.len();
            if count > MAX_PANELS {
                return Err(setting.error("E[f^2]", unresolved()).into());
            }
            let points = setting.points(&panels);
            evaluations += points.len() as u64;
            let samples = evaluate(&points).map_err(FunctionError::Evaluation)?;
            panels = setting.refine(&panels, &points, samples, &mut sums)?;
        }
        Ok(setting.moments(&sums, evaluations)?)
    }
}

/// Panels that are narrow where the density is large; 0 is an end of two of them.
fn first_panels() -> Vec<Panel> {
    let mut ends = vec![0.0];
    let mut end = 0.0;
    while end < RANGE {
        end += match end {
            end if end < 4.0 => 1.0 / 32.0,
            end if end < 8.0 => 0.125,
            end if end < 14.0 => 0.5,
            end if end < 36.5 => 1.5,
            _ => RANGE - end,
        };
        ends.push(end);
    }
    let right = ends.windows(2).map(|pair| Panel { from: pair[0], to: pair[1], depth: 0 });
    let left = ends.windows(2).map(|pair| Panel { from: -pair[1], to: -pair[0], depth: 0 });
    right.chain(left).collect()
}

impl Panel {
    fn at(&self, node: f64) -> f64 {
        0.5 * (self.from + self.to) + 0.5 * (self.to - self.from) * node
    }

    fn is_negligible(&self) -> bool {
        self.from.abs().min(self.to.abs()) >= NEGLIGIBLE_FROM
    }
}

impl Setting<'_> {
    fn error(&self, moment: &'static str, reason: String) -> Error {
        Error::Moment { moment, activation: self.name.to_owned(), sigma: self.sigma, reason }
    }

    fn points(&self, panels: &[Panel]) -> Vec<f64> {
        let of = |panel: &Panel| {
            let nodes = self.rules.iter().flat_map(|rule| &rule.nodes);
            nodes.map(|node| self.sigma * panel.at(*node)).collect::<Vec<f64>>()
        };
        panels.iter().flat_map(of).collect()
    }

    /// Adds the panels on which the two rules agree to `sums`, and returns the halves of the others.
    fn refine(
        &self,
        panels: &[Panel],
        points: &[f64],
        samples: Samples,
        sums: &mut Sums,
    ) -> Result<Vec<Panel>, Error> {
        let Samples { values, slopes } = samples;
        for found in [Some(&values), slopes.as_ref()].into_iter().flatten() {
            if found.len() != points.len() {
                let reason = format!("it gave {} values for {} points", found.len(), points.len());
                return Err(self.error("f", reason));
            }
        }
        let size: usize = self.rules.iter().map(|rule| rule.nodes.len()).sum();
        let integrals: Vec<Integrals> = panels
            .iter()
            .enumerate()
            .map(|(index, panel)| {
                let range = index * size..(index + 1) * size;
                let slopes = slopes.as_ref().map(|slopes| &slopes[range.clone()]);
                self.integrate(panel, &points[range.clone()], &values[range], slopes)
            })
            .collect::<Result<_, _>>()?;
        // The sizes of the integrals so far, by which errors are judged.
        let mut whole = sums.absolute;
        for own in &integrals {
            (0..INTEGRALS).for_each(|k| whole[k] += own.absolute[k]);
        }
        let sizes = [
            whole[0].max(libm::sqrt(whole[1])),
            whole[1],
            whole[2].max(libm::sqrt(whole[3])),
            whole[3],
            whole[4].max(libm::sqrt(whole[1] * whole[3])),
        ];
        let mut halves = Vec::new();
        for (panel, own) in panels.iter().zip(&integrals) {
            // A difference that halving does not reduce comes from rounding errors of the function,
            // which can be larger than expected of its values.
            let expected = 8.0 * self.rounding * f64::from(1u32 << panel.depth.min(20));
            let agrees = (0..INTEGRALS).all(|k| {
                let difference = (own.coarse[k] - own.fine[k]).abs();
                let noise = own.noise[k].max(expected * own.absolute[k]);
                difference <= (TOLERANCE * sizes[k]).max(noise)
            });
            if agrees || panel.depth == MAX_DEPTH {
                sums.add(panel, own, agrees);
                continue;
            }
            let middle = 0.5 * (panel.from + panel.to);
            let depth = panel.depth + 1;
            halves.push(Panel { from: panel.from, to: middle, depth });
            halves.push(Panel { from: middle, to: panel.to, depth });
        }
        Ok(halves)
    }

    fn integrate(
        &self,
        panel: &Panel,
        points: &[f64],
        values: &[f64],
        slopes: Option<&[f64]>,
    ) -> Result<Integrals, Error> {
        let is_finite = |list: &[f64]| list.iter().all(|value| value.is_finite());
        if !(is_finite(values) && slopes.is_none_or(is_finite)) {
            if panel.is_negligible() {
                let none = [0.0; INTEGRALS];
                return Ok(Integrals { coarse: none, fine: none, absolute: none, noise: none });
            }
            let index = values.iter().position(|value| !value.is_finite());
            let slope_index = || slopes?.iter().position(|slope| !slope.is_finite());
            let (what, index, list) = match index {
                Some(index) => ("f", index, values),
                None => ("f'", slope_index().unwrap_or(0), slopes.unwrap_or(values)),
            };
            let reason = format!("{what} is {} at x = {:.6e}", list[index], points[index]);
            return Err(self.error("E[f^2]", reason));
        }
        let half = 0.5 * (panel.to - panel.from);
        let mut start = 0;
        let [coarse, fine] = [0, 1].map(|which| {
            let rule = &self.rules[which];
            let range = start..start + rule.nodes.len();
            start = range.end;
            let values = &values[range.clone()];
            let factor = 1.0 / (half * self.sigma);
            let (own, slope_errors): (Vec<f64>, Vec<f64>) = match slopes {
                Some(slopes) => (slopes[range].to_vec(), vec![0.0; values.len()]),
                None => {
                    let largest = values.iter().fold(0.0f64, |size, value| size.max(value.abs()));
                    let error = self.rounding * largest * factor;
                    let slopes = rule.differentiate(values);
                    (
                        slopes.into_iter().map(|slope| slope * factor).collect(),
                        rule.amplification.iter().map(|own| own * error).collect(),
                    )
                }
            };
            let mut sums = [[0.0; INTEGRALS]; 3];
            for (index, (f, slope)) in values.iter().zip(&own).enumerate() {
                let (node, weight) = (&rule.nodes[index], &rule.weights[index]);
                let error = slope_errors[index];
                let u = panel.at(*node);
                let density = libm::exp(-0.5 * u * u) / libm::sqrt(2.0 * std::f64::consts::PI);
                let mass = weight * half * density;
                // z f f' is u f times the slope with respect to u.
                let terms = [*f, f * f, *slope, slope * slope, u * self.sigma * f * slope];
                let noise = [
                    0.0,
                    0.0,
                    error,
                    error * (2.0 * slope.abs() + error),
                    (u * self.sigma * f * error).abs(),
                ];
                for k in 0..INTEGRALS {
                    sums[0][k] += mass * terms[k];
                    sums[1][k] += mass * terms[k].abs();
                    sums[2][k] += mass * noise[k];
                }
            }
            sums
        });
        Ok(Integrals { coarse: coarse[0], fine: fine[0], absolute: fine[1], noise: fine[2] })
    }

    fn moments(&self, sums: &Sums, evaluations: u64) -> Result<FunctionMoments, Error> {
        let bounded = |k: usize| {
            let rounding = 16.0 * self.rounding * sums.absolute[k];
            Bounded { value: sums.value[k], error: 2.0 * sums.error[k] + rounding }
        };
        let is_resolved = |k: usize| {
            let absolute = sums.absolute[k];
            let limit = MAX_RELATIVE_ERROR * absolute;
            let converges = sums.deep[k] <= 1e-6 * absolute && sums.ends[k] <= 1e-9 * absolute;
            absolute.is_finite() && converges && bounded(k).error <= limit.max(f64::MIN_POSITIVE)
        };
        for (k, moment) in [(0, "E[f]"), (1, "E[f^2]")] {
            if !is_resolved(k) {
                return Err(self.error(moment, unresolved()));
            }
        }
        let (mut derivative_mean, mut derivative_second_moment) = (bounded(2), bounded(3));
        let mut sensitivity = bounded(4) / bounded(1);
        if !is_resolved(3) {
            derivative_second_moment = Bounded::exact(f64::INFINITY);
            if !is_resolved(2) {
                derivative_mean = Bounded { value: f64::NAN, error: f64::INFINITY };
            }
        }
        if !is_resolved(4) {
            sensitivity = Bounded { value: f64::NAN, error: f64::INFINITY };
        }
        let moments = Moments {
            mean: bounded(0),
            second_moment: bounded(1),
            derivative_mean,
            derivative_second_moment,
            method: Method::Function { evaluations },
        };
        Ok(FunctionMoments { moments, sensitivity })
    }
}

impl Sums {
    fn add(&mut self, panel: &Panel, own: &Integrals, agrees: bool) {
        for k in 0..INTEGRALS {
            // A jump of f lies in the panel, or a kink whose sides are too narrow to matter: f' is
            // the derivative almost everywhere, which has no part in it.
            if !agrees && k >= 2 {
                continue;
            }
            self.value[k] += own.fine[k];
            self.error[k] += (own.coarse[k] - own.fine[k]).abs() + own.noise[k];
            self.absolute[k] += own.absolute[k];
            if panel.depth > DEEP {
                self.deep[k] += own.absolute[k];
            }
            if panel.from.abs().max(panel.to.abs()) >= RANGE {
                self.ends[k] += own.absolute[k];
            }
        }
    }
}

fn unresolved() -> String {
    "it is infinite or not resolved by 40,000 panels of 49 points".into()
}

#[cfg(test)]
mod tests;
