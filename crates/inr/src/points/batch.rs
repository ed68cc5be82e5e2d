//! The points of a step: plain values, or groups of points whose loss is a sum of terms.

use std::ops::Deref;

use vi3nr::Network;
use vi3nr_engine::{
    Batch, Constraint, Engine, EngineError, Loss, Residuals, TermBatch, WeightedTerm,
};

use super::EvalLoss;

/// Points and targets for the engine, in buffers that are reused from step to step: either points
/// with values, or `groups` of points whose loss is the sum of `terms`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointBatch {
    /// Coordinates, shape (n, inputs).
    pub points: Vec<f32>,
    /// Values, shape (n, outputs).
    pub targets: Vec<f32>,
    /// The weight of each point in the loss, shape (n); empty if all are 1.
    pub weights: Vec<f32>,
    /// The loss between a value and its target.
    pub loss: Loss,
    /// The groups of points with terms. If there are any, the fields above are not used.
    pub groups: Vec<PointGroup>,
    /// The terms of the groups. The loss of a term is its mean over the points of all groups that
    /// use it, and the loss of the batch the sum of these means times their weights.
    pub terms: Vec<WeightedTerm>,
}

/// Points with terms and the targets that are known there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointGroup {
    /// The terms that apply to these points: indices into [`PointBatch::terms`], at least one.
    pub uses: Vec<usize>,
    /// Coordinates, shape (n, inputs).
    pub points: Vec<f32>,
    /// Target values, shape (n, outputs); empty if all are 0.
    pub values: Vec<f32>,
    /// Target gradients or normals, shape (n, outputs, inputs); empty if there are none.
    pub gradients: Vec<f32>,
    /// Target Laplacians, shape (n, outputs); empty if all are 0.
    pub laplacians: Vec<f32>,
}

/// The unweighted mean loss of each term of a batch, in the order of [`PointBatch::terms`]; empty
/// for points with plain values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TermLosses {
    means: [f64; TermLosses::MAX],
    count: usize,
}

impl TermLosses {
    /// The largest number of terms: one for each name of a term.
    pub const MAX: usize = 8;

    /// The losses `means`, of which the first [`TermLosses::MAX`] are kept.
    pub fn new(means: &[f64]) -> Self {
        let mut losses = Self { count: means.len().min(Self::MAX), ..Self::default() };
        losses.means[..losses.count].copy_from_slice(&means[..losses.count]);
        losses
    }
}

impl Deref for TermLosses {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.means[..self.count]
    }
}

impl PointBatch {
    /// Removes all points.
    pub fn clear(&mut self) {
        self.points.clear();
        self.targets.clear();
        self.weights.clear();
        for group in &mut self.groups {
            group.clear();
        }
    }

    /// Whether the loss is a sum of terms.
    pub fn has_terms(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Loads the points into `engine` and returns their number.
    ///
    /// # Errors
    /// Returns the [`EngineError`] of [`Batch::new`], [`Constraint::new`] or [`TermBatch::new`] if
    /// the lengths do not match the network or each other, and that of [`Engine::load_batch`] or
    /// [`Engine::load_terms`].
    pub fn load(&self, network: &Network, engine: &mut dyn Engine) -> Result<usize, EngineError> {
        if self.has_terms() {
            return self.load_terms(network, engine);
        }
        let batch = self.values(network)?;
        engine.load_batch(&batch)?;
        Ok(batch.count())
    }

    /// Loads the points of several steps, `size` for each; see [`Engine::load_steps`].
    ///
    /// # Errors
    /// Returns the errors of [`Batch::new`] and [`Engine::load_steps`].
    pub(crate) fn load_steps(
        &self,
        network: &Network,
        engine: &mut dyn Engine,
        size: usize,
    ) -> Result<(), EngineError> {
        engine.load_steps(&self.values(network)?, size)
    }

    /// The plain points with their values.
    fn values(&self, network: &Network) -> Result<Batch<'_>, EngineError> {
        let batch = Batch::new(network, &self.points, &self.targets)?.with_loss(self.loss);
        match self.weights.is_empty() {
            true => Ok(batch),
            false => batch.with_weights(&self.weights),
        }
    }

    fn load_terms(&self, network: &Network, engine: &mut dyn Engine) -> Result<usize, EngineError> {
        let counts = self.counts(network);
        // The engine averages over the points of one group, and a term over those of all groups
        // that use it.
        let scaled = |group: &PointGroup| -> Vec<WeightedTerm> {
            let count = group.points.len() / network.inputs();
            let scaled = |index: &usize| {
                let term = self.terms[*index];
                term.term.weighted(term.weight * count as f64 / counts[*index] as f64)
            };
            group.uses.iter().map(scaled).collect()
        };
        let terms: Vec<Vec<WeightedTerm>> = self.groups.iter().map(scaled).collect();
        let constraints: Vec<Constraint<'_>> = self
            .groups
            .iter()
            .zip(&terms)
            .filter(|(group, _)| !group.points.is_empty())
            .map(|(group, terms)| group.constraint(network, terms))
            .collect::<Result<_, _>>()?;
        let batch = TermBatch::new(constraints)?;
        engine.load_terms(&batch)?;
        Ok(batch.count())
    }

