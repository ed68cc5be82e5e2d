//! Backends by name: what is asked for, the devices, and the measurement that `auto` decides by.
//!
//! The default is the CPU, whose results have the same bytes on every machine with the same
//! instruction set. A GPU is used if it is asked for by name, or if [`BackendChoice::Auto`] is asked
//! for and a measurement says that the GPU is faster. Software devices, which compute on the CPU, are
//! used only if their number is given.

mod choice;
mod device;
mod measure;
mod open;

pub use choice::{BackendChoice, BackendName, BackendRequest};
pub use device::{Device, devices, no_driver};
pub use measure::{Times, Work, Workload, measure};
pub use open::{BackendError, Grounds, OpenBackend, Ready, ready};
