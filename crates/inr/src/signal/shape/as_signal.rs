//! What a fit needs of a shape.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use vi3nr::BiasRule;
use vi3nr_engine::{CpuEngine, Engine, EngineError};

use super::distance::SignedDistance;
use super::error::ShapeError;
use super::extract::{Extracted, extract};
use super::geometry::Geometry;
use super::metrics::{band_iou, grid_iou, surface_distance};
use super::options::{DistanceLoss, ShapeOptions};
use super::preview::preview;
use super::sampling::{ShapeSampler, ShapeSampling};
use super::shape_file::Shape;
use crate::metrics::{Digits, Metric, Metrics};
use crate::optimiser::Schedule;
use crate::points::{CHECK_STEP, Drawn, PointBatch, Points};
use crate::recipe::{ByPreset, PaperTable, Recipe, Steps};
use crate::signal::{Reconstruction, Signal, SignalError, SignalInfo};

/// Measured in the repository's docs/defaults.md: many small steps beat few large ones here too, and twice the
/// learning rate fails.
const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    layers: 8,
    width: 128,
    biases: BiasRule::Zero,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 2.0,
    steps: Steps::Budget(1e13),
    batch: Some(6_144),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    kfac_points: 0,
};

/// A Gaussian network; the paper says for no shape which one was trained, nor how.
const PAPER: Recipe = Recipe {
    activation: "gaussian:sigma=0.09",
    steps: Steps::Exactly(30_000),
    batch: Some(30_000),
    learning_rate: 3e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    even_first_biases: BiasRule::Zero,
    ..FAST
};

const TABLE_6: PaperTable = PaperTable {
    name: "Table 6",
    quantity: "IoU on BACON's four shapes",
    metric: "iou",
    factor: 1.0,
    columns: &["mean", "std"],
    rows: &[
        ("SIREN + random normal init", &[0.0139, 0.0071]),
        ("SIREN + SIREN init", &[0.9791, 0.0112]),
        ("Sinc + random normal init", &[0.7252, 0.1037]),
        ("Sinc + our MC init", &[0.9055, 0.0466]),
        ("Gaussian + random normal init", &[0.8628, 0.0718]),
        ("Gaussian + our MC init", &[0.9693, 0.0149]),
        ("Gaussian + our init", &[0.9697, 0.0148]),
    ],
};

/// Points of a step: 10,000 on the surface, near it and farther away.
const USUAL: usize = 30_000;
/// Cells a side of the surface that is compared with the true one, and of the one that is drawn.
const COMPARED: usize = 256;
const DRAWN: usize = 160;

/// A shape with what it takes to learn it.
#[derive(Debug)]
pub struct ShapeSignal {
    shape: Shape,
    distance: SignedDistance,
    options: ShapeOptions,
    /// Of the seed and the batch that were asked for last.
    sampler: Mutex<Option<(u64, usize, ShapeSampler)>>,
}

impl ShapeSignal {
    /// Reads the content of a PLY, OBJ, STL or XYZ file: see [`Shape::open`].
    ///
    /// # Errors
    /// Those of [`Shape::open`].
    pub fn decode(path: &Path, bytes: &[u8], options: ShapeOptions) -> Result<Self, ShapeError> {
        Ok(Self::new(Shape::decode(path, bytes)?, options))
    }

    /// Prepares the distances to a shape.
    pub fn new(shape: Shape, options: ShapeOptions) -> Self {
        let distance = SignedDistance::new(&shape.geometry);
        Self { shape, distance, options, sampler: Mutex::new(None) }
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

fn engine(reconstruction: &Reconstruction<'_>) -> Result<CpuEngine, EngineError> {
    let Reconstruction { network, parameters, threads, .. } = *reconstruction;
    CpuEngine::new(network, parameters, threads)
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
    fn usual_count(&self) -> usize {
        USUAL
    }

    fn final_passes(&self) -> usize {
        // Each check goes forward and back, about three passes. A surface takes about seven
        // blocks of 9³ points for every 8² cells of a side of its space, a preview some more time.
        let (check, drawn) = (2 * 3 * USUAL, 2 * DRAWN.pow(2) * 80);
        check + self.options.grid.pow(3) + drawn
    }

    fn draw(&self, seed: u64, step: u64, count: usize, batch: &mut PointBatch) {
        let mut known = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*known, Some((s, c, _)) if (*s, *c) == (seed, count)) {
            *known = None;
        }
        let (_, _, sampler) =
            known.get_or_insert_with(|| (seed, count, self.new_sampler(seed, count)));
        let PointBatch { points, targets, weights, loss } = batch;
        match step {
            CHECK_STEP => sampler.check(&self.distance, points, targets),
            step => sampler.step(&self.distance, step, points, targets),
        }
        // The mean over the points on the surface plus the mean over all others.
        let (all, surface) = (targets.len(), sampler.sampling().surface);
        let weight = |count: usize| all as f32 / count.max(1) as f32;
        weights.resize(surface, weight(surface));
        weights.resize(all, weight(all - surface));
        *loss = self.options.engine_loss();
    }
}

impl Signal for ShapeSignal {
    fn info(&self) -> SignalInfo {
        SignalInfo::Shape(self.shape.info())
    }

    fn warnings(&self) -> &[String] {
        &self.shape.warnings
    }

    fn points(&self) -> Points<'_> {
        Points::Drawn(self)
    }

    fn recipes(&self) -> ByPreset<Recipe> {
        ByPreset { fast: FAST, paper: PAPER }
    }

    fn paper_table(&self) -> PaperTable {
        TABLE_6
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
            // Nothing to compare: null in JSON.
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

    fn save_pictures(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError> {
        let found = match surface_of(reconstruction, DRAWN) {
            Ok(found) => found.mesh,
            // An empty row: there is nothing to see yet.
            Err(ShapeError::NoSurface { .. } | ShapeError::TooManyFaces { .. }) => {
                Default::default()
            }
            Err(error) => return Err(error.into()),
        };
        let path = directory.join("preview.png");
        let picture = match &*self.shape.geometry {
            Geometry::Mesh(truth) => preview(&[truth, &found])?,
            Geometry::Points { .. } => preview(&[&found])?,
        };
        picture.save_png(&path, crate::signal::image::BitDepth::Eight)?;
        Ok(vec![path])
    }
}