    /// The residuals whose mean squares are the loss, if it has this form; see
    /// [`TermBatch::residuals`].
    pub(crate) fn residuals(&self) -> Option<Residuals> {
        match &self.groups[..] {
            [] => {
                let is_squared = self.loss == Loss::Squared && self.weights.is_empty();
                is_squared.then_some(Residuals::VALUES)
            }
            [group] => {
                let terms: Vec<WeightedTerm> =
                    group.uses.iter().map(|index| self.terms[*index]).collect();
                Residuals::of_terms(&terms)
            }
            _ => None,
        }
    }

    /// The coordinates of the points of all groups, or of the plain points: for a batch with
    /// residuals, those of its only group.
    pub(crate) fn coordinates(&self) -> &[f32] {
        self.groups.first().map_or(&self.points, |group| &group.points)
    }

    /// The number of points of all groups that use each term.
    fn counts(&self, network: &Network) -> Vec<usize> {
        let mut counts = vec![0; self.terms.len()];
        for group in &self.groups {
            for index in &group.uses {
                counts[*index] += group.points.len() / network.inputs();
            }
        }
        counts
    }

    /// The loss of each term in the last [`Engine::loss_and_gradient`] of an engine of `network` on
    /// this batch.
    pub fn term_losses(&self, network: &Network, engine: &dyn Engine) -> TermLosses {
        if !self.has_terms() {
            return TermLosses::default();
        }
        let counts = self.counts(network);
        let mut means = vec![0.0; self.terms.len()];
        let groups = self.groups.iter().filter(|group| !group.points.is_empty());
        let uses = groups.flat_map(|group| {
            let count = group.points.len() / network.inputs();
            group.uses.iter().map(move |index| (*index, count))
        });
        for ((index, count), mean) in uses.zip(engine.term_losses()) {
            means[index] += mean * count as f64 / counts[index] as f64;
        }
        TermLosses::new(&means)
    }

    /// Evaluates the loss of the current parameters of `engine` on these points.
    ///
    /// # Errors
    /// Returns the errors of [`PointBatch::load`] and [`Engine::loss_and_gradient`].
    pub fn evaluate(&self, engine: &mut dyn Engine) -> Result<EvalLoss, EngineError> {
        let network = engine.network().clone();
        self.load(&network, engine)?;
        let loss = engine.loss_and_gradient()?;
        Ok(EvalLoss { loss, terms: self.term_losses(&network, engine), values: Vec::new() })
    }
}

impl PointGroup {
    fn clear(&mut self) {
        let Self { uses: _, points, values, gradients, laplacians } = self;
        for array in [points, values, gradients, laplacians] {
            array.clear();
        }
    }

    fn constraint<'a>(
        &'a self,
        network: &Network,
        terms: &'a [WeightedTerm],
    ) -> Result<Constraint<'a>, EngineError> {
        let mut constraint = Constraint::new(network, &self.points, terms)?;
        if !self.values.is_empty() {
            constraint = constraint.with_values(&self.values)?;
        }
        if !self.gradients.is_empty() {
            constraint = constraint.with_gradients(&self.gradients)?;
        }
        if !self.laplacians.is_empty() {
            constraint = constraint.with_laplacians(&self.laplacians)?;
        }
        Ok(constraint)
    }
}

#[cfg(test)]
mod tests {
    use vi3nr_engine::ReferenceEngine;

    use super::*;

    /// A term that two groups use is a mean over the points of both, however many each has.
    #[test]
    fn a_term_is_a_mean_over_the_points_of_all_its_groups() {
        let network = Network::uniform(1, 6, 3, 1, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters: Vec<f32> =
            (0..network.parameter_count()).map(|i| (i as f32).sin()).collect();
        let terms: Vec<WeightedTerm> =
            ["value:3", "eikonal:0.5"].iter().map(|text| text.parse().unwrap()).collect();
        let group = |uses: &[usize], points: &[f32]| PointGroup {
            uses: uses.to_vec(),
            points: points.to_vec(),
            ..PointGroup::default()
        };
        let groups = vec![group(&[0, 1], &[0.5]), group(&[1], &[-0.5, 0.1, 0.9]), group(&[1], &[])];
        let batch = PointBatch { groups, terms: terms.clone(), ..PointBatch::default() };
        let all = PointBatch {
            groups: vec![group(&[0], &[0.5, -0.5, 0.1, 0.9])],
            terms: vec![terms[1]],
            ..PointBatch::default()
        };
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let seen = batch.evaluate(&mut engine).unwrap();
        let eikonal = all.evaluate(&mut engine).unwrap().terms[0];
        assert_eq!(seen.terms.len(), 2);
        assert!((seen.terms[1] - eikonal).abs() < 1e-12, "{:?} {eikonal}", seen.terms);
        let loss = 3.0 * seen.terms[0] + 0.5 * eikonal;
        assert!((seen.loss - loss).abs() < 1e-9 * loss, "{} {loss}", seen.loss);
        assert_eq!(batch.load(&network, &mut engine).unwrap(), 4);
    }
}
