//! Which trials are wanted, given what is known.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::setting::{invalid, six_digits};
use super::{Plan, SweepError, Trial, Value};

/// How the combinations of a sweep are tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strategy {
    /// All of them.
    #[default]
    Grid,
    /// Successive halving: all with few steps, the best with more, as the paper drops a σ_p whose loss
    /// hardly falls at first.
    Halving {
        /// Steps of each round but the last, whose steps are those of the settings.
        rungs: Vec<u64>,
        /// The share of each case's configurations that goes on, at least one.
        keep: f64,
    },
    /// For each configuration a walk over σ_p, from the theory's value to the best nearby: in steps
    /// of `factor` as long as that helps, then of its root, and so on.
    LineSearch {
        /// The first step, above 1.
        #[serde(default = "default_factor")]
        factor: f64,
        /// How often the step is refined to its root.
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

/// The maximum number of steps that a line search goes from where it began, to either side.
const MAX_WALK: f64 = 6.0;

/// What is known of a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrialScore {
    /// It has not ended.
    Pending,
    /// It ended without the number that decides.
    Failed,
    /// The number that decides.
    Score(f64),
}

impl Strategy {
    /// Refuses what cannot be carried out with the settings of `plan`.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), SweepError> {
        match self {
            Self::Grid => {}
            Self::Halving { rungs, keep } => {
                if !(*keep > 0.0 && *keep < 1.0) {
                    return Err(invalid("strategy", format!("keep = {keep}: expected 0 to 1")));
                }
                let is_rising = rungs.windows(2).all(|pair| pair[0] < pair[1]);
                if rungs.first().is_none_or(|first| *first == 0) || !is_rising {
                    let reason = "rungs: expected numbers of steps above 0 that rise";
                    return Err(invalid("strategy", reason));
                }
                for case in &plan.cases {
                    let steps = case.settings.iter().find(|setting| setting.name == "steps");
                    let number = match steps.map(|setting| setting.values.as_slice()) {
                        Some([value]) => value.number,
                        _ => None,
                    };
                    if number.is_none_or(|steps| steps <= rungs[rungs.len() - 1] as f64) {
                        let reason = "halving needs one number of steps above those of its rungs";
                        return Err(invalid("steps", reason));
                    }
                }
            }
            Self::LineSearch { factor, refinements } => {
                if !(*factor > 1.0 && *factor <= 100.0) || *refinements > 10 {
                    let reason = "a line search takes a factor above 1, 100 at most, and up to 10 \
                                  refinements";
                    return Err(invalid("strategy", reason));
                }
                let sigma_p = |case: &super::Case| {
                    case.settings.iter().find(|setting| setting.name == "sigma_p").cloned()
                };
                if plan.cases.iter().any(|case| sigma_p(case).is_some_and(|own| own.is_varied())) {
                    let reason = "a line search chooses it; leave it out or give where to begin";
                    return Err(invalid("sigma_p", reason));
                }
            }
        }
        Ok(())
    }

    /// The trials that are wanted as far as can be told: when none of them is open, these are all.
    ///
    /// # Errors
    /// Returns [`SweepError::Theory`] if a line search finds no σ_p to begin at,
    /// [`SweepError::Request`] if a trial cannot be asked for, and what `known` returns.
    pub fn scheduled(&self, plan: &Plan, known: &Known<'_>) -> Result<Vec<Trial>, SweepError> {
        match self {
            Self::Grid => Ok(plan.trials().to_vec()),
            Self::Halving { rungs, keep } => halve(plan, rungs, *keep, known),
            Self::LineSearch { factor, refinements } => search(plan, *factor, *refinements, known),
        }
    }
}

/// What is known of a trial.
pub type Known<'a> = dyn Fn(&Trial) -> Result<TrialScore, SweepError> + 'a;

