//! Derivatives by the coordinates in a deep network, measured and predicted.
//!
//! The input preactivations of the experiment are taken for those of a first layer z_0 = W_0 x at a
//! point x of D coordinates with |x|² = D/3, the mean for coordinates uniform on [-1, 1]; W_0 is
//! normal, and each sample has its own. The derivatives of z_0 along x, z_0/|x|, and across,
//! N(0, σ_p²/|x|²), and its Laplacian 0 go through the same layers as z_0:
//! z_d → W (f'(z) z_d) and Δz → W (f''(z) |∇z|² + f'(z) Δz).

use serde::Serialize;
use vi3nr::activation::{Formula, Function, Visitor};
use vi3nr::derivatives::{DerivativeVariances, LayerScale, Place, variances};
use vi3nr::{Activation, Error, InputDistribution};
use vi3nr_engine::DenseLayers;

use super::{
    Biases, INPUTS, MAX_KEPT_VALUES, PropagateError, PropagationPlan, Weights, check, draw_normal,
    variance, zeros,
};

/// The maximum number of coordinates.
pub const MAX_COORDINATES: usize = 64;
/// The substream of the first derivative across x; the others follow.
const ACROSS: u32 = 3;

/// The variances of derivatives by the coordinates, from the first layer to the last: those that
/// were measured, over the units of one sample and averaged over the samples, and those that the
/// theory of wide layers predicts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DerivativePropagation {
    /// The number of coordinates D.
    pub coordinates: usize,
    /// The variance of ∂z/∂x_d, the mean over the coordinates.
    pub derivative_variance: Vec<f64>,
    /// The prediction; infinite beyond the range of numbers.
    pub predicted_derivative_variance: Option<Vec<f64>>,
    /// The variance of the Laplacian Δz. At a jump of f', f'' is taken for that of the left side.
    pub laplacian_variance: Vec<f64>,
    /// The prediction, which does not exist where f' jumps.
    pub predicted_laplacian_variance: Option<Vec<f64>>,
    /// Why a prediction is missing.
    pub missing: Option<String>,
}

/// Propagates the derivatives of the batch by `coordinates` coordinates forward through all layers.
///
/// # Errors
/// Returns [`PropagateError::Theory`] if a size or a deviation is out of range or the second
/// derivative of a formula is too long, and [`PropagateError::Engine`] if memory or threads are
/// unavailable.
pub fn propagate_derivatives(
    plan: &PropagationPlan,
    coordinates: usize,
) -> Result<DerivativePropagation, PropagateError> {
    check(plan)?;
    if !(1..=MAX_COORDINATES).contains(&coordinates) {
        return Err(PropagateError::Theory(Error::OutOfRange {
            quantity: "the number of coordinates".into(),
            value: coordinates as f64,
            expected: "from 1 to 64",
        }));
    }
    let place = Place::of_mean_square(coordinates, &InputDistribution::COORDINATES)?;
    let [derivative_variance, laplacian_variance] = measured(plan, place)?;
    let (derivatives, laplacians) = match predicted(plan, place) {
        Ok(found) => (Some(found.derivatives), found.laplacians),
        Err(error) => (None, Err(error)),
    };
    // Without the first layer, whose derivatives are the inputs of the experiment.
    let of_layers = |mut variances: Vec<f64>| {
        variances.remove(0);
        variances
    };
    let missing = laplacians.as_ref().err().map(ToString::to_string);
    Ok(DerivativePropagation {
        coordinates,
        derivative_variance,
        predicted_derivative_variance: derivatives.map(of_layers),
        laplacian_variance,
        predicted_laplacian_variance: laplacians.ok().map(of_layers),
        missing,
    })
}

/// The theory for the layers of `plan`, the first layer included.
fn predicted(plan: &PropagationPlan, place: Place) -> Result<DerivativeVariances, Error> {
    let first = LayerScale {
        fan_in: place.coordinates,
        weight_variance: plan.sigma_p * plan.sigma_p / place.square,
        bias_variance: 0.0,
    };
    let hidden = LayerScale {
        fan_in: plan.width,
        weight_variance: plan.weight_variance,
        bias_variance: plan.bias_variance,
    };
    let mut layers = vec![hidden; plan.depth + 1];
    layers[0] = first;
    variances(&plan.activation, place, &layers)
}

