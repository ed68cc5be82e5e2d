//! The quadratic model of the objective over one or two directions.

use vi3nr::Network;

/// q(c) = gᵀDc + ½ cᵀDᵀBDc where the columns d of D are the directions.
#[derive(Debug, Clone)]
pub(super) struct Quadratic {
    /// gᵀd of each direction.
    slopes: Vec<f64>,
    /// dᵀBd' of each pair of directions, row-major.
    curvature: Vec<f64>,
}

/// The minimum of the model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    /// The coefficient of each direction.
    pub(super) coefficients: Vec<f64>,
    /// The decrease of the model from 0 to its minimum; positive.
    pub(super) decrease: f64,
}

impl Quadratic {
    /// The model from J·d at `count` points, shape (count, outputs) for each direction, and λ.
    pub(super) fn new(
        directions: &[&[f32]],
        tangents: &[Vec<f32>],
        gradient: &[f32],
        count: usize,
        damping: f64,
    ) -> Self {
        let size = directions.len();
        let mut curvature = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let value = dot(&tangents[i], &tangents[j]) / count as f64
                    + damping * dot(directions[i], directions[j]);
                curvature[i * size + j] = value;
                curvature[j * size + i] = value;
            }
        }
        Self { slopes: directions.iter().map(|d| dot(gradient, d)).collect(), curvature }
    }

    /// The minimum over both directions, or over the first alone if they are nearly parallel;
    /// `None` if the model does not decrease along the first direction.
    pub(super) fn minimum(&self) -> Option<Minimum> {
        let size = self.slopes.len();
        if size == 2 {
            let [a, b, _, c] = self.curvature[..] else { return None };
            let [u, v] = self.slopes[..] else { return None };
            let determinant = a * c - b * b;
            if determinant > 1e-10 * a * c {
                let coefficients =
                    vec![(b * v - c * u) / determinant, (b * u - a * v) / determinant];
                let decrease = -0.5 * (coefficients[0] * u + coefficients[1] * v);
                if decrease > 0.0 && decrease.is_finite() {
                    return Some(Minimum { coefficients, decrease });
                }
            }
        }
        let (a, u) = (self.curvature[0], self.slopes[0]);
        let mut coefficients = vec![0.0; size];
        coefficients[0] = -u / a;
        let decrease = 0.5 * u * u / a;
        let falls = decrease > 0.0 && decrease.is_finite() && coefficients[0] > 0.0;
        falls.then_some(Minimum { coefficients, decrease })
    }

    /// Floating-point operations of the tangents at `points` points and of the inner products.
    pub(super) fn operations(network: &Network, points: usize, directions: usize) -> f64 {
        let weights = network.weight_count() as f64;
        let forward = 2.0 * weights * points as f64 * (1.0 + 2.0 * directions as f64);
        let products = (directions * (directions + 3)) as f64 * 2.0 * weights;
        forward + products
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    // Eight sums, so that the compiler can use vector registers.
    let mut sums = [0.0f64; 8];
    let (a_whole, b_whole) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a_whole.remainder().iter().zip(b_whole.remainder());
    let rest: f64 = rest.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    for (x, y) in a_whole.zip(b_whole) {
        for lane in 0..8 {
            sums[lane] += f64::from(x[lane]) * f64::from(y[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_products_are_sums_of_products() {
        let a: Vec<f32> = (0..21).map(|i| i as f32).collect();
        assert_eq!(dot(&a, &a), (0..21).map(|i| f64::from(i * i)).sum::<f64>());
    }

    /// Two directions against a hand-solved model: q = -2x - 3y + ½(2x² + 2xy + 3y²) + λ terms.
    #[test]
    fn the_minimum_solves_the_two_equations() {
        let (d, p) = ([1.0f32, 0.0], [0.0f32, 1.0]);
        // Tangents with inner products 2·1, 1·1, 3·1 at one point of two outputs.
        let tangents = [vec![2f32.sqrt(), 0.0], vec![0.5f32.sqrt(), 2.5f32.sqrt()]];
        let gradient = [-2.0, -3.0];
        let model = Quadratic::new(&[&d, &p], &tangents, &gradient, 1, 0.0);
        let minimum = model.minimum().unwrap();
        // [[2, 1], [1, 3]] (α, μ) = (2, 3): α = 3/5, μ = 4/5.
        assert!((minimum.coefficients[0] - 0.6).abs() < 1e-6);
        assert!((minimum.coefficients[1] - 0.8).abs() < 1e-6);
        assert!((minimum.decrease - 0.5 * (0.6 * 2.0 + 0.8 * 3.0)).abs() < 1e-6);
        // Damping reduces the step and the predicted decrease.
        let damped = Quadratic::new(&[&d, &p], &tangents, &gradient, 1, 1.0).minimum().unwrap();
        assert!(damped.decrease < minimum.decrease);
    }

    /// The model's decrease against the true one along a short step, with all points and small
    /// errors (for which the Gauss-Newton matrix is nearly the Hessian).
    #[test]
    fn the_model_predicts_the_true_decrease() {
        use vi3nr_engine::{Batch, Curvature, Engine, ReferenceEngine, Residuals};
        let network = Network::new(vec![2, 6, 5, 2], "tanh".parse().unwrap()).unwrap();
        let count = network.parameter_count();
        let wave = |i: usize, f: f32| (f * (i as f32 + 1.0)).sin();
        let parameters: Vec<f32> = (0..count).map(|i| 0.7 * wave(i, 1.7)).collect();
        let points: Vec<f32> = (0..80).map(|i| wave(i, 2.3)).collect();
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let mut values = vec![0.0; 80];
        engine.evaluate(&points, &mut values).unwrap();
        let targets: Vec<f32> =
            values.iter().enumerate().map(|(i, value)| value + 1e-3 * wave(i, 0.9)).collect();
        let batch = Batch::new(&network, &points, &targets).unwrap();
        // With two outputs h is the loss itself.
        engine.load_batch(&batch).unwrap();
        let before = engine.loss_and_gradient().unwrap();
        let gradient = engine.gradient().unwrap();
        let direction: Vec<f32> = gradient.iter().map(|g| -g).collect();
        let tangents = engine.tangents(&points, Residuals::VALUES, &[&direction]).unwrap();
        let model = Quadratic::new(&[&direction], &tangents, &gradient, 40, 0.0);
        let length = 0.3 * model.minimum().unwrap().coefficients[0];
        let predicted = -length * (model.slopes[0] + 0.5 * length * model.curvature[0]);
        let moved: Vec<f32> = parameters
            .iter()
            .zip(&direction)
            .map(|(p, d)| (f64::from(*p) + length * f64::from(*d)) as f32)
            .collect();
        engine.set_parameters(&moved).unwrap();
        let decrease = before - engine.loss_and_gradient().unwrap();
        assert!(decrease > 0.0);
        assert!((predicted / decrease - 1.0).abs() < 0.02, "{predicted:e}, expected {decrease:e}");
    }

    #[test]
    fn parallel_and_non_descent_directions() {
        let d = [1.0f32, 0.0];
        let tangents = [vec![1.0f32], vec![1.0f32]];
        let parallel = Quadratic::new(&[&d, &d], &tangents, &[-1.0, 0.0], 1, 0.0);
        assert_eq!(parallel.minimum().unwrap().coefficients, [1.0, 0.0]);
        // The gradient is orthogonal to d, or d is an ascent direction.
        assert!(Quadratic::new(&[&d], &tangents[..1], &[0.0, 1.0], 1, 0.0).minimum().is_none());
        assert!(Quadratic::new(&[&d], &tangents[..1], &[1.0, 1.0], 1, 0.0).minimum().is_none());
        let nan = Quadratic::new(&[&d], &tangents[..1], &[f32::NAN, 1.0], 1, 0.0);
        assert!(nan.minimum().is_none());
    }
}
