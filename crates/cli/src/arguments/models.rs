//! What can be given after the commands that use a model.

use std::path::PathBuf;

use clap::Args;
use vi3nr_inr::decode::PixelRegion;
use vi3nr_inr::signal::audio::SampleFormat;

use super::values::{grid, not_negative, positive, sample_format, size};
use super::{AudioArguments, ImageArguments, ThreadsAndJson};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct DecodeArguments {
    /// A model file, a run directory or a file that init wrote.
    pub(crate) model: PathBuf,
    /// The file to write: PNG for an image, WAV for audio, .ply (binary, with normals), .obj or .stl
    /// for a shape.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Multiply both sides by K (rounded to whole pixels).
    #[arg(long, value_name = "K", value_parser = positive, conflicts_with = "size")]
    #[arg(help_heading = "Image")]
    pub(crate) scale: Option<f64>,
    /// The size in pixels; the whole image is stretched to it.
    #[arg(long, value_name = "WxH", value_parser = size, help_heading = "Image")]
    pub(crate) size: Option<(u32, u32)>,
    /// Decode only this part of the image, in its own pixels; --scale and --size then are of the part.
    #[arg(long, value_name = "X,Y,W,H", help_heading = "Image")]
    pub(crate) region: Option<PixelRegion>,
    /// Begin this many seconds after the first sample [default: 0].
    #[arg(long, value_name = "SECONDS", value_parser = not_negative, help_heading = "Audio")]
    pub(crate) start: Option<f64>,
    /// Decode this many seconds [default: to the end].
    #[arg(long, value_name = "SECONDS", value_parser = positive, help_heading = "Audio")]
    pub(crate) duration: Option<f64>,
    /// Samples a second [default: those of the audio that was fitted].
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(help_heading = "Audio")]
    pub(crate) rate: Option<u32>,
    /// How the file holds samples: whole numbers of 16 or 24 bits, beyond which they are clipped,
    /// or float (32 bits) [default: 16].
    #[arg(long, value_name = "FORMAT", value_parser = sample_format(), help_heading = "Audio")]
    pub(crate) sample_format: Option<SampleFormat>,
    /// Cells a side of the grid over the shape's space; only those near the surface are visited
    /// [default: 512].
    #[arg(long, value_name = "N", help_heading = "Shape")]
    pub(crate) resolution: Option<usize>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct MeshArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// The file to write: .ply (binary, with normals), .obj or .stl.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Cells a side of the grid over the shape's space; only those near the surface are visited.
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub(crate) resolution: usize,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct EvalArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// The image, audio or shape to compare with. One of another size than the model's is prepared
    /// (reduced, cropped, cut) as it was for the fit, unless options say otherwise.
    #[arg(value_name = "FILE", required_unless_present = "against")]
    pub(crate) file: Option<PathBuf>,
    /// The same as FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// Points a side of the grid that a shape's IoU is measured on; the paper ends with 512 [default:
    /// 128].
    #[arg(long, value_name = "N", help_heading = "Shape", value_parser = grid)]
    pub(crate) grid: Option<usize>,
    #[command(flatten)]
    pub(crate) audio: AudioArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct InfoArguments {
    /// A model file, a run directory or a file that init wrote.
    pub(crate) model: PathBuf,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
