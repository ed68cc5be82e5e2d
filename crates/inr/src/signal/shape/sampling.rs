//! The points of each training step.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use vi3nr::rng::{Random, Stream};

use super::distance::SignedDistance;
use super::geometry::Geometry;
use super::placement::REACH;
use super::surface::{Surface, half_open};
use super::vector::{Vector, scale};

/// Points on the surface; the substream is the step.
const ON_SURFACE: Stream = Stream::new(4);
/// Points around it, kept with their distances; the substream is the kind of point.
const OFF_SURFACE: Stream = Stream::new(5);

/// How many points of each kind a step has, and how far they are moved off the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapeSampling {
    /// Points on the surface.
    pub surface: usize,
    /// Points near it.
    pub near: usize,
    /// Points farther away.
    pub far: usize,
    /// Points anywhere in the space, as likely in one place as in another.
    pub uniform: usize,
    /// The scale b of the Laplace distribution, exp(-|x|/b)/2b, that moves each coordinate of a near
    /// point.
    pub near_scale: f64,
    /// That of a far point.
    pub far_scale: f64,
    /// Points of each kind off the surface (of uniform ones a quarter) whose distances are computed;
    /// further steps see them again.
    pub pool: usize,
}

impl Default for ShapeSampling {
    /// The protocol's: 10,000 on, near and far, none anywhere, scales 2e-3 and 2e-1. The pools
    /// take a few seconds in all; their size is not a multiple of a step's points, so that groups
    /// change.
    fn default() -> Self {
        let (near_scale, far_scale) = (2e-3, 2e-1);
        let [surface, near, far] = [10_000; 3];
        Self { surface, near, far, uniform: 0, near_scale, far_scale, pool: 262_147 }
    }
}

impl ShapeSampling {
    /// How many points of a kind (0 near, 1 far, 2 uniform) a step has, and how they are drawn.
    fn off_surface(&self, kind: u32) -> (usize, Noise) {
        match kind {
            0 => (self.near, Noise::Laplace(self.near_scale)),
            1 => (self.far, Noise::Laplace(self.far_scale)),
            _ => (self.uniform, Noise::Uniform),
        }
    }

    /// Points of a step.
    pub fn count(&self) -> usize {
        self.surface + self.near + self.far + self.uniform
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
/// An exact signed distance takes 4 to 20 µs, and a training step of 30,000 points could not hide
/// 20,000 of them: those off the surface come in turn from pools, which grow as long as steps ask for
/// new places and then repeat. Points on the surface, whose distance is 0, are new at each step.
#[derive(Debug, Clone)]
pub struct ShapeSampler {
    surface: Surface,
    sampling: ShapeSampling,
    /// Near, far and uniform points.
    pools: [Pool; 3],
    seed: u64,
}

impl ShapeSampler {
    /// Nothing is computed yet.
    pub fn new(geometry: &Arc<Geometry>, sampling: ShapeSampling, seed: u64) -> Self {
        let surface = Surface::new(geometry.clone());
        Self { surface, sampling, pools: Default::default(), seed }
    }

    /// How many points of each kind a step has.
    pub fn sampling(&self) -> &ShapeSampling {
        &self.sampling
    }

    /// As many points of each kind as a step has, which no step sees.
    pub(crate) fn check(
        &self,
        distance: &SignedDistance,
        points: &mut Vec<f32>,
        distances: &mut Vec<f32>,
    ) {
        self.surface_points(u64::MAX, points, distances);
        for kind in [0, 1, 2] {
            let (count, noise) = self.sampling.off_surface(kind);
            let random = Random::new(self.seed, OFF_SURFACE, kind + 3);
            let drawn = draw(&self.surface, distance, &random, noise, 0..count);
            points.extend(drawn.points.iter().flatten());
            distances.extend(drawn.distances);
        }
    }

    /// Fresh points of the surface; the substream is the step's low half.
    fn surface_points(&self, step: u64, points: &mut Vec<f32>, distances: &mut Vec<f32>) {
        points.clear();
        distances.clear();
        let random = Random::new(self.seed, ON_SURFACE, step as u32);
        for element in 0..self.sampling.surface as u64 {
            points.extend(self.surface.draw(&random, element).0.map(|x| x as f32));
        }
        distances.resize(self.sampling.surface, 0.0);
    }

    /// The points, shape (n, 3), and signed distances, shape (n), of a step: those on the surface
    /// first, then near, far and uniform ones. `distance` is that of the sampler's geometry.
    pub fn step(
        &mut self,
        distance: &SignedDistance,
        step: u64,
        points: &mut Vec<f32>,
        distances: &mut Vec<f32>,
    ) {
        self.surface_points(step, points, distances);
        for kind in [0, 1, 2] {
            let (count, _) = self.sampling.off_surface(kind);
            // Few points of a step are uniform: fewer will do.
            let pool = if kind == 2 { self.sampling.pool / 4 } else { self.sampling.pool };
            let size = pool.max(count).max(1) as u64;
            let first = step % size * count as u64;
            // Without a repetition the pool need only reach so far.
            self.grow(kind, distance, first.saturating_add(count as u64).min(size) as usize);
            let pool = &self.pools[kind as usize];
            for index in 0..count as u64 {
                let place = ((first + index) % size) as usize;
                points.extend(pool.points[place]);
                distances.push(pool.distances[place]);
            }
        }
    }

    /// Draws the places of a pool up to `wanted`, on all threads.
    fn grow(&mut self, kind: u32, distance: &SignedDistance, wanted: usize) {
        let (surface, pool) = (&self.surface, &mut self.pools[kind as usize]);
        let (_, noise) = self.sampling.off_surface(kind);
        let random = Random::new(self.seed, OFF_SURFACE, kind);
        let more = draw(surface, distance, &random, noise, pool.points.len()..wanted);
        pool.points.extend(more.points);
        pool.distances.extend(more.distances);
    }
}

/// Points off the surface, one for each element, on all threads.
fn draw(
    surface: &Surface,
    distance: &SignedDistance,
    random: &Random,
    noise: Noise,
    elements: Range<usize>,
) -> Pool {
    let one = |element: usize| {
        let point = off_surface(surface, random, element as u64, noise);
        (point, distance.at(point.map(f64::from)) as f32)
    };
    let (points, distances) = elements.into_par_iter().with_min_len(64).map(one).unzip();
    Pool { points, distances }
}

/// How points off the surface are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Noise {
    /// A point of the surface, moved by Laplace noise of this scale on each axis and wrapped into
    /// the space that is trained.
    Laplace(f64),
    /// Anywhere in that space.
    Uniform,
}

/// A point off the surface, a function of the generator and the element alone.
pub(super) fn off_surface(
    surface: &Surface,
    random: &Random,
    element: u64,
    noise: Noise,
) -> [f32; 3] {
    let bits = random.bits(2 * element + 1);
    let centered = [0, 1, 2].map(|axis| half_open(bits[axis]) - 0.5);
    let point = match noise {
        Noise::Uniform => scale(centered, 2.0 * REACH),
        Noise::Laplace(laplace) => {
            let on: Vector = surface.draw(random, 2 * element).0;
            let step = |u: f64| -laplace * u.signum() * (1.0 - 2.0 * u.abs()).ln();
            [0, 1, 2].map(|axis| wrapped(on[axis] + step(centered[axis])))
        }
    };
    point.map(|x| x as f32)
}

/// x moved by whole widths of the space into \[-1.2, 1.2).
fn wrapped(x: f64) -> f64 {
    (x + REACH).rem_euclid(2.0 * REACH) - REACH
}
