//! Blending of two images by their gradients (Pérez, Gangnet and Blake, "Poisson image editing",
//! 2003), with a network instead of a solver of linear equations.
//!
//! ```sh
//! cargo run --release -p vi3nr-inr --example blend -- FIRST SECOND RESULT.png
//! ```
//!
//! At every pixel the network learns the larger one of the two gradients, so that the result has
//! the edges of both images. Without files, two test images are blended. The images are cropped to
//! 96 pixels.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use vi3nr::{InitRule, Network};
use vi3nr_engine::{Backend, CpuBackend, WeightedTerm};
use vi3nr_inr::optimizer::{AdamSettings, OptimizerName, Problem, Schedule};
use vi3nr_inr::points::{Indices, PointBatch, PointGroup, Points, Sampled};
use vi3nr_inr::signal::image::{BitDepth, Image, ImageOptions, image_gradients, test_image};
use vi3nr_inr::train::{RunContext, TrainSettings, Trainer};

/// Pixels with the larger one of two gradients.
struct Blend {
    coordinates: Vec<f32>,
    gradients: Vec<f32>,
    terms: Vec<WeightedTerm>,
}

impl Blend {
    fn of(first: &Image, second: &Image) -> Result<Self, Box<dyn Error>> {
        let mut gradients = image_gradients(first, 1.0);
        // Each channel of a pixel has a derivative along x and along y.
        let others = image_gradients(second, 1.0);
        for (own, other) in gradients.as_chunks_mut::<2>().0.iter_mut().zip(others.as_chunks().0) {
            let square = |[x, y]: [f32; 2]| x * x + y * y;
            if square(*other) > square(*own) {
                *own = *other;
            }
        }
        let terms = vec!["gradient:1".parse()?];
        Ok(Self { coordinates: first.coordinates(), gradients, terms })
    }
}

impl Sampled for Blend {
    fn count(&self) -> usize {
        self.coordinates.len() / 2
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        if batch.groups.is_empty() {
            batch.groups.push(PointGroup { uses: vec![0], ..PointGroup::default() });
            batch.terms.clone_from(&self.terms);
        }
        let PointGroup { points, gradients, .. } = &mut batch.groups[0];
        let each = self.gradients.len() / self.count();
        indices.for_each(|index| {
            points.extend_from_slice(&self.coordinates[2 * index..][..2]);
            gradients.extend_from_slice(&self.gradients[each * index..][..each]);
        });
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let (first, second, out) = match &files[..] {
        [first, second, out] => {
            let options = ImageOptions { crop: Some(96), ..ImageOptions::default() };
            let open = |file: &String| Image::open(Path::new(file), &options);
            (open(first)?, open(second)?, Some(out))
        }
        _ => (test_image(24)?, test_image(24)?, None),
    };
    let (width, height, channels) = (first.width(), first.height(), first.channels());
    if (width, height, channels) != (second.width(), second.height(), second.channels()) {
        return Err("the images have different sizes or numbers of channels".into());
    }
    let blend = Blend::of(&first, &second)?;
    let network = Network::uniform(2, 64, 5, channels, "sine:omega=30".parse()?)?;
    let init = InitRule::new("siren:omega=30".parse()?);
    let start = vi3nr::draw(&network, &init.plan(&network)?, 0);
    let adam = AdamSettings { learning_rate: 1e-3, schedule: Schedule::Constant };
    let problem = Problem { network: &network, points: blend.count(), adam };
    let settings = TrainSettings {
        steps: if out.is_some() { 200 } else { 20 },
        batch: None,
        optimizer: OptimizerName::Kfac.suited_to(&problem),
        target_psnr: None,
        time_limit: None,
    };
    let backend = CpuBackend::new(None)?;
    let context = RunContext { seed: 0, backend: &backend, started: Instant::now() };
    let engine = backend.engine(&network, &start)?;
    let coordinates = blend.coordinates.clone();
    let mut trainer = Trainer::new(engine, Points::Sampled(Arc::new(blend)), settings, context)?;
    while let Some(progress) = trainer.step()? {
        if progress.step.is_multiple_of(10) {
            println!("step {}: loss {:.3e}", progress.step, progress.loss);
        }
    }
    let (mut engine, _) = trainer.finish();
    let mut values = vec![0.0; coordinates.len() / 2 * channels];
    engine.evaluate(&coordinates, &mut values)?;
    // Gradients leave one constant open for each channel: center the range of values.
    for channel in 0..channels {
        let own = || values.iter().skip(channel).step_by(channels).copied();
        let (low, high) = (own().fold(f32::MAX, f32::min), own().fold(f32::MIN, f32::max));
        values.iter_mut().skip(channel).step_by(channels).for_each(|v| *v -= 0.5 * (low + high));
    }
    if let Some(out) = out {
        let image = Image::from_values(width, height, channels, values)?;
        image.save_png(Path::new(out), BitDepth::Eight)?;
        println!("{out}");
    }
    Ok(())
}
