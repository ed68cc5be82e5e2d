//! A recording as values on \[-1, 1\].

//!
//! What a model file keeps of a recording and the options are always there; [`Audio`] itself, with its
//! files, needs the cargo feature `audio`.

#[cfg(feature = "audio")]
mod as_signal;
mod info;
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
pub use options::{AudioOptions, ChannelRule};
#[cfg(feature = "audio")]
pub use recording::Audio;
#[cfg(feature = "audio")]
pub use write::SampleFormat;

use vi3nr::Activation;

/// Most samples of each channel, 6 minutes at 44.1 kHz: coordinates in float32 tell no more apart.
pub const MOST_SAMPLES: u64 = 1 << 24;
/// Most channels that are kept.
pub const MOST_CHANNELS: usize = 64;

/// The input scale where none is asked for: SIREN's habit, 100, for the sine, whose first layer it
/// makes so much faster; 1 for all others, whose σ_p sets the first layer.
pub fn default_input_scale(activation: &Activation) -> f64 {
    if activation.sine_frequency().is_some() { 100.0 } else { 1.0 }
}
