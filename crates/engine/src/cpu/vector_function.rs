//! What a kernel knows of an activation.

use super::instruction_set::InstructionSet;

/// The part of a row-major matrix that a kernel works on: the first `columns` of every row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    pub(super) columns: usize,
    /// The distance between the starts of consecutive rows, at least `columns`.
    pub(super) row_stride: usize,
}

/// An activation compiled for the vector instructions of this machine.
pub(super) trait VectorFunction: Send + Sync {
    /// Replaces each z by f(z) and writes f'(z) to `slopes`, a matrix of the same shape.
    fn value_and_slope(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        slopes: &mut [f32],
    );

    /// Replaces each z by f(z), the same bits as [`VectorFunction::value_and_slope`] gives.
    fn value(&self, set: InstructionSet, width: Width, values: &mut [f32]);
}
