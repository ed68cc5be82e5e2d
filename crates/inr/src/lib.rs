//! Signals as coordinate networks: what is fitted, how well, and how it is kept.

pub mod atomic_file;
mod bounded_read;
pub mod metrics;
pub mod signal;
#[cfg(test)]
mod test_data;

pub use atomic_file::{WriteError, write_atomically};
pub use signal::{
    AlphaRule, BitDepth, Grid, Image, ImageOptions, SignalError, SignalInfo, test_picture,
};
