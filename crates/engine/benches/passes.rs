//! A fixed amount of work on one thread, for a profiler that counts instructions:
//!
//!     passes CASE COUNT
//!
//! runs a case of [`CASES`] COUNT times. `benches/instructions.py` compares the counts of two runs.

use vi3nr::Network;
use vi3nr_engine::{Adam, Batch, CpuEngine, Engine, Update};

/// What is counted.
#[derive(Clone, Copy)]
enum Pass {
    /// Gradient and update.
    Step,
    /// Values only.
    Evaluate,
}

/// A network, its number of points and the pass.
struct Case {
    name: &'static str,
    /// Inputs, width, layers and outputs.
    shape: [usize; 4],
    activation: &'static str,
    points: usize,
    pass: Pass,
}

const IMAGE: [usize; 4] = [2, 128, 8, 3];
const SHAPE: [usize; 4] = [3, 256, 5, 1];

#[rustfmt::skip]
const CASES: [Case; 6] = [
    Case { name: "image-gaussian-step", shape: IMAGE, activation: "gaussian", points: 256, pass: Pass::Step },
    Case { name: "image-tanh-step", shape: IMAGE, activation: "tanh", points: 256, pass: Pass::Step },
    Case { name: "image-formula-step", shape: IMAGE, activation: "x*exp(-x^2)*cos(9*x)", points: 256, pass: Pass::Step },
    Case { name: "image-relu-evaluate", shape: IMAGE, activation: "relu", points: 512, pass: Pass::Evaluate },
    Case { name: "shape-sine-step", shape: SHAPE, activation: "sine", points: 256, pass: Pass::Step },
    Case { name: "tile-sine-step", shape: [2, 80, 3, 3], activation: "sine", points: 512, pass: Pass::Step },
];

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (0.7 * i as f32).sin()).collect()
}

fn run(case: &Case, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let [inputs, width, layers, outputs] = case.shape;
    let network = Network::uniform(inputs, width, layers, outputs, case.activation.parse()?)?;
    let parameters: Vec<f32> =
        numbers(network.parameter_count()).iter().map(|x| 0.05 * x).collect();
    let mut engine = CpuEngine::new(&network, &parameters, Some(1))?;
    let (points, targets) = (numbers(inputs * case.points), numbers(outputs * case.points));
    engine.load_batch(&Batch::new(&network, &points, &targets)?)?;
    let mut values = vec![0.0; outputs * case.points];
    for _ in 0..count {
        match case.pass {
            Pass::Step => {
                engine.loss_and_gradient()?;
                engine.apply(&Update::adam(Adam::default(), 1e-6))?;
            }
            Pass::Evaluate => engine.evaluate(&points, &mut values)?,
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [] => CASES.iter().for_each(|case| println!("{}", case.name)),
        [name, count] => {
            let case = CASES.iter().find(|case| case.name == name).ok_or("no such case")?;
            run(case, count.parse()?)?;
        }
        _ => return Err("usage: passes [CASE COUNT]".into()),
    }
    Ok(())
}
