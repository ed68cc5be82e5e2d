//! How much work a search may spend on integrals.

use std::cell::Cell;

/// What enclosing an operation over a region costs, in evaluations of it at a point.
const ENCLOSURE: usize = 3;

/// A number of operations that all integrals of a search may take together. It is counted and not
/// timed, so that an answer does not depend on the machine. An integral alone has limits of its own.
#[derive(Debug)]
pub(crate) struct Budget {
    all: u64,
    left: Cell<u64>,
}

impl Budget {
    /// This many evaluations of one operation at a point; a million take some 20 ms.
    pub(crate) fn of(operations: u64) -> Self {
        Self { all: operations, left: Cell::new(operations) }
    }

    /// No limit beside those of a single integral.
    pub(crate) fn unlimited() -> Self {
        Self::of(u64::MAX)
    }

    /// The operations that may still be spent.
    pub(super) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Counts an evaluation of this many operations at a point.
    pub(super) fn spend_at_point(&self, operations: usize) {
        self.left.set(self.left.get().saturating_sub(operations as u64));
    }

    /// Counts an enclosure of this many operations over a region.
    pub(super) fn spend_on_region(&self, operations: usize) {
        self.spend_at_point(ENCLOSURE * operations);
    }

    /// What ended an integral: the budget, or the integral's own limit on panels.
    pub(super) fn limit(&self, panels: usize) -> String {
        match self.left.get() {
            0 => format!("within {} million operations", self.all.div_ceil(1_000_000)),
            _ => format!("by {panels} panels"),
        }
    }
}
