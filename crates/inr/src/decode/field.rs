//! A model as a function of positions.

use vi3nr_engine::{Backend, Engine};

use super::DecodeError;
use crate::model_file::{Body, Model};
use crate::pieces::PieceField;

/// Places along one axis, in ascending order.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
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

    /// The values at all combinations of `places`, one for each axis, the first axis fastest: shape
    /// (n, outputs).
    pub(super) fn values(&mut self, places: &[&Places]) -> Result<Vec<f32>, DecodeError> {
        match self {
            Self::Pieces(field) => {
                let positions: Vec<&[f64]> =
                    places.iter().map(|axis| &axis.positions[..]).collect();
                Ok(field.values(&positions)?)
            }
            Self::Network(engine) => {
                let count: usize = places.iter().map(|axis| axis.coordinates.len()).product();
                let mut points = Vec::with_capacity(count * places.len());
                for index in 0..count {
                    let mut rest = index;
                    for axis in places {
                        points.push(axis.coordinates[rest % axis.coordinates.len()]);
                        rest /= axis.coordinates.len();
                    }
                }
                let mut values = vec![0.0; count * engine.network().outputs()];
                engine.evaluate(&points, &mut values)?;
                Ok(values)
            }
        }
    }
}

impl Places {
    /// Those in `range`.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            positions: self.positions[range.clone()].to_vec(),
            coordinates: self.coordinates[range].to_vec(),
        }
    }
}
