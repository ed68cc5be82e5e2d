//! A mini-batch of points and targets, whose shapes are checked once against the network.

use vi3nr::Network;

use crate::{EngineError, Loss};

/// A mini-batch: points, shape (n, inputs), and targets, shape (n, outputs), both row-major with
/// n >= 1, together with the [`Loss`] and an optional weight for each point.
///
/// The loss of a batch is the weighted mean
///
/// L = 1/(n · outputs) Σ_p w_p Σ_o ρ(Φ_o(x_p), y_po)
///
/// over points p and outputs o, where ρ is the [`Loss`] and w_p is 1 unless
/// [`Batch::with_weights`] sets it. The weights are not normalized.
///
/// ```
/// use vi3nr::Network;
/// use vi3nr_engine::{Batch, Loss};
///
/// let network = Network::uniform(2, 16, 3, 1, "tanh".parse()?)?;
/// let (points, targets) = ([0.0, 0.5, -0.5, 1.0], [0.1, 0.2]);
/// let batch = Batch::new(&network, &points, &targets)?
///     .with_loss(Loss::Absolute)
///     .with_weights(&[1.0, 0.5])?;
/// assert_eq!((batch.count(), batch.inputs(), batch.outputs()), (2, 2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub(crate) points: &'a [f32],
    pub(crate) targets: &'a [f32],
    /// One weight per point; `None` means that every weight is 1.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) loss: Loss,
    pub(crate) count: usize,
    inputs: usize,
    outputs: usize,
}

impl<'a> Batch<'a> {
    /// Creates a batch after checking the shapes against `network`. The loss is [`Loss::Squared`]
    /// and every weight is 1.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if `points` is empty, its length is not a multiple of the
    /// network's inputs, or `targets` does not hold one value per point and output.
    pub fn new(
        network: &Network,
        points: &'a [f32],
        targets: &'a [f32],
    ) -> Result<Self, EngineError> {
        let count = point_count(network, points)?;
        check_length("targets", targets.len(), count, network.outputs())?;
        if count == 0 {
            return Err(no_points());
        }
        let (inputs, outputs) = (network.inputs(), network.outputs());
        Ok(Self { points, targets, weights: None, loss: Loss::default(), count, inputs, outputs })
    }

    /// Replaces the loss.
    #[must_use]
    pub fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// Multiplies the loss of each point by its weight.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one weight per point.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, EngineError> {
        check_length("weights", weights.len(), self.count, 1)?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of coordinates of each point.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of target values of each point.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Checks that `network` has the number of inputs and outputs that the batch was created for.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if it does not.
    pub fn check(&self, network: &Network) -> Result<(), EngineError> {
        let seen = (self.inputs, self.outputs);
        let expected = (network.inputs(), network.outputs());
        if seen == expected { Ok(()) } else { Err(EngineError::BatchShape { seen, expected }) }
    }

    /// The points of the batch in `range`.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Self {
        let (inputs, outputs) = (self.inputs, self.outputs);
        Self {
            points: &self.points[range.start * inputs..range.end * inputs],
            targets: &self.targets[range.start * outputs..range.end * outputs],
            weights: self.weights.map(|weights| &weights[range.clone()]),
            count: range.len(),
            ..*self
        }
    }

    /// The weight of point `index`.
    pub(crate) fn weight(&self, index: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[index].into())
    }
}

/// A copy of a batch that an engine owns. Its memory is reused for the next batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadedBatch {
    points: Vec<f32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    has_weights: bool,
    loss: Loss,
    /// 0 if no batch is loaded.
    count: usize,
    inputs: usize,
    outputs: usize,
}

impl LoadedBatch {
    /// Copies `batch`. If this fails, no batch is loaded.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if `batch` was created for another shape of network, and
    /// [`EngineError::Memory`] if the allocation fails.
    pub(crate) fn load(&mut self, network: &Network, batch: &Batch<'_>) -> Result<(), EngineError> {
        self.count = 0;
        batch.check(network)?;
        copy(&mut self.points, batch.points)?;
        copy(&mut self.targets, batch.targets)?;
        copy(&mut self.weights, batch.weights.unwrap_or_default())?;
        self.has_weights = batch.weights.is_some();
        (self.loss, self.count) = (batch.loss, batch.count);
        (self.inputs, self.outputs) = (batch.inputs, batch.outputs);
        Ok(())
    }

    /// Discards the batch, but keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// The loaded batch.
    ///
    /// # Errors
    /// Returns [`EngineError::NoBatch`] if none is loaded.
    pub(crate) fn get(&self) -> Result<Batch<'_>, EngineError> {
        if self.count == 0 {
            return Err(EngineError::NoBatch);
        }
        Ok(Batch {
            points: &self.points,
            targets: &self.targets,
            weights: self.has_weights.then_some(&self.weights[..]),
            loss: self.loss,
            count: self.count,
            inputs: self.inputs,
            outputs: self.outputs,
        })
    }
}

/// Replaces the contents of `into` by a copy of `from`.
pub(crate) fn copy(into: &mut Vec<f32>, from: &[f32]) -> Result<(), EngineError> {
    into.clear();
    into.try_reserve_exact(from.len()).map_err(|_| EngineError::memory_for::<f32>(from.len()))?;
    into.extend_from_slice(from);
    Ok(())
}

/// The number n of points in an array of coordinates, shape (n, inputs).
fn point_count(network: &Network, points: &[f32]) -> Result<usize, EngineError> {
    if !points.len().is_multiple_of(network.inputs()) {
        let expected = format!("a multiple of the network's {} inputs", network.inputs());
        return Err(EngineError::Length { what: "points", seen: points.len(), expected });
    }
    Ok(points.len() / network.inputs())
}

/// Checks `points`, shape (n, inputs), and `values`, shape (n, outputs), and returns n.
pub(crate) fn check_values(
    network: &Network,
    points: &[f32],
    values: &[f32],
) -> Result<usize, EngineError> {
    let count = point_count(network, points)?;
    check_length("values", values.len(), count, network.outputs())?;
    Ok(count)
}

/// Checks `points`, shape (n, inputs), and the arrays of [`crate::Engine::differentiate_twice`]:
/// values, first and second derivatives.
pub(crate) fn check_derivatives(
    network: &Network,
    points: &[f32],
    (values, derivatives, hessians): (&[f32], &[f32], &[f32]),
) -> Result<(), EngineError> {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let count = check_values(network, points, values)?;
    check_length("derivatives", derivatives.len(), count, outputs * inputs)?;
    check_length("hessians", hessians.len(), count, outputs * inputs * inputs)
}

/// Checks that an array of length `seen` holds `each` numbers for each of `count` points.
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

/// Checks that an array of length `seen` holds one number per weight and bias of `network`.
pub(crate) fn check_parameters(
    what: &'static str,
    network: &Network,
    seen: usize,
) -> Result<(), EngineError> {
    let expected = network.parameter_count();
    if seen == expected {
        return Ok(());
    }
    let expected = format!("{expected} (one per weight and bias)");
    Err(EngineError::Length { what, seen, expected })
}

/// Checks `points`, shape (n, inputs) with n >= 1, and returns n.
pub(crate) fn check_some_points(network: &Network, points: &[f32]) -> Result<usize, EngineError> {
    match point_count(network, points)? {
        0 => Err(no_points()),
        count => Ok(count),
    }
}

fn no_points() -> EngineError {
    EngineError::Length { what: "points", seen: 0, expected: "at least one point".into() }
}
