//! Evaluating a model at given coordinates.

use vi3nr_engine::{Backend, EngineError};

use super::DecodeError;
use crate::model_file::{Body, Model};
use crate::pieces::PieceField;

/// The values of `model` at `points`, shape (n, inputs): shape (n, outputs).
///
/// Coordinates are those of one network for the whole signal, also for a model in pieces: the
/// samples of the longest side span -S to S, where S is the model's input scale.
///
/// # Errors
/// Returns [`DecodeError::Engine`] if the length of `points` is not a multiple of the number of
/// inputs, and [`DecodeError::Pieces`] if the parameters of a piece cannot be read.
pub fn values_at(
    model: &Model,
    points: &[f32],
    backend: &dyn Backend,
) -> Result<Vec<f32>, DecodeError> {
    match &model.body {
        Body::Network { network, parameters } => {
            let mut engine = backend.engine(network, parameters)?;
            let mut values = vec![0.0; points.len() / network.inputs() * network.outputs()];
            engine.evaluate(points, &mut values)?;
            Ok(values)
        }
        Body::Pieces(set) => {
            let field = PieceField::new(set, model.input_scale, backend)?;
            Ok(field.values_at(&positions(model, points)?)?)
        }
    }
}

/// The derivatives of `model` with respect to its coordinates at `points`, shape (n, inputs): shape
/// (n, outputs, inputs).
///
/// # Errors
/// Returns the errors of [`values_at`].
pub fn derivatives_at(
    model: &Model,
    points: &[f32],
    backend: &dyn Backend,
) -> Result<Vec<f32>, DecodeError> {
    match &model.body {
        Body::Network { network, parameters } => {
            let mut engine = backend.engine(network, parameters)?;
            let count = points.len() / network.inputs();
            let mut values = vec![0.0; count * network.outputs()];
            let mut derivatives = vec![0.0; values.len() * network.inputs()];
            engine.differentiate(points, &mut values, &mut derivatives)?;
            Ok(derivatives)
        }
        Body::Pieces(set) => {
            let field = PieceField::new(set, model.input_scale, backend)?;
            let mut derivatives = field.derivatives_at(&positions(model, points)?)?;
            let per_coordinate = samples_per_coordinate(model) as f32;
            derivatives.iter_mut().for_each(|slope| *slope *= per_coordinate);
            Ok(derivatives)
        }
    }
}

/// The positions in samples of coordinates of the whole signal.
fn positions(model: &Model, points: &[f32]) -> Result<Vec<f64>, DecodeError> {
    let axes = model.signal.axes();
    if !points.len().is_multiple_of(axes.len()) {
        let (what, seen) = ("points", points.len());
        let expected = format!("a multiple of {}", axes.len());
        return Err(EngineError::Length { what, seen, expected }.into());
    }
    let per_coordinate = samples_per_coordinate(model);
    let position = |(index, coordinate): (usize, &f32)| {
        let middle = (axes[index % axes.len()] - 1) as f64 / 2.0;
        f64::from(*coordinate) * per_coordinate + middle
    };
    Ok(points.iter().enumerate().map(position).collect())
}

/// The number of samples per unit of a coordinate of the whole signal.
pub(super) fn samples_per_coordinate(model: &Model) -> f64 {
    let longest = model.signal.axes().into_iter().max().unwrap_or(2).max(2);
    (longest - 1) as f64 / 2.0 / model.input_scale
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
