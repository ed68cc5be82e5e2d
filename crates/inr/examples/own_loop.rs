//! A custom training loop on the engine alone, without signal and plan.
//!
//! ```sh
//! cargo run --release -p vi3nr-inr --example own_loop
//! ```
//!
//! The network is fitted to u(x, y) = sin(3x) cos(2y) at 1,024 points. Its derivatives are then
//! compared with those of u, which were not part of the training data.

use std::error::Error;

use vi3nr::{InitRule, Network};
use vi3nr_engine::{Adam, Backend, Batch, CpuBackend, Update};

fn main() -> Result<(), Box<dyn Error>> {
    // Points, shape (n, 2), and targets, shape (n, 1), both row-major.
    let at = |index: usize| index as f32 / 15.5 - 1.0;
    let points: Vec<f32> = (0..1024).flat_map(|i| [at(i % 32), at(i / 32)]).collect();
    let u = |x: f32, y: f32| (3.0 * x).sin() * (2.0 * y).cos();
    let targets: Vec<f32> = points.as_chunks().0.iter().map(|&[x, y]| u(x, y)).collect();

    let network = Network::uniform(2, 64, 4, 1, "sine:omega=5".parse()?)?;
    let rule = InitRule::new("siren:omega=5".parse()?);
    let start = vi3nr::draw(&network, &rule.plan(&network)?, 0);

    let backend = CpuBackend::new(None)?;
    let mut engine = backend.engine(&network, &start)?;
    engine.load_batch(&Batch::new(&network, &points, &targets)?)?;
    const STEPS: u32 = 500;
    for step in 0..STEPS {
        // The loss belongs to the parameters before the update.
        let loss = engine.loss_and_gradient()?;
        if step.is_multiple_of(100) {
            println!("step {step}: loss {loss:.3e}");
        }
        let rate = 2e-3 * (1.0 - f64::from(step) / f64::from(STEPS));
        engine.apply(&Update::adam(Adam::default(), rate))?;
    }

    // The value and both derivatives at a point between the training points.
    let (x, y) = (0.33, -0.42);
    let (mut value, mut slope) = ([0.0], [0.0; 2]);
    engine.differentiate(&[x, y], &mut value, &mut slope)?;
    let [along_x, along_y] =
        [3.0 * (3.0 * x).cos() * (2.0 * y).cos(), -2.0 * (3.0 * x).sin() * (2.0 * y).sin()];
    println!("u({x}, {y}) = {:.4}, true {:.4}", value[0], u(x, y));
    println!(
        "du/dx = {:.3}, true {along_x:.3}; du/dy = {:.3}, true {along_y:.3}",
        slope[0], slope[1]
    );
    Ok(())
}
