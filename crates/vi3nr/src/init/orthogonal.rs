//! Random orthogonal matrices.

use crate::rng::Random;

/// Fills `weights`, shape (`rows`, `columns`), row-major, with orthonormal rows (or columns, if
/// there are fewer of them) times `std`·√max(rows, columns), so that the mean square of the weights
/// is `std`².
///
/// Orthogonalizing normal vectors one after the other gives a uniformly distributed orthogonal
/// matrix. Each vector is orthogonalized twice by the Gram-Schmidt process, which suffices for full
/// accuracy. The cost is O(rows · columns · min(rows, columns)).
pub(super) fn fill(weights: &mut [f32], rows: usize, columns: usize, std: f64, random: &Random) {
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(few);
    for index in 0..few {
        let mut vector: Vec<f64> =
            (0..many).map(|k| random.normal((index * many + k) as u64)).collect();
        for _ in 0..2 {
            for earlier in &basis {
                let overlap = product(earlier, &vector);
                vector.iter_mut().zip(earlier).for_each(|(a, b)| *a -= overlap * b);
            }
            let norm = libm::sqrt(product(&vector, &vector));
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

/// The inner product, in eight partial sums that the compiler can vectorize.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 8];
    for (a, b) in a_chunks.zip(b_chunks) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}
