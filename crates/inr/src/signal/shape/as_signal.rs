//! Shapes as signals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vi3nr_engine::{Engine, EngineError};

use super::distance::SignedDistance;
use super::error::ShapeError;
use super::extract::{Extracted, extract};
use super::geometry::Geometry;
use super::info::DEFAULT_COUNT;
use super::metrics::{band_iou, grid_iou, surface_distance};
use super::occupancy::grid_coordinate;
use super::options::{DistanceLoss, ShapeOptions};
use super::preview::preview;
use super::sampling::{ShapeSampler, ShapeSampling};
use super::shape_file::Shape;
use super::term_points::TermSampler;
use crate::metrics::{Digits, Metric, Metrics};
use crate::model_file::Body;
use crate::points::{Draw, Drawn, PointBatch, Points, Sampler};
use crate::signal::error::SignalError;
use crate::signal::info::SignalInfo;
use crate::signal::{Reconstruction, Signal};
use crate::supervision::Supervision;

/// Cells per side of the extracted surface that is compared with the true one, and of the one that
/// is drawn.
const COMPARED: usize = 256;
const DRAWN: usize = 160;

/// A shape with its signed distances, for training.
#[derive(Debug)]
pub struct ShapeSignal {
    shape: Shape,
    distance: SignedDistance,
    options: ShapeOptions,
}

impl ShapeSignal {
    /// Reads the content of a PLY, OBJ, STL, XYZ or PCD file: see [`Shape::open`].
    ///
    /// # Errors
    /// Returns the errors of [`Shape::open`].
    pub fn decode(path: &Path, bytes: &[u8], options: ShapeOptions) -> Result<Self, ShapeError> {
        let shape = Shape::decode_at(path, bytes, options.placement)?;
        Ok(Self::new(shape, options))
    }

    /// Prepares the signed distances of a shape.
    pub fn new(mut shape: Shape, options: ShapeOptions) -> Self {
        let distance = SignedDistance::new(&shape.geometry);
        if distance.is_by_winding() && shape.is_closed() {
            shape.warnings.push(
                "parts of the surface overlap: inside is their union, and faces within it count as \
                 surface"
                    .into(),
            );
        }
        Self { shape, distance, options }
    }

    fn new_sampler(&self, seed: u64, count: usize) -> ShapeSampler {
        let third = count.div_ceil(3);
        let far = count.saturating_sub(2 * third);
        let uniform = (far as f64 * self.options.uniform).round() as usize;
        let sampling = ShapeSampling {
            surface: third,
            near: third,
            far: far.saturating_sub(uniform),
            uniform,
            ..ShapeSampling::default()
        };
        ShapeSampler::new(&self.shape.geometry, sampling, seed)
    }

    fn grid_iou(&self, reconstruction: &Reconstruction<'_>) -> Result<Metric, ShapeError> {
        let mut engine = engine(reconstruction)?;
        let mut field = |points: &[f32], values: &mut [f32]| engine.evaluate(points, values);
        let value = grid_iou(&mut field, &self.shape, &self.distance, self.options.grid)?;
        Ok(iou("iou", value, "of {Φ < 0} on a grid over [-1.2, 1.2]³, both ends included"))
    }
}

fn iou(name: &'static str, value: f64, convention: &'static str) -> Metric {
    Metric { name, label: "IoU", value, unit: "", digits: Digits::Decimals(4), convention }
}

fn engine(reconstruction: &Reconstruction<'_>) -> Result<Box<dyn Engine>, EngineError> {
    match reconstruction.body {
        Body::Network { network, parameters } => reconstruction.backend.engine(network, parameters),
        // No plan has pieces of a shape, which has no axes along which it could be cut.
        Body::Pieces(_) => {
            let (backend, missing) = (reconstruction.backend.name(), "shapes in pieces");
            Err(EngineError::Unsupported { backend, missing })
        }
    }
}

/// The surface of a network on the \[-1, 1\] scale.
fn surface_of(
    reconstruction: &Reconstruction<'_>,
    resolution: usize,
) -> Result<Extracted, ShapeError> {
    let mut engine = engine(reconstruction)?;
    extract(&mut |points, values| engine.evaluate(points, values), resolution)
}

impl Drawn for ShapeSignal {
    fn default_count(&self) -> usize {
        DEFAULT_COUNT
    }

    fn final_passes(&self) -> usize {
        // Each check is a forward and backward pass, about three passes. A surface takes about
        // seven blocks of 9³ points for every 8² cells per side of its space, and a preview
        // slightly more time.
        let (check, drawn) = (2 * 3 * DEFAULT_COUNT, 2 * DRAWN.pow(2) * 80);
        check + self.options.grid.pow(3) + drawn
    }

    fn sampler(&self, seed: u64, count: usize, supervision: &Supervision) -> Box<dyn Sampler + '_> {
        if !supervision.is_values() {
            let geometry = &self.shape.geometry;
            return Box::new(TermSampler::new(
                geometry,
                &self.distance,
                supervision,
                (seed, count),
            ));
        }
        let points = self.new_sampler(seed, count);
        Box::new(DistanceSampler { signal: self, points })
    }
}

/// The points of one run with their signed distances.
struct DistanceSampler<'a> {
    signal: &'a ShapeSignal,
    points: ShapeSampler,
}

