//! One file per command.

pub(crate) mod bench;
mod beside;
pub(crate) mod decode;
pub(crate) mod eval;
pub(crate) mod fit;
pub(crate) mod gain;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod mesh;
mod model;
mod picture;
pub(crate) mod plot;
pub(crate) mod propagate;
pub(crate) mod report;
pub(crate) mod repro;
mod resume;
mod scheme;
mod signal;
pub(crate) mod solve;
mod sound;
mod surface;
pub(crate) mod sweep;
mod work;
