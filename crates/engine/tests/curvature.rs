//! Curvature factors and directional derivatives of the fused engine agree with the reference, and
//! parameters and the state of Adam can be transferred between engines.

mod common;

use common::{numbers, weights};
use vi3nr::Network;
use vi3nr_engine::{
    Adam, Batch, Constraint, CpuEngine, Curvature, Engine, InstructionSet, ReferenceEngine,
    Residuals, TermBatch, Update,
};

const SHAPES: [(&[usize], &str); 5] = [
    (&[3, 40, 24, 2], "sine:omega=2"),
    (&[2, 1], "relu"),
    (&[1, 130, 1], "gaussian:sigma=0.5"),
    (&[40, 20, 33, 5], "exp(-x^2)"),
    (&[2, 48, 48, 48, 48, 3], "tanh"),
];

#[test]
fn factors_and_tangents_follow_the_reference() {
    for set in InstructionSet::available() {
        for (dims, activation) in SHAPES {
            let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
            let parameters = weights(&network, 1.0);
            let directions: Vec<Vec<f32>> =
                (5..8).map(|seed| numbers(parameters.len(), seed)).collect();
            let directions: Vec<&[f32]> = directions.iter().map(|d| &d[..]).collect();
            for count in [1, 67, 600] {
                let name = format!("{activation} {dims:?}, {count} points on {set:?}");
                let points = numbers(count * network.inputs(), 1);
                let signs: Vec<f32> =
                    numbers(count * network.outputs(), 2).iter().map(|x| x.signum()).collect();
                let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
                let mut engine =
                    CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
                let exact = reference.factors(&points, Residuals::VALUES, &signs).unwrap();
                let seen = engine.factors(&points, Residuals::VALUES, &signs).unwrap();
                for (layer, (seen, exact)) in seen.iter().zip(&exact).enumerate() {
                    near(&seen.inputs, &exact.inputs, 3e-6, &format!("{name}: A of {layer}"));
                    near(&seen.slopes, &exact.slopes, 2e-5, &format!("{name}: G of {layer}"));
                }
                let double = |values: &[f32]| -> Vec<f64> {
                    values.iter().map(|value| f64::from(*value)).collect()
                };
                let exact = reference.tangents(&points, Residuals::VALUES, &directions).unwrap();
                let seen = engine.tangents(&points, Residuals::VALUES, &directions).unwrap();
                assert_eq!(seen.len(), 3);
                for (seen, exact) in seen.iter().zip(&exact) {
                    near(&double(seen), &double(exact), 2e-5, &format!("{name}: Jd"));
                }
            }
        }
    }
}

/// The same for residuals that contain derivatives with respect to the coordinates.
#[test]
fn factors_and_tangents_of_derivatives_follow_the_reference() {
    let kinds = [(0.0, 1.0, 0.0), (0.7, 0.5, 0.0), (0.3, 0.2, 0.1), (0.0, 0.0, 1.0)];
    for (set, (dims, activation)) in InstructionSet::available()
        .into_iter()
        .flat_map(|set| SHAPES.map(|shape| (set, shape)))
        .filter(|(_, (dims, _))| dims[0] < 5)
    {
        let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
        let parameters = weights(&network, 1.0);
        let directions: Vec<Vec<f32>> =
            (5..7).map(|seed| numbers(parameters.len(), seed)).collect();
        let directions: Vec<&[f32]> = directions.iter().map(|d| &d[..]).collect();
        for (value, gradient, laplacian) in kinds {
            let residuals = Residuals { value, gradient, laplacian };
            let each = residuals.count(network.inputs(), network.outputs());
            for count in [1, 67, 300] {
                let name = format!("{activation} {dims:?}, {residuals:?}, {count} on {set:?}");
                let points = numbers(count * network.inputs(), 1);
                let signs: Vec<f32> = numbers(count * each, 2).iter().map(|x| x.signum()).collect();
                let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
                let mut engine =
                    CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
                let exact = reference.factors(&points, residuals, &signs).unwrap();
                let seen = engine.factors(&points, residuals, &signs).unwrap();
                for (layer, (seen, exact)) in seen.iter().zip(&exact).enumerate() {
                    near(&seen.inputs, &exact.inputs, 1e-5, &format!("{name}: A of {layer}"));
                    near(&seen.slopes, &exact.slopes, 1e-4, &format!("{name}: G of {layer}"));
                }
                let double = |values: &[f32]| -> Vec<f64> {
                    values.iter().map(|value| f64::from(*value)).collect()
                };
                let exact = reference.tangents(&points, residuals, &directions).unwrap();
                let seen = engine.tangents(&points, residuals, &directions).unwrap();
                for (seen, exact) in seen.iter().zip(&exact) {
                    assert_eq!(seen.len(), count * each);
                    near(&double(seen), &double(exact), 1e-4, &format!("{name}: Jd"));
                }
            }
        }
    }
}

