//! The points of each training step for terms on the surface and in space.

use std::sync::Arc;

use rayon::prelude::*;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::{Term, WeightedTerm};

use super::distance::SignedDistance;
use super::geometry::Geometry;
use super::sampling::{Noise, off_surface};
use super::surface::Surface;
use super::vector::{Vector, scale, subtract};
use crate::points::{Draw, PointBatch, PointGroup, Sampler};
use crate::supervision::{Region, Supervision, regions};

/// The points of a step; the substream is 3 times the low half of the step plus the region. The
/// points of [`Draw::Check`] have those of the last step that could be.
const POINTS: Stream = Stream::new(14);
/// The scale b of the Laplace distribution, exp(-|x|/b)/2b, that moves each coordinate of a point
/// near the surface.
const NEAR: f64 = 0.02;

/// The number of steps at the start in which points of space have signed distances as targets of
/// `value`.
const START: u64 = 200;

/// Draws the points of each step with their targets, a function of (seed, step) alone. Half of them
/// are on the surface and the others in equal parts in the other regions that the terms need.
///
/// Terms on the surface and on the gradient hold for functions with further zeros, and training
/// seldom removes those with which a network starts. In the first steps, the term `value` therefore
/// also applies to points of space, with their signed distances as targets, if the terms determine
/// the sign.
pub(super) struct TermSampler<'a> {
    surface: Surface,
    distance: &'a SignedDistance,
    terms: Vec<WeightedTerm>,
    /// The regions with the terms that apply there and their number of points.
    parts: Vec<Part>,
    /// The term `value`, if it applies to points of space in the first steps.
    start: Option<usize>,
    seed: u64,
}

struct Part {
    region: Region,
    uses: Vec<usize>,
    count: usize,
    /// Whether a term compares with the unsigned distance.
    has_distance: bool,
}

impl<'a> TermSampler<'a> {
    /// A sampler of about `count` points per step, at least one in each region.
    pub(super) fn new(
        geometry: &Arc<Geometry>,
        distance: &'a SignedDistance,
        supervision: &Supervision,
        (seed, count): (u64, usize),
    ) -> Self {
        let terms = supervision.terms();
        let needed = |region: &Region| {
            *region == Region::Surface
                || terms.iter().any(|term| {
                    let own = regions(term.term);
                    own.len() < Region::ALL.len() && own.contains(region)
                })
        };
        let mut needed: Vec<Region> = Region::ALL.into_iter().filter(needed).collect();
        if needed.len() == 1 {
            needed = vec![Region::Surface, Region::Space];
        }
        let others = needed.len() - 1;
        let part = |region: Region| {
            let uses =
                (0..terms.len()).filter(|index| regions(terms[*index].term).contains(&region));
            let uses: Vec<usize> = uses.collect();
            let on_surface = count.div_ceil(2);
            let count = match region {
                Region::Surface => on_surface,
                Region::Near | Region::Space => (count - on_surface) / others,
            };
            let is_unsigned = |index: &usize| {
                let term = terms[*index].term;
                matches!(
                    term,
                    Term::Value { signed: false, .. } | Term::Gradient { signed: false, .. }
                )
            };
            let has_distance = region != Region::Surface && uses.iter().any(is_unsigned);
            Part { region, uses, count: count.max(1), has_distance }
        };
        let parts = needed.into_iter().map(part).filter(|part| !part.uses.is_empty()).collect();
        let start = terms.iter().position(|term| is_signed_value(term.term));
        let start = start.filter(|_| !supervision.is_unsigned());
        let surface = Surface::new(geometry.clone());
        Self { start, surface, distance, terms: terms.to_vec(), parts, seed }
    }

    /// Fills `group`, with signed distances at points of space if `is_start`.
    fn fill(&self, part: &Part, is_start: bool, random: &Random, group: &mut PointGroup) {
        let elements = 0..part.count as u64;
        match part.region {
            Region::Surface => {
                for element in elements {
                    let (point, normal) = self.surface.draw(random, element);
                    group.points.extend(point.map(|x| x as f32));
                    group.gradients.extend(normal.map(|x| x as f32));
                }
            }
            Region::Near | Region::Space => {
                let noise = match part.region {
                    Region::Near => Noise::Laplace(NEAR),
                    _ => Noise::Uniform,
                };
                let point = |element| off_surface(&self.surface, random, element, noise);
                if !part.has_distance {
                    group.points.extend(elements.flat_map(point));
                    if is_start {
                        group.values = self.distance.of_points(&group.points);
                    }
                    return;
                }
                let target = |element: usize| {
                    let point = point(element as u64);
                    let (distance, gradient) = self.unsigned(point.map(f64::from));
                    (point, distance as f32, gradient.map(|x| x as f32))
                };
                let all: Vec<_> =
                    (0..part.count).into_par_iter().with_min_len(64).map(target).collect();
                for (point, distance, gradient) in all {
                    group.points.extend(point);
                    group.values.push(distance);
                    group.gradients.extend(gradient);
                }
            }
        }
    }

    /// The unsigned distance to the surface and its gradient.
    fn unsigned(&self, point: Vector) -> (f64, Vector) {
        let Some((nearest, distance)) = self.distance.nearest_point(point) else {
            return (0.0, [0.0; 3]);
        };
        let away = subtract(point, nearest);
        (distance, if distance > 0.0 { scale(away, 1.0 / distance) } else { away })
    }
}

fn is_signed_value(term: Term) -> bool {
    matches!(term, Term::Value { signed: true, .. })
}

impl Sampler for TermSampler<'_> {
    fn draw(&mut self, draw: Draw, batch: &mut PointBatch) {
        let (step, is_start) = match draw {
            Draw::Step(step) => (step as u32, self.start.is_some() && step < START),
            Draw::Check => (u32::MAX, false),
        };
        if !batch.has_terms() {
            batch.terms.clone_from(&self.terms);
            batch.groups = vec![PointGroup::default(); self.parts.len()];
        }
        for (part, group) in self.parts.iter().zip(&mut batch.groups) {
            let substream = step.wrapping_mul(3).wrapping_add(part.region as u32);
            let is_start = is_start && part.region == Region::Space && !part.has_distance;
            group.uses.clone_from(&part.uses);
            group.uses.extend(self.start.filter(|_| is_start));
            self.fill(part, is_start, &Random::new(self.seed, POINTS, substream), group);
        }
    }
}
