//! Curvature factors and derivatives along directions.

use super::control::groups_of;
use super::launch::Launch;
use super::{Context, Networks};
use crate::channels::Channels;
use crate::gpu::batch::{pack_points, pack_signs};
use crate::gpu::device::{Access, Dispatch};
use crate::gpu::kernels::{Purpose, update};
use crate::{EngineError, LayerCurvature, Residuals};

impl Networks {
    /// The curvature factors of every layer; see [`Curvature::factors`](crate::Curvature::factors).
    ///
    /// The second moments of the points and of the signs are computed here, in double precision; those
    /// of hidden layers on the device.
    pub(in crate::gpu) fn factors(
        &mut self,
        slot: usize,
        points: &[f32],
        (residuals, signs): (Residuals, &[f32]),
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let channels = Channels::of_order(residuals.order(), inputs);
        let count = points.len() / inputs;
        let scale = 1.0 / count as f64;
        let rows = inputs + outputs * channels.count() + 1;
        let adjoints = adjoints(residuals, (inputs, outputs), &channels, signs);
        let coordinates = coordinate_moments(points, inputs, &channels);
        let of_outputs = output_moments(&adjoints, outputs, &channels, count);

        let pass = self.pass(Purpose::Factors, channels, rows)?;
        let mut packed = Vec::new();
        pack_signs(points, inputs, (&adjoints, rows - inputs - 1), pass.points, &mut packed);
        let groups = pass.used_groups(count);
        self.reserve_scratch(&pass, groups)?;
        let job = self.job(&pass, slot, (count, count), 0);
        let groups = groups as u32;
        let Context { device, cache, .. } = &self.context;
        let sum = cache.get(device, update::sum().to_owned(), &[Access::Read, Access::Write])?;
        device.write(&self.jobs, 0, &[job]);
        let points = device.upload(&packed)?;
        let size = self.layout.moments();
        let parts = device.buffer::<[f32; 4]>(groups as usize * size)?;
        let totals = device.buffer::<[f32; 4]>(size)?;
        let buffers = [&pass.table, &self.jobs, &points, &self.parameters, &self.scratch, &parts];
        let bindings = [device.bind(&pass.kernel, &buffers), device.bind(&sum, &[&parts, &totals])];
        let mut commands = device.commands();
        let launches =
            Launch::default().of_pass(&pass, &bindings[0], pass.tiles(count), [groups, 1]);
        commands.run(launches.chain([Dispatch {
            kernel: &sum,
            bindings: &bindings[1],
            immediates: [size as u32, groups, 0, 0, 0, 0, 0, 0],
            groups: [groups_of(size), 1],
        }]));
        device.submit(commands);
        let mut moments = vec![0.0f32; 4 * size];
        device.read(&totals, 0, &mut moments)?;

        let hidden = self.network.layer_count() - 1;
        let (mut all_inputs, mut all_slopes) = (vec![coordinates], Vec::new());
        for index in 0..hidden {
            let (activations, errors) = self.layout.read_moments(index, &moments, scale);
            all_inputs.push(activations);
            all_slopes.push(errors);
        }
        all_slopes.push(of_outputs);
        let layers = all_inputs.into_iter().zip(all_slopes);
        Ok(layers.map(|(inputs, slopes)| LayerCurvature { inputs, slopes }).collect())
    }

    /// J d for each of `directions`; see [`Curvature::tangents`](crate::Curvature::tangents).
    pub(in crate::gpu) fn tangents(
        &mut self,
        slot: usize,
        points: &[f32],
        (residuals, directions): (Residuals, &[&[f32]]),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let channels = Channels::of_order(residuals.order(), inputs);
        let pass = self.pass(Purpose::Tangents, channels, inputs)?;
        let count = points.len() / inputs;
        let mut packed = Vec::new();
        pack_points(points, inputs, pass.points, &mut packed);
        let points = self.device().upload(&packed)?;
        let mut padded = vec![0.0; 4 * self.layout.parameters];
        let direction = self.device().upload(&padded)?;
        let each = residuals.count(inputs, outputs);
        let columns = self.layout.tile.columns;
        let mut rows = vec![0.0f32; pass.tiles(count) * outputs * columns];
        let mut all = Vec::new();
        for one in directions {
            self.layout.scatter(one, &mut padded);
            self.device().write(&direction, 0, &padded);
            self.rows(&pass, slot, (&points, pass.tiles(count)), Some(&direction), &mut rows)?;
            let mut tangents = Vec::with_capacity(count * each);
            for point in 0..count {
                for (channel, factor) in residuals.channels(inputs) {
                    tangents.extend((0..outputs).map(|output| {
                        let first = self.row_index(&pass, point, output);
                        (factor * f64::from(rows[first + channel * pass.points])) as f32
                    }));
                }
            }
            all.push(tangents);
        }
        Ok(all)
    }
}

/// The values that are propagated back, shape (n, outputs, channels): the signs times the factors of
/// their residuals, 0 for channels without a residual.
fn adjoints(
    residuals: Residuals,
    (inputs, outputs): (usize, usize),
    channels: &Channels,
    signs: &[f32],
) -> Vec<f32> {
    let each = residuals.count(inputs, outputs);
    let width = channels.count();
    let mut adjoints = vec![0.0; signs.len() / each * outputs * width];
    let points = adjoints.chunks_exact_mut(outputs * width).zip(signs.chunks_exact(each));
    for (adjoints, signs) in points {
        for ((channel, factor), signs) in residuals.channels(inputs).zip(signs.chunks(outputs)) {
            for (output, sign) in signs.iter().enumerate() {
                adjoints[output * width + channel] = (factor * f64::from(*sign)) as f32;
            }
        }
    }
    adjoints
}

/// The mean of the outer products of the rows of the network's inputs: [x; 1] for the values and a unit
/// vector for each tangent.
fn coordinate_moments(points: &[f32], inputs: usize, channels: &Channels) -> Vec<f64> {
    let side = inputs + 1;
    let mut moments = vec![0.0; side * side];
    let scale = inputs as f64 / points.len() as f64;
    for point in points.chunks_exact(inputs) {
        let at = |index: usize| point.get(index).map_or(1.0, |x| f64::from(*x));
        for (index, moment) in moments.iter_mut().enumerate() {
            *moment += scale * at(index / side) * at(index % side);
        }
    }
    for a in 0..channels.tangents {
        moments[a * side + a] += 1.0;
    }
    moments
}

/// The mean over points of Σ uuᵀ over the channels of the propagated values u.
fn output_moments(adjoints: &[f32], outputs: usize, channels: &Channels, count: usize) -> Vec<f64> {
    let width = channels.count();
    let mut moments = vec![0.0; outputs * outputs];
    for point in adjoints.chunks_exact(outputs * width) {
        let row = |output: usize| &point[output * width..][..width];
        for (index, moment) in moments.iter_mut().enumerate() {
            let pairs = row(index / outputs).iter().zip(row(index % outputs));
            let product: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            *moment += product / count as f64;
        }
    }
    moments
}
