//! The blended values of pieces at positions that form no grid.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use vi3nr_engine::Backend;

use super::field::{PieceError, PieceField};

/// The contribution of a piece to a position.
struct Contribution {
    /// The number of the position.
    point: usize,
    /// The blending weight along each axis and its derivative with respect to the position.
    weights: Vec<(f64, f64)>,
}

impl Contribution {
    fn weight(&self) -> f64 {
        self.weights.iter().map(|(weight, _)| weight).product()
    }

    /// The derivative of the weight with respect to the position along `axis`.
    fn slope(&self, axis: usize) -> f64 {
        let factor = |(own, (weight, slope)): (usize, &(f64, f64))| {
            if own == axis { *slope } else { *weight }
        };
        self.weights.iter().enumerate().map(factor).product()
    }
}

impl PieceField<'_> {
    /// The values at `positions` in samples, shape (n, axes): shape (n, outputs).
    ///
    /// # Errors
    /// Returns the errors of [`PieceField::values`].
    pub fn values_at(&self, positions: &[f64]) -> Result<Vec<f32>, PieceError> {
        let count = positions.len() / self.axis_count();
        let outputs = self.outputs();
        let mut sums = vec![0.0f32; count * outputs];
        self.visit(positions, false, |contributions, values, _, _| {
            for (own, values) in contributions.iter().zip(values.chunks_exact(outputs)) {
                let weight = own.weight() as f32;
                let sums = &mut sums[own.point * outputs..][..outputs];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
        })?;
        Ok(sums)
    }

    /// The derivatives at `positions` in samples, shape (n, axes), with respect to the positions:
    /// shape (n, outputs, axes).
    ///
    /// # Errors
    /// Returns the errors of [`PieceField::values`].
    pub fn derivatives_at(&self, positions: &[f64]) -> Result<Vec<f32>, PieceError> {
        let axes = self.axis_count();
        let outputs = self.outputs();
        let mut sums = vec![0.0f32; positions.len() * outputs];
        self.visit(positions, true, |contributions, values, derivatives, spacing| {
            for (index, own) in contributions.iter().enumerate() {
                for output in 0..outputs {
                    let value = f64::from(values[index * outputs + output]);
                    for axis in 0..axes {
                        let slope = derivatives[(index * outputs + output) * axes + axis];
                        let total =
                            own.weight() * spacing * f64::from(slope) + own.slope(axis) * value;
                        sums[(own.point * outputs + output) * axes + axis] += total as f32;
                    }
                }
            }
        })?;
        Ok(sums)
    }

    /// Evaluates each piece where it contributes, and calls `add` in the order of the pieces with its
    /// contributions, its values, its derivatives with respect to its coordinates (if asked for)
    /// and the distance of neighboring samples in these coordinates.
    fn visit(
        &self,
        positions: &[f64],
        with_derivatives: bool,
        mut add: impl FnMut(&[Contribution], &[f32], &[f32], f64),
    ) -> Result<(), PieceError> {
        let pieces = Mutex::new(self.contributions(positions).into_iter());
        let found = Mutex::new(BTreeMap::new());
        let work = |backend: &dyn Backend| {
            loop {
                let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((index, own)) = next else { return };
                let numbers = self.evaluate(index, &own, positions, with_derivatives, backend);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(index, (own, numbers));
            }
        };
        let (first, others) = self.backends();
        std::thread::scope(|scope| {
            for backend in others {
                scope.spawn(|| work(&**backend));
            }
            work(first);
        });
        for (index, (own, numbers)) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let (values, derivatives) = numbers?;
            add(&own, &values, &derivatives, self.spacing(index));
        }
        Ok(())
    }

    /// The contributions of all pieces, by piece.
    fn contributions(&self, positions: &[f64]) -> BTreeMap<usize, Vec<Contribution>> {
        let (grid, axes) = (self.grid(), self.axes());
        let mut pieces = BTreeMap::new();
        for (point, position) in positions.chunks_exact(axes.len()).enumerate() {
            let mut found = vec![(Vec::new(), Vec::new())];
            for (axis, along) in position.iter().enumerate() {
                let shares = grid.shares(axis, axes[axis], std::slice::from_ref(along));
                let extend = |(places, weights): &(Vec<usize>, Vec<(f64, f64)>)| {
                    let one = |share: &super::grid::Share| {
                        let slope = grid.weight_slope(axis, axes[axis], share.place, *along);
                        let weights = [&weights[..], &[(share.weights[0], slope)]].concat();
                        ([&places[..], &[share.place]].concat(), weights)
                    };
                    shares.iter().map(one).collect::<Vec<_>>()
                };
                found = found.iter().flat_map(extend).collect();
            }
            for (places, weights) in found {
                let own: &mut Vec<Contribution> = pieces.entry(grid.index(&places)).or_default();
                own.push(Contribution { point, weights });
            }
        }
        pieces
    }

    /// The values of a piece and its derivatives, at the positions to which it contributes.
    fn evaluate(
        &self,
        index: usize,
        own: &[Contribution],
        positions: &[f64],
        with_derivatives: bool,
        backend: &dyn Backend,
    ) -> Result<(Vec<f32>, Vec<f32>), PieceError> {
        let axes = self.axis_count();
        let points = own.iter().flat_map(|own| {
            let position = &positions[own.point * axes..][..axes];
            position.iter().enumerate().map(|(axis, along)| self.coordinate(index, axis, *along))
        });
        let points: Vec<f32> = points.collect();
        let mut engine = self.engine(index, backend)?;
        let mut values = vec![0.0; own.len() * self.outputs()];
        let mut derivatives = Vec::new();
        if with_derivatives {
            derivatives.resize(values.len() * axes, 0.0);
            engine.differentiate(&points, &mut values, &mut derivatives)?;
        } else {
            engine.evaluate(&points, &mut values)?;
        }
        Ok((values, derivatives))
    }
}

