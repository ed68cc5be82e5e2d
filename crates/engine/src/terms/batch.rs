//! Points with targets and terms, whose shapes are checked once against the network.

use std::ops::Range;

use vi3nr::Network;

use super::{Term, WeightedTerm};
use crate::batch::{check_length, check_some_points, copy};
use crate::{EngineError, Residuals};

/// Points, shape (n, inputs) with n >= 1, the targets that are known there, and the terms of the
/// loss at these points. All arrays are row-major.
///
/// A target array that is not set stands for zeros, so that the term `value` alone asks for Φ = 0,
/// and the term `laplacian` alone for ΔΦ = 0. Only the term `normal` needs its array.
///
/// ```
/// use vi3nr::Network;
/// use vi3nr_engine::{Constraint, TermBatch};
///
/// let network = Network::uniform(3, 16, 3, 1, "sine:omega=3".parse()?)?;
/// // One point on a surface with its normal, and two points off it.
/// let (surface, normals) = ([0.5, 0.0, 0.0], [1.0, 0.0, 0.0]);
/// let space = [0.1, 0.2, 0.3, -0.7, 0.0, 0.9];
/// let on = ["value:3000,power=1".parse()?, "normal:100".parse()?, "eikonal:50,power=1".parse()?];
/// let off = ["off-surface:100".parse()?, "eikonal:50,power=1".parse()?];
/// let batch = TermBatch::new([
///     Constraint::new(&network, &surface, &on)?.with_gradients(&normals)?,
///     Constraint::new(&network, &space, &off)?,
/// ])?;
/// assert_eq!((batch.count(), batch.order()), (3, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Constraint<'a> {
    pub(crate) points: &'a [f32],
    pub(crate) terms: &'a [WeightedTerm],
    pub(crate) values: Option<&'a [f32]>,
    pub(crate) gradients: Option<&'a [f32]>,
    pub(crate) laplacians: Option<&'a [f32]>,
    pub(crate) directions: Option<&'a [f32]>,
    pub(crate) slopes: Option<&'a [f32]>,
    /// One weight per point; `None` means that every weight is 1.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) count: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl<'a> Constraint<'a> {
    /// Creates a constraint without targets after checking `points` against `network`.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is no point, the length of `points` is not a
    /// multiple of the network's inputs, or `terms` is empty.
    pub fn new(
        network: &Network,
        points: &'a [f32],
        terms: &'a [WeightedTerm],
    ) -> Result<Self, EngineError> {
        let count = check_some_points(network, points)?;
        if terms.is_empty() {
            let expected = "at least one term".to_owned();
            return Err(EngineError::Length { what: "terms", seen: 0, expected });
        }
        Ok(Self {
            points,
            terms,
            values: None,
            gradients: None,
            laplacians: None,
            directions: None,
            slopes: None,
            weights: None,
            count,
            inputs: network.inputs(),
            outputs: network.outputs(),
        })
    }

    /// Sets the targets of [`Term::Value`], shape (n, outputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length does not fit.
    pub fn with_values(self, values: &'a [f32]) -> Result<Self, EngineError> {
        check_length("values", values.len(), self.count, self.outputs)?;
        Ok(Self { values: Some(values), ..self })
    }

    /// Sets the targets of [`Term::Gradient`] and the normals of [`Term::Normal`], shape
    /// (n, outputs, inputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length does not fit.
    pub fn with_gradients(self, gradients: &'a [f32]) -> Result<Self, EngineError> {
        check_length("gradients", gradients.len(), self.count, self.outputs * self.inputs)?;
        Ok(Self { gradients: Some(gradients), ..self })
    }

    /// Sets the targets of [`Term::Laplacian`], shape (n, outputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length does not fit.
    pub fn with_laplacians(self, laplacians: &'a [f32]) -> Result<Self, EngineError> {
        check_length("laplacians", laplacians.len(), self.count, self.outputs)?;
        Ok(Self { laplacians: Some(laplacians), ..self })
    }

    /// Sets the directions d of [`Term::Directional`], shape (n, inputs), and its targets s, shape
    /// (n, outputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if a length does not fit.
    pub fn with_directional(
        self,
        directions: &'a [f32],
        slopes: &'a [f32],
    ) -> Result<Self, EngineError> {
        check_length("directions", directions.len(), self.count, self.inputs)?;
        check_length("directional derivatives", slopes.len(), self.count, self.outputs)?;
        Ok(Self { directions: Some(directions), slopes: Some(slopes), ..self })
    }

    /// Multiplies the loss of each point by its weight.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one weight per point.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, EngineError> {
        check_length("weights", weights.len(), self.count, 1)?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The highest derivative that a term needs: 0, 1 or 2.
    pub fn order(&self) -> usize {
        self.terms.iter().map(|weighted| weighted.term.order()).max().unwrap_or(0)
    }

    /// The weight of point `index`.
    pub(crate) fn weight(&self, index: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[index].into())
    }

    /// Checks that the arrays that the terms cannot do without are set.
    fn check_targets(&self) -> Result<(), EngineError> {
        let needs = |wanted: fn(&Term) -> bool| self.terms.iter().any(|one| wanted(&one.term));
        let missing = |what| {
            let expected = format!("one vector for each of the {} points", self.count);
            Err(EngineError::Length { what, seen: 0, expected })
        };
        if self.gradients.is_none() && needs(|term| matches!(term, Term::Normal { .. })) {
            return missing("normals");
        }
        if self.directions.is_none() && needs(|term| matches!(term, Term::Directional { .. })) {
            return missing("directions");
        }
        Ok(())
    }
}

