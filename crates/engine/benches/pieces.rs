//! Benchmarks of the engine's parts: `cargo bench -p vi3nr-engine` (about a minute).
//!
//! Every benchmark counts its floating-point operations, so that divan prints rates. Compare them
//! with the group `peak`, which runs only multiply-adds on registers. All benchmarks use one
//! thread. `cargo bench -p vi3nr-engine -- activations` runs one group.

use divan::Bencher;
use divan::counter::ItemsCount;
use vi3nr::Network;
use vi3nr_engine::{Adam, Batch, CpuEngine, DenseLayers, Engine, Update, peak_gflops};

fn main() {
    divan::main();
}

const WIDTH: usize = 128;
const POINTS: usize = 4096;

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (0.7 * i as f32).sin()).collect()
}

/// 40 ms of multiply-adds; the returned value is the rate.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn peak() -> f64 {
    peak_gflops(1)
}

/// (4096, 128) times (128, 128), including the packing of the weights.
#[divan::bench]
fn product(bencher: Bencher) {
    let mut layers =
        DenseLayers::new(&"relu".parse().expect("an activation"), Some(1)).expect("one thread");
    let (weights, inputs) = (numbers(WIDTH * WIDTH), numbers(POINTS * WIDTH));
    let mut outputs = vec![0.0; POINTS * WIDTH];
    bencher.counter(ItemsCount::new(2 * POINTS * WIDTH * WIDTH)).bench_local(|| {
        layers.forward(&weights, WIDTH, &inputs, &mut outputs).expect("the lengths fit");
    });
}

fn activations() -> Vec<&'static str> {
    let built_ins = vi3nr::activation::builtin::catalog().map(|(name, _)| name);
    built_ins.chain(["exp(-x^2/(2*s^2)):s=0.05", "x*tanh(log(1+exp(x)))"]).collect()
}

/// f and f' of 16,384 numbers: numbers per second.
#[divan::bench(args = activations())]
fn value_and_slope(bencher: Bencher, activation: &str) {
    let activation = activation.parse().expect("an activation");
    let layers = DenseLayers::new(&activation, Some(1)).expect("one thread");
    let numbers = numbers(1 << 14);
    let (mut values, mut slopes) = (numbers.clone(), numbers.clone());
    bencher.counter(ItemsCount::new(numbers.len())).bench_local(|| {
        values.copy_from_slice(&numbers);
        layers.value_and_slope(&mut values, &mut slopes).expect("equal lengths");
    });
}

/// The image network of the paper with points and targets.
struct Problem {
    network: Network,
    points: Vec<f32>,
    engine: CpuEngine,
}

impl Problem {
    fn new(activation: &str, count: usize) -> Self {
        let activation = activation.parse().expect("an activation");
        let network = Network::uniform(2, WIDTH, 8, 3, activation).expect("a network");
        let parameters: Vec<f32> =
            numbers(network.parameter_count()).iter().map(|x| 0.05 * x).collect();
        let mut engine = CpuEngine::new(&network, &parameters, Some(1)).expect("one thread");
        let (points, targets) = (numbers(2 * count), numbers(3 * count));
        let batch = Batch::new(&network, &points, &targets).expect("a batch");
        engine.load_batch(&batch).expect("its network");
        Self { network, points, engine }
    }
}

const POINT_COUNTS: [usize; 3] = [256, 1024, 4096];

/// Forward, loss and backward: operations per second.
#[divan::bench(args = POINT_COUNTS)]
fn loss_and_gradient(bencher: Bencher, count: usize) {
    let mut problem = Problem::new("gaussian", count);
    let operations = 6 * problem.network.weight_count() * count;
    bencher
        .counter(ItemsCount::new(operations))
        .bench_local(|| problem.engine.loss_and_gradient().expect("a batch"));
}

/// Adam and the packing of the weights: parameters per second.
#[divan::bench]
fn adam_step(bencher: Bencher) {
    let mut problem = Problem::new("gaussian", 256);
    problem.engine.loss_and_gradient().expect("a batch");
    let parameters = ItemsCount::new(problem.network.parameter_count());
    let update = Update::adam(Adam::default(), 1e-6);
    bencher.counter(parameters).bench_local(|| problem.engine.apply(&update).expect("a gradient"));
}

/// Values only: operations per second.
#[divan::bench(args = POINT_COUNTS)]
fn evaluate(bencher: Bencher, count: usize) {
    let mut problem = Problem::new("gaussian", count);
    let mut values = vec![0.0; 3 * count];
    let operations = 2 * problem.network.weight_count() * count;
    bencher.counter(ItemsCount::new(operations)).bench_local(|| {
        problem.engine.evaluate(&problem.points, &mut values).expect("the lengths fit");
    });
}

/// Values and derivatives of three outputs with respect to two coordinates: points per second.
#[divan::bench]
fn differentiate(bencher: Bencher) {
    let mut problem = Problem::new("gaussian", POINTS);
    let (mut values, mut derivatives) = (vec![0.0; 3 * POINTS], vec![0.0; 6 * POINTS]);
    bencher.counter(ItemsCount::new(POINTS)).bench_local(|| {
        let Problem { engine, points, .. } = &mut problem;
        engine.differentiate(points, &mut values, &mut derivatives).expect("the lengths fit");
    });
}
