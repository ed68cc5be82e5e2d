//! The text of the kernels, in WGSL.

pub(super) mod channels;
mod pass;
mod product;
pub(super) mod update;

pub(super) use pass::{Purpose, pass};
