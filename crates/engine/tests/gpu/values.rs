use vi3nr::Network;
use vi3nr_engine::{Batch, reference_gradient};

use crate::support::{backend, engine, error, numbers, start};

#[test]
fn gradients_are_those_of_the_reference() {
    let Some(backend) = backend() else { return };
    for (dims, count) in [
        (vec![2, 32, 32, 3], 100),
        (vec![1, 20, 40, 7, 5], 33),
        (vec![3, 64, 64, 1], 65),
        (vec![2, 140, 132, 2], 150),
    ] {
        let network = Network::new(dims.clone(), "sine:omega=3".parse().unwrap()).unwrap();
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
        let mut values = vec![0.0; count * network.outputs()];
        engine.evaluate(&points, &mut values).unwrap();
        let mut reference = vi3nr_engine::ReferenceEngine::new(&network, &start(&network)).unwrap();
        let mut ex = vec![0.0; values.len()];
        vi3nr_engine::Engine::evaluate(&mut reference, &points, &mut ex).unwrap();
        eprintln!(
            "   values {:e}",
            error(&values, &ex.iter().map(|x| f64::from(*x)).collect::<Vec<_>>())
        );
    }
}