/// A batch whose loss is a weighted sum of [`Term`]s over one or more [`Constraint`]s.
#[derive(Debug, Clone)]
pub struct TermBatch<'a> {
    constraints: Vec<Constraint<'a>>,
}

impl<'a> TermBatch<'a> {
    /// Creates a batch of `constraints`.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is no constraint or a term lacks its normals or
    /// directions, and [`EngineError::BatchShape`] if the constraints were created for networks
    /// with different numbers of inputs or outputs.
    pub fn new(constraints: impl IntoIterator<Item = Constraint<'a>>) -> Result<Self, EngineError> {
        let constraints: Vec<Constraint<'a>> = constraints.into_iter().collect();
        let Some(first) = constraints.first() else {
            let expected = "at least one constraint".to_owned();
            return Err(EngineError::Length { what: "constraints", seen: 0, expected });
        };
        let expected = (first.inputs, first.outputs);
        for constraint in &constraints {
            constraint.check_targets()?;
            let seen = (constraint.inputs, constraint.outputs);
            if seen != expected {
                return Err(EngineError::BatchShape { seen, expected });
            }
        }
        Ok(Self { constraints })
    }

    /// The constraints.
    pub fn constraints(&self) -> &[Constraint<'a>] {
        &self.constraints
    }

    /// The number of points of all constraints together.
    pub fn count(&self) -> usize {
        self.constraints.iter().map(|constraint| constraint.count).sum()
    }

    /// The highest derivative that a term needs: 0, 1 or 2.
    pub fn order(&self) -> usize {
        self.constraints.iter().map(Constraint::order).max().unwrap_or(0)
    }

    /// The number of terms of all constraints together.
    pub fn term_count(&self) -> usize {
        self.constraints.iter().map(|constraint| constraint.terms.len()).sum()
    }

    /// Checks that `network` has the number of inputs and outputs that the batch was created for.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if it does not.
    pub fn check(&self, network: &Network) -> Result<(), EngineError> {
        let seen = (self.constraints[0].inputs, self.constraints[0].outputs);
        let expected = (network.inputs(), network.outputs());
        if seen == expected { Ok(()) } else { Err(EngineError::BatchShape { seen, expected }) }
    }

