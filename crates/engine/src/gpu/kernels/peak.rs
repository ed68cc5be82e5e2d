//! The text of the kernel that measures the peak of a device.

/// The number of invocations of a workgroup.
pub(in crate::gpu) const INVOCATIONS: usize = 256;
/// The number of rotations in the body of the loop, so that the loop itself costs little.
pub(in crate::gpu) const UNROLLED: usize = 4;
/// The floating-point operations of an invocation in a pass of the loop: two for each component of
/// eight vectors.
pub(in crate::gpu) const OPERATIONS: usize = 2 * 4 * 8 * UNROLLED;

/// One rotation of each pair (p, q): p += f q, then q += g p with g = -f. Its determinant is 1, so the
/// numbers stay bounded for any number of rotations. Each multiply-add adds to its own result, as those
/// of a product of matrices do.
const ROTATION: &str = "
    p0 = fma(q0, f, p0); p1 = fma(q1, f, p1); p2 = fma(q2, f, p2); p3 = fma(q3, f, p3);
    q0 = fma(p0, g, q0); q1 = fma(p1, g, q1); q2 = fma(p2, g, q2); q3 = fma(p3, g, q3);";

/// The kernel. For each invocation of a workgroup it reads three vectors: f, g and the start. Each
/// invocation writes a sum.
pub(in crate::gpu) fn peak() -> String {
    include_str!("peak.wgsl")
        .replace("INVOCATIONS", &INVOCATIONS.to_string())
        .replace("UNROLLED", &UNROLLED.to_string())
        .replace("ROTATIONS", &ROTATION.repeat(UNROLLED))
}
