//! Strategies: the trials that are scheduled, given the scores so far.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::setting::{invalid, six_digits};
use super::{Plan, SweepError, Trial, Value};

/// The strategy that schedules the trials of a sweep.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[serde(expecting = "a table with the entry kind, such as { kind = \"grid\" }")]
pub enum Strategy {
    /// Every combination.
    #[default]
    Grid,
    /// Successive halving: all configurations run for few steps, and the best continue with more
    /// steps. The paper likewise drops a σ_p whose loss hardly falls at first.
    Halving {
        /// The number of steps of each rung but the last, which has the number of the settings.
        rungs: Vec<u64>,
        /// The share of each case's configurations that continues to the next rung, at least one.
        keep: f64,
    },
    /// A line search over σ_p for each configuration. It starts at the theory's value and
    /// multiplies or divides by `factor` as long as the score improves, then refines the factor to
    /// its square root.
    LineSearch {
        /// The initial factor, above 1 and at most 100.
        #[serde(default = "default_factor")]
        factor: f64,
        /// How many times the factor is replaced by its square root, at most 10.
        #[serde(default = "default_refinements")]
        refinements: u32,
    },
}

fn default_factor() -> f64 {
    2.0
}

fn default_refinements() -> u32 {
    2
}

/// The maximum number of initial steps between a line search and its start, in either direction.
const MAX_WALK: f64 = 6.0;

/// The score of a trial, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrialScore {
    /// The trial has not ended.
    Pending,
    /// The trial ended without a value of the metric.
    Failed,
    /// The value of the metric.
    Score(f64),
}

impl Strategy {
    /// Returns [`SweepError::Setting`] if the strategy does not fit the settings of `plan`.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), SweepError> {
        match self {
            Self::Grid => {}
            Self::Halving { rungs, keep } => {
                if !(*keep > 0.0 && *keep < 1.0) {
                    return Err(invalid(
                        "strategy",
                        format!("keep = {keep}: expected a number between 0 and 1"),
                    ));
                }
                let is_rising = rungs.windows(2).all(|pair| pair[0] < pair[1]);
                if rungs.first().is_none_or(|first| *first == 0) || !is_rising {
                    let reason = "rungs: expected increasing numbers of steps above 0";
                    return Err(invalid("strategy", reason));
                }
                for case in &plan.cases {
                    let steps = case.settings.iter().find(|setting| setting.name == "steps");
                    let number = match steps.map(|setting| setting.values.as_slice()) {
                        Some([value]) => value.number,
                        _ => None,
                    };
                    if number.is_none_or(|steps| steps <= rungs[rungs.len() - 1] as f64) {
                        let reason = "halving needs a single number of steps that is larger than those of \
                                      its rungs";
                        return Err(invalid("steps", reason));
                    }
                }
            }
            Self::LineSearch { factor, refinements } => {
                if !(*factor > 1.0 && *factor <= 100.0) || *refinements > 10 {
                    let reason = "a line search needs a factor above 1 and at most 100, and at most \
                                  10 refinements";
                    return Err(invalid("strategy", reason));
                }
                let sigma_p = |case: &super::Case| {
                    case.settings.iter().find(|setting| setting.name == "sigma_p").cloned()
                };
                if plan.cases.iter().any(|case| sigma_p(case).is_some_and(|own| own.is_varied())) {
                    let reason =
                        "a line search varies it itself; omit it or give a single starting value";
                    return Err(invalid("sigma_p", reason));
                }
            }
        }
        Ok(())
    }

    /// The trials that are scheduled given the scores so far, including those that have ended. Once
    /// none of them is pending, the sweep is complete.
    ///
    /// # Errors
    /// Returns [`SweepError::Theory`] if a line search finds no σ_p to begin at,
    /// [`SweepError::Request`] if the request of a trial is invalid, and the errors of `scores`.
    pub fn scheduled(&self, plan: &Plan, scores: &Scores<'_>) -> Result<Vec<Trial>, SweepError> {
        match self {
            Self::Grid => Ok(plan.trials().to_vec()),
            Self::Halving { rungs, keep } => halve(plan, rungs, *keep, scores),
            Self::LineSearch { factor, refinements } => search(plan, *factor, *refinements, scores),
        }
    }
}

/// The score of each trial.
pub type Scores<'a> = dyn Fn(&Trial) -> Result<TrialScore, SweepError> + 'a;

/// The mean of the trials' scores; `None` while one of them is pending, NaN if all of them failed.
fn score<'a>(
    trials: impl IntoIterator<Item = &'a Trial>,
    scores: &Scores<'_>,
) -> Result<Option<f64>, SweepError> {
    let (mut sum, mut count) = (0.0, 0);
    for trial in trials {
        match scores(trial)? {
            TrialScore::Pending => return Ok(None),
            TrialScore::Failed => {}
            TrialScore::Score(score) => {
                sum += score;
                count += 1;
            }
        }
    }
    Ok(Some(sum / f64::from(count)))
}

/// Halves the configurations of each case. A case does not wait for another.
fn halve(
    plan: &Plan,
    rungs: &[u64],
    keep: f64,
    scores: &Scores<'_>,
) -> Result<Vec<Trial>, SweepError> {
    let mut scheduled = Vec::new();
    for trials in plan.trials().chunk_by(|a, b| a.case == b.case) {
        scheduled.extend(halve_case(plan, trials.to_vec(), rungs, keep, scores)?);
    }
    Ok(scheduled)
}

