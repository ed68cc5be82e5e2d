//! Single dense layers, for networks that are too deep to be stored as a whole.
//!
//! The caller owns the matrices. This module computes the products of a batch with a layer's
//! weights, forward and backward, and the activation between them, at the speed of the engine.
//! Every row of a batch is computed independently, so that the result has the same bytes for any
//! number of threads. Activations and gradients below 2⁻⁹⁵ = 2.5e-29 can be replaced by 0.

use std::sync::Arc;

use rayon::prelude::*;
use vi3nr::Activation;

use super::activate::{Multiply, vector_function};
use super::aligned::Aligned;
use super::instruction_set::InstructionSet;
use super::product::{COLUMN_STEP, Left, Product, Right, Unpacked, Update, pack_panel};
use super::tiny::{Floor, drop_tiny};
use super::vector_function::{VectorFunction, Width};
use crate::{EngineError, Workers};

/// The number of rows of a batch that one thread multiplies at a time. Together with a panel of
/// weights they fit in a core's own cache.
const TILE_ROWS: usize = 48;

/// Applies dense layers without biases to a batch, one layer after the other.
///
/// ```
/// use vi3nr_engine::DenseLayers;
///
/// let mut layers = DenseLayers::new(&"tanh".parse()?, Some(1))?;
/// // Two units from three: W is (2, 3), the batch (1, 3).
/// let weights = [1.0, 0.0, 2.0, 0.0, 1.0, 0.0];
/// let mut outputs = [0.0; 2];
/// layers.forward(&weights, 3, &[1.0, 2.0, 3.0], &mut outputs)?;
/// assert_eq!(outputs, [7.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DenseLayers {
    set: InstructionSet,
    workers: Arc<Workers>,
    function: Box<dyn VectorFunction>,
    /// The weights of the current layer, in panels.
    packed: Aligned,
}

impl DenseLayers {
    /// Creates layers with `activation` and their own workers, `threads` of them or one per core.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the threads cannot be started, and
    /// [`EngineError::Memory`] if an allocation fails.
    pub fn new(activation: &Activation, threads: Option<usize>) -> Result<Self, EngineError> {
        Self::on_workers(activation, &Workers::new(threads)?)
    }

