//! Evaluating a model at arbitrary positions.

use vi3nr_engine::{Backend, Engine};

use super::DecodeError;
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
                let coordinates: Vec<&[f32]> =
                    axes.iter().map(|axis| &axis.coordinates[..]).collect();
                let points = combinations(&coordinates);
                let network = engine.network();
                let mut values = vec![0.0; points.len() / axes.len() * network.outputs()];
                engine.evaluate(&points, &mut values)?;
                Ok(values)
            }
        }
    }
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
