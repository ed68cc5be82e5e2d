//! One file per command.

mod backend;
pub(crate) mod bench;
pub(crate) mod catalog;
pub(crate) mod decode;
pub(crate) mod devices;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod fit;
mod fit_several;
pub(crate) mod gain;
pub(crate) mod info;
pub(crate) mod init;
mod plan;
pub(crate) mod plot;
pub(crate) mod program;
pub(crate) mod propagate;
pub(crate) mod report;
pub(crate) mod repro;
mod resume;
pub(crate) mod sample;
pub(crate) mod solve;
pub(crate) mod sweep;
mod sweep_queue;
