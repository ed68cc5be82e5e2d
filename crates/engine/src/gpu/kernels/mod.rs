//! The text of the kernels, in WGSL.

pub(super) mod channels;
mod curvature;
mod pass;
pub(super) mod peak;
mod product;
mod terms;
pub(super) mod update;

#[cfg(test)]
mod tests;

pub(super) use pass::{Purpose, pass};
pub(super) use terms::MAX_TERMS;
