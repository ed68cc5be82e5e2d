//! How files become signals.

use clap::Args;
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::signal::audio::ChannelRule;
use vi3nr_inr::signal::image::AlphaRule;
use vi3nr_inr::signal::shape::DistanceLoss;

use super::values::{not_negative, positive, word};

/// How an image file becomes the image that is fitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageArguments {
    /// Divide both sides by N with Lanczos resampling.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) downscale: Option<u32>,
    /// Keep a square of S pixels around the center, after --downscale.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) crop: Option<u32>,
    /// Make it gray (Rec. 601 luma).
    #[arg(long)]
    pub(crate) gray: bool,
    /// What to put behind transparent pixels: white or black; without this such an image is refused.
    #[arg(long, value_name = "COLOR", value_parser = word::<AlphaRule>(["white", "black"]))]
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
    /// The mean of all channels, all of them (an output each), or the one of this number, from 1
    /// [default: mean].
    #[arg(long, value_name = "mean|all|N")]
    pub(crate) channels: Option<ChannelRule>,
    /// Leave out this many seconds at the beginning.
    #[arg(long, value_name = "SECONDS", value_parser = not_negative)]
    pub(crate) start: Option<f64>,
    /// Keep this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
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
    /// [default: 0.1; no limit with --preset paper].
    #[arg(long, value_name = "D", value_parser = positive)]
    pub(crate) clamp: Option<f64>,
    /// The loss on the difference of the network's and the true distance: absolute or squared
    /// [default: squared; absolute with --preset paper].
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
