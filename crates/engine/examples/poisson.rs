//! Poisson's equation Δu = f on the square [-1, 1]² with u = 0 on the border, solved by a network
//! that sees f and the border, and never u.
//!
//! ```sh
//! cargo run --release -p vi3nr-engine --example poisson
//! ```
//!
//! With f = -2π² sin(πx) sin(πy), the solution is u = sin(πx) sin(πy). The loss has two terms: the
//! squared error of the Laplacian inside, and the squared value on the border.

use std::error::Error;
use std::f32::consts::PI;

use vi3nr::{InitRule, Network};
use vi3nr_engine::{Adam, Backend, Constraint, CpuBackend, TermBatch, Update};

const STEPS: u32 = 3000;

fn solution(x: f32, y: f32) -> f32 {
    (PI * x).sin() * (PI * y).sin()
}

/// The centers of the cells of a grid with `side` cells per axis: shape (side², 2).
fn centers(side: usize) -> Vec<f32> {
    let at = |index: usize| (2 * index + 1) as f32 / side as f32 - 1.0;
    (0..side * side).flat_map(|i| [at(i % side), at(i / side)]).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let inside = centers(32);
    let laplacians: Vec<f32> =
        inside.as_chunks().0.iter().map(|&[x, y]| -2.0 * PI * PI * solution(x, y)).collect();
    let border: Vec<f32> = (0..32)
        .map(|index| index as f32 / 16.0 - 1.0)
        .flat_map(|t| [t, -1.0, 1.0, t, -t, 1.0, -1.0, -t])
        .collect();

    let network = Network::uniform(2, 64, 4, 1, "tanh".parse()?)?;
    let rule = InitRule::new("ours:sigma_p=1".parse()?);
    let start = vi3nr::draw(&network, &rule.plan(&network)?, 0);
    let backend = CpuBackend::new(None)?;
    let mut engine = backend.engine(&network, &start)?;

    let (equation, boundary) = (["laplacian:1".parse()?], ["value:100".parse()?]);
    engine.load_terms(&TermBatch::new([
        Constraint::new(&network, &inside, &equation)?.with_laplacians(&laplacians)?,
        Constraint::new(&network, &border, &boundary)?,
    ])?)?;
    for step in 0..STEPS {
        let loss = engine.loss_and_gradient()?;
        if step.is_multiple_of(500) {
            let [laplacian, value] = engine.term_losses() else { continue };
            println!("step {step}: loss {loss:.2e}, Laplacian {laplacian:.2e}, border {value:.2e}");
        }
        let rate = 3e-3 * (1.0 - f64::from(step) / f64::from(STEPS));
        engine.apply(&Update::adam(Adam::default(), rate))?;
    }

    // At points that were not part of the training: √(Σ (Φ - u)² / Σ u²).
    let points = centers(50);
    let mut values = vec![0.0; points.len() / 2];
    engine.evaluate(&points, &mut values)?;
    let (mut error, mut norm) = (0.0, 0.0);
    for (&[x, y], value) in points.as_chunks().0.iter().zip(&values) {
        error += (value - solution(x, y)).powi(2);
        norm += solution(x, y).powi(2);
    }
    println!("relative L2 error: {:.2e}", (error / norm).sqrt());
    Ok(())
}
