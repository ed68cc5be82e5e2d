//! Points with their targets, checked once against the network.

use vi3nr::Network;

use crate::Loss;

/// What an engine refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An array whose length does not fit the network.
    #[error("{what}: {seen} numbers, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Its length.
        seen: usize,
        /// What would fit.
        expected: String,
    },
    /// The machine does not give the memory that training needs.
    #[error("not enough memory: training this network needs {mebibytes} MiB more")]
    Memory {
        /// The size of the allocation that failed.
        mebibytes: usize,
    },
    /// The worker threads cannot be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The system's answer.
        reason: String,
    },
}

/// Points, shape (n, inputs), and targets, shape (n, outputs), both row-major, with n >= 1; the loss
/// to be averaged over them, each point with its weight.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub(crate) points: &'a [f32],
    pub(crate) targets: &'a [f32],
    /// One per point, or 1 for all.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) loss: Loss,
    pub(crate) count: usize,
}

impl<'a> Batch<'a> {
    /// Checks the shapes against `network`. The loss is [`Loss::Squared`], every weight 1.
    ///
    /// # Errors
    /// The lengths are not multiples of the network's inputs and outputs, are of different numbers
    /// of points, or there is no point.
    pub fn new(
        network: &Network,
        points: &'a [f32],
        targets: &'a [f32],
    ) -> Result<Self, EngineError> {
        let count = point_count(network, points)?;
        check_length("targets", targets.len(), count, network.outputs())?;
        if count == 0 {
            let expected = "at least one point".into();
            return Err(EngineError::Length { what: "points", seen: 0, expected });
        }
        Ok(Self { points, targets, weights: None, loss: Loss::default(), count })
    }

    /// The same points with another loss.
    #[must_use]
    pub fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The same points, the loss of each multiplied by its weight: (1/n·outputs) Σ w Σ ρ.
    ///
    /// # Errors
    /// Not one weight per point.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, EngineError> {
        check_length("weights", weights.len(), self.count, 1)?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The part of the batch at `range` of its points.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Self {
        let (inputs, outputs) = (self.points.len() / self.count, self.targets.len() / self.count);
        Self {
            points: &self.points[range.start * inputs..range.end * inputs],
            targets: &self.targets[range.start * outputs..range.end * outputs],
            weights: self.weights.map(|weights| &weights[range.clone()]),
            loss: self.loss,
            count: range.len(),
        }
    }

    /// The weight of point `index`.
    pub(crate) fn weight(&self, index: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[index].into())
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// The number of points in an array of coordinates.
fn point_count(network: &Network, points: &[f32]) -> Result<usize, EngineError> {
    if !points.len().is_multiple_of(network.inputs()) {
        let expected = format!("a multiple of the network's {} inputs", network.inputs());
        return Err(EngineError::Length { what: "points", seen: points.len(), expected });
    }
    Ok(points.len() / network.inputs())
}

/// The number of points, for each of which `values` has a number per output.
pub(crate) fn check_values(
    network: &Network,
    points: &[f32],
    values: &[f32],
) -> Result<usize, EngineError> {
    let count = point_count(network, points)?;
    check_length("values", values.len(), count, network.outputs())?;
    Ok(count)
}

/// Refuses an array that does not hold `each` numbers for each of `count` points.
pub(crate) fn check_length(
    what: &'static str,
    seen: usize,
    count: usize,
    each: usize,
) -> Result<(), EngineError> {
    if seen == count * each {
        return Ok(());
    }
    let expected = format!("{} ({count} points, {each} each)", count * each);
    Err(EngineError::Length { what, seen, expected })
}

/// Refuses parameters that are not one per weight and bias of `network`.
pub(crate) fn check_parameters(network: &Network, seen: usize) -> Result<(), EngineError> {
    let expected = network.parameter_count();
    if seen == expected {
        return Ok(());
    }
    let expected = format!("{expected} (one per weight and bias)");
    Err(EngineError::Length { what: "parameters", seen, expected })
}
