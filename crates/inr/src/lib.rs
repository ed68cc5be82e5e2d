//! Signals as coordinate networks: fitting, decoding, measuring, keeping.
//!
//! Read in the order in which a fit meets them:
//!
//! 1. [`request`]: what is asked for, every setting optional.
//! 2. [`signal`]: what can be fitted; [`points`]: where its points come from.
//! 3. [`recipe`]: what is done where nothing is asked for; [`plan`]: from the request and the size of
//!    the signal to a plan that leaves nothing open; [`mod@prepare`] joins these.
//! 4. [`session`]: the fit itself, by [`train`] and an [`optimizer`]; [`fit`](mod@fit) is the short way.
//! 5. [`model_file`]: a trained network on disk; [`run`] and [`run_directory`]: a fit that leaves a
//!    directory behind, with [`checkpoint`]s to go on from.
//! 6. [`mod@decode`] and [`mod@evaluate`]: what a model is good for; [`metrics`]: how far it is from
//!    the ground truth; `chart`: curves and maps as SVG and PNG files.
//!
//! ```
//! use vi3nr_inr::fit::Fitting;
//! use vi3nr_inr::signal::image::test_picture;
//!
//! let image = test_picture(24)?;
//! let fit = Fitting::of(&image).width(16).layers(3).steps(30).run()?;
//! assert!(fit.report.metrics.get("psnr").unwrap() > 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Cargo features, all on by default: `audio` (WAV, FLAC and MP3 files), `shape` (PLY, OBJ, STL and XYZ
//! files), `chart` (implied by `audio`). Images are always there.

pub mod atomic_file;
mod bounded_read;
#[cfg(feature = "chart")]
pub mod chart;
pub mod checkpoint;
pub mod decode;
pub mod encoded_png;
pub mod evaluate;
pub mod fit;
pub mod metrics;
pub mod model_file;
pub mod optimizer;
pub mod pieces;
pub mod plan;
pub mod points;
pub mod prepare;
pub mod preset;
pub mod recipe;
pub mod request;
pub mod run;
pub mod run_directory;
pub mod session;
pub mod signal;
#[cfg(test)]
mod test_data;
mod text_or_number;
pub mod train;

/// Compiles and runs the example of README.md with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
