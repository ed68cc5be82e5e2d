//! Measuring the quantities of an experiment.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Instant;

use vi3nr::backward::{GridSearch, Solution, grid_search, solve};
use vi3nr::{Activation, Gain, InitRule, Moments, Scheme, WeightShape};

use super::experiment::{Experiment, Quantity, SigmaChoice, TableEntry};
use super::heat_map;
use super::result::{Cell, RunResult};
use super::{Agreement, ReproError, Settings, compare};
use crate::propagate::{Propagation, PropagationPlan, propagate};
use crate::spread::spread;

/// The values of each quantity: one for each repetition, or a single one if nothing is random.
type Values = HashMap<Quantity, Vec<f64>>;
/// The number of samples that were not finite in all repetitions, for each error that they count
/// in.
type NonFinite = HashMap<Quantity, usize>;
/// The results of deep networks, since different methods often give the same weight variance.
type Cache = HashMap<(String, [u64; 4]), Propagation>;

/// Measures all entries of a table, or the map.
pub(super) fn run(
    name: &str,
    experiment: &Experiment,
    settings: &Settings,
    mut note: impl FnMut(&str),
) -> Result<RunResult, ReproError> {
    let begin = Instant::now();
    let mut cache = Cache::new();
    let mut cells = Vec::new();
    for case in &experiment.cases {
        note(&format!("{}, {}", case.row, case.column));
        cells.extend(run_case(name, case, settings, &mut cache)?);
    }
    let mut map = None;
    if let Some(plan) = &experiment.map {
        let (drawn, cell) = heat_map::measure(plan, &experiment.title)?;
        map = Some(drawn);
        cells.push(cell);
    }
    Ok(RunResult {
        name: name.into(),
        title: experiment.title.clone(),
        settings: *settings,
        cells,
        map,
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// Measures the cells of one entry.
fn run_case(
    name: &str,
    case: &TableEntry,
    settings: &Settings,
    cache: &mut Cache,
) -> Result<Vec<Cell>, ReproError> {
    let invalid = |reason: String| ReproError::File { name: name.into(), reason };
    let activation: Activation = case.activation.parse()?;
    let sigma_p = match &case.sigma_p {
        SigmaChoice::Given(sigma_p) => Some(*sigma_p),
        SigmaChoice::Word(word) if word == "solve" => first_root(&activation)?,
        SigmaChoice::Word(word) => {
            return Err(invalid(format!("sigma_p = '{word}': expected a number or 'solve'")));
        }
    };
    let mut values = Values::new();
    let mut non_finite_counts = NonFinite::new();
    if let Some(sigma_p) = sigma_p {
        values.insert(Quantity::SigmaP, vec![sigma_p]);
        for seed in 0..settings.seeds {
            let network = repetition(case, &activation, sigma_p, seed, settings, &mut values)?;
            let Some(plan) = network else { continue };
            let result = deep_network(plan, cache)?;
            for (quantity, error, non_finite) in [
                (Quantity::EF, result.e_f, result.forward_non_finite),
                (Quantity::EB, result.e_b, result.backward_non_finite),
            ] {
                values.entry(quantity).or_default().push(error);
                *non_finite_counts.entry(quantity).or_default() += non_finite;
            }
        }
    }
    if let Some(grid) = &case.grid {
        for seed in 0..settings.seeds {
            let (from, to, points, samples) = (grid.from, grid.to, grid.points, grid.samples);
            let search = GridSearch { from, to, points, samples, seed };
            let found = grid_search(&activation, &search)?.sigma_p;
            values.entry(Quantity::GridSigmaP).or_default().push(found);
        }
    }
    let mut quantities: Vec<Quantity> = case.quantities().collect();
    quantities.extend(case.grid.map(|_| Quantity::GridSigmaP));
    quantities.sort();
    Ok(quantities
        .into_iter()
        .map(|quantity| {
            // The grid search is the paper's own method to find sigma_p.
            let printed = match quantity {
                Quantity::GridSigmaP => case.paper.get(&Quantity::SigmaP),
                _ => case.paper.get(&quantity),
            };
            let (mean, sd, count) = spread(values.get(&quantity));
            let verdict = match (quantity, printed) {
                (Quantity::TimeMs, _) | (_, None) => Agreement::Shown,
                _ if count == 1 && is_random(quantity, case) => Agreement::Shown,
                (_, Some(printed)) => compare(printed, mean, sd, count),
            };
            Cell {
                row: case.row.clone(),
                column: case.column.clone(),
                quantity,
                paper: printed.cloned(),
                ours: mean,
                sd,
                count,
                verdict,
                reason: case
                    .differs
                    .get(&quantity)
                    .filter(|_| verdict == Agreement::Differs)
                    .cloned(),
                non_finite_rows: non_finite_counts.get(&quantity).copied().unwrap_or(0),
            }
        })
        .collect())
}

/// Whether the quantity depends on the seed.
fn is_random(quantity: Quantity, case: &TableEntry) -> bool {
    match quantity {
        Quantity::SigmaP | Quantity::Ratio => false,
        Quantity::Variance => case.samples.is_some(),
        Quantity::GridSigmaP => case.grid.is_some_and(|grid| grid.samples > 0),
        Quantity::EF | Quantity::EB | Quantity::EW | Quantity::TimeMs => true,
    }
}

/// The smallest σ_p with cond = 1, if Eq. (13) has isolated solutions.
fn first_root(activation: &Activation) -> Result<Option<f64>, ReproError> {
    Ok(match solve(activation, 1.0)?.solution {
        Solution::Roots(roots) => roots.first().map(|root| root.sigma_p),
        _ => None,
    })
}

/// Measures the quantities of one seed that need no deep network. Returns the deep network of the
/// entry, if it has one.
fn repetition(
    case: &TableEntry,
    activation: &Activation,
    sigma_p: f64,
    seed: u64,
    settings: &Settings,
    values: &mut Values,
) -> Result<Option<PropagationPlan>, ReproError> {
    let mut push = |quantity, value| values.entry(quantity).or_default().push(value);
    let width = settings.width as f64;
    let scheme: Scheme = match case.scheme.as_str() {
        own @ ("ours" | "eoc") => format!("{own}:sigma_p={sigma_p}").parse()?,
        scheme => scheme.parse()?,
    };
    let (exact, bias_variance) = match case.gain_squared {
        Some(gain_squared) => (gain_squared, 0.0),
        None => {
            let rule = InitRule::new(scheme);
            let layer = rule.hidden_layer(activation, settings.width, settings.width)?;
            (layer.variance() * width, layer.bias_variance())
        }
    };
    let product = match case.samples {
        None => exact,
        Some(samples) => {
            let begin = Instant::now();
            let moments = Moments::by_sampling(activation, sigma_p, samples, seed)?;
            push(Quantity::TimeMs, 1e3 * begin.elapsed().as_secs_f64());
            let sampled = Gain::from_moments(activation, sigma_p, moments)?.gain_squared.value;
            push(Quantity::EW, (sampled / exact - 1.0).abs());
            sampled
        }
    };
    // Independent of the seed unless it is sampled.
    if seed == 0 || case.samples.is_some() {
        push(Quantity::Variance, product);
    }
    Ok(case.quantities().any(|own| own == Quantity::EF).then(|| PropagationPlan {
        activation: activation.clone(),
        weight_variance: product / width,
        bias_variance,
        weights: WeightShape::Uniform,
        sigma_p,
        depth: settings.depth,
        width: settings.width,
        batch: settings.batch,
        seed,
        threads: settings.threads,
    }))
}

/// The errors of a deep network, measured on the first call.
fn deep_network(plan: PropagationPlan, cache: &mut Cache) -> Result<&Propagation, ReproError> {
    let numbers = [plan.weight_variance, plan.bias_variance, plan.sigma_p].map(f64::to_bits);
    let numbers = [plan.seed, numbers[0], numbers[1], numbers[2]];
    Ok(match cache.entry((plan.activation.to_string(), numbers)) {
        Entry::Occupied(measured) => measured.into_mut(),
        Entry::Vacant(entry) => entry.insert(propagate(&plan)?),
    })
}
