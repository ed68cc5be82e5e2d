//! Random orthogonal matrices.

use crate::rng::Random;

/// Fills `weights`, row-major (`rows`, `columns`), with orthonormal rows (or columns, where there
/// are fewer) times `std`·√max(rows, columns), so that the mean square of the weights is std².
///
/// Normal vectors orthogonalised one after the other (Gram-Schmidt, twice over, which is enough)
/// are uniform over the orthogonal matrices. The work is rows·columns·min(rows, columns).
pub(super) fn fill(weights: &mut [f32], rows: usize, columns: usize, std: f64, random: &Random) {
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(few);
    for index in 0..few {
        let mut vector: Vec<f64> =
            (0..many).map(|k| random.normal((index * many + k) as u64)).collect();
        for _ in 0..2 {
            for earlier in &basis {
                let overlap: f64 = earlier.iter().zip(&vector).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(earlier).for_each(|(a, b)| *a -= overlap * b);
            }
            let norm = libm::sqrt(vector.iter().map(|a| a * a).sum());
            vector.iter_mut().for_each(|a| *a /= norm);
        }
        basis.push(vector);
    }
    let scale = std * libm::sqrt(many as f64);
    for row in 0..rows {
        for column in 0..columns {
            let entry = if rows < columns { basis[row][column] } else { basis[column][row] };
            weights[row * columns + column] = (scale * entry) as f32;
        }
    }
}
