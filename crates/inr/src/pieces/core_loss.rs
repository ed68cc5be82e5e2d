//! The loss of a piece's network over the core of the piece.

use vi3nr::Network;
use vi3nr_engine::{Backend, Engine, EngineError};

use super::points::PiecePoints;
use crate::model_file::Storage;

/// The mean squared errors of one set of parameters over the core of a piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct CoreLoss {
    /// With the parameters as they are.
    pub(super) exact: f64,
    /// With the parameters rounded to 16 bits, if that is considered.
    pub(super) rounded: Option<f64>,
}

impl CoreLoss {
    /// The loss of the parameters as they are stored.
    pub(super) fn stored(&self) -> f64 {
        self.rounded.unwrap_or(self.exact)
    }
}

/// Evaluates the network of a piece over the piece's core.
pub(super) struct CoreEvaluator<'a> {
    engine: Box<dyn Engine + 'a>,
    core: &'a PiecePoints,
    storage: Option<Storage>,
    values: Vec<f32>,
}

impl<'a> CoreEvaluator<'a> {
    /// For networks like `network`; `storage` is the rounding that is considered.
    pub(super) fn new(
        network: &Network,
        parameters: &[f32],
        core: &'a PiecePoints,
        storage: Option<Storage>,
        backend: &'a dyn Backend,
    ) -> Result<Self, EngineError> {
        let engine = backend.engine(network, parameters)?;
        Ok(Self { engine, core, storage, values: vec![0.0; core.value_count()] })
    }

    /// The losses of `parameters`.
    pub(super) fn loss(&mut self, parameters: &[f32]) -> Result<CoreLoss, EngineError> {
        let exact = self.loss_of(parameters)?;
        let rounded = match self.storage {
            Some(storage) => {
                let rounded: Vec<f32> = parameters.iter().map(|v| storage.round(*v)).collect();
                Some(self.loss_of(&rounded)?)
            }
            None => None,
        };
        Ok(CoreLoss { exact, rounded })
    }

    fn loss_of(&mut self, parameters: &[f32]) -> Result<f64, EngineError> {
        self.engine.set_parameters(parameters)?;
        self.engine.evaluate(self.core.points(), &mut self.values)?;
        Ok(self.core.loss(&self.values))
    }
}
