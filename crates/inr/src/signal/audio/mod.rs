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
#[cfg(feature = "audio")]
pub(crate) use write::write_wav;

/// Most samples of each channel, an hour and a half at 44.1 kHz: 1 GiB in float32.
pub const MAX_SAMPLES: u64 = 1 << 28;
/// Most channels that are kept.
pub const MAX_CHANNELS: usize = 64;
