//! Extraction of the zero set of a network as triangles.

use std::collections::HashMap;

use vi3nr_engine::EngineError;

use super::cube_table::{EDGES, TRIANGLES};
use super::error::ShapeError;
use super::mesh::Mesh;
use super::occupancy::grid_coordinate;
use super::placement::REACH;
use super::vector::between;

/// Evaluates Φ at points, shape (n, 3), and writes the values, shape (n).
pub type Field<'a> = dyn FnMut(&[f32], &mut [f32]) -> Result<(), EngineError> + 'a;

/// The allowed numbers of cells per side.
pub const RESOLUTIONS: std::ops::RangeInclusive<usize> = 8..=2048;
/// The number of cells per side of a block.
const BLOCK: usize = 8;
/// The number of lattice points per side of a block, and of a block.
const SIDE: usize = BLOCK + 1;
const BLOCK_POINTS: usize = SIDE * SIDE * SIDE;
/// The number of blocks evaluated at a time.
const BATCH: usize = 128;
/// The number of points evaluated at a time elsewhere.
const CHUNK: usize = 1 << 16;
/// The number of cells per side up to which all blocks are evaluated.
const ALL_BLOCKS: usize = 64;
/// The assumed ratio of the steepest slope in a block to the steepest one sampled around it.
const SLOPE_MARGIN: f32 = 1.5;
/// The minimum distance of a vertex from a grid point, as a share of a cell, so that vertices
/// remain distinct, even in single precision.
const MARGIN: f64 = 1e-3;
/// The maximum number of faces: with the vertices and their indices about 400 MiB.
const MAX_FACES: usize = 8_000_000;

/// An extracted surface.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extracted {
    /// The triangles, on \[-1.2, 1.2\].
    pub mesh: Mesh,
    /// The number of points at which the network was evaluated.
    pub evaluations: u64,
}

/// Extracts the zero set of `field` between -1.2 and 1.2 on each axis, on a grid of `resolution`
/// cells per side.
///
/// Blocks of 8³ cells are skipped if the values at their corners and the slope sampled around them
/// (at least 1, with a margin of 1.5) show that the network cannot reach 0 inside. Wherever the
/// surface leaves a block, the next one is added, so that every part of the surface that is found
/// is complete: the result is a closed manifold. The border of the space counts as outside.
///
/// # Errors
/// Returns a [`ShapeError`] if the resolution is out of range, if there is no surface or if it has
/// more than 8 million faces, or the error of `field`.
pub fn extract(field: &mut Field<'_>, resolution: usize) -> Result<Extracted, ShapeError> {
    extract_watched(field, resolution, &mut |_| {})
}

/// The same; `watch` is called with the share of the known blocks that are done, from 0 to 1,
/// whenever it grows.
pub(crate) fn extract_watched(
    field: &mut Field<'_>,
    resolution: usize,
    watch: &mut dyn FnMut(f64),
) -> Result<Extracted, ShapeError> {
    if !RESOLUTIONS.contains(&resolution) {
        let (least, most) = (*RESOLUTIONS.start(), *RESOLUTIONS.end());
        return Err(ShapeError::Resolution { resolution, least, most });
    }
    let mut grid = Grid::new(resolution);
    let mut queue = grid.candidates(field)?;
    let mut seen = vec![false; grid.blocks.pow(3)];
    queue.iter().for_each(|block| seen[*block] = true);
    let (mut next, mut share) = (0, 0.0);
    while next < queue.len() {
        let batch = &queue[next..queue.len().min(next + BATCH)];
        next += batch.len();
        let values = grid.values(batch, field)?;
        let mut reached = Vec::new();
        for (block, values) in batch.iter().zip(values.chunks_exact(BLOCK_POINTS)) {
            grid.add_triangles(*block, values);
            grid.crossed_sides(*block, values, &mut reached);
        }
        if grid.mesh.faces.len() > MAX_FACES {
            return Err(ShapeError::TooManyFaces { most: MAX_FACES, resolution });
        }
        for block in reached {
            if !std::mem::replace(&mut seen[block], true) {
                queue.push(block);
            }
        }
        // Blocks that were found just now may lower the share.
        let done = next as f64 / queue.len() as f64;
        if done > share {
            share = done;
            watch(share);
        }
    }
    if grid.mesh.faces.is_empty() {
        let (low, high) = grid.range;
        let reason = format!("its sampled values lie between {low:.3e} and {high:.3e}");
        return Err(ShapeError::NoSurface { reason });
    }
    Ok(Extracted { mesh: grid.mesh, evaluations: grid.evaluations })
}