/// The mean of the trials' scores; `None` while one of them is open, not a number where none has a
/// score.
fn score<'a>(
    trials: impl IntoIterator<Item = &'a Trial>,
    known: &Known<'_>,
) -> Result<Option<f64>, SweepError> {
    let (mut sum, mut count) = (0.0, 0);
    for trial in trials {
        match known(trial)? {
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

fn halve(
    plan: &Plan,
    rungs: &[u64],
    keep: f64,
    known: &Known<'_>,
) -> Result<Vec<Trial>, SweepError> {
    let mut scheduled = Vec::new();
    let mut left = plan.trials().to_vec();
    for steps in rungs {
        let mut configurations: BTreeMap<_, Vec<Trial>> = BTreeMap::new();
        for trial in &left {
            let rung = trial.with("steps", Value::number(*steps as f64))?;
            configurations.entry(trial.configuration(&[])).or_default().push(rung);
        }
        let mut cases: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (configuration, trials) in &configurations {
            cases.entry(configuration.0).or_default().push((configuration, trials));
        }
        let mut survivors = BTreeSet::new();
        let mut is_open = false;
        for configurations in cases.into_values() {
            // One alone needs no comparison.
            if let [(only, _)] = configurations[..] {
                survivors.insert(only.clone());
                continue;
            }
            let mut scored = Vec::new();
            for (configuration, trials) in &configurations {
                scheduled.extend(trials.iter().cloned());
                match score(*trials, known)? {
                    Some(score) => scored.push((score, *configuration)),
                    None => is_open = true,
                }
            }
            // The better first; a stable sort, so that ties fall to the order of the settings.
            scored.sort_by(|a, b| match (plan.is_better(a.0, b.0), plan.is_better(b.0, a.0)) {
                (true, _) => std::cmp::Ordering::Less,
                (_, true) => std::cmp::Ordering::Greater,
                _ => std::cmp::Ordering::Equal,
            });
            let count = (configurations.len() as f64 * keep).ceil().max(1.0) as usize;
            survivors.extend(scored.into_iter().take(count).map(|(_, own)| own.clone()));
        }
        if is_open {
            return Ok(scheduled);
        }
        left.retain(|trial| survivors.contains(&trial.configuration(&[])));
    }
    scheduled.extend(left);
    Ok(scheduled)
}

fn search(
    plan: &Plan,
    factor: f64,
    refinements: u32,
    known: &Known<'_>,
) -> Result<Vec<Trial>, SweepError> {
    let mut configurations: BTreeMap<_, Vec<Trial>> = BTreeMap::new();
    for trial in plan.trials() {
        configurations.entry(trial.configuration(&["sigma_p"])).or_default().push(trial.clone());
    }
    let mut scheduled = Vec::new();
    for trials in configurations.values() {
        let begin = begin(plan, trials)?;
        let at = |place: f64| -> Result<Vec<Trial>, SweepError> {
            let sigma_p = Value::number(six_digits(begin * factor.powf(place)));
            trials.iter().map(|trial| trial.with("sigma_p", sigma_p.clone())).collect()
        };
        let is_better = |a, b| plan.is_better(a, b);
        for place in walk(refinements, is_better, |place| score(&at(place)?, known))? {
            scheduled.extend(at(place)?);
        }
    }
    Ok(scheduled)
}

/// Where the search for the σ_p of a configuration begins: at the one that is given, else at the
/// theory's.
fn begin(plan: &Plan, trials: &[Trial]) -> Result<f64, SweepError> {
    for trial in trials {
        let identity = plan.identity(trial)?;
        // The trials differ in their files and seeds only: any file that can be read tells.
        if let Ok(own) = &identity.plan {
            let given = own.init.scheme.sigma_p().filter(|_| trial.get("sigma_p").is_some());
            return match given {
                Some(given) => Ok(given),
                None => Ok(vi3nr::auto_sigma_p(own.network.activation())?),
            };
        }
    }
    // All of them fail, wherever the search begins.
    Ok(1.0)
}

/// The places that a line search looks at, as far as the scores of earlier ones are known.
fn walk<E>(
    refinements: u32,
    is_better: impl Fn(f64, f64) -> bool,
    score: impl Fn(f64) -> Result<Option<f64>, E>,
) -> Result<Vec<f64>, E> {
    let mut places = vec![-1.0, 0.0, 1.0];
    let (mut step, mut refined) = (1.0, 0);
    loop {
        let mut best: Option<(f64, f64)> = None;
        for place in &places {
            let Some(score) = score(*place)? else { return Ok(places) };
            if best.is_none_or(|(_, best)| is_better(score, best)) {
                best = Some((*place, score));
            }
        }
        let Some((best, _)) = best else { return Ok(places) };
        let missing = |place: &f64| !places.contains(place) && place.abs() <= MAX_WALK;
        let next: Vec<f64> = [best - step, best + step].into_iter().filter(missing).collect();
        if !next.is_empty() {
            places.extend(next);
        } else if refined == refinements {
            return Ok(places);
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
        let score = |place| Ok::<_, Infallible>(score(place));
        super::walk(refinements, is_better, score).unwrap()
    }

    /// Steps of 1 as long as they help, then of a half and a quarter around the best.
    #[test]
    fn a_walk_ends_beside_the_best() {
        let places = walk(2, |a, b| a > b, |place| Some(-(place - 3.3f64).powi(2)));
        assert_eq!(places, [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 2.5, 3.5, 3.25, 3.75]);
        // It does not walk for ever.
        let places = walk(0, |a, b| a > b, Some);
        assert_eq!(places.last(), Some(&MAX_WALK));
        // What has no score is worse than anything.
        let places = walk(
            0,
            |a, b| a > b || b.is_nan() && !a.is_nan(),
            |place| Some(if place < 0.0 { f64::NAN } else { -place }),
        );
        assert_eq!(places, [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_walk_waits_for_what_is_open() {
        assert_eq!(walk(2, |a, b| a > b, |_| None), [-1.0, 0.0, 1.0]);
    }
}
