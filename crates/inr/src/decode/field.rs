//! Evaluating a model at arbitrary positions.

use vi3nr_engine::{Backend, Engine, EngineError};

use super::DecodeError;
use super::points::samples_per_coordinate;
use crate::model_file::{Body, Model};
use crate::pieces::PieceField;
use crate::points::combinations;

/// Positions along one axis, in ascending order.
#[derive(Debug, Clone, Default)]
pub(super) struct AxisPositions {
    /// The positions in samples: sample i of the signal has position i.
    pub(super) positions: Vec<f64>,
    /// The coordinates at these positions for one network of the whole signal, multiplied by its
    /// scale.
    pub(super) coordinates: Vec<f32>,
}

/// A model that can be evaluated at arbitrary positions.
pub(super) enum Field<'a> {
    /// A model of one network.
    Network(Box<dyn Engine>),
    /// A model in pieces.
    Pieces(PieceField<'a>),
}

impl<'a> Field<'a> {
    pub(super) fn new(model: &'a Model, backend: &dyn Backend) -> Result<Self, DecodeError> {
        Ok(match &model.body {
            Body::Network { network, parameters } => {
                Self::Network(backend.engine(network, parameters)?)
            }
            Body::Pieces(set) => Self::Pieces(PieceField::new(set, model.input_scale, backend)?),
        })
    }

    /// The values at all combinations of the positions along `axes`, the first axis varying
    /// fastest: shape (n, outputs).
    pub(super) fn values(&mut self, axes: &[&AxisPositions]) -> Result<Vec<f32>, DecodeError> {
        match self {
            Self::Pieces(field) => {
                let positions: Vec<&[f64]> = axes.iter().map(|axis| &axis.positions[..]).collect();
                Ok(field.values(&positions)?)
            }
            Self::Network(engine) => {
                let points = points(axes);
                let network = engine.network();
                let mut values = vec![0.0; points.len() / axes.len() * network.outputs()];
                engine.evaluate(&points, &mut values)?;
                Ok(values)
            }
        }
    }

    /// The derivatives of `model`, whose field this is, at the same positions with respect to the
    /// positions in samples: shape (n, outputs, axes).
    pub(super) fn gradients(
        &mut self,
        model: &Model,
        axes: &[&AxisPositions; 2],
    ) -> Result<Vec<f32>, DecodeError> {
        match self {
            Self::Pieces(field) => {
                let [columns, rows] = axes.map(|axis| &axis.positions);
                let row = |y: &f64| columns.iter().flat_map(|x| [*x, *y]).collect::<Vec<_>>();
                let positions: Vec<f64> = rows.iter().flat_map(row).collect();
                Ok(field.derivatives_at(&positions)?)
            }
            Self::Network(engine) => {
                let points = points(axes);
                let outputs = engine.network().outputs();
                let mut values = vec![0.0; points.len() / axes.len() * outputs];
                let mut gradients = vec![0.0; points.len() * outputs];
                engine.differentiate(&points, &mut values, &mut gradients)?;
                let spacing = (1.0 / samples_per_coordinate(model)) as f32;
                gradients.iter_mut().for_each(|slope| *slope *= spacing);
                Ok(gradients)
            }
        }
    }

    /// The Laplacians of `model`, whose field this is, at the same positions with respect to the
    /// positions in samples: shape (n, outputs).
    pub(super) fn laplacians(
        &mut self,
        model: &Model,
        axes: &[&AxisPositions; 2],
    ) -> Result<Vec<f32>, DecodeError> {
        let Self::Network(engine) = self else {
            let missing = "second derivatives of a model in pieces";
            return Err(EngineError::Unsupported { backend: "pieces", missing }.into());
        };
        let outputs = engine.network().outputs();
        let points = points(axes);
        let mut values = vec![0.0; points.len() / axes.len() * outputs];
        let mut gradients = vec![0.0; points.len() * outputs];
        let mut hessians = vec![0.0; points.len() * outputs * axes.len()];
        engine.differentiate_twice(&points, &mut values, &mut gradients, &mut hessians)?;
        let spacing = 1.0 / samples_per_coordinate(model);
        let square = (spacing * spacing) as f32;
        let hessians = hessians.as_chunks::<4>().0.iter();
        Ok(hessians.map(|[xx, _, _, yy]| square * (xx + yy)).collect())
    }
}

/// The coordinates of all combinations of the positions along `axes`.
fn points(axes: &[&AxisPositions]) -> Vec<f32> {
    let coordinates: Vec<&[f32]> = axes.iter().map(|axis| &axis.coordinates[..]).collect();
    combinations(&coordinates)
}

impl AxisPositions {
    /// The positions with the indices in `range`.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            positions: self.positions[range.clone()].to_vec(),
            coordinates: self.coordinates[range].to_vec(),
        }
    }
}