/// The state of an extraction.
struct Grid {
    /// The number of cells per side.
    cells: usize,
    /// The number of blocks per side; the last may extend beyond the space.
    blocks: usize,
    mesh: Mesh,
    /// The vertex on each edge of the grid, by [`Grid::edge_number`].
    on_edges: HashMap<u64, u32>,
    evaluations: u64,
    /// The smallest and largest value so far.
    range: (f32, f32),
}

impl Grid {
    fn new(cells: usize) -> Self {
        Self {
            cells,
            blocks: cells.div_ceil(BLOCK),
            mesh: Mesh::default(),
            on_edges: HashMap::new(),
            evaluations: 0,
            range: (f32::INFINITY, f32::NEG_INFINITY),
        }
    }

    fn coordinate(&self, index: usize) -> f64 {
        grid_coordinate(index.min(self.cells), self.cells + 1)
    }

    /// The blocks that may contain a part of the surface.
    fn candidates(&mut self, field: &mut Field<'_>) -> Result<Vec<usize>, ShapeError> {
        if self.cells <= ALL_BLOCKS {
            return Ok((0..self.blocks.pow(3)).collect());
        }
        let (blocks, side) = (self.blocks, self.blocks + 1);
        let number = |[x, y, z]: [usize; 3]| (z * side + y) * side + x;
        let mut values = vec![0.0; side * side * side];
        let mut points = Vec::with_capacity(3 * CHUNK);
        for (chunk, values) in values.chunks_mut(CHUNK).enumerate() {
            points.clear();
            for place in chunk * CHUNK..chunk * CHUNK + values.len() {
                let corner = [place % side, place / side % side, place / (side * side)];
                points.extend(corner.map(|index| self.coordinate(index * BLOCK) as f32));
            }
            field(&points, values)?;
            self.evaluations += values.len() as u64;
            self.note_range(values);
        }
        // The steepest slope from each corner to its neighbors, per block.
        let mut slopes = vec![0f32; values.len()];
        for z in 0..side {
            for y in 0..side {
                for x in 0..side {
                    let here = [x, y, z];
                    for axis in 0..3 {
                        let mut next = here;
                        next[axis] += 1;
                        if next[axis] < side {
                            let rise = (values[number(next)] - values[number(here)]).abs();
                            for corner in [here, next] {
                                let slope = &mut slopes[number(corner)];
                                *slope = slope.max(rise);
                            }
                        }
                    }
                }
            }
        }
        // No point of a block is farther from its nearest corner than half the diagonal. A slope
        // along the axes can be √3 times steeper across.
        let reach = 0.5 * 3f32.sqrt() * SLOPE_MARGIN;
        // A signed distance has slope 1, where it is not clamped.
        let least = (BLOCK as f64 * 2.0 * REACH / self.cells as f64) as f32;
        let mut candidates = Vec::new();
        for block in 0..blocks * blocks * blocks {
            let [x, y, z] = [block % blocks, block / blocks % blocks, block / (blocks * blocks)];
            let corners: [usize; 8] =
                std::array::from_fn(|i| number([x + (i & 1), y + (i >> 1 & 1), z + (i >> 2)]));
            let slope = corners.iter().map(|corner| slopes[*corner]).fold(least, f32::max);
            let inside = corners.iter().filter(|corner| values[**corner] < 0.0).count();
            // The border counts as outside.
            let at_border = [x, y, z].iter().any(|index| *index == 0 || index + 1 == blocks);
            let near = corners.iter().any(|corner| values[*corner].abs() <= reach * slope);
            if near || (inside > 0 && (inside < 8 || at_border)) {
                candidates.push(block);
            }
        }
        Ok(candidates)
    }

    fn note_range(&mut self, values: &[f32]) {
        for value in values {
            self.range = (self.range.0.min(*value), self.range.1.max(*value));
        }
    }

    fn position(&self, block: usize) -> [usize; 3] {
        let blocks = self.blocks;
        [block % blocks, block / blocks % blocks, block / (blocks * blocks)]
    }

