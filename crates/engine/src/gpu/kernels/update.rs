//! The text of the kernels that turn partial gradients into new parameters.

/// Adds the partial gradients and losses of workgroups.
pub(in crate::gpu) fn reduce() -> String {
    [include_str!("tables.wgsl"), include_str!("update.wgsl"), include_str!("reduce.wgsl")].concat()
}

/// One step of Adam.
pub(in crate::gpu) fn adam() -> String {
    [include_str!("tables.wgsl"), include_str!("update.wgsl"), include_str!("adam.wgsl")].concat()
}

/// Moves the weights of one layer along a direction.
pub(in crate::gpu) fn displace() -> &'static str {
    include_str!("displace.wgsl")
}

/// Adds the sums of workgroups.
pub(in crate::gpu) fn sum() -> &'static str {
    include_str!("sum.wgsl")
}

/// The number of invocations of a workgroup of these kernels.
pub(in crate::gpu) const INVOCATIONS: usize = 64;

/// The largest number of workgroups along one side of a launch that every device accepts. Kernels of
/// more numbers give several of them to each invocation.
pub(in crate::gpu) const MAX_GROUPS: usize = 65_535;
