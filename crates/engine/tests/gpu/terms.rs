//! Losses on derivatives, and derivatives of a network.

use vi3nr_engine::{
    Constraint, Engine, ReferenceEngine, TermBatch, WeightedTerm, reference_term_gradient,
};

use crate::naive::distance;
use crate::support::{backend, double, engine, error, network, numbers, start};

fn terms(texts: &[&str]) -> Vec<WeightedTerm> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Every term, with its targets and weights of the points, beside a second set of points without.
#[test]
fn gradients_of_terms_are_those_of_the_reference() {
    let Some(backend) = backend() else { return };
    let lists = [
        terms(&["value:0.7", "off-surface:0.5,a=3", "value:0.3,power=1,signed=false"]),
        terms(&[
            "gradient:0.4",
            "gradient:0.3,power=1,signed=false",
            "directional:0.9",
            "normal:2",
            "normal:0.7,signed=false",
            "eikonal:0.3,power=1",
            "heat:1.5,lambda=2",
        ]),
        terms(&["laplacian:0.01", "laplacian:0.02,power=1", "value:1", "eikonal:0.1"]),
    ];
    let second = terms(&["eikonal:0.2", "value:0.1"]);
    for (dims, activation) in
        [(&[2, 32, 32, 3][..], "gaussian:sigma=0.5"), (&[3, 20, 37, 1], "sin(2*x)/(1+x^2)")]
    {
        let network = network(dims, activation);
        let (inputs, outputs, count) = (network.inputs(), network.outputs(), 51);
        let points = numbers(count * inputs, 1);
        let values = numbers(count * outputs, 2);
        let gradients = numbers(count * outputs * inputs, 3);
        let laplacians = numbers(count * outputs, 4);
        let (directions, slopes) = (numbers(count * inputs, 5), numbers(count * outputs, 6));
        let weights: Vec<f32> = numbers(count, 7).iter().map(|weight| 1.0 + weight).collect();
        let rest = numbers(170 * inputs, 8);
        let mut gpu = engine(&backend, &network);
        for first in &lists {
            let constraint = Constraint::new(&network, &points, first)
                .and_then(|it| it.with_values(&values))
                .and_then(|it| it.with_gradients(&gradients))
                .and_then(|it| it.with_laplacians(&laplacians))
                .and_then(|it| it.with_directional(&directions, &slopes))
                .and_then(|it| it.with_weights(&weights))
                .unwrap();
            let other = Constraint::new(&network, &rest, &second).unwrap();
            let batch = TermBatch::new([constraint, other]).unwrap();
            let parameters = double(&start(&network));
            let (exact_loss, exact) =
                reference_term_gradient(&network, &parameters, &batch).unwrap();
            gpu.load_terms(&batch).unwrap();
            let loss = gpu.loss_and_gradient().unwrap();
            let name = format!("{activation} {first:?}");
            assert!((loss / exact_loss - 1.0).abs() < 1e-6, "{name}: {loss}, not {exact_loss}");
            let error = distance(&gpu.gradient().unwrap(), &exact);
            assert!(error < 2e-6, "{name}: {error:e}");
            let mut reference = ReferenceEngine::new(&network, &start(&network)).unwrap();
            reference.load_terms(&batch).unwrap();
            reference.loss_and_gradient().unwrap();
            for (seen, exact) in gpu.term_losses().iter().zip(reference.term_losses()) {
                assert!((seen - exact).abs() < 1e-6 * exact.abs(), "{name}: {seen}, not {exact}");
            }
            assert_eq!(gpu.term_losses().len(), first.len() + 2);
        }
    }
}

#[test]
fn derivatives_are_those_of_the_reference() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 20, 30, 9, 2], "sine:omega=3");
    let (inputs, outputs, count) = (network.inputs(), network.outputs(), 133);
    let points = numbers(count * inputs, 1);
    let mut reference = ReferenceEngine::new(&network, &start(&network)).unwrap();
    let mut gpu = engine(&backend, &network);
    let once = |engine: &mut dyn Engine| {
        let (mut values, mut slopes) =
            (vec![0.0; count * outputs], vec![0.0; count * outputs * inputs]);
        engine.differentiate(&points, &mut values, &mut slopes).unwrap();
        [values, slopes]
    };
    let twice = |engine: &mut dyn Engine| {
        let size = count * outputs;
        let mut arrays =
            [vec![0.0; size], vec![0.0; size * inputs], vec![0.0; size * inputs * inputs]];
        let [values, slopes, hessians] = &mut arrays;
        engine.differentiate_twice(&points, values, slopes, hessians).unwrap();
        arrays
    };
    let seen = [&once(&mut *gpu)[..], &twice(&mut *gpu)].concat();
    let exact = [&once(&mut reference)[..], &twice(&mut reference)].concat();
    for (seen, exact) in seen.iter().zip(&exact) {
        let error = error(seen, &double(exact));
        assert!(error < 2e-6, "{error:e}");
    }
}