/// The variances of the derivatives and of the Laplacian after each layer.
fn measured(plan: &PropagationPlan, place: Place) -> Result<[Vec<f64>; 2], PropagateError> {
    if let Some(formula) = plan.activation.formula() {
        formula.jet_program(2)?;
    }
    let PropagationPlan { depth, width, batch, sigma_p, .. } = *plan;
    let mut layers = DenseLayers::new(&plan.activation, plan.threads)?;
    let mut weights = Weights::new(plan, &layers)?;
    let biases = Biases::new(plan)?;
    // The rows of a sample: z, its derivatives, its Laplacian.
    let channels = place.coordinates + 2;
    let group = (MAX_KEPT_VALUES / (channels * width)).clamp(1, batch);
    let mut values = zeros(group * channels * width)?;
    let mut next = zeros(group * channels * width)?;
    let mut channel = zeros(group * width)?;
    // Of the derivatives and of the Laplacian, by layer.
    let mut sums = vec![[0.0; 2]; depth];
    for start in (0..batch).step_by(group) {
        let samples = group.min(batch - start);
        let (mut values, mut next) =
            (&mut values[..samples * channels * width], &mut next[..samples * channels * width]);
        values.fill(0.0);
        let channel = &mut channel[..samples * width];
        let distance = place.square.sqrt();
        // z_0 as in the experiment without derivatives.
        draw_normal(&layers, plan, INPUTS, start, sigma_p, channel);
        scatter(channel, values, width, (channels, 0), 1.0);
        scatter(channel, values, width, (channels, 1), (1.0 / distance) as f32);
        for across in 2..channels - 1 {
            let substream = ACROSS + across as u32 - 2;
            draw_normal(&layers, plan, substream, start, sigma_p / distance, channel);
            scatter(channel, values, width, (channels, across), 1.0);
        }
        for (layer, sums) in sums.iter_mut().enumerate() {
            let length = channels * width;
            layers.fill_rows(values, length, |_, sample| through(&plan.activation, width, sample));
            let weights = weights.layer(&layers, layer);
            layers.forward(weights, width, values, next)?;
            std::mem::swap(&mut values, &mut next);
            biases.add(&layers, layer, length, values);
            let derivatives = layers.map_rows(values, length, |sample| {
                let rows = sample[width..length - width].chunks(width);
                rows.map(variance).sum::<f64>() / place.coordinates as f64
            });
            let laplacians =
                layers.map_rows(values, length, |sample| variance(&sample[length - width..]));
            sums[0] += derivatives.iter().sum::<f64>();
            sums[1] += laplacians.iter().sum::<f64>();
        }
    }
    Ok([0, 1].map(|of| sums.iter().map(|sums| sums[of] / batch as f64).collect()))
}

/// Copies the rows of one channel, times `factor`, to the rows of all: `place` is (channels, index).
fn scatter(rows: &[f32], values: &mut [f32], width: usize, place: (usize, usize), factor: f32) {
    let (channels, index) = place;
    for (row, sample) in rows.chunks(width).zip(values.chunks_mut(channels * width)) {
        let to = &mut sample[index * width..(index + 1) * width];
        to.iter_mut().zip(row).for_each(|(to, from)| *to = factor * from);
    }
}

/// Replaces z, ∇z and Δz, the rows of `sample`, by those of f(z).
fn through(activation: &Activation, width: usize, sample: &mut [f32]) {
    struct Apply<'a>(usize, &'a mut [f32]);
    impl Visitor for Apply<'_> {
        type Output = ();
        fn visit<F: Function>(self, function: F) {
            apply(self.0, self.1, |z| {
                let [f, f1, f2, _] = function.jet(z);
                [f, f1, f2]
            });
        }
        fn visit_formula(self, formula: &Formula) {
            // It has been compiled before.
            let Ok(program) = formula.jet_program(2) else { return };
            apply(self.0, self.1, |z| {
                let [f, f1, f2, _] = program.run_jet(z);
                [f, f1, f2]
            });
        }
    }
    activation.visit(Apply(width, sample));
}

fn apply(width: usize, sample: &mut [f32], jet: impl Fn(f64) -> [f64; 3]) {
    let last = sample.len() / width - 1;
    for unit in 0..width {
        let [f, f1, f2] = jet(sample[unit].into());
        let mut square = 0.0;
        for row in 1..last {
            let derivative = &mut sample[row * width + unit];
            square += f64::from(*derivative) * f64::from(*derivative);
            *derivative = (f1 * f64::from(*derivative)) as f32;
        }
        let laplacian = &mut sample[last * width + unit];
        *laplacian = (f2 * square + f1 * f64::from(*laplacian)) as f32;
        sample[unit] = f as f32;
    }
}