    /// Creates layers with `activation` on existing workers.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if an allocation fails.
    pub fn on_workers(
        activation: &Activation,
        workers: &Arc<Workers>,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            set: InstructionSet::best(),
            workers: workers.clone(),
            function: vector_function(activation),
            packed: Aligned::zeros(0)?,
        })
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }

    /// Computes z = x Wᵀ for every row x of the batch. The shapes are (n, fan-in) for `inputs`,
    /// (fan-out, fan-in) for `weights` and (n, fan-out) for `outputs`, all row-major.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length of an array does not fit the others, and
    /// [`EngineError::Memory`] if an allocation fails.
    pub fn forward(
        &mut self,
        weights: &[f32],
        fan_in: usize,
        inputs: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), EngineError> {
        let fan_out = quotient("weights", weights.len(), fan_in)?;
        let from =
            Unpacked { values: weights, row_stride: 1, col_stride: fan_in, columns: fan_out };
        self.pack(fan_in, from)?;
        self.multiply_rows(fan_in, fan_out, inputs, outputs)
    }

    /// Computes dL/dx = dL/dz W for every row, which is the sum in Eq. (8). The shapes are (n,
    /// fan-out) for `deltas` = dL/dz, (fan-out, fan-in) for `weights` and (n, fan-in) for
    /// `gradients` = dL/dx, all row-major.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length of an array does not fit the others, and
    /// [`EngineError::Memory`] if an allocation fails.
    pub fn backward(
        &mut self,
        weights: &[f32],
        fan_in: usize,
        deltas: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), EngineError> {
        let fan_out = quotient("weights", weights.len(), fan_in)?;
        let from = Unpacked { values: weights, row_stride: fan_in, col_stride: 1, columns: fan_in };
        self.pack(fan_out, from)?;
        self.multiply_rows(fan_out, fan_in, deltas, gradients)
    }

    /// Replaces each z by f(z) and writes f'(z) to `slopes`.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the arrays have different lengths.
    pub fn value_and_slope(
        &self,
        values: &mut [f32],
        slopes: &mut [f32],
    ) -> Result<(), EngineError> {
        check_equal("slopes", slopes.len(), values.len())?;
        self.workers.install(|| {
            values.par_chunks_mut(RUN).zip(slopes.par_chunks_mut(RUN)).for_each(|(z, slope)| {
                let width = whole(z.len());
                self.function.value_and_slope(self.set, width, z, slope);
                drop_tiny(self.set, Floor::Weighted, width, z);
            });
        });
        Ok(())
    }

    /// a ← a · b, element by element, where a is `into` and b is `by`: the factor f' of Eq. (8).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the arrays have different lengths.
    pub fn multiply(&self, into: &mut [f32], by: &[f32]) -> Result<(), EngineError> {
        check_equal("factors", by.len(), into.len())?;
        self.workers.install(|| {
            into.par_chunks_mut(RUN).zip(by.par_chunks(RUN)).for_each(|(into, by)| {
                self.set.run(Multiply {
                    width: whole(into.len()),
                    by_stride: into.len(),
                    into,
                    by,
                    floor: Floor::Weighted,
                });
            });
        });
        Ok(())
    }

    /// Calls `fill(index, row)` for every row of `length` numbers, in parallel on the workers.
    pub fn fill_rows(
        &self,
        values: &mut [f32],
        length: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        self.workers.install(|| {
            let rows = values.par_chunks_mut(length.max(1)).enumerate();
            rows.for_each(|(index, row)| fill(index, row));
        });
    }

    /// Returns `map(row)` for every row of `length` numbers, in parallel on the workers.
    pub fn map_rows(
        &self,
        values: &[f32],
        length: usize,
        map: impl Fn(&[f32]) -> f64 + Send + Sync,
    ) -> Vec<f64> {
        self.workers.install(|| values.par_chunks(length.max(1)).map(map).collect())
    }

    /// Packs the right operand, which has `depth` rows, in panels.
    fn pack(&mut self, depth: usize, from: Unpacked<'_>) -> Result<(), EngineError> {
        let padded = from.columns.next_multiple_of(COLUMN_STEP);
        if self.packed.len() != depth * padded {
            self.packed = Aligned::zeros(depth * padded)?;
        }
        let panel = self.set.panel_columns();
        let packed = &mut self.packed[..];
        self.workers.install(|| {
            packed.par_chunks_mut((panel * depth).max(1)).enumerate().for_each(|(index, chunk)| {
                pack_panel(chunk, chunk.len() / depth, index * panel, from);
            });
        });
        Ok(())
    }

    /// Computes `results`, (n, columns), as the product of `rows`, (n, depth), and the packed
    /// operand, (depth, columns).
    fn multiply_rows(
        &self,
        depth: usize,
        columns: usize,
        rows: &[f32],
        results: &mut [f32],
    ) -> Result<(), EngineError> {
        let count = quotient("rows of the batch", rows.len(), depth)?;
        check_equal("results", results.len(), count * columns)?;
        let padded = columns.next_multiple_of(COLUMN_STEP);
        // Allocated before the threads start, so that a lack of memory is an error.
        let tile_len = TILE_ROWS * padded;
        let scratch = (0..self.threads())
            .map(|_| Aligned::zeros(tile_len).map(std::sync::Mutex::new))
            .collect::<Result<Vec<_>, _>>()?;
        self.workers.install(|| {
            results
                .par_chunks_mut(TILE_ROWS * columns)
                .zip(rows.par_chunks(TILE_ROWS * depth))
                .for_each(|(results, rows)| {
                    let index = rayon::current_thread_index().unwrap_or(0);
                    let mut tile =
                        scratch[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    Product {
                        rows: rows.len() / depth,
                        columns: padded,
                        depth,
                        left: Left { values: rows, row_stride: depth, col_stride: 1 },
                        right: Right::Packed(&self.packed),
                        update: Update::Set,
                        result: &mut tile,
                        result_stride: padded,
                    }
                    .run(self.set);
                    let tile = tile.chunks_exact(padded);
                    for (result, row) in results.chunks_exact_mut(columns).zip(tile) {
                        result.copy_from_slice(&row[..columns]);
                    }
                });
        });
        Ok(())
    }
}

/// The number of elements that one thread takes at a time in elementwise work.
const RUN: usize = 1 << 14;

/// The width of an array of `len` numbers as a matrix of one row.
fn whole(len: usize) -> Width {
    Width { columns: len, row_stride: len }
}