impl Sampler for DistanceSampler<'_> {
    fn draw(&mut self, draw: Draw, batch: &mut PointBatch) {
        let PointBatch { points, targets, weights, loss, .. } = batch;
        let distance = &self.signal.distance;
        match draw {
            Draw::Check => self.points.check(distance, points, targets),
            Draw::Step(step) => self.points.step(distance, step, points, targets),
        }
        // The mean over the points on the surface plus the mean over all others.
        let (all, surface) = (targets.len(), self.points.sampling().surface);
        let weight = |count: usize| all as f32 / count.max(1) as f32;
        weights.clear();
        weights.resize(surface, weight(surface));
        weights.resize(all, weight(all - surface));
        *loss = self.signal.options.engine_loss();
    }
}

impl Signal for ShapeSignal {
    fn info(&self) -> Arc<dyn SignalInfo> {
        Arc::new(self.shape.info())
    }

    fn warnings(&self) -> &[String] {
        &self.shape.warnings
    }

    fn points<'a>(&'a self, _: f64, supervision: &'a Supervision) -> Points<'a> {
        Points::Drawn(self, supervision)
    }

    fn fingerprint(&self) -> String {
        self.shape.fingerprint()
    }

    fn loss_convention(&self) -> &'static str {
        match self.options.loss {
            DistanceLoss::Absolute => {
                "mean |Φ| over points on the surface + mean |Φ - distance| over points around it, \
                 on the [-1, 1] scale"
            }
            DistanceLoss::Squared => {
                "mean Φ² over points on the surface + mean (Φ - distance)² over points around it, \
                 on the [-1, 1] scale"
            }
        }
    }

    fn metrics_of_loss(&self, _: f64) -> Metrics {
        Metrics::default()
    }

    fn metrics_of_fit(
        &self,
        _: f64,
        reconstruction: &Reconstruction<'_>,
    ) -> Result<Metrics, SignalError> {
        Ok(Metrics::new([self.grid_iou(reconstruction)?]))
    }

    fn is_negated(&self, reconstruction: &Reconstruction<'_>) -> Result<bool, SignalError> {
        /// The number of points along each side of the space.
        const SIDE: usize = 17;
        let at = |index: usize| grid_coordinate(index, SIDE) as f32;
        let mut points = Vec::new();
        for (fixed, (a, b)) in [(0, (1, 2)), (1, (0, 2)), (2, (0, 1))] {
            for side in [0, SIDE - 1] {
                for index in 0..SIDE * SIDE {
                    let mut point = [at(side); 3];
                    (point[a], point[b]) = (at(index % SIDE), at(index / SIDE));
                    debug_assert_eq!(point[fixed], at(side));
                    points.extend(point);
                }
            }
        }
        let mut values = vec![0.0; points.len() / 3];
        engine(reconstruction)?.evaluate(&points, &mut values).map_err(ShapeError::from)?;
        Ok(2 * values.iter().filter(|value| **value < 0.0).count() > values.len())
    }

    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError> {
        let mut metrics = vec![self.grid_iou(reconstruction)?];
        let mut engine = engine(reconstruction)?;
        let mut field = |points: &[f32], values: &mut [f32]| engine.evaluate(points, values);
        for (name, band, convention) in [
            ("iou_band_0.05", 0.05, "within 0.05 of the surface, on the [-1, 1] scale"),
            ("iou_band_0.01", 0.01, "within 0.01 of the surface, on the [-1, 1] scale"),
        ] {
            let value = band_iou(&mut field, &self.shape, &self.distance, band)?;
            metrics.push(iou(name, value, convention));
        }
        let (chamfer, consistency) = match surface_of(reconstruction, COMPARED) {
            Ok(found) => {
                let found = Arc::new(Geometry::Mesh(found.mesh));
                let apart = surface_distance(&found, &self.shape.geometry);
                (apart.chamfer, apart.normal_consistency)
            }
            // There is no surface to compare: null in JSON.
            Err(ShapeError::NoSurface { .. }) => (f64::NAN, f64::NAN),
            Err(error) => return Err(error.into()),
        };
        metrics.push(Metric {
            name: "chamfer",
            label: "Chamfer distance",
            value: chamfer,
            unit: "",
            digits: Digits::Scientific(3),
            convention: "mean of both directions, relative to the longest side of the box",
        });
        metrics.push(Metric {
            name: "normal_consistency",
            label: "normal consistency",
            value: consistency,
            unit: "",
            digits: Digits::Decimals(4),
            convention: "mean |n·n'| of both directions",
        });
        Ok(Metrics::new(metrics))
    }

    fn save_images(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError> {
        let found = match surface_of(reconstruction, DRAWN) {
            Ok(found) => found.mesh,
            // An empty row: there is no surface yet.
            Err(ShapeError::NoSurface { .. } | ShapeError::TooManyFaces { .. }) => {
                Default::default()
            }
            Err(error) => return Err(error.into()),
        };
        let path = directory.join("preview.png");
        let image = match &*self.shape.geometry {
            Geometry::Mesh(truth) => {
                preview(&[("ground truth", truth), ("reconstruction", &found)])?
            }
            Geometry::Points { .. } => preview(&[("reconstruction", &found)])?,
        };
        image.save_png(&path, crate::signal::image::BitDepth::Eight)?;
        Ok(vec![path])
    }
}
