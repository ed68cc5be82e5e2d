//! The blended values of the pieces of a signal.

use std::sync::{Mutex, PoisonError};

use vi3nr_engine::{Backend, Engine, EngineError};

use super::grid::{PieceGrid, Share};
use super::points::coordinates;
use super::set::PieceSet;

/// Why a set of pieces cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PieceError {
    /// The engine cannot be built or loaded.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The parameters of a piece cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
}

/// An evaluator of a set of pieces, several at a time.
pub struct PieceField<'a> {
    set: &'a PieceSet,
    /// The input scale of the coordinates.
    scale: f64,
    outputs: usize,
    backends: Vec<Box<dyn Backend>>,
}

/// The contribution of a piece to some positions.
struct Part {
    /// The number of the piece.
    index: usize,
    /// Its part of the positions along each axis.
    shares: Vec<Share>,
}

impl<'a> PieceField<'a> {
    /// The field of `set`, whose coordinates have the input scale `scale`.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if threads cannot be started.
    pub fn new(set: &'a PieceSet, scale: f64, backend: &dyn Backend) -> Result<Self, EngineError> {
        let outputs = set.network(0).outputs();
        let backends = backend.side_by_side(backend.workers().threads())?;
        Ok(Self { set, scale, outputs, backends })
    }

    /// The values at all combinations of `positions`, one list per axis in ascending order, the
    /// first axis varying fastest: shape (n, outputs). Positions are in samples. Only the pieces
    /// that contribute are read.
    ///
    /// # Errors
    /// Returns [`PieceError::Read`] if parameters cannot be read, and [`PieceError::Engine`] if
    /// memory cannot be allocated.
    pub fn values(&self, positions: &[&[f64]]) -> Result<Vec<f32>, PieceError> {
        let parts = Mutex::new(self.parts(positions).into_iter().enumerate());
        let count: usize = positions.iter().map(|along| along.len()).product();
        let found = Mutex::new(Vec::new());
        let work = |backend: &dyn Backend| {
            loop {
                let next = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((order, part)) = next else { return };
                let values = self.part_values(&part, positions, backend);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.push((order, part, values));
            }
        };
        std::thread::scope(|scope| {
            for backend in &self.backends[1..] {
                scope.spawn(|| work(&**backend));
            }
            work(&*self.backends[0]);
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In a fixed order, so that rounding does not depend on the number of threads.
        found.sort_unstable_by_key(|(order, ..)| *order);
        let mut values = vec![0.0; count * self.outputs];
        for (_, part, own) in found {
            self.add(&part, &own?, positions, &mut values);
        }
        Ok(values)
    }

    /// The number of axes of the signal.
    pub(super) fn axis_count(&self) -> usize {
        self.set.axes().len()
    }

    /// The number of samples along each axis.
    pub(super) fn axes(&self) -> &[usize] {
        self.set.axes()
    }

    pub(super) fn grid(&self) -> &PieceGrid {
        self.set.grid()
    }

    /// The number of values at a position.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The backend of this thread, and those of further threads.
    pub(super) fn backends(&self) -> (&dyn Backend, &[Box<dyn Backend>]) {
        (&*self.backends[0], &self.backends[1..])
    }

    /// The coordinate of a position along `axis` in the network of piece `index`.
    pub(super) fn coordinate(&self, index: usize, axis: usize, position: f64) -> f32 {
        let piece = self.set.grid().piece(self.set.axes(), index);
        (self.scale * piece.coordinate(axis, position)) as f32
    }

    /// The distance between neighboring samples in the coordinates of piece `index`.
    pub(super) fn spacing(&self, index: usize) -> f64 {
        self.scale * self.set.grid().piece(self.set.axes(), index).pitch()
    }

    /// An engine for the network of piece `index`.
    pub(super) fn engine(
        &self,
        index: usize,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Engine>, PieceError> {
        let parameters = self.set.parameters(index)?;
        Ok(backend.engine(self.set.network(index), &parameters)?)
    }

    fn parts(&self, positions: &[&[f64]]) -> Vec<Part> {
        let grid = self.set.grid();
        let mut parts = vec![(Vec::new(), Vec::new())];
        for (axis, along) in positions.iter().enumerate() {
            let shares = grid.shares(axis, self.set.axes()[axis], along);
            let combine = |share: &Share| {
                let extended = |(places, earlier): &(Vec<usize>, Vec<Share>)| {
                    let places = [&places[..], &[share.place]].concat();
                    (places, [&earlier[..], std::slice::from_ref(share)].concat())
                };
                parts.iter().map(extended).collect::<Vec<_>>()
            };
            parts = shares.iter().flat_map(combine).collect();
        }
        let part = |(places, shares): (Vec<usize>, Vec<Share>)| Part {
            index: grid.index(&places),
            shares,
        };
        parts.into_iter().map(part).collect()
    }

    fn part_values(
        &self,
        part: &Part,
        positions: &[&[f64]],
        backend: &dyn Backend,
    ) -> Result<Vec<f32>, PieceError> {
        let own = |(share, along): (&Share, &&[f64])| along[share.positions.clone()].to_vec();
        let own: Vec<Vec<f64>> = part.shares.iter().zip(positions).map(own).collect();
        let slices: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
        let piece = self.set.grid().piece(self.set.axes(), part.index);
        let points = coordinates(&piece, &slices, self.scale);
        let mut engine = self.engine(part.index, backend)?;
        let mut values = vec![0.0; points.len() / slices.len() * self.outputs];
        engine.evaluate(&points, &mut values)?;
        Ok(values)
    }

    /// Adds the contribution of a piece to `values`, with its blending weights.
    fn add(&self, part: &Part, own: &[f32], positions: &[&[f64]], values: &mut [f32]) {
        for (index, own) in own.chunks_exact(self.outputs).enumerate() {
            let (mut rest, mut place, mut stride, mut weight) = (index, 0, 1, 1.0);
            for (share, along) in part.shares.iter().zip(positions) {
                let at = rest % share.weights.len();
                rest /= share.weights.len();
                place += (share.positions.start + at) * stride;
                stride *= along.len();
                weight *= share.weights[at];
            }
            let sums = &mut values[place * self.outputs..][..self.outputs];
            for (sum, value) in sums.iter_mut().zip(own) {
                *sum += weight as f32 * value;
            }
        }
    }
}
