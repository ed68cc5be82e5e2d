//! How files become signals.

use clap::Args;
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::signal::audio::ChannelRule;
use vi3nr_inr::signal::image::AlphaRule;
use vi3nr_inr::signal::shape::DistanceLoss;

use super::values::{not_negative, positive, whole, word};

/// How an image file becomes the image that is fitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageArguments {
    /// Divide both sides by N with Lanczos resampling
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=u64::from(u32::MAX)))]
    #[arg(hide_short_help = true)]
    pub(crate) downscale: Option<u32>,
    /// Keep a square of S pixels around the center, after --downscale
    #[arg(long, value_name = "S", value_parser = whole::<u32>(1..=u64::from(u32::MAX)))]
    #[arg(hide_short_help = true)]
    pub(crate) crop: Option<u32>,
    /// Convert the image to gray (Rec. 601 luma)
    #[arg(long, hide_short_help = true)]
    pub(crate) gray: bool,
    /// Color behind transparent pixels: white or black [default: such an image is refused]
    #[arg(long, value_name = "COLOR", value_parser = word::<AlphaRule>(["white", "black"]))]
    #[arg(hide_short_help = true, hide_possible_values = true)]
    pub(crate) alpha: Option<AlphaRule>,
}

impl ImageArguments {
    /// Puts what was given into `request`.
    pub(crate) fn fill(&self, request: &mut SignalRequest) {
        request.image.downscale = self.downscale;
        request.image.crop = self.crop;
        request.image.gray = self.gray.then_some(true);
        request.image.alpha = self.alpha;
    }
}

/// How an audio file becomes the audio that is fitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Audio")]
pub(crate) struct AudioArguments {
    /// Channels: mean of all, all (an output each), or the number of one, from 1 [default: mean]
    #[arg(long, hide_short_help = true, value_name = "mean|all|N")]
    pub(crate) channels: Option<ChannelRule>,
    /// Skip this many seconds at the beginning [default: 0]
    #[arg(long, hide_short_help = true, value_name = "SECONDS", value_parser = not_negative)]
    pub(crate) start: Option<f64>,
    /// Keep this many seconds [default: to the end]
    #[arg(long, hide_short_help = true, value_name = "SECONDS", value_parser = positive)]
    pub(crate) duration: Option<f64>,
}

impl AudioArguments {
    /// Puts what was given into `request`.
    pub(crate) fn fill(&self, request: &mut SignalRequest) {
        request.audio.channels = self.channels;
        request.audio.start = self.start;
        request.audio.duration = self.duration;
    }
}

/// How a shape is learned.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shape")]
pub(crate) struct ShapeArguments {
    /// Clamp signed distances to ±D, on the scale where the shape spans [-1, 1]
    /// [default: 0.1; no limit with --preset paper]
    #[arg(long, hide_short_help = true, value_name = "D", value_parser = positive)]
    pub(crate) clamp: Option<f64>,
    /// Loss on the error of the signed distance: absolute or squared
    /// [default: squared; absolute with --preset paper]
    #[arg(hide_short_help = true, hide_possible_values = true)]
    #[arg(long, value_name = "LOSS", value_parser = word::<DistanceLoss>(["absolute", "squared"]))]
    pub(crate) loss: Option<DistanceLoss>,
}

impl ShapeArguments {
    /// Puts what was given into `request`.
    pub(crate) fn fill(&self, request: &mut SignalRequest) {
        request.shape.clamp = self.clamp;
        request.shape.loss = self.loss;
    }
}
