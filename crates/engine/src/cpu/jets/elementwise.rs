//! The chain rule of the activation for all channels, row by row.
//!
//! The matrices hold the rows of whole points: row 0 of a point is its value channel, then follow
//! the tangents and the second derivatives.

use super::super::instruction_set::Task;
use super::super::lane::mul_add;
use super::super::vector::Vector;
use crate::channels::Channels;

/// Adds the bias to the value channel of every point.
pub(super) struct AddBias<'a> {
    pub(super) bias: &'a [f32],
    /// The rows of whole points.
    pub(super) rows: &'a mut [f32],
    /// The distance between the value channels of consecutive points.
    pub(super) point_stride: usize,
}

impl Task for AddBias<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        for row in self.rows.chunks_mut(self.point_stride) {
            for (z, bias) in row.iter_mut().zip(self.bias) {
                *z += bias;
            }
        }
    }
}

/// The forward chain rule of all channels but the value: moves the preactivations ∂z from `outputs`
/// to `slopes`, whose first row of each point holds f', and replaces them by the derivatives ∂h of
/// h = f(z).
pub(super) struct Spread<'a> {
    pub(super) channels: &'a Channels,
    pub(super) columns: usize,
    /// The row stride of all matrices.
    pub(super) stride: usize,
    pub(super) outputs: &'a mut [f32],
    pub(super) slopes: &'a mut [f32],
    /// f'', one row for each point; not read if there are no second derivatives.
    pub(super) second: &'a [f32],
}

impl Task for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let Self { channels, columns, stride, outputs, slopes, second } = self;
        let point = channels.count() * stride;
        let points = outputs.chunks_mut(point).zip(slopes.chunks_mut(point));
        for (index, (outputs, slopes)) in points.enumerate() {
            let (slope, kept) = slopes.split_at_mut(stride);
            let slope = &slope[..columns];
            let rows = outputs.chunks_mut(stride).skip(1);
            for (out, kept) in rows.zip(kept.chunks_mut(stride)) {
                let (out, kept) = (&mut out[..columns], &mut kept[..columns]);
                for ((out, kept), slope) in out.iter_mut().zip(kept).zip(slope) {
                    *kept = *out;
                    *out *= slope;
                }
            }
            let first = 1 + channels.tangents;
            for (pairs, out) in channels.seconds.iter().zip(outputs.chunks_mut(stride).skip(first))
            {
                let second = &second[index * stride..][..columns];
                for (a, b) in pairs {
                    let (a, b) = (&kept[a * stride..][..columns], &kept[b * stride..][..columns]);
                    let products = a.iter().zip(b);
                    for ((out, second), (a, b)) in
                        out[..columns].iter_mut().zip(second).zip(products)
                    {
                        *out = mul_add::<FUSED>(second * a, *b, *out);
                    }
                }
            }
        }
    }
}

/// The backward chain rule: replaces f' and ∂z in `slopes` by the derivatives of the loss with
/// respect to the preactivations of all channels, from those with respect to h in `above`. The
/// channels are those of [`Channels::of_order`].
pub(super) struct Gather<'a> {
    pub(super) channels: &'a Channels,
    pub(super) columns: usize,
    /// The row stride of all matrices.
    pub(super) stride: usize,
    pub(super) above: &'a [f32],
    pub(super) slopes: &'a mut [f32],
    pub(super) second: &'a [f32],
    pub(super) third: &'a [f32],
    /// One row of scratch.
    pub(super) sums: &'a mut [f32],
}

