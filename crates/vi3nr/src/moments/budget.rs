//! How much work the integrals of a search may take.

use std::cell::Cell;

/// What enclosing an operation over a region costs, in evaluations of it at a point.
const ENCLOSURE: u64 = 3;

/// Numbers of operations that all integrals of a search, and each of them, may take. They are counted
/// and not timed, so that an answer does not depend on the machine: a million take about 30 ms.
#[derive(Debug)]
pub(crate) struct Budget {
    all: u64,
    left: Cell<u64>,
    each: u64,
}

impl Budget {
    /// `all` operations, of which one integral takes at most `each`.
    pub(crate) fn of(all: u64, each: u64) -> Self {
        Self { all, left: Cell::new(all), each }
    }

    /// No limits beside those that every integral has.
    pub(crate) fn unlimited() -> Self {
        Self::of(u64::MAX, u64::MAX)
    }

    /// The whole amount again, for another part of the search.
    pub(crate) fn renew(&self) {
        self.left.set(self.all);
    }

    /// The budget of one integral.
    pub(super) fn of_one(&self) -> Self {
        let amount = self.left.get().min(self.each);
        Self::of(amount, amount)
    }

    /// Takes what one integral has spent.
    pub(super) fn take(&self, one: &Self) {
        self.spend_at_point(one.all - one.left.get());
    }

    /// The operations that may still be spent.
    pub(super) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Counts an evaluation of this many operations at a point.
    pub(super) fn spend_at_point(&self, operations: u64) {
        self.left.set(self.left.get().saturating_sub(operations));
    }

    /// Counts an enclosure of this many operations over a region.
    pub(super) fn spend_on_region(&self, operations: u64) {
        self.spend_at_point(ENCLOSURE * operations);
    }

    /// What has ended an integral: its budget, or the limit on its panels.
    pub(super) fn limit(&self, panels: usize) -> String {
        match self.left.get() {
            0 => "within the operations that a search may take".into(),
            _ => format!("by {panels} panels"),
        }
    }
}