#[cfg(test)]
mod tests {
    use vi3nr::Network;
    use vi3nr_engine::CpuBackend;

    use super::super::grid::PieceGrid;
    use super::super::set::PieceSet;
    use super::*;

    fn set() -> PieceSet {
        let axes = vec![20, 14];
        let grid = PieceGrid::of_side(&axes, 7, 2);
        let activation: vi3nr::Activation = "sine:omega=2".parse().unwrap();
        let network = Network::uniform(2, 8, 3, 2, activation).unwrap();
        let networks = (0..grid.piece_count()).map(|piece| {
            let at = |index: usize| ((index * 7 + piece * 31) as f32).sin() * 0.5;
            (network.clone(), (0..network.parameter_count()).map(at).collect())
        });
        let networks = networks.collect();
        PieceSet::new(grid, axes, networks).unwrap()
    }

    #[test]
    fn scattered_positions_have_the_values_of_a_grid() {
        let set = set();
        let backend = CpuBackend::new(Some(2)).unwrap();
        let field = PieceField::new(&set, 3.0, &backend).unwrap();
        let (x, y) = ([0.0, 4.5, 6.5, 7.25, 13.0, 19.0], [0.0, 6.0, 7.5, 13.0]);
        let grid = field.values(&[&x, &y]).unwrap();
        let scattered: Vec<f64> = y.iter().flat_map(|y| x.iter().flat_map(|x| [*x, *y])).collect();
        let found = field.values_at(&scattered).unwrap();
        assert!(grid.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(field.values_at(&[]).unwrap().is_empty());
    }

    #[test]
    fn derivatives_are_those_of_the_blended_values() {
        let set = set();
        let backend = CpuBackend::new(Some(1)).unwrap();
        let field = PieceField::new(&set, 3.0, &backend).unwrap();
        let step = 1e-2;
        for point in [[3.0, 3.0], [6.4, 7.1], [13.2, 6.6], [19.0, 0.3]] {
            let derivatives = field.derivatives_at(&point).unwrap();
            for axis in 0..2 {
                let at = |sign: f64| {
                    let mut moved = point;
                    moved[axis] += sign * step;
                    field.values_at(&moved).unwrap()
                };
                for (output, (above, below)) in at(1.0).iter().zip(at(-1.0)).enumerate() {
                    let slope = f64::from(above - below) / (2.0 * step);
                    let own = f64::from(derivatives[2 * output + axis]);
                    assert!((own - slope).abs() < 2e-3, "{point:?} {axis}: {own} {slope}");
                }
            }
        }
    }
}
