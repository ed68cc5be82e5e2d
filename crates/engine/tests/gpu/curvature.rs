//! Curvature factors and derivatives along directions.

use vi3nr_engine::{Curvature, LayerCurvature, ReferenceEngine, Residuals};

use crate::support::{backend, double, engine, error, network, numbers, start};

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// Factors and tangents of an engine.
fn results(
    curvature: &mut dyn Curvature,
    points: &[f32],
    residuals: Residuals,
    (signs, directions): (&[f32], &[&[f32]]),
) -> (Vec<LayerCurvature>, Vec<Vec<f32>>) {
    let factors = curvature.factors(points, residuals, signs).unwrap();
    (factors, curvature.tangents(points, residuals, directions).unwrap())
}

/// The factors of every layer and J d follow the reference, for residuals of values and of
/// derivatives, with one point, with part of a tile and with several tiles.
#[test]
fn factors_and_tangents_follow_the_reference() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 40, 24, 2], "sine:omega=2");
    let directions: Vec<Vec<f32>> =
        (5..7).map(|seed| numbers(network.parameter_count(), seed)).collect();
    let directions: Vec<&[f32]> = directions.iter().map(|direction| &direction[..]).collect();
    let mut gpu = engine(&backend, &network);
    let mut reference = ReferenceEngine::new(&network, &start(&network)).unwrap();
    let kinds = [Residuals::VALUES, Residuals { value: 0.3, gradient: 0.2, laplacian: 0.1 }];
    for residuals in kinds {
        for count in [1, 67, 300] {
            let name = format!("{count} points, {residuals:?}");
            let points = numbers(count * network.inputs(), 1);
            let each = residuals.count(network.inputs(), network.outputs());
            let signs: Vec<f32> = numbers(count * each, 2).iter().map(|x| x.signum()).collect();
            let arrays = (&signs[..], &directions[..]);
            let (exact, exact_tangents) = results(&mut reference, &points, residuals, arrays);
            let curvature = gpu.curvature().unwrap();
            let (seen, tangents) = results(curvature, &points, residuals, arrays);
            for (layer, (seen, exact)) in seen.iter().zip(&exact).enumerate() {
                let inputs = error(&single(&seen.inputs), &exact.inputs);
                let slopes = error(&single(&seen.slopes), &exact.slopes);
                assert!(inputs < 3e-6 && slopes < 2e-5, "{name}, {layer}: {inputs:e} {slopes:e}");
            }
            for (seen, exact) in tangents.iter().zip(&exact_tangents) {
                let error = error(seen, &double(exact));
                assert!(error < 2e-5, "{name}: {error:e}");
            }
        }
    }
}