/// J·d of all residuals against difference quotients of first and second derivatives, and the
/// gradient of the squared loss, which is 2 Jᵀr: 2 r·(J·d) along d.
#[test]
fn tangents_of_derivatives_are_derivatives_of_the_residuals() {
    for activation in ["sine:omega=2", "tanh", "x*exp(-x^2)"] {
        let network = Network::new(vec![2, 6, 5, 2], activation.parse().unwrap()).unwrap();
        let parameters = weights(&network, 1.0);
        let points = numbers(2 * 9, 3);
        let direction = numbers(parameters.len(), 4);
        let terms =
            ["value:0.09", "gradient:0.04", "laplacian:0.01"].map(|term| term.parse().unwrap());
        let constraint = Constraint::new(&network, &points, &terms).unwrap();
        let batch = TermBatch::new([constraint]).unwrap();
        let residuals = batch.residuals().unwrap();
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let tangent = &engine.tangents(&points, residuals, &[&direction]).unwrap()[0];
        // The residuals of a point: values, derivatives along x and y, Laplacians.
        let at = |step: f32| {
            let moved: Vec<f32> =
                parameters.iter().zip(&direction).map(|(p, d)| p + step * d).collect();
            let mut engine = ReferenceEngine::new(&network, &moved).unwrap();
            let mut arrays = (vec![0.0; 18], vec![0.0; 36], vec![0.0; 72]);
            engine
                .differentiate_twice(&points, &mut arrays.0, &mut arrays.1, &mut arrays.2)
                .unwrap();
            (0..9)
                .flat_map(|p| {
                    let (values, slopes, hessians) =
                        (&arrays.0[2 * p..], &arrays.1[4 * p..], &arrays.2[8 * p..]);
                    let value = (0..2).map(|o| 0.3 * values[o]);
                    let slope = (0..2).flat_map(|a| (0..2).map(move |o| 0.2 * slopes[2 * o + a]));
                    let laplacian = (0..2).map(|o| 0.1 * (hessians[4 * o] + hessians[4 * o + 3]));
                    value.chain(slope).chain(laplacian).collect::<Vec<f32>>()
                })
                .collect::<Vec<f32>>()
        };
        let (above, below) = (at(1e-3), at(-1e-3));
        let largest = tangent.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        for (seen, (above, below)) in tangent.iter().zip(above.iter().zip(&below)) {
            let quotient = (above - below) / 2e-3;
            assert!((seen - quotient).abs() < 2e-3 * largest, "{activation}: {seen}, {quotient}");
        }
        engine.load_terms(&batch).unwrap();
        engine.loss_and_gradient().unwrap();
        let slope: f64 = engine
            .gradient()
            .unwrap()
            .iter()
            .zip(&direction)
            .map(|(g, d)| f64::from(*g) * f64::from(*d))
            .sum();
        // The loss is a mean over 9 points and 2 outputs.
        let product: f64 =
            at(0.0).iter().zip(tangent).map(|(r, t)| f64::from(*r) * f64::from(*t)).sum();
        assert!((2.0 * product / 18.0 / slope - 1.0).abs() < 1e-4, "{activation}: {slope}");
    }
}

#[test]
fn only_squares_of_plain_differences_have_residuals() {
    let network = Network::new(vec![2, 4, 1], "tanh".parse().unwrap()).unwrap();
    let points = [0.1, 0.2, 0.3, 0.4];
    let residuals = |texts: &[&str]| {
        let terms: Vec<_> = texts.iter().map(|text| text.parse().unwrap()).collect();
        TermBatch::new([Constraint::new(&network, &points, &terms).unwrap()]).unwrap().residuals()
    };
    assert_eq!(residuals(&["value:1"]), Some(Residuals::VALUES));
    let both = Residuals { value: 0.0, gradient: 2.0, laplacian: 0.5 };
    assert_eq!(residuals(&["gradient:3", "laplacian:0.25", "gradient:1"]), Some(both));
    for other in ["value:1,power=1", "eikonal:1", "gradient:1,signed=false", "off-surface:1"] {
        assert_eq!(residuals(&["value:1", other]), None, "{other}");
    }
}

