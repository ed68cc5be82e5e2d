//! Losses on derivatives: the reference against difference quotients, and the fused engine against
//! the reference and against a naive float32 loop on the same problem.

#[path = "../common/mod.rs"]
mod common;
mod naive;

use common::{numbers, weights};
use vi3nr::activation::builtin::catalog;
use vi3nr::{Activation, Network};
use vi3nr_engine::{
    Adam, Backend, Batch, Constraint, CpuBackend, CpuEngine, Engine, EngineError, InstructionSet,
    ReferenceBackend, ReferenceEngine, TermBatch, Update, WeightedTerm, reference_term_gradient,
};

/// Three formulas beside the built-in forms.
const FORMULAS: [&str; 3] = ["exp(-x^2/(2*s^2)):s=0.5", "x*exp(-x^2)*cos(3*x)", "sin(2*x)/(1+x^2)"];

fn network(dims: &[usize], activation: &str) -> Network {
    Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap()
}

fn terms(texts: &[&str]) -> Vec<WeightedTerm> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Arrays for a batch of two constraints, of which the second has `rest` points.
struct Data {
    points: Vec<f32>,
    values: Vec<f32>,
    gradients: Vec<f32>,
    laplacians: Vec<f32>,
    directions: Vec<f32>,
    slopes: Vec<f32>,
    weights: Vec<f32>,
    rest: Vec<f32>,
}

impl Data {
    fn new(network: &Network, count: usize, rest: usize) -> Self {
        let (inputs, outputs) = (network.inputs(), network.outputs());
        Self {
            points: numbers(count * inputs, 1),
            values: numbers(count * outputs, 2),
            gradients: numbers(count * outputs * inputs, 3),
            laplacians: numbers(count * outputs, 4),
            directions: numbers(count * inputs, 5),
            slopes: numbers(count * outputs, 6),
            weights: numbers(count, 7).iter().map(|w| 1.0 + w).collect(),
            rest: numbers(rest * inputs, 8),
        }
    }

    /// The terms `first` on all targets, with weights of the points, and `second` without targets.
    fn batch<'a>(
        &'a self,
        network: &Network,
        first: &'a [WeightedTerm],
        second: &'a [WeightedTerm],
    ) -> TermBatch<'a> {
        let constraint = Constraint::new(network, &self.points, first)
            .and_then(|it| it.with_values(&self.values))
            .and_then(|it| it.with_gradients(&self.gradients))
            .and_then(|it| it.with_laplacians(&self.laplacians))
            .and_then(|it| it.with_directional(&self.directions, &self.slopes))
            .and_then(|it| it.with_weights(&self.weights))
            .unwrap();
        let rest =
            (!self.rest.is_empty()).then(|| Constraint::new(network, &self.rest, second).unwrap());
        TermBatch::new([constraint].into_iter().chain(rest)).unwrap()
    }
}

/// Weights at a σ_p at which layers do not amplify perturbations; beyond it, any float32
/// computation is far from the reference.
fn start(network: &Network) -> Vec<f32> {
    weights(network, vi3nr::auto_sigma_p(network.activation()).unwrap())
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// |a - b| / |b| in the Euclidean norm.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    difference.sqrt() / b.iter().map(|b| b * b).sum::<f64>().sqrt()
}

const ALL_TERMS: [&str; 12] = [
    "value:0.7",
    "value:0.7,power=1",
    "value:1,signed=false",
    "gradient:0.4",
    "gradient:0.4,power=1,signed=false",
    "directional:0.9",
    "normal:2",
    "normal:2,signed=false",
    "eikonal:0.3",
    "eikonal:0.3,power=1",
    "laplacian:0.01",
    "off-surface:0.5,a=3",
];

