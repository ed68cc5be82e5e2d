//! One file per command.

pub(crate) mod bench;
pub(crate) mod decode;
pub(crate) mod eval;
pub(crate) mod fit;
pub(crate) mod info;
mod model;
mod picture;
pub(crate) mod propagate;
pub(crate) mod repro;