/// Checks that no element differs by more than `tolerance` times the largest magnitude.
fn near(seen: &[f64], exact: &[f64], tolerance: f64, name: &str) {
    assert_eq!(seen.len(), exact.len(), "{name}");
    let largest = exact.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (i, (a, b)) in seen.iter().zip(exact).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{name}, {i}: {a}, not {b}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_factors_and_tangents() {
    let network = Network::new(vec![2, 40, 40, 3], "gaussian:sigma=0.5".parse().unwrap()).unwrap();
    let parameters = weights(&network, 1.0);
    let points = numbers(2 * 1501, 1);
    let signs: Vec<f32> = numbers(3 * 1501, 2).iter().map(|x| x.signum()).collect();
    let direction = numbers(parameters.len(), 5);
    let run = |threads| {
        let mut engine = CpuEngine::new(&network, &parameters, Some(threads)).unwrap();
        let factors = engine.factors(&points, Residuals::VALUES, &signs).unwrap();
        (factors, engine.tangents(&points, Residuals::VALUES, &[&direction, &direction]).unwrap())
    };
    let one = run(1);
    assert_eq!(one.1[0], one.1[1]);
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads differ from one");
    }
}

/// Training continues unchanged after the parameters and the state of Adam are copied to another
/// engine.
#[test]
fn parameters_and_adam_state_can_be_transferred() {
    let network = Network::new(vec![2, 20, 17, 3], "sine:omega=5".parse().unwrap()).unwrap();
    let (points, targets) = (numbers(2 * 300, 1), numbers(3 * 300, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    for index in 0..2 {
        let make = |start: &[f32]| -> Box<dyn Engine> {
            match index {
                0 => Box::new(CpuEngine::new(&network, start, Some(2)).unwrap()),
                _ => Box::new(ReferenceEngine::new(&network, start).unwrap()),
            }
        };
        let mut engine = make(&weights(&network, 1.0));
        engine.load_batch(&batch).unwrap();
        for _ in 0..3 {
            engine.loss_and_gradient().unwrap();
            engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
        }
        let parameters = engine.parameters().unwrap();
        let mut other = make(&vec![0.0; parameters.len()]);
        other.set_parameters(&parameters).unwrap();
        other.set_adam_memory(&engine.adam_memory().unwrap()).unwrap();
        assert_eq!(other.adam_memory().unwrap(), engine.adam_memory().unwrap());
        other.load_batch(&batch).unwrap();
        for _ in 0..3 {
            let (seen, expected) =
                (other.loss_and_gradient().unwrap(), engine.loss_and_gradient().unwrap());
            // The reference computes with more digits than it returns.
            let allowed = if index == 0 { 0.0 } else { 1e-6 };
            assert!((seen / expected - 1.0).abs() <= allowed, "{seen}, not {expected}");
            for engine in [&mut engine, &mut other] {
                engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
            }
        }
    }
}

#[test]
fn wrong_lengths_are_errors() {
    let network = Network::new(vec![2, 4, 3], "tanh".parse().unwrap()).unwrap();
    let mut cpu = CpuEngine::new(&network, &[0.0; 27], Some(1)).unwrap();
    let mut reference = ReferenceEngine::new(&network, &[0.0; 27]).unwrap();
    let engines: [&mut dyn Engine; 2] = [&mut cpu, &mut reference];
    for engine in engines {
        assert!(engine.set_parameters(&[0.0; 26]).is_err());
        let curvature = engine.curvature().unwrap();
        assert!(curvature.factors(&[0.0; 4], Residuals::VALUES, &[1.0; 5]).is_err());
        assert!(curvature.factors(&[], Residuals::VALUES, &[]).is_err());
        assert!(curvature.tangents(&[0.0; 3], Residuals::VALUES, &[&[0.0; 27]]).is_err());
        assert!(curvature.tangents(&[], Residuals::VALUES, &[&[0.0; 27]]).is_err());
        assert!(curvature.tangents(&[0.0; 4], Residuals::VALUES, &[&[0.0; 26]]).is_err());
        assert!(curvature.tangents(&[0.0; 4], Residuals::VALUES, &[]).unwrap().is_empty());
        let mut memory = engine.adam_memory().unwrap();
        memory.mean.pop();
        assert!(engine.set_adam_memory(&memory).is_err());
    }
}
