//! Decoded pixels and the operations that turn them into an image.
//!
//! Every step gives integer samples of the file's bit depth, like image tools, so that the fitted
//! image can be saved as a PNG file without loss.

use super::{BitDepth, lanczos};

/// The weights of red, green and blue in gray: Rec. 601 luma.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Samples row by row, with the channels of a pixel interleaved; alpha, if present, is the last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples<T> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: usize,
    pub(super) bit_depth: BitDepth,
    pub(super) data: Vec<T>,
}

/// An integer type of a sample, with as few bytes as in the file, since images are large.
pub(super) trait Sample: Copy + Into<u16> + Into<f32> + Into<f64> {
    /// The sample, which must fit the type.
    fn of(sample: u16) -> Self;
}

impl Sample for u8 {
    fn of(sample: u16) -> Self {
        sample as Self
    }
}

impl Sample for u16 {
    fn of(sample: u16) -> Self {
        sample
    }
}

impl<T: Sample> Samples<T> {
    /// Whether any pixel is not fully opaque.
    pub(super) fn is_transparent(&self) -> bool {
        let opaque = self.bit_depth.largest_sample();
        let mut pixels = self.data.chunks_exact(self.channels);
        self.has_alpha()
            && pixels.any(|pixel| {
                let alpha: u16 = pixel[self.channels - 1].into();
                alpha != opaque
            })
    }

    /// The image over `background`, without its alpha channel.
    pub(super) fn composite_over(self, background: [f32; 3]) -> Self {
        if !self.has_alpha() {
            return self;
        }
        let largest = f32::from(self.bit_depth.largest_sample());
        let background = if self.channels == 2 { [luma(background); 3] } else { background };
        let background = background.map(|share| share.clamp(0.0, 1.0) * largest);
        let mut data = Vec::with_capacity(self.data.len());
        for pixel in self.data.chunks_exact(self.channels) {
            let (&alpha, colors) = pixel.split_last().expect("two channels or four");
            let alpha: f32 = alpha.into();
            let share = alpha / largest;
            for (&color, behind) in colors.iter().zip(background) {
                let color: f32 = color.into();
                data.push(T::of((color * share + behind * (1.0 - share)).round() as u16));
            }
        }
        Self { channels: self.channels - 1, data, ..self }
    }

    /// The image reduced to `width` x `height`.
    pub(super) fn reduced(self, width: u32, height: u32) -> Self {
        let largest = self.bit_depth.largest_sample();
        let shorten = |data: &[T], line, length: u32, new_length: u32| {
            lanczos::shorten(data, line, length as usize, new_length as usize, largest)
        };
        let rows = shorten(&self.data, self.channels, self.width, width);
        let data = shorten(&rows, self.channels * width as usize, self.height, height);
        Self { width, height, data, ..self }
    }

    /// The central square of side `side`; the image is at least as large.
    pub(super) fn center(self, side: u32) -> Self {
        let (left, top) = ((self.width - side) / 2, (self.height - side) / 2);
        let row_length = self.width as usize * self.channels;
        let start = left as usize * self.channels;
        let kept = start..start + side as usize * self.channels;
        let rows = self.data.chunks_exact(row_length).skip(top as usize).take(side as usize);
        let data = rows.flat_map(|row| &row[kept.clone()]).copied().collect();
        Self { width: side, height: side, data, ..self }
    }

    /// The image in gray; it has no alpha channel.
    pub(super) fn gray(self) -> Self {
        if self.channels == 1 {
            return self;
        }
        let gray = |pixel: &[T]| T::of(luma([0, 1, 2].map(|i| pixel[i].into())).round() as u16);
        let data = self.data.chunks_exact(self.channels).map(gray).collect();
        Self { channels: 1, data, ..self }
    }

    fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }
}

fn luma(rgb: [f32; 3]) -> f32 {
    rgb.iter().zip(LUMA).map(|(value, share)| value * share).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight_bits(width: u32, height: u32, channels: usize, data: &[u16]) -> Samples<u16> {
        Samples { width, height, channels, bit_depth: BitDepth::Eight, data: data.to_vec() }
    }

    #[test]
    fn alpha_mixes_with_the_background() {
        let pixels = [10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 51];
        let image = eight_bits(3, 1, 4, &pixels);
        assert!(image.is_transparent());
        let white = image.clone().composite_over([1.0; 3]);
        // 51/255 = 0.2 of the last pixel and 0.8 of the background.
        assert_eq!(white, eight_bits(3, 1, 3, &[10, 20, 30, 255, 255, 255, 204, 224, 244]));
        let black = image.composite_over([0.0; 3]);
        assert_eq!(black.data, [10, 20, 30, 0, 0, 0, 0, 20, 40]);
        let gray = eight_bits(2, 1, 2, &[7, 0, 7, 255]).composite_over([1.0, 0.0, 0.0]);
        // 0.299·255 = 76.2
        assert_eq!(gray, eight_bits(2, 1, 1, &[76, 7]));
    }

    #[test]
    fn opaque_alpha_changes_nothing() {
        let image = eight_bits(2, 1, 4, &[1, 2, 3, 255, 4, 5, 6, 255]);
        assert!(!image.is_transparent());
        assert_eq!(image.composite_over([1.0; 3]).data, [1, 2, 3, 4, 5, 6]);
        let without = eight_bits(1, 1, 3, &[1, 2, 3]);
        assert!(!without.is_transparent());
        assert_eq!(without.clone().composite_over([1.0; 3]), without);
    }

    #[test]
    fn the_center_cuts_the_smaller_half_first() {
        let image = eight_bits(5, 4, 1, &(0..20).collect::<Vec<_>>());
        assert_eq!(image.clone().center(2), eight_bits(2, 2, 1, &[6, 7, 11, 12]));
        assert_eq!(image.center(1).data, [7]);
    }

    #[test]
    fn gray_is_rec_601_luma() {
        let primaries = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
        assert_eq!(eight_bits(4, 1, 3, &primaries).gray().data, [76, 150, 29, 9]);
        let sixteen = Samples { bit_depth: BitDepth::Sixteen, ..eight_bits(1, 1, 3, &[65_535; 3]) };
        assert_eq!(sixteen.gray().data, [65_535]);
    }

    #[test]
    fn a_reduction_treats_channels_and_axes_alike() {
        let image: Vec<u16> =
            (0..12u16 * 8).flat_map(|i| [i * 3 % 256, (i * i) % 256, 40]).collect();
        let reduced = eight_bits(12, 8, 3, &image).reduced(4, 2);
        assert_eq!((reduced.width, reduced.height, reduced.data.len()), (4, 2, 24));
        for channel in 0..3 {
            let one: Vec<u16> = image.iter().copied().skip(channel).step_by(3).collect();
            let alone = eight_bits(12, 8, 1, &one).reduced(4, 2);
            let together = reduced.data.iter().copied().skip(channel).step_by(3);
            assert_eq!(alone.data, together.collect::<Vec<_>>());
        }
    }
}