    /// The residuals whose squares are the loss, or `None` if the loss has another form: there is
    /// more than one constraint, a point has a weight, or a term is not the square of a difference
    /// to a known value, gradient or Laplacian.
    pub fn residuals(&self) -> Option<Residuals> {
        let [constraint] = &self.constraints[..] else { return None };
        if constraint.weights.is_some() { None } else { Residuals::of_terms(constraint.terms) }
    }

    /// The range of the terms of each constraint in an array with one entry for each term.
    pub(crate) fn term_ranges(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let range = |constraint: &Constraint<'_>| {
            let range = start..start + constraint.terms.len();
            start = range.end;
            range
        };
        self.constraints.iter().map(range).collect()
    }
}

/// The sums Σ w ρ_t of the terms of a batch, and the losses that follow from them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// One mean 1/n Σ w ρ_t for each term, in the order of the constraints.
    pub(crate) losses: Vec<f64>,
}

impl Tally {
    /// Sets the means from `sums` and returns the weighted loss.
    pub(crate) fn set(&mut self, batch: &TermBatch<'_>, sums: &[f64]) -> f64 {
        self.losses.clear();
        let mut total = 0.0;
        let terms = batch.constraints.iter().flat_map(|constraint| {
            constraint.terms.iter().map(|weighted| (constraint.count, weighted.weight))
        });
        for ((count, weight), sum) in terms.zip(sums) {
            let mean = sum / count as f64;
            self.losses.push(mean);
            total += weight * mean;
        }
        total
    }
}

/// A copy of a [`TermBatch`] that an engine owns. Its memory is reused for the next batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadedTerms {
    constraints: Vec<LoadedConstraint>,
    /// The number of `constraints` in use; 0 if no batch is loaded.
    used: usize,
}

#[derive(Debug, Clone, Default)]
struct LoadedConstraint {
    points: Vec<f32>,
    terms: Vec<WeightedTerm>,
    /// Values, gradients, Laplacians, directions, directional derivatives and weights.
    arrays: [Option<Vec<f32>>; 6],
    count: usize,
    inputs: usize,
    outputs: usize,
}

impl LoadedTerms {
    pub(crate) fn clear(&mut self) {
        self.used = 0;
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.used > 0
    }

    /// Copies `batch`. If this fails, no batch is loaded.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if `batch` was created for another shape of network, and
    /// [`EngineError::Memory`] if the allocation fails.
    pub(crate) fn load(
        &mut self,
        network: &Network,
        batch: &TermBatch<'_>,
    ) -> Result<(), EngineError> {
        self.used = 0;
        batch.check(network)?;
        self.constraints.resize_with(batch.constraints.len(), LoadedConstraint::default);
        for (into, from) in self.constraints.iter_mut().zip(&batch.constraints) {
            copy(&mut into.points, from.points)?;
            into.terms.clear();
            into.terms.extend_from_slice(from.terms);
            let arrays = [
                from.values,
                from.gradients,
                from.laplacians,
                from.directions,
                from.slopes,
                from.weights,
            ];
            for (into, from) in into.arrays.iter_mut().zip(arrays) {
                match from {
                    Some(from) => copy(into.get_or_insert_default(), from)?,
                    None => *into = None,
                }
            }
            (into.count, into.inputs, into.outputs) = (from.count, from.inputs, from.outputs);
        }
        self.used = batch.constraints.len();
        Ok(())
    }

    /// The loaded batch, or `None`.
    pub(crate) fn get(&self) -> Option<TermBatch<'_>> {
        let constraints: Vec<Constraint<'_>> =
            self.constraints[..self.used].iter().map(LoadedConstraint::borrow).collect();
        (!constraints.is_empty()).then_some(TermBatch { constraints })
    }
}

impl LoadedConstraint {
    fn borrow(&self) -> Constraint<'_> {
        let [values, gradients, laplacians, directions, slopes, weights] =
            self.arrays.each_ref().map(Option::as_deref);
        Constraint {
            points: &self.points,
            terms: &self.terms,
            values,
            gradients,
            laplacians,
            directions,
            slopes,
            weights,
            count: self.count,
            inputs: self.inputs,
            outputs: self.outputs,
        }
    }
}
