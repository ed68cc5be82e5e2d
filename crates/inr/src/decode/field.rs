//! A model as a function of positions.

use vi3nr_engine::{Backend, Engine};

use super::DecodeError;
use crate::model_file::{Body, Model};
use crate::pieces::PieceField;
use crate::points::combinations;

/// AxisPositions along one axis, in ascending order.
#[derive(Debug, Clone, Default)]
pub(super) struct AxisPositions {
    /// In samples: sample i of the signal lies at i.
    pub(super) positions: Vec<f64>,
    /// The coordinates of one network for all of the signal, its scale included.
    pub(super) coordinates: Vec<f32>,
}

/// The values of a model anywhere.
pub(super) enum Field<'a> {
    /// Those of one network.
    Network(Box<dyn Engine>),
    /// Those of pieces.
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

    /// The values at all combinations of `axes`, one for each axis, the first axis fastest: shape
    /// (n, outputs).
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
    /// Those in `range`.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            positions: self.positions[range.clone()].to_vec(),
            coordinates: self.coordinates[range].to_vec(),
        }
    }
}