/// Each term's gradient against difference quotients of its loss, for every built-in activation and
/// three formulas.
#[test]
fn reference_gradients_are_derivatives_of_the_loss() {
    let activations = catalog().map(|(name, _)| name).chain(FORMULAS);
    for (name, dims) in activations.flat_map(|name| [(name, [2, 4, 3, 2]), (name, [3, 4, 3, 1])]) {
        let network = network(&dims, name);
        let parameters = double(&start(&network));
        let data = Data::new(&network, 3, 2);
        for term in ALL_TERMS.iter().chain(&["heat:1.5,lambda=2"]) {
            let (first, second) = (terms(&[term]), terms(&["eikonal:0.2", "value:0.1"]));
            let batch = data.batch(&network, &first, &second);
            let loss =
                |parameters: &[f64]| reference_term_gradient(&network, parameters, &batch).unwrap();
            let gradient = loss(&parameters).1;
            // A step of the network's own scale, small enough for the fourth-order quotient.
            let quotient = |i: usize, step: f64| {
                let at = |offset: f64| {
                    let mut moved = parameters.clone();
                    moved[i] += offset;
                    loss(&moved).0
                };
                (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
            };
            let step = 1e-4 * width(network.activation());
            let quotients: Vec<f64> = (0..parameters.len()).map(|i| quotient(i, step)).collect();
            let error = distance(&quotients, &gradient);
            assert!(error < 1e-5, "{term} of {name} {dims:?}: {error:e}");
        }
    }
}

/// A length over which the activation is nearly linear.
fn width(activation: &Activation) -> f64 {
    let parameter = |name| activation.parameter(name);
    match (parameter("omega"), parameter("a"), parameter("sigma")) {
        (Some(omega), _, _) => 1.0 / omega,
        (_, Some(a), _) => 1.0 / a,
        (_, _, Some(sigma)) => sigma.min(1.0),
        _ => 1.0,
    }
}

/// The fused engine against the reference: the loss, the gradient, and the losses of all terms.
fn check(dims: &[usize], activation: &str, count: usize, order: usize, set: InstructionSet) {
    let name = format!("{activation} {dims:?} {count} points of order {order} on {set:?}");
    let network = network(dims, activation);
    let parameters = start(&network);
    let points = numbers(count * network.inputs(), 1);
    let texts = ["value:1", "eikonal:1", "laplacian:1"];
    let terms = terms(&texts[..=order]);
    let batch = TermBatch::new([Constraint::new(&network, &points, &terms).unwrap()]).unwrap();
    let (exact_loss, exact) =
        reference_term_gradient(&network, &double(&parameters), &batch).unwrap();
    let naive = distance(&naive::gradient(&network, &parameters, &points, order), &exact);
    let mut engine = CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
    engine.load_terms(&batch).unwrap();
    let seen = engine.loss_and_gradient().unwrap();
    let gradient = double(&engine.gradient().unwrap());
    let error = distance(&gradient, &exact);
    assert!((seen / exact_loss - 1.0).abs() < 1e-4, "{name}: loss {seen}, not {exact_loss}");
    // A naive loop over a few points can be exact by chance, so float32's own rounding is allowed.
    let allowed = (2.0 * naive + 3e-7).max(if count < 7 { 2e-6 } else { 0.0 });
    assert!(error <= allowed, "{name}: error {error:e}, naive {naive:e}");
    let sum: f64 = engine.term_losses().iter().sum();
    assert!((sum / seen - 1.0).abs() < 1e-12, "{name}: the terms add up to {sum}, not {seen}");
}

#[test]
fn every_activation_over_depths_and_odd_counts() {
    for set in InstructionSet::available() {
        for activation in catalog().map(|(name, _)| name).chain(FORMULAS) {
            for dims in [&[2, 32, 32, 3][..], &[1, 17, 1], &[3, 20, 45, 33, 2]] {
                for count in [1, 37] {
                    for order in [1, 2] {
                        check(dims, activation, count, order, set);
                    }
                }
            }
        }
    }
}

#[test]
fn wide_deep_and_large() {
    let set = InstructionSet::best();
    for (dims, count) in [
        (&[3, 128, 128, 128, 128, 1][..], 700),
        (&[2, 256, 256, 1], 500),
        (&[4, 16, 16, 2], 3000),
        (&[3, 2], 9),
        (&[20, 2], 9),
    ] {
        for order in [1, 2] {
            check(dims, "sine:omega=3", count, order, set);
            check(dims, "softplus", count, order, set);
        }
    }
}

/// All terms on two constraints with targets and weights against the reference, from the loss of
/// each term to the gradient; twice with other sizes, since the engine reuses its memory.
#[test]
fn constraints_of_different_orders_agree_with_the_reference() {
    let network = network(&[3, 20, 33, 2], "sine:omega=2");
    let parameters = start(&network);
    let mut fast = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
    for (count, rest) in [(150, 611), (20, 0), (300, 5)] {
        let data = Data::new(&network, count, rest);
        let first = terms(&ALL_TERMS);
        for second in [&["value:2"][..], &["eikonal:0.5", "heat:1"], &["laplacian:0.1"]] {
            let second = terms(second);
            let batch = data.batch(&network, &first, &second);
            let mut losses = Vec::new();
            for engine in [&mut fast as &mut dyn Engine, &mut reference] {
                engine.load_terms(&batch).unwrap();
                losses.push(engine.loss_and_gradient().unwrap());
                assert_eq!(engine.term_losses().len(), batch.term_count());
            }
            assert!((losses[0] / losses[1] - 1.0).abs() < 1e-5, "{losses:?}");
            for (seen, exact) in fast.term_losses().iter().zip(reference.term_losses()) {
                assert!((seen - exact).abs() < 1e-5 * exact.abs().max(1e-3), "{seen} {exact}");
            }
            let weighted: f64 = batch
                .constraints()
                .iter()
                .zip([&first, &second])
                .flat_map(|(_, terms)| terms.iter().map(|one| one.weight))
                .zip(reference.term_losses())
                .map(|(weight, loss)| weight * loss)
                .sum();
            assert!((weighted / losses[1] - 1.0).abs() < 1e-12);
            let (seen, exact) = (fast.gradient().unwrap(), reference.gradient().unwrap());
            let error = distance(&double(&seen), &double(&exact));
            assert!(error < 2e-6, "{count} {rest}: {error:e}");
        }
    }
}

/// Terms on values alone are the plain batch of values.
#[test]
fn values_alone_are_the_plain_loss() {
    for backend in backends() {
        let network = network(&[2, 20, 17, 3], "sine:omega=2");
        let parameters = start(&network);
        let (points, targets) = (numbers(600, 2), numbers(900, 3));
        let value = terms(&["value:1"]);
        let constraint =
            Constraint::new(&network, &points, &value).unwrap().with_values(&targets).unwrap();
        let mut engine = backend.engine(&network, &parameters).unwrap();
        engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
        let plain = engine.loss_and_gradient().unwrap();
        assert!(engine.term_losses().is_empty());
        let plain_gradient = double(&engine.gradient().unwrap());
        engine.load_terms(&TermBatch::new([constraint]).unwrap()).unwrap();
        let loss = engine.loss_and_gradient().unwrap();
        assert!((loss / plain - 1.0).abs() < 1e-6);
        assert!(distance(&double(&engine.gradient().unwrap()), &plain_gradient) < 1e-6);
        assert_eq!(engine.term_losses(), [loss]);
    }
}

/// The same bytes for any number of threads, and after other batches.
#[test]
fn results_do_not_depend_on_threads() {
    let network = network(&[3, 64, 64, 1], "sine:omega=5");
    let parameters = start(&network);
    let data = Data::new(&network, 900, 2500);
    let (first, second) = (terms(&ALL_TERMS), terms(&["eikonal:1", "off-surface:1"]));
    let batch = data.batch(&network, &first, &second);
    let run = |threads: usize| {
        let mut engine = CpuEngine::new(&network, &parameters, Some(threads)).unwrap();
        let mut losses = Vec::new();
        engine.load_terms(&batch).unwrap();
        for _ in 0..5 {
            losses.push(engine.loss_and_gradient().unwrap().to_bits());
            losses.extend(engine.term_losses().iter().map(|loss| loss.to_bits()));
            engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
        }
        (losses, engine.parameters().unwrap())
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(one == run(threads), "{threads} threads");
    }
}

/// A few hundred steps of Adam learn the signed distance of a sphere from points and normals.
#[test]
fn a_sphere_is_learned_from_points_and_normals() {
    let network = network(&[3, 48, 48, 1], "sine:omega=5");
    let mut normals = Vec::new();
    for point in numbers(3 * 1500, 4).chunks(3) {
        let norm = point.iter().map(|x| x * x).sum::<f32>().sqrt();
        normals.extend(point.iter().map(|x| x / norm));
    }
    let surface: Vec<f32> = normals.iter().map(|x| 0.5 * x).collect();
    let space = numbers(3 * 1500, 5);
    let on = terms(&["value:100", "normal:1", "eikonal:1"]);
    let off = terms(&["eikonal:1"]);
    let batch = TermBatch::new([
        Constraint::new(&network, &surface, &on).unwrap().with_gradients(&normals).unwrap(),
        Constraint::new(&network, &space, &off).unwrap(),
    ])
    .unwrap();
    let mut engine = CpuEngine::new(&network, &start(&network), Some(2)).unwrap();
    engine.load_terms(&batch).unwrap();
    for _ in 0..400 {
        engine.loss_and_gradient().unwrap();
        engine.apply(&Update::adam(Adam::default(), 2e-3)).unwrap();
    }
    let points = numbers(3 * 2000, 6);
    let mut values = vec![0.0; 2000];
    engine.evaluate(&points, &mut values).unwrap();
    // Far away, the corners of the cube still have to follow.
    let distances =
        points.chunks(3).map(|point| point.iter().map(|x| x * x).sum::<f32>().sqrt() - 0.5);
    let near: Vec<f32> = distances
        .zip(&values)
        .filter(|(distance, _)| distance.abs() < 0.2)
        .map(|(distance, value)| (distance - value).abs())
        .collect();
    assert!(near.len() > 200);
    let mean = near.iter().sum::<f32>() / near.len() as f32;
    assert!(mean < 0.02, "{mean}");
}

fn backends() -> [Box<dyn Backend>; 2] {
    [Box::new(CpuBackend::new(Some(2)).unwrap()), Box::new(ReferenceBackend::new(Some(2)).unwrap())]
}

/// Values, first and second derivatives of both engines against each other, and the reference
/// against difference quotients of its first derivatives.
#[test]
fn second_derivatives_agree() {
    for activation in ["sine:omega=3", "softplus", "wavelet:a=2", FORMULAS[1]] {
        let network = network(&[3, 21, 18, 2], activation);
        let parameters = start(&network);
        let points = numbers(3 * 333, 9);
        let run = |backend: &dyn Backend, points: &[f32]| {
            let mut engine = backend.engine(&network, &parameters).unwrap();
            let count = points.len() / 3;
            let mut arrays = (vec![0.0; 2 * count], vec![0.0; 6 * count], vec![0.0; 18 * count]);
            engine
                .differentiate_twice(points, &mut arrays.0, &mut arrays.1, &mut arrays.2)
                .unwrap();
            arrays
        };
        let [fast, reference] = backends();
        let (seen, exact) = (run(&*fast, &points), run(&*reference, &points));
        for (a, b) in [(&seen.0, &exact.0), (&seen.1, &exact.1), (&seen.2, &exact.2)] {
            assert!(distance(&double(a), &double(b)) < 3e-6, "{activation}");
        }
        let step = 1.0 / 256.0;
        for a in 0..3 {
            let moved = |sign: f32| {
                let mut moved = points[..30].to_vec();
                moved.iter_mut().skip(a).step_by(3).for_each(|x| *x += sign * step);
                run(&*reference, &moved).1
            };
            let (above, below) = (moved(1.0), moved(-1.0));
            for p in 0..10 {
                for b in 0..6 {
                    let quotient =
                        f64::from(above[p * 6 + b] - below[p * 6 + b]) / 2.0 / f64::from(step);
                    let seen = f64::from(exact.2[(p * 6 + b) * 3 + a]);
                    assert!(
                        (seen - quotient).abs() < 2e-3 * (1.0 + quotient.abs()),
                        "{activation}"
                    );
                }
            }
        }
    }
}

#[test]
fn batches_that_do_not_fit_are_errors() {
    let network = network(&[3, 4, 1], "tanh");
    let points = numbers(6, 1);
    let value = terms(&["value"]);
    let constraint = Constraint::new(&network, &points, &value).unwrap();
    assert!(matches!(
        Constraint::new(&network, &points[..5], &value),
        Err(EngineError::Length { what: "points", .. })
    ));
    assert!(Constraint::new(&network, &[], &value).is_err());
    assert!(Constraint::new(&network, &points, &[]).is_err());
    assert!(constraint.with_values(&points).is_err());
    assert!(constraint.with_gradients(&points[1..]).is_err());
    assert!(constraint.with_laplacians(&points).is_err());
    assert!(constraint.with_directional(&points, &points).is_err());
    assert!(constraint.with_weights(&points).is_err());
    assert!(TermBatch::new([]).is_err());
    for (term, missing) in [("normal", "normals"), ("directional", "directions")] {
        let needy = terms(&[term]);
        let constraint = Constraint::new(&network, &points, &needy).unwrap();
        let error = TermBatch::new([constraint]).unwrap_err();
        assert!(matches!(error, EngineError::Length { what, .. } if what == missing), "{error}");
    }
    let other = Network::new(vec![2, 4, 1], "tanh".parse().unwrap()).unwrap();
    let flat = Constraint::new(&other, &points, &value).unwrap();
    assert!(matches!(
        TermBatch::new([constraint, flat]),
        Err(EngineError::BatchShape { seen: (2, 1), expected: (3, 1) })
    ));
    for backend in backends() {
        let mut engine = backend.engine(&network, &vec![0.1; network.parameter_count()]).unwrap();
        engine.load_terms(&TermBatch::new([constraint]).unwrap()).unwrap();
        engine.loss_and_gradient().unwrap();
        assert!(engine.load_terms(&TermBatch::new([flat]).unwrap()).is_err());
        assert_eq!(engine.loss_and_gradient(), Err(EngineError::NoBatch));
        assert!(engine.term_losses().is_empty());
    }
}
