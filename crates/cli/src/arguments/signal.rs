//! How files become signals, and signals files.

use clap::{Args, ValueEnum};
use vi3nr_inr::signal::shape::DistanceLoss;
use vi3nr_inr::{ChannelRule, SampleFormat};

use super::positive;

/// How an image file becomes the picture that is fitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Picture")]
pub(crate) struct PictureArguments {
    /// Divide both sides by N with Lanczos resampling.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) downscale: Option<u32>,
    /// Keep a square of S pixels around the centre, after --downscale.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) crop: Option<u32>,
    /// Make it gray (Rec. 601 luma).
    #[arg(long)]
    pub(crate) gray: bool,
    /// What to put behind transparent pixels; without this such a picture is refused.
    #[arg(long, value_name = "COLOUR")]
    pub(crate) alpha: Option<Background>,
}

/// How an audio file becomes the recording that is fitted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recording")]
pub(crate) struct SoundArguments {
    /// The mean of all channels, all of them (an output each), or the one of this number, from 1
    /// [default: mean].
    #[arg(long, value_name = "mean|all|N", value_parser = channels)]
    pub(crate) channels: Option<ChannelRule>,
    /// Leave out this many seconds at the beginning.
    #[arg(long, value_name = "SECONDS", value_parser = not_negative)]
    pub(crate) start: Option<f64>,
    /// Keep this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(crate) duration: Option<f64>,
    /// Coordinates reach from -S to S [default: 100 with a sine, as SIREN has it, else 1].
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) input_scale: Option<f64>,
}

/// How a shape is learnt.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shape")]
pub(crate) struct ShapeArguments {
    /// Count signed distances beyond D as D, on the scale where the shape spans [-1, 1]
    /// [default: 0.1; with --preset paper all count].
    #[arg(long, value_name = "D", value_parser = positive)]
    pub(crate) clamp: Option<f64>,
    /// What the loss makes of the difference of two distances [default: squared; absolute with
    /// --preset paper].
    #[arg(long, value_enum)]
    pub(crate) loss: Option<LossName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LossName {
    /// |Φ - distance|
    Absolute,
    /// (Φ - distance)²
    Squared,
}

impl From<LossName> for DistanceLoss {
    fn from(typed: LossName) -> Self {
        match typed {
            LossName::Absolute => Self::Absolute,
            LossName::Squared => Self::Squared,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Background {
    White,
    Black,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleFormatName {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "24")]
    TwentyFour,
    Float,
}

impl From<SampleFormatName> for SampleFormat {
    fn from(typed: SampleFormatName) -> Self {
        match typed {
            SampleFormatName::Sixteen => Self::Sixteen,
            SampleFormatName::TwentyFour => Self::TwentyFour,
            SampleFormatName::Float => Self::Float,
        }
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a finite number, 0 or more".into()),
    }
}

fn channels(text: &str) -> Result<ChannelRule, String> {
    match (text, text.parse()) {
        ("mean", _) => Ok(ChannelRule::Mean),
        ("all", _) => Ok(ChannelRule::All),
        (_, Ok(number)) if number > 0 => Ok(ChannelRule::One(number)),
        _ => Err("expected mean, all, or the number of a channel from 1".into()),
    }
}
