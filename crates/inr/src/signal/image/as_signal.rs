//! What a fit needs of a picture.

use std::path::{Path, PathBuf};

use vi3nr::BiasRule;

use super::Image;
use crate::metrics::{
    Digits, Metric, Metrics, max_error, mean_squared_error, psnr_of_mse, psnr_paper_of_mse, ssim,
};
use crate::optimiser::Schedule;
use crate::points::{PointBatch, Points, Sampled};
use crate::recipe::{ByPreset, PaperTable, Recipe, Steps};
use crate::signal::{Reconstruction, Signal, SignalError, SignalInfo};

/// What the preset `fast` does with a picture.
///
/// Measured in the repository's docs/defaults.md. At an equal amount of work many small steps beat few large ones,
/// down to where the threads have too little to share. Twice the learning rate fits small pictures
/// better and fails on large ones. Pictures want twice the σ_p of Eq. (13), for every activation
/// that has one: the paper's Fig. 2b, and our own measurement.
pub const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    layers: 8,
    width: 128,
    biases: BiasRule::Zero,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 2.0,
    // 30 to 40 s on two present cores.
    steps: Steps::Budget(5e12),
    batch: Some(4_096),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    kfac_points: 128 * 128,
};

/// Table 5's best network, as far as it is known how it was trained.
const PAPER: Recipe = Recipe {
    activation: "gaussian:sigma=0.05",
    steps: Steps::Exactly(30_000),
    batch: None,
    learning_rate: 1e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    even_first_biases: BiasRule::Zero,
    kfac_points: 0,
    ..FAST
};

/// Over the Kodak images.
const TABLE_5: PaperTable = PaperTable {
    name: "Table 5",
    quantity: "PSNR in dB, the paper's convention, over 24 Kodak images",
    metric: "psnr_paper",
    factor: 1.0,
    columns: &["mean", "std"],
    rows: &[
        ("SIREN + random normal init", &[10.71, 3.11]),
        ("SIREN + SIREN init", &[55.77, 2.21]),
        ("Sinc + random normal init", &[32.11, 2.73]),
        ("Sinc + our empirical init", &[71.44, 5.25]),
        ("Gaussian + random normal init", &[30.42, 4.41]),
        ("Gaussian + our MC init", &[75.85, 6.26]),
        ("Gaussian + our init", &[79.73, 11.85]),
    ],
};

impl Sampled for Image {
    fn count(&self) -> usize {
        self.pixel_count()
    }

    fn push(&self, index: usize, batch: &mut PointBatch) {
        batch.points.extend(self.grid.point(index));
        batch.targets.extend_from_slice(&self.values[self.channels * index..][..self.channels]);
    }
}

impl Signal for Image {
    fn info(&self) -> SignalInfo {
        SignalInfo::Image(self.image_info())
    }

    fn points(&self) -> Points<'_> {
        Points::Sampled(self)
    }

    fn recipes(&self) -> ByPreset<Recipe> {
        ByPreset { fast: FAST, paper: PAPER }
    }

    fn paper_table(&self) -> PaperTable {
        TABLE_5
    }

    fn loss_convention(&self) -> &'static str {
        "mean squared error over pixels and channels on the [-1, 1] scale"
    }

    fn metrics_of_loss(&self, loss: f64) -> Metrics {
        let decibels = |name, value, convention| {
            let digits = Digits::Decimals(2);
            Metric { name, label: "PSNR", value, unit: "dB", digits, convention }
        };
        Metrics::new([
            decibels("psnr", psnr_of_mse(loss), "peak 2, the usual convention"),
            decibels(
                "psnr_paper",
                psnr_paper_of_mse(loss, self.paper_peak),
                "peak = largest value of the picture on [-1, 1], the paper's convention",
            ),
        ])
    }

    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError> {
        let values = reconstruction.values;
        let (width, height) = (self.width() as usize, self.height() as usize);
        let mut metrics = self.metrics_of_loss(mean_squared_error(values, &self.values));
        let plain = |name, label, value, decimals, convention| {
            let digits = Digits::Decimals(decimals);
            Metric { name, label, value, unit: "", digits, convention }
        };
        let similarity = ssim(values, &self.values, width, height, self.channels);
        metrics.all.push(plain("ssim", "SSIM", similarity, 5, ""));
        let largest = max_error(values, &self.values);
        metrics.all.push(plain("max_error", "largest error", largest, 4, "on [-1, 1]"));
        Ok(metrics)
    }

    fn save_pictures(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError> {
        let path = directory.join("reconstruction.png");
        let values = reconstruction.values.to_vec();
        Self::from_values(self.width(), self.height(), self.channels, values)?
            .save_png(&path, self.bit_depth)?;
        Ok(vec![path])
    }
}
