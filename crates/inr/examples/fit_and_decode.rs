//! Fits a network to an image, saves the model and decodes it at twice the size.
//!
//! ```sh
//! cargo run --release -p vi3nr-inr --example fit_and_decode -- photo.png
//! ```
//!
//! Without an argument, the built-in test image is fitted. The model and the image are written to
//! the system's folder for temporary files.

use std::error::Error;
use std::path::Path;

use vi3nr_engine::CpuBackend;
use vi3nr_inr::decode::{DecodeRequest, decode};
use vi3nr_inr::fit::Fitting;
use vi3nr_inr::model_file::Model;
use vi3nr_inr::signal::image::{Image, ImageOptions, test_image};

fn main() -> Result<(), Box<dyn Error>> {
    let image = match std::env::args().nth(1) {
        Some(file) => Image::open(Path::new(&file), &ImageOptions::default())?,
        None => test_image(64)?,
    };

    // A small network, so that the fit takes seconds. All other settings have their defaults.
    let fit = Fitting::of(&image).width(64).layers(5).time_limit(10.0).run()?;
    for metric in &fit.report.metrics.all {
        println!("{} {:.2} {} ({})", metric.label, metric.value, metric.unit, metric.convention);
    }

    // The model is one self-contained safetensors file, which can also be read in Python.
    let folder = std::env::temp_dir();
    let path = folder.join("vi3nr-example.safetensors");
    fit.model.save(&path)?;
    println!("{}", path.display());

    // One thread per core. A program creates its backend once and shares it.
    let backend = CpuBackend::new(None)?;
    let model = Model::load(&path)?;
    let request = DecodeRequest { scale: Some(2.0), ..DecodeRequest::default() };
    let larger = folder.join("vi3nr-example.png");
    let decoded = decode(&model, &request, &larger, &backend, &mut |_| {})?;
    println!("{}: {}", larger.display(), decoded.summary);
    Ok(())
}
