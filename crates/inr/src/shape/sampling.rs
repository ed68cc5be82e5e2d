//! The points of each training step.

use rayon::prelude::*;
use vi3nr::rng::{Random, Stream};

use super::distance::SignedDistance;
use super::shape_file::{Geometry, REACH};
use super::surface::{Surface, half_open};
use super::vector::Vector;

/// How many points of each kind a step has, and how far they are moved off the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapeSampling {
    /// Points on the surface.
    pub surface: usize,
    /// Points near it.
    pub near: usize,
    /// Points farther away.
    pub far: usize,
    /// The scale b of the Laplace distribution, exp(-|x|/b)/2b, that moves each coordinate of a near
    /// point.
    pub near_scale: f64,
    /// That of a far point.
    pub far_scale: f64,
    /// Points of each of the two kinds whose distances are computed before training begins. A step
    /// takes the next ones in turn.
    pub pool: usize,
}

impl Default for ShapeSampling {
    /// The protocol's: 10,000 of each, scales 2e-3 and 2e-1. The pool is such that computing it takes
    /// a few seconds; it is no multiple of the points of a step, so that the groups change.
    fn default() -> Self {
        let (near_scale, far_scale) = (2e-3, 2e-1);
        Self { surface: 10_000, near: 10_000, far: 10_000, near_scale, far_scale, pool: 262_147 }
    }
}

impl ShapeSampling {
    /// Points of a step.
    pub fn count(&self) -> usize {
        self.surface + self.near + self.far
    }
}

/// Points with their signed distances.
#[derive(Debug, Clone, PartialEq, Default)]
struct Pool {
    points: Vec<[f32; 3]>,
    distances: Vec<f32>,
}

/// Gives every step its points and their signed distances, a function of (seed, step) alone.
///
/// An exact signed distance takes about 10 µs, and a training step of 30,000 points could not hide
/// 20,000 of them: those off the surface come from pools that are drawn once. Points on the surface,
/// whose distance is 0, are new at each step.
#[derive(Debug, Clone)]
pub struct ShapeSampler<'a> {
    surface: Surface<'a>,
    sampling: ShapeSampling,
    near: Pool,
    far: Pool,
    seed: u64,
}

impl<'a> ShapeSampler<'a> {
    /// Draws the pools, on all threads of the present pool.
    pub fn new(
        geometry: &'a Geometry,
        distance: &SignedDistance,
        sampling: ShapeSampling,
        seed: u64,
    ) -> Self {
        let surface = Surface::new(geometry);
        let pool = |kind: u32, count: usize, laplace: f64| {
            let count = if count == 0 { 0 } else { sampling.pool.max(count) };
            let random = Random::new(seed, Stream::Distances, kind);
            let one = |place: usize| {
                let point = around(&surface, &random, place as u64, laplace);
                (point, distance.at(point.map(f64::from)) as f32)
            };
            let (points, distances) = (0..count).into_par_iter().with_min_len(256).map(one).unzip();
            Pool { points, distances }
        };
        let near = pool(0, sampling.near, sampling.near_scale);
        let far = pool(1, sampling.far, sampling.far_scale);
        Self { surface, sampling, near, far, seed }
    }

    /// The points, shape (n, 3), and signed distances, shape (n), of a step: those on the surface
    /// first, then near, then far ones.
    pub fn step(&self, step: u64, points: &mut Vec<f32>, distances: &mut Vec<f32>) {
        points.clear();
        distances.clear();
        let random = Random::new(self.seed, Stream::Surface, step as u32);
        for element in 0..self.sampling.surface as u64 {
            points.extend(self.surface.draw(&random, element).0.map(|x| x as f32));
        }
        distances.resize(self.sampling.surface, 0.0);
        for (pool, count) in [(&self.near, self.sampling.near), (&self.far, self.sampling.far)] {
            let size = pool.points.len() as u64;
            for index in 0..count as u64 {
                let place = ((step % size * count as u64 + index) % size) as usize;
                points.extend(pool.points[place]);
                distances.push(pool.distances[place]);
            }
        }
    }
}

/// A point of the surface, moved by Laplace noise of scale `laplace` on each axis and wrapped into
/// the space that is trained.
fn around(surface: &Surface<'_>, random: &Random, element: u64, laplace: f64) -> [f32; 3] {
    let on: Vector = surface.draw(random, 2 * element).0;
    let bits = random.bits(2 * element + 1);
    [0, 1, 2].map(|axis| {
        let centred = half_open(bits[axis]) - 0.5;
        let noise = -laplace * centred.signum() * (1.0 - 2.0 * centred.abs()).ln();
        wrapped(on[axis] + noise) as f32
    })
}

/// x moved by whole widths of the space into \[-1.2, 1.2).
fn wrapped(x: f64) -> f64 {
    (x + REACH).rem_euclid(2.0 * REACH) - REACH
}
