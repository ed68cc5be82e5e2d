//! Losses on derivatives.

use vi3nr::Network;
use vi3nr_engine::{
    Constraint, Engine, ReferenceEngine, TermBatch, WeightedTerm, reference_term_gradient,
};

use crate::support::{backend, engine, error, numbers, start};

#[test]
fn gradients_of_terms_are_those_of_the_reference() {
    let Some(backend) = backend() else { return };
    let terms = |texts: &[&str]| -> Vec<WeightedTerm> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    };
    for (dims, count) in [(vec![2, 32, 32, 3], 50), (vec![3, 20, 37, 1], 33)] {
        let network = Network::new(dims.clone(), "gaussian:sigma=0.5".parse().unwrap()).unwrap();
        let (d, o) = (network.inputs(), network.outputs());
        let points = numbers(1, count * d);
        let (values, gradients, laplacians) =
            (numbers(2, count * o), numbers(3, count * o * d), numbers(4, count * o));
        let (directions, slopes) = (numbers(5, count * d), numbers(6, count * o));
        let weights: Vec<f32> = numbers(7, count).iter().map(|w| 1.0 + w).collect();
        let rest = numbers(8, 70 * d);
        for list in [
            vec!["value:0.7", "off-surface:0.5,a=3", "value:0.3,power=1,signed=false"],
            vec![
                "gradient:0.4",
                "gradient:0.3,power=1,signed=false",
                "directional:0.9",
                "normal:2",
                "normal:0.7,signed=false",
                "eikonal:0.3,power=1",
                "heat:1.5,lambda=2",
            ],
            vec!["laplacian:0.01", "value:1", "eikonal:0.1"],
        ] {
            let (first, second) = (terms(&list), terms(&["eikonal:0.2", "value:0.1"]));
            let batch = TermBatch::new([
                Constraint::new(&network, &points, &first)
                    .unwrap()
                    .with_values(&values)
                    .unwrap()
                    .with_gradients(&gradients)
                    .unwrap()
                    .with_laplacians(&laplacians)
                    .unwrap()
                    .with_directional(&directions, &slopes)
                    .unwrap()
                    .with_weights(&weights)
                    .unwrap(),
                Constraint::new(&network, &rest, &second).unwrap(),
            ])
            .unwrap();
            let parameters: Vec<f64> = start(&network).iter().map(|p| f64::from(*p)).collect();
            let (exact_loss, exact) =
                reference_term_gradient(&network, &parameters, &batch).unwrap();
            let mut engine = engine(&backend, &network);
            engine.load_terms(&batch).unwrap();
            let loss = engine.loss_and_gradient().unwrap();
            let seen = engine.gradient().unwrap();
            eprintln!(
                "{dims:?} {list:?}: loss {:e} gradient {:e}",
                (loss / exact_loss - 1.0).abs(),
                error(&seen, &exact)
            );
            let mut r = ReferenceEngine::new(&network, &start(&network)).unwrap();
            r.load_terms(&batch).unwrap();
            r.loss_and_gradient().unwrap();
            eprintln!("{:?}\n{:?}", engine.term_losses(), r.term_losses());
        }
        let mut r = ReferenceEngine::new(&network, &start(&network)).unwrap();
        let mut e = engine(&backend, &network);
        let run = |e: &mut dyn Engine| {
            let (mut v, mut g, mut h) =
                (vec![0.0; count * o], vec![0.0; count * o * d], vec![0.0; count * o * d * d]);
            e.differentiate_twice(&points, &mut v, &mut g, &mut h).unwrap();
            (v, g, h)
        };
        let (a, b) = (run(&mut *e), run(&mut r));
        let f = |x: &[f32]| -> Vec<f64> { x.iter().map(|x| f64::from(*x)).collect() };
        eprintln!(
            "twice {:e} {:e} {:e}",
            error(&a.0, &f(&b.0)),
            error(&a.1, &f(&b.1)),
            error(&a.2, &f(&b.2))
        );
    }
}
