//! Evaluating the network of a model at given coordinates.

use vi3nr_engine::{Backend, Engine};

use super::DecodeError;
use crate::model_file::Model;

/// The values of the network of `model` at `points`, shape (n, inputs), in its coordinates: shape
/// (n, outputs).
///
/// # Errors
/// Returns [`DecodeError::InPieces`] if the model is in pieces, and [`DecodeError::Engine`] if the
/// length of `points` is not a multiple of the number of inputs.
pub fn values_at(
    model: &Model,
    points: &[f32],
    backend: &dyn Backend,
) -> Result<Vec<f32>, DecodeError> {
    let mut engine = engine(model, backend)?;
    let mut values = vec![0.0; count(points, model) * model.network().outputs()];
    engine.evaluate(points, &mut values)?;
    Ok(values)
}

/// The derivatives of the network of `model` with respect to its coordinates at `points`, shape
/// (n, inputs): shape (n, outputs, inputs).
///
/// # Errors
/// Returns the errors of [`values_at`].
pub fn derivatives_at(
    model: &Model,
    points: &[f32],
    backend: &dyn Backend,
) -> Result<Vec<f32>, DecodeError> {
    let mut engine = engine(model, backend)?;
    let network = model.network();
    let count = count(points, model);
    let mut values = vec![0.0; count * network.outputs()];
    let mut derivatives = vec![0.0; count * network.outputs() * network.inputs()];
    engine.differentiate(points, &mut values, &mut derivatives)?;
    Ok(derivatives)
}

fn engine(model: &Model, backend: &dyn Backend) -> Result<Box<dyn Engine>, DecodeError> {
    let (network, parameters) = model.whole().ok_or(DecodeError::InPieces)?;
    Ok(backend.engine(network, parameters)?)
}

fn count(points: &[f32], model: &Model) -> usize {
    points.len() / model.network().inputs()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vi3nr::Network;
    use vi3nr_engine::CpuBackend;

    use super::*;
    use crate::signal::image::{BitDepth, ImageInfo};

    #[test]
    fn derivatives_are_those_of_the_values() {
        let network = Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let bit_depth = BitDepth::Eight;
        let signal = Arc::new(ImageInfo { width: 4, height: 4, channels: 3, bit_depth });
        let model = Model::new(network, parameters, signal);
        let backend = CpuBackend::new(Some(1)).unwrap();
        let derivatives = derivatives_at(&model, &[0.1, -0.3], &backend).unwrap();
        let step = 1e-2;
        for axis in 0..2 {
            let at = |sign: f32| {
                let mut point = [0.1, -0.3];
                point[axis] += sign * step;
                values_at(&model, &point, &backend).unwrap()
            };
            for (output, (above, below)) in at(1.0).iter().zip(at(-1.0)).enumerate() {
                let slope = (above - below) / (2.0 * step);
                assert!((derivatives[2 * output + axis] - slope).abs() < 1e-2);
            }
        }
        assert!(values_at(&model, &[0.0; 3], &backend).is_err());
    }
}