impl Task for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let Self { channels, columns, stride, above, slopes, second, third, sums } = self;
        let sums = &mut sums[..columns];
        let point = channels.count() * stride;
        let points = slopes.chunks_mut(point).zip(above.chunks(point));
        for (index, (slopes, above)) in points.enumerate() {
            let (slope, kept) = slopes.split_at_mut(stride);
            let slope = &mut slope[..columns];
            let (value, above) = above.split_at(stride);
            for ((sum, slope), value) in sums.iter_mut().zip(&*slope).zip(value) {
                *sum = slope * value;
            }
            let row =
                |matrix: &'_ [f32]| index * stride..index * stride + columns.min(matrix.len());
            let (tangents, laplacian) = kept.split_at_mut(channels.tangents * stride);
            let (above_tangents, above_laplacian) = above.split_at(channels.tangents * stride);
            if channels.seconds.is_empty() {
                for (z, above) in tangents.chunks_mut(stride).zip(above_tangents.chunks(stride)) {
                    let second = &second[row(second)];
                    let (z, above) = (&mut z[..columns], &above[..columns]);
                    let each = z.iter_mut().zip(above).zip(second);
                    for (((z, above), second), (slope, sum)) in
                        each.zip(slope.iter().zip(&mut *sums))
                    {
                        *sum = mul_add::<FUSED>(second * *z, *above, *sum);
                        *z = slope * above;
                    }
                }
            } else {
                let (second, third) = (&second[row(second)], &third[row(third)]);
                let (own, top) = (&mut laplacian[..columns], &above_laplacian[..columns]);
                let each = own.iter_mut().zip(top).zip(second);
                for (((own, top), second), (slope, sum)) in each.zip(slope.iter().zip(&mut *sums)) {
                    *sum = mul_add::<FUSED>(second * *own, *top, *sum);
                    *own = slope * top;
                }
                for (z, above) in tangents.chunks_mut(stride).zip(above_tangents.chunks(stride)) {
                    let (z, above) = (&mut z[..columns], &above[..columns]);
                    let each = z.iter_mut().zip(above).zip(second.iter().zip(third));
                    let rest = slope.iter().zip(&mut *sums).zip(top);
                    for (((z, above), (second, third)), ((slope, sum), top)) in each.zip(rest) {
                        let turned = second * *z;
                        *sum = mul_add::<FUSED>(turned, *above, *sum);
                        *sum = mul_add::<FUSED>(third * *z * *z, *top, *sum);
                        *z = mul_add::<FUSED>(turned + turned, *top, slope * above);
                    }
                }
            }
            slope.copy_from_slice(sums);
        }
    }
}

/// The derivative of the forward chain rule along a direction of the parameters: replaces the
/// derivatives ż of the preactivations of all channels in `moved` by those of h = f(z). `slopes`
/// holds f' in the first row of each point and ∂z in the others. The channels are those of
/// [`Channels::of_order`].
pub(super) struct Turn<'a> {
    pub(super) channels: &'a Channels,
    pub(super) columns: usize,
    /// The row stride of all matrices.
    pub(super) stride: usize,
    pub(super) moved: &'a mut [f32],
    pub(super) slopes: &'a [f32],
    pub(super) second: &'a [f32],
    pub(super) third: &'a [f32],
}

impl Task for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let Self { channels, columns, stride, moved, slopes, second, third } = self;
        let point = channels.count() * stride;
        for (index, (moved, slopes)) in
            moved.chunks_mut(point).zip(slopes.chunks(point)).enumerate()
        {
            let (slope, z) = slopes.split_at(stride);
            let (value, others) = moved.split_at_mut(stride);
            let (slope, value) = (&slope[..columns], &mut value[..columns]);
            let row = |matrix: &[f32]| index * stride..index * stride + columns.min(matrix.len());
            let (tangents, laplacian) = others.split_at_mut(channels.tangents * stride);
            let (z, z_laplacian) = z.split_at(channels.tangents * stride);
            if !channels.seconds.is_empty() {
                let (second, third) = (&second[row(second)], &third[row(third)]);
                let own = &mut laplacian[..columns];
                let each = own.iter_mut().zip(z_laplacian).zip(slope.iter().zip(second));
                for (((own, z), (slope, second)), value) in each.zip(&*value) {
                    *own = mul_add::<FUSED>(second * z, *value, slope * *own);
                }
                for (moved, z) in tangents.chunks(stride).zip(z.chunks(stride)) {
                    let each = own.iter_mut().zip(moved).zip(z);
                    let rest = second.iter().zip(third).zip(&*value);
                    for (((own, moved), z), ((second, third), value)) in each.zip(rest) {
                        let turned = mul_add::<FUSED>(third * z, *value, 2.0 * second * moved);
                        *own = mul_add::<FUSED>(*z, turned, *own);
                    }
                }
            }
            for (moved, z) in tangents.chunks_mut(stride).zip(z.chunks(stride)) {
                let second = &second[row(second)];
                let each = moved[..columns].iter_mut().zip(z).zip(slope.iter().zip(second));
                for (((moved, z), (slope, second)), value) in each.zip(&*value) {
                    *moved = mul_add::<FUSED>(second * z, *value, slope * *moved);
                }
            }
            value.iter_mut().zip(slope).for_each(|(value, slope)| *value *= slope);
        }
    }
}
