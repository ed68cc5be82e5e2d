//! Signals as coordinate networks: what is fitted, how well, and how it is kept.
//!
//! Read in this order: [`signal`] (a picture and the coordinates of its pixels), [`metrics`] (how
//! far a reconstruction is from the truth), [`model_file`] (a trained network on disk),
//! [`atomic_file`] (how anything is written).

pub mod atomic_file;
mod bounded_read;
pub mod metrics;
pub mod model_file;
pub mod signal;
#[cfg(test)]
mod test_data;

pub use atomic_file::{WriteError, write_atomically};
pub use model_file::{Model, ModelError};
pub use signal::{
    AlphaRule, BitDepth, Grid, Image, ImageOptions, SignalError, SignalInfo, test_picture,
};