/// The trials of a case that are scheduled: those of the rungs so far, and after the last rung those
/// of the configurations that are left.
fn halve_case(
    plan: &Plan,
    mut left: Vec<Trial>,
    rungs: &[u64],
    keep: f64,
    scores: &Scores<'_>,
) -> Result<Vec<Trial>, SweepError> {
    let mut scheduled = Vec::new();
    for steps in rungs {
        let mut configurations: BTreeMap<_, Vec<Trial>> = BTreeMap::new();
        for trial in &left {
            let rung = trial.with("steps", Value::number(*steps as f64))?;
            configurations.entry(trial.configuration(&[])).or_default().push(rung);
        }
        // A single configuration needs no comparison.
        if configurations.len() == 1 {
            break;
        }
        let mut scored = Vec::new();
        for (configuration, trials) in &configurations {
            scheduled.extend(trials.iter().cloned());
            scored.extend(score(trials, scores)?.map(|score| (score, configuration)));
        }
        if scored.len() < configurations.len() {
            return Ok(scheduled);
        }
        // The best first. The sort is stable, so ties keep the order of the settings.
        scored.sort_by(|a, b| match (plan.is_better(a.0, b.0), plan.is_better(b.0, a.0)) {
            (true, _) => std::cmp::Ordering::Less,
            (_, true) => std::cmp::Ordering::Greater,
            _ => std::cmp::Ordering::Equal,
        });
        let count = (configurations.len() as f64 * keep).ceil().max(1.0) as usize;
        let survivors: BTreeSet<_> = scored.into_iter().take(count).map(|(_, own)| own).collect();
        left.retain(|trial| survivors.contains(&trial.configuration(&[])));
    }
    scheduled.extend(left);
    Ok(scheduled)
}

fn search(
    plan: &Plan,
    factor: f64,
    refinements: u32,
    scores: &Scores<'_>,
) -> Result<Vec<Trial>, SweepError> {
    let mut configurations: BTreeMap<_, Vec<Trial>> = BTreeMap::new();
    for trial in plan.trials() {
        configurations.entry(trial.configuration(&["sigma_p"])).or_default().push(trial.clone());
    }
    let mut scheduled = Vec::new();
    for trials in configurations.values() {
        let start = start(plan, trials)?;
        let at = |position: f64| -> Result<Vec<Trial>, SweepError> {
            let sigma_p = Value::number(six_digits(start * factor.powf(position)));
            trials.iter().map(|trial| trial.with("sigma_p", sigma_p.clone())).collect()
        };
        let is_better = |a, b| plan.is_better(a, b);
        for position in walk(refinements, is_better, |position| score(&at(position)?, scores))? {
            scheduled.extend(at(position)?);
        }
    }
    Ok(scheduled)
}

/// The σ_p at which the search of a configuration starts: the given one, or else that of the
/// theory.
fn start(plan: &Plan, trials: &[Trial]) -> Result<f64, SweepError> {
    for trial in trials {
        let identity = plan.identity(trial)?;
        // The trials differ only in their files and seeds, so any readable file will do.
        if let Ok(own) = &identity.plan {
            let given = own.init.scheme.sigma_p().filter(|_| trial.get("sigma_p").is_some());
            return match given {
                Some(given) => Ok(given),
                None => Ok(vi3nr::auto_sigma_p(own.network.activation())?),
            };
        }
    }
    // All of them fail, whatever σ_p is.
    Ok(1.0)
}

/// The positions that a line search evaluates, as far as the scores of earlier ones are known.
/// Position p is the starting value times `factor` to the power p.
fn walk<E>(
    refinements: u32,
    is_better: impl Fn(f64, f64) -> bool,
    score: impl Fn(f64) -> Result<Option<f64>, E>,
) -> Result<Vec<f64>, E> {
    let mut positions = vec![-1.0, 0.0, 1.0];
    let (mut step, mut refined) = (1.0, 0);
    loop {
        let mut best: Option<(f64, f64)> = None;
        for position in &positions {
            let Some(score) = score(*position)? else { return Ok(positions) };
            if best.is_none_or(|(_, best)| is_better(score, best)) {
                best = Some((*position, score));
            }
        }
        let Some((best, _)) = best else { return Ok(positions) };
        let missing = |position: &f64| !positions.contains(position) && position.abs() <= MAX_WALK;
        let next: Vec<f64> = [best - step, best + step].into_iter().filter(missing).collect();
        if !next.is_empty() {
            positions.extend(next);
        } else if refined == refinements {
            return Ok(positions);
        } else {
            step /= 2.0;
            refined += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn walk(
        refinements: u32,
        is_better: impl Fn(f64, f64) -> bool,
        score: impl Fn(f64) -> Option<f64>,
    ) -> Vec<f64> {
        let score = |position| Ok::<_, Infallible>(score(position));
        super::walk(refinements, is_better, score).unwrap()
    }

    /// Steps of 1 as long as the score improves, then of a half and a quarter around the best.
    #[test]
    fn a_walk_ends_next_to_the_best() {
        let positions = walk(2, |a, b| a > b, |position| Some(-(position - 3.3f64).powi(2)));
        assert_eq!(positions, [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 2.5, 3.5, 3.25, 3.75]);
        // The walk is bounded.
        let positions = walk(0, |a, b| a > b, Some);
        assert_eq!(positions.last(), Some(&MAX_WALK));
        // A position without a score is worse than any other.
        let positions = walk(
            0,
            |a, b| a > b || b.is_nan() && !a.is_nan(),
            |position| Some(if position < 0.0 { f64::NAN } else { -position }),
        );
        assert_eq!(positions, [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_walk_waits_for_pending_scores() {
        assert_eq!(walk(2, |a, b| a > b, |_| None), [-1.0, 0.0, 1.0]);
    }
}