    /// The values at all lattice points of some blocks, x first; outside on and beyond the border.
    fn values(&mut self, batch: &[usize], field: &mut Field<'_>) -> Result<Vec<f32>, ShapeError> {
        let mut points = Vec::with_capacity(batch.len() * BLOCK_POINTS * 3);
        for block in batch {
            let base = self.position(*block).map(|index| index * BLOCK);
            let axes = base.map(|base| {
                std::array::from_fn::<f32, SIDE, _>(|i| self.coordinate(base + i) as f32)
            });
            for z in axes[2] {
                for y in axes[1] {
                    points.extend(axes[0].into_iter().flat_map(|x| [x, y, z]));
                }
            }
        }
        let mut values = vec![0.0; batch.len() * BLOCK_POINTS];
        field(&points, &mut values)?;
        self.evaluations += values.len() as u64;
        self.note_range(&values);
        for (block, values) in batch.iter().zip(values.chunks_exact_mut(BLOCK_POINTS)) {
            let base = self.position(*block).map(|index| index * BLOCK);
            let on_border = |index: usize| index == 0 || index >= self.cells;
            if base.iter().all(|base| *base > 0 && base + BLOCK < self.cells) {
                continue;
            }
            for (place, value) in values.iter_mut().enumerate() {
                let at = [place % SIDE, place / SIDE % SIDE, place / (SIDE * SIDE)];
                if (0..3).any(|axis| on_border(base[axis] + at[axis])) {
                    *value = value.abs().max(f32::MIN_POSITIVE);
                }
            }
        }
        Ok(values)
    }

    fn add_triangles(&mut self, block: usize, values: &[f32]) {
        let base = self.position(block).map(|index| index * BLOCK);
        let place = |[x, y, z]: [usize; 3]| (z * SIDE + y) * SIDE + x;
        for z in 0..BLOCK {
            for y in 0..BLOCK {
                for x in 0..BLOCK {
                    let corners: [f32; 8] = std::array::from_fn(|i| {
                        values[place([x + (i & 1), y + (i >> 1 & 1), z + (i >> 2)])]
                    });
                    let inside = (0..8).fold(0, |set, i| set | usize::from(corners[i] < 0.0) << i);
                    if inside == 0 || inside == 255 {
                        continue;
                    }
                    let cell = [base[0] + x, base[1] + y, base[2] + z];
                    for triangle in &TRIANGLES[inside] {
                        let face = triangle.map(|edge| self.vertex(cell, edge as usize, &corners));
                        self.mesh.faces.push(face);
                    }
                }
            }
        }
    }

    /// The vertex on an edge of a cell, created on first use.
    fn vertex(&mut self, cell: [usize; 3], edge: usize, corners: &[f32; 8]) -> u32 {
        let edge = EDGES[edge];
        let from: [usize; 3] = std::array::from_fn(|axis| cell[axis] + (edge.corner >> axis & 1));
        let side = self.cells as u64 + 1;
        let [x, y, z] = from.map(|index| index as u64);
        let number = ((z * side + y) * side + x) * 3 + edge.axis as u64;
        if let Some(vertex) = self.on_edges.get(&number) {
            return *vertex;
        }
        let values = [corners[edge.corner], corners[edge.corner | 1 << edge.axis]].map(f64::from);
        let t = values[0] / (values[0] - values[1]);
        let t = if t.is_finite() { t.clamp(MARGIN, 1.0 - MARGIN) } else { 0.5 };
        let mut to = from;
        to[edge.axis] += 1;
        let [a, b] = [from, to].map(|corner| corner.map(|index| self.coordinate(index)));
        let vertex = self.mesh.vertices.len() as u32;
        self.mesh.vertices.push(between(a, b, t));
        self.on_edges.insert(number, vertex);
        vertex
    }

    /// Adds the neighbors beyond those sides of a block that the surface crosses.
    fn crossed_sides(&self, block: usize, values: &[f32], reached: &mut Vec<usize>) {
        let position = self.position(block);
        let strides = [1, SIDE, SIDE * SIDE];
        let block_strides = [1, self.blocks, self.blocks * self.blocks];
        for axis in 0..3 {
            let (u, v) = (strides[(axis + 1) % 3], strides[(axis + 2) % 3]);
            for (layer, at_end) in
                [(0, position[axis] == 0), (BLOCK, position[axis] + 1 == self.blocks)]
            {
                let first = layer * strides[axis];
                let inside =
                    (0..SIDE * SIDE).filter(|i| values[first + i % SIDE * u + i / SIDE * v] < 0.0);
                let count = inside.count();
                if !at_end && count > 0 && count < SIDE * SIDE {
                    reached.push(match layer {
                        0 => block - block_strides[axis],
                        _ => block + block_strides[axis],
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
