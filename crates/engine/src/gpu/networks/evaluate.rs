//! Evaluations of networks and of their derivatives with respect to the coordinates.

use super::launch::Launch;
use super::{Job, Networks};
use crate::EngineError;
use crate::channels::{Channels, hessian_index};
use crate::gpu::batch::pack_points;
use crate::gpu::device::Buffer;
use crate::gpu::kernels::Purpose;
use crate::gpu::passes::Pass;

/// The size in bytes of the points and results that an evaluation has on the device at one time.
const PART_BYTES: usize = 32 << 20;

impl Networks {
    /// Φ at `points`, shape (n, inputs), to `values`, shape (n, outputs).
    pub(in crate::gpu) fn evaluate(
        &mut self,
        slot: usize,
        points: &[f32],
        values: &mut [f32],
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        self.channels(slot, points, Channels::of_order(0, inputs), |point, output, channels| {
            values[point * outputs + output] = channels(0);
        })
    }

    /// Φ and its first derivatives; see [`Engine::differentiate`](crate::Engine::differentiate).
    pub(in crate::gpu) fn differentiate(
        &mut self,
        slot: usize,
        points: &[f32],
        (values, derivatives): (&mut [f32], &mut [f32]),
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        self.channels(slot, points, Channels::of_order(1, inputs), |point, output, channels| {
            let at = point * outputs + output;
            values[at] = channels(0);
            for a in 0..inputs {
                derivatives[at * inputs + a] = channels(1 + a);
            }
        })
    }

    /// Φ and its first and second derivatives; see
    /// [`Engine::differentiate_twice`](crate::Engine::differentiate_twice).
    pub(in crate::gpu) fn differentiate_twice(
        &mut self,
        slot: usize,
        points: &[f32],
        (values, derivatives, hessians): (&mut [f32], &mut [f32], &mut [f32]),
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        self.channels(slot, points, Channels::hessian(inputs), |point, output, channels| {
            let at = point * outputs + output;
            values[at] = channels(0);
            for a in 0..inputs {
                derivatives[at * inputs + a] = channels(1 + a);
                for b in 0..inputs {
                    let channel = 1 + inputs + hessian_index(a, b, inputs);
                    hessians[(at * inputs + a) * inputs + b] = channels(channel);
                }
            }
        })
    }

    /// Evaluates `channels` at `points` and calls `take` with each point, each output, and a function
    /// that returns the result of a channel there.
    fn channels(
        &mut self,
        slot: usize,
        points: &[f32],
        channels: Channels,
        mut take: impl FnMut(usize, usize, &dyn Fn(usize) -> f32),
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let pass = self.pass(Purpose::Evaluate, channels, inputs)?;
        let columns = self.layout.tile.columns;
        let per_tile = 4 * (inputs * pass.points + outputs * columns);
        let part = (PART_BYTES / per_tile).max(1) * pass.points;
        let (mut packed, mut rows) = (Vec::new(), Vec::new());
        for (index, points) in points.chunks(part * inputs).enumerate() {
            packed.clear();
            pack_points(points, inputs, pass.points, &mut packed);
            let count = points.len() / inputs;
            rows.resize(pass.tiles(count) * outputs * columns, 0.0);
            let uploaded = self.device().upload(&packed)?;
            self.rows(&pass, slot, (&uploaded, pass.tiles(count)), None, &mut rows)?;
            for point in 0..count {
                for output in 0..outputs {
                    let first = self.row_index(&pass, point, output);
                    take(index * part + point, output, &|channel| {
                        rows[first + channel * pass.points]
                    });
                }
            }
        }
        Ok(())
    }

    /// Where [`Networks::rows`] has the result of the first channel; those of the others follow at a
    /// distance of the points of a tile.
    pub(super) fn row_index(&self, pass: &Pass, point: usize, output: usize) -> usize {
        let (tile, column) = (point / pass.points, point % pass.points);
        (tile * self.network.outputs() + output) * self.layout.tile.columns + column
    }

    /// The results of a pass over points in tiles: for each tile and output one row, which has the
    /// points of the tile for each channel. `direction` is that of a pass of derivatives along one.
    pub(super) fn rows(
        &mut self,
        pass: &Pass,
        slot: usize,
        (points, tiles): (&Buffer, usize),
        direction: Option<&Buffer>,
        rows: &mut [f32],
    ) -> Result<(), EngineError> {
        let groups = tiles.min(pass.groups);
        self.reserve_scratch(pass, groups)?;
        let (slot, tiles) = (slot as u32, tiles as u32);
        let job = Job { slot, tiles, points: 0, scale: 1.0, groups: groups as u32 };
        let device = self.device();
        device.write(&self.jobs, 0, &[job]);
        let results = device.buffer::<f32>(rows.len())?;
        let mut buffers =
            vec![&pass.table, &self.jobs, points, &self.parameters, &self.scratch, &results];
        buffers.extend(direction);
        let bindings = device.bind(&pass.kernel, &buffers);
        let mut commands = device.commands();
        let groups = [groups as u32, 1];
        commands.run(Launch::default().of_pass(pass, &bindings, tiles as usize, groups));
        device.submit(commands);
        device.read(&results, 0, rows)
    }
}
