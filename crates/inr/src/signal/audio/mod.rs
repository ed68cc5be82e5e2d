//! Audio as values on \[-1, 1\].
//!
//! [`AudioInfo`] and the options are always available; [`Audio`], which reads and writes files, needs
//! the cargo feature `audio`.

#[cfg(feature = "audio")]
mod as_signal;
#[cfg(feature = "audio")]
mod container;
mod info;
mod kind;
#[cfg(feature = "audio")]
mod open;
mod options;
#[cfg(feature = "audio")]
mod samples;
#[cfg(all(test, feature = "audio"))]
pub(super) mod test_files;
#[cfg(feature = "audio")]
mod waveform;
#[cfg(feature = "audio")]
mod write;

pub use info::AudioInfo;
pub(super) use kind::KIND;
pub use options::{AudioOptions, AudioRequest, ChannelRule};
#[cfg(feature = "audio")]
pub use samples::Audio;
#[cfg(feature = "audio")]
pub use write::SampleFormat;
#[cfg(feature = "audio")]
pub(crate) use write::write_wav;

/// The largest number of samples of each channel, an hour and 41 minutes at 44.1 kHz: 1 GiB in float32.
pub const MAX_SAMPLES: u64 = 1 << 28;
/// The largest number of channels.
pub const MAX_CHANNELS: usize = 64;
