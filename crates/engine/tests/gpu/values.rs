//! Losses on values: gradients, training and evaluation.

use vi3nr::Network;
use vi3nr_engine::{Batch, reference_gradient};

use crate::support::{backend, engine, error, numbers, start};

#[test]
fn gradients_are_those_of_the_reference() {
    let Some(backend) = backend() else { return };
    for (dims, count) in
        [(vec![2, 32, 32, 3], 100), (vec![1, 20, 40, 7, 5], 33), (vec![3, 64, 64, 1], 65)]
    {
        let network = Network::new(dims.clone(), "gaussian:sigma=0.5".parse().unwrap()).unwrap();
        let points = numbers(1, count * network.inputs());
        let targets = numbers(2, count * network.outputs());
        let batch = Batch::new(&network, &points, &targets).unwrap();
        let parameters: Vec<f64> = start(&network).iter().map(|p| f64::from(*p)).collect();
        let (exact_loss, exact) = reference_gradient(&network, &parameters, &batch).unwrap();
        let mut engine = engine(&backend, &network);
        engine.load_batch(&batch).unwrap();
        let t = std::time::Instant::now();
        let loss = engine.loss_and_gradient().unwrap();
        let t1 = t.elapsed();
        let seen = engine.gradient().unwrap();
        let t = std::time::Instant::now();
        engine.loss_and_gradient().unwrap();
        eprintln!(
            "{dims:?} {count}: loss {:e} gradient {:e} first {t1:?} then {:?}",
            (loss / exact_loss - 1.0).abs(),
            error(&seen, &exact),
            t.elapsed()
        );
    }
}
