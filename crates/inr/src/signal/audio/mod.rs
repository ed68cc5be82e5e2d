//! A recording as values on \[-1, 1\].

//!
//! What a model file keeps of a recording and the options are always there; [`Audio`] itself, with its
//! files, needs the cargo feature `audio`.

#[cfg(feature = "audio")]
mod as_signal;
mod info;
mod kind;
#[cfg(feature = "audio")]
mod open;
mod options;
#[cfg(feature = "audio")]
mod recording;
#[cfg(feature = "audio")]
mod waveform;
#[cfg(feature = "audio")]
mod write;

pub use info::AudioInfo;
pub(super) use kind::KIND;
pub use options::{AudioOptions, AudioRequest, ChannelRule};
#[cfg(feature = "audio")]
pub use recording::Audio;
#[cfg(feature = "audio")]
pub use write::SampleFormat;

/// Most samples of each channel, 6 minutes at 44.1 kHz: coordinates in float32 tell no more apart.
pub const MAX_SAMPLES: u64 = 1 << 24;
/// Most channels that are kept.
pub const MAX_CHANNELS: usize = 64;
