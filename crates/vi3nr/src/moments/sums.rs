//! Sums of the four integrals with their errors.

use crate::Bounded;

/// The four integrands f, f², f', f'² at once.
pub(super) type Four = [f64; 4];

/// Integrals with their errors and the integrals of the magnitudes.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) value: Four,
    /// What compensated summation has kept aside.
    pub(super) rest: Four,
    pub(super) error: Four,
    pub(super) magnitude: Four,
}

impl Sums {
    /// Adds the integrals over another part of the line.
    pub(super) fn add(&mut self, part: &Sums, truncation: Four) {
        for (k, truncation) in truncation.into_iter().enumerate() {
            let sum = self.value[k] + part.value[k];
            let kept = if self.value[k].abs() >= part.value[k].abs() {
                (self.value[k] - sum) + part.value[k]
            } else {
                (part.value[k] - sum) + self.value[k]
            };
            self.value[k] = sum;
            self.rest[k] += kept;
            self.error[k] += part.error[k] + truncation;
            self.magnitude[k] += part.magnitude[k];
        }
    }

    /// Adds the terms of one node.
    pub(super) fn add_node(&mut self, terms: [Bounded; 4]) {
        for (k, term) in terms.into_iter().enumerate() {
            self.value[k] += term.value;
            self.magnitude[k] += term.value.abs();
            self.error[k] += term.error;
        }
    }

    /// Allows for the roundings of `nodes` calls of [`Self::add_node`]: each rounds a partial sum below
    /// the sum of the magnitudes by half an ulp.
    pub(super) fn close(&mut self, nodes: usize) {
        for (error, magnitude) in self.error.iter_mut().zip(self.magnitude) {
            *error += 0.5 * nodes as f64 * f64::EPSILON * magnitude;
        }
    }
}