/// The number of rows of `each` numbers in an array of length `len`.
fn quotient(what: &'static str, len: usize, each: usize) -> Result<usize, EngineError> {
    if each > 0 && len > 0 && len.is_multiple_of(each) {
        return Ok(len / each);
    }
    let expected = format!("a multiple of {each} above 0");
    Err(EngineError::Length { what, seen: len, expected })
}

fn check_equal(what: &'static str, seen: usize, expected: usize) -> Result<(), EngineError> {
    if seen == expected {
        return Ok(());
    }
    Err(EngineError::Length { what, seen, expected: expected.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, frequency: f32) -> Vec<f32> {
        (0..count).map(|i| (frequency * (i as f32 + 1.0)).sin()).collect()
    }

    /// Both products against plain f64 loops over odd sizes, and the same bytes for 1 and 3
    /// threads.
    #[test]
    fn products_agree_with_plain_loops() {
        for (count, fan_in, fan_out) in [(1, 1, 1), (7, 3, 70), (100, 33, 17), (53, 130, 200)] {
            let weights = numbers(fan_in * fan_out, 0.7);
            let inputs = numbers(count * fan_in, 0.3);
            let deltas = numbers(count * fan_out, 1.3);
            let run = |threads| {
                let mut layers = DenseLayers::new(&"tanh".parse().unwrap(), Some(threads)).unwrap();
                let (mut z, mut g) = (vec![0.0; count * fan_out], vec![0.0; count * fan_in]);
                layers.forward(&weights, fan_in, &inputs, &mut z).unwrap();
                layers.backward(&weights, fan_in, &deltas, &mut g).unwrap();
                (z, g)
            };
            let (z, g) = run(1);
            assert_eq!((&z, &g), (&run(3).0, &run(3).1));
            let element = |rows: &[f32], depth: usize, n: usize, weight: &dyn Fn(usize) -> f32| {
                (0..depth)
                    .map(|k| f64::from(rows[n * depth + k]) * f64::from(weight(k)))
                    .sum::<f64>()
            };
            for n in 0..count {
                for j in 0..fan_out {
                    let exact = element(&inputs, fan_in, n, &|k| weights[j * fan_in + k]);
                    let seen = f64::from(z[n * fan_out + j]);
                    assert!((seen - exact).abs() < 2e-5, "z({n}, {j}): {seen}, not {exact}");
                }
                for k in 0..fan_in {
                    let exact = element(&deltas, fan_out, n, &|j| weights[j * fan_in + k]);
                    let seen = f64::from(g[n * fan_in + k]);
                    assert!((seen - exact).abs() < 2e-5, "g({n}, {k}): {seen}, not {exact}");
                }
            }
        }
    }

    #[test]
    fn elementwise_work_agrees_with_the_definition() {
        let activation: Activation = "tanh".parse().unwrap();
        let layers = DenseLayers::new(&activation, Some(2)).unwrap();
        let inputs = numbers(40_001, 0.01);
        let (mut values, mut slopes) = (inputs.clone(), vec![0.0; inputs.len()]);
        layers.value_and_slope(&mut values, &mut slopes).unwrap();
        let mut products = values.clone();
        layers.multiply(&mut products, &slopes).unwrap();
        for (i, x) in inputs.iter().enumerate() {
            let (value, slope) = activation.value_and_slope(f64::from(*x));
            assert!((f64::from(values[i]) - value).abs() < 1e-6);
            assert!((f64::from(slopes[i]) - slope).abs() < 1e-6);
            assert_eq!(products[i], values[i] * slopes[i]);
        }
        let sums = layers.map_rows(&inputs, 40_000, |row| row.len() as f64);
        assert_eq!(sums, [40_000.0, 1.0]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let mut layers = DenseLayers::new(&"relu".parse().unwrap(), Some(1)).unwrap();
        let mut two = [0.0; 2];
        assert!(layers.forward(&[1.0; 5], 2, &[1.0; 2], &mut two).is_err());
        assert!(layers.forward(&[1.0; 4], 2, &[1.0; 3], &mut two).is_err());
        assert!(layers.backward(&[1.0; 6], 2, &[1.0; 3], &mut [0.0; 3]).is_err());
        assert!(layers.multiply(&mut two, &[1.0]).is_err());
        assert!(layers.value_and_slope(&mut two, &mut [0.0]).is_err());
    }
}
