//! Signals as coordinate networks: fitting, decoding, evaluation and model files.
//!
//! The modules, in the order in which a fit uses them:
//!
//! 1. [`request`]: the settings of a fit, all optional.
//! 2. [`signal`]: images, audio and shapes; [`points`]: the training points of a signal;
//!    [`supervision`]: what a network learns from them.
//! 3. [`recipe`]: the default settings; [`plan`]: resolves a request for a signal into a complete
//!    plan; [`mod@prepare`] reads the signal and resolves the plan.
//! 4. [`backend`]: the CPU or a GPU, by name or by a measurement.
//! 5. [`session`]: runs a fit with [`train`] and an [`optimizer`]; [`fit`](mod@fit) is the short
//!    form.
//! 6. [`model_file`]: trained networks on disk; [`run`] and [`run_directory`]: fits that write a
//!    directory, with [`checkpoint`]s from which they can be resumed.
//! 7. [`mod@decode`] and [`mod@evaluate`]: from a model back to a signal, and how close it is;
//!    [`export`]: models as ONNX files; [`metrics`]: error measures; `chart`: line charts and heat
//!    maps as SVG and PNG files.
//!
//! ```
//! use vi3nr_inr::fit::Fitting;
//! use vi3nr_inr::signal::image::test_image;
//!
//! let image = test_image(24)?;
//! let fit = Fitting::of(&image).width(16).layers(3).steps(30).run()?;
//! assert!(fit.report.metrics.get("psnr").unwrap() > 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Cargo features that are on by default: `audio` (WAV, FLAC and MP3 files), `shape` (PLY, OBJ, STL,
//! XYZ and PCD files), `chart` (implied by `audio`). Images are always supported. `gpu` (GPUs through
//! Vulkan and Metal) is off by default.

pub mod atomic_file;
pub mod backend;
mod bounded_read;
mod catch_panic;
#[cfg(feature = "chart")]
pub mod chart;
pub mod checkpoint;
pub mod decode;
pub mod encoded_png;
pub mod evaluate;
pub mod export;
pub mod fit;
mod learned;
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
pub mod supervision;
mod text_or_number;
pub mod train;
mod undetermined;

/// Compiles and runs the example in README.md together with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
