//! Signals as coordinate networks: what is fitted, how well, and how it is kept.

pub mod atomic_file;

pub use atomic_file::{WriteError, write_atomically};
