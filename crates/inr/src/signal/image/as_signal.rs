//! Images as signals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Image;
use super::derivatives::Derivatives;
use crate::metrics::{
    Digits, Metric, Metrics, max_error, mean_squared_error, psnr_of_mse, psnr_paper_of_mse, ssim,
};
use crate::points::{Indices, PointBatch, Points, Region, Sampled};
use crate::signal::error::SignalError;
use crate::signal::info::SignalInfo;
use crate::signal::{Fingerprint, Reconstruction, Signal};
use crate::supervision::Supervision;

/// The pixels with their coordinates.
struct Pixels<'a> {
    image: &'a Image,
    input_scale: f32,
}

impl Sampled for Pixels<'_> {
    fn count(&self) -> usize {
        self.image.pixel_count()
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        let Image { grid, channels, pixels, .. } = self.image;
        indices.for_each(|index| {
            batch.points.extend(grid.point(index).map(|x| self.input_scale * x));
            pixels.push(channels * index..channels * (index + 1), &mut batch.targets);
        });
    }
}

impl Signal for Image {
    fn info(&self) -> Arc<dyn SignalInfo> {
        Arc::new(self.image_info())
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn points<'a>(&'a self, input_scale: f64, supervision: &'a Supervision) -> Points<'a> {
        if let Supervision::Derivatives(terms) = supervision {
            return Points::Sampled(Arc::new(Derivatives::new(self, input_scale, terms)));
        }
        Points::Sampled(Arc::new(Pixels { image: self, input_scale: input_scale as f32 }))
    }

    fn push_values(&self, region: &Region, values: &mut Vec<f32>) {
        let channels = self.channels;
        region.for_each_run(&self.image_info().axes(), |run| {
            self.pixels.push(channels * run.start..channels * run.end, values);
        });
    }

    fn loss_at_0_db(&self) -> Option<f64> {
        Some(4.0)
    }

    fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::of(&self.image_info());
        self.pixels.for_each_part(|part| fingerprint.add(part));
        fingerprint.finish()
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
                "peak = largest value of the image on [-1, 1], the paper's convention",
            ),
        ])
    }

    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError> {
        let (values, truth) = (reconstruction.values, self.values());
        let (width, height) = (self.width() as usize, self.height() as usize);
        let mut metrics = self.metrics_of_loss(mean_squared_error(values, &truth));
        let plain = |name, label, value, decimals, convention| {
            let digits = Digits::Decimals(decimals);
            Metric { name, label, value, unit: "", digits, convention }
        };
        let similarity = ssim(values, &truth, width, height, self.channels);
        metrics.all.push(plain("ssim", "SSIM", similarity, 5, ""));
        let largest = max_error(values, &truth);
        metrics.all.push(plain("max_error", "largest error", largest, 4, "on [-1, 1]"));
        Ok(metrics)
    }

    fn save_images(
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
