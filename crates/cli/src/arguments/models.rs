//! What can be given after the commands that use a model.

use std::path::PathBuf;

use clap::Args;
use vi3nr_inr::decode::{Derivative, MeshAttribute, PixelRegion};
use vi3nr_inr::signal::audio::SampleFormat;

use super::values::{
    derivative, mesh_attribute, not_negative, positive, sample_format, size, whole,
};
use super::{AudioArguments, BackendArguments, ImageArguments, ThreadsAndJson};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct DecodeArguments {
    /// Model file, run directory or file that init wrote
    pub(crate) model: PathBuf,
    /// File to write: PNG for an image, WAV for audio, .ply (binary, with normals), .obj or .stl
    /// for a shape; - is standard output (PNG, WAV or PLY)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Multiply both sides by K, rounded to whole pixels [default: 1]
    #[arg(long, value_name = "K", value_parser = positive, conflicts_with = "size")]
    #[arg(help_heading = "Image")]
    pub(crate) scale: Option<f64>,
    /// Size in pixels; the whole image is stretched to it [default: that of the fitted image]
    #[arg(long, value_name = "WxH", value_parser = size, help_heading = "Image")]
    pub(crate) size: Option<(u32, u32)>,
    /// Decode only this part, in pixels of the fitted image; --scale and --size apply to the part
    #[arg(long, value_name = "X,Y,W,H", help_heading = "Image")]
    pub(crate) region: Option<PixelRegion>,
    /// Draw the derivative of each channel with respect to the pixel position (columns x, rows y):
    /// x, y, norm (of the gradient) or laplacian; 0 is mid-gray, for norm black, and white is the
    /// 99.5 % quantile of the magnitudes
    #[arg(long, value_name = "D", value_parser = derivative())]
    #[arg(help_heading = "Image", hide_possible_values = true)]
    pub(crate) derivative: Option<Derivative>,
    /// Begin this many seconds after the first sample [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = not_negative, help_heading = "Audio")]
    pub(crate) start: Option<f64>,
    /// Decode this many seconds [default: to the end]
    #[arg(long, value_name = "SECONDS", value_parser = positive, help_heading = "Audio")]
    pub(crate) duration: Option<f64>,
    /// Samples per second [default: those of the fitted audio]
    #[arg(long, value_name = "HZ", value_parser = whole::<u32>(1..=u64::from(u32::MAX)))]
    #[arg(help_heading = "Audio")]
    pub(crate) rate: Option<u32>,
    /// Format of the samples: integers of 16 or 24 bits, clipped beyond their range, or float (32
    /// bits) [default: 16]
    #[arg(long, value_name = "FORMAT", value_parser = sample_format(), help_heading = "Audio")]
    #[arg(hide_possible_values = true)]
    pub(crate) sample_format: Option<SampleFormat>,
    /// Number of grid cells per side of the shape's cube; only those near the surface are visited
    /// [default: 512]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=u64::MAX))]
    #[arg(help_heading = "Shape")]
    pub(crate) resolution: Option<usize>,
    /// Store further numbers for each vertex of a .ply file: curvature (k1, k2, mean_curvature and
    /// gaussian_curvature, in 1/length; positive where the surface is convex)
    #[arg(long, value_name = "A", value_parser = mesh_attribute())]
    #[arg(help_heading = "Shape", hide_possible_values = true)]
    pub(crate) attributes: Option<MeshAttribute>,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct EvalArguments {
    /// Model file or run directory
    pub(crate) model: PathBuf,
    /// Image, audio or shape to compare with
    ///
    /// A signal of another size than the model's is prepared (reduced, cropped, cut) as it was for
    /// the fit, unless options say otherwise.
    #[arg(value_name = "FILE", required_unless_present = "against")]
    pub(crate) file: Option<PathBuf>,
    /// The same as FILE, as earlier versions have it
    #[arg(long, value_name = "FILE", conflicts_with = "file", hide = true)]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// Number of grid points per side for a shape's IoU; the paper ends with 512 [default: 128]
    #[arg(long, value_name = "N", help_heading = "Shape", value_parser = whole::<usize>(2..=2048))]
    pub(crate) grid: Option<usize>,
    #[command(flatten)]
    pub(crate) audio: AudioArguments,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct InfoArguments {
    /// Model file, run directory or file that init wrote
    pub(crate) model: PathBuf,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct ExportArguments {
    /// Model file, run directory or file that init wrote
    pub(crate) model: PathBuf,
    /// ONNX file to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct SampleArguments {
    /// Shape: a mesh (PLY, OBJ, STL), or points to draw from (PLY, XYZ, PCD)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File of points to write: .xyz (text), .ply or .pcd (binary)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Number of points
    #[arg(short = 'n', long, value_name = "N", default_value = "20000")]
    #[arg(value_parser = whole::<usize>(1..=100_000_000))]
    pub(crate) points: usize,
    /// Leave the normals out
    #[arg(long)]
    pub(crate) no_normals: bool,
    /// Standard deviation of normal noise on each coordinate, as a part of the longest side of the
    /// bounding box
    #[arg(long, value_name = "S", value_parser = not_negative, default_value = "0")]
    pub(crate) noise: f64,
    /// Seed of the points and of the noise
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX), default_value = "0")]
    pub(crate) seed: u64,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}
