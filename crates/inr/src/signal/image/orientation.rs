//! The EXIF orientation of an image, and its correction.

use super::samples::Samples;

/// The orientation, 1 to 8, in a block of EXIF data (a TIFF file), if it has one.
pub(super) fn of_exif(block: &[u8]) -> Option<u8> {
    /// The tag of the orientation, and the format of its value: one short.
    const TAG: u16 = 0x0112;
    const SHORT: u16 = 3;

    let is_big = match block.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let short = |place: usize| {
        let bytes = block.get(place..place.checked_add(2)?)?.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let long = |place: usize| {
        let bytes = block.get(place..place.checked_add(4)?)?.try_into().ok()?;
        Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let directory = long(4)? as usize;
    for entry in 0..usize::from(short(directory)?) {
        // Tag, format, count and value: 2, 2, 4 and 4 bytes.
        let place = directory.checked_add(2 + 12 * entry)?;
        if short(place)? == TAG && short(place + 2)? == SHORT && long(place + 4)? == 1 {
            return u8::try_from(short(place + 8)?).ok().filter(|value| (1..=8).contains(value));
        }
    }
    None
}

impl<T: Copy> Samples<T> {
    /// The image rotated and mirrored according to an EXIF orientation; values other than 2 to 8
    /// leave it unchanged.
    pub(super) fn upright(self, orientation: u8) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
        // The source of the pixel (x, y) of the result.
        let source = |x: usize, y: usize| match orientation {
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (y, bottom - x),
            7 => (right - y, bottom - x),
            _ => (right - y, x),
        };
        let (new_width, new_height) = match orientation {
            2..=4 => (width, height),
            5..=8 => (height, width),
            _ => return self,
        };
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..new_height {
            for x in 0..new_width {
                let (x, y) = source(x, y);
                data.extend_from_slice(
                    &self.data[(y * width + x) * self.channels..][..self.channels],
                );
            }
        }
        Self { width: new_width as u32, height: new_height as u32, data, ..self }
    }
}

#[cfg(test)]
mod tests {
    use image::metadata::Orientation;
    use image::{DynamicImage, RgbImage};

    use super::*;
    use crate::signal::image::BitDepth;

    #[test]
    fn images_are_turned_as_the_image_crate_turns_them() {
        let pixels: Vec<u8> = (0..3 * 5 * 4).collect();
        let samples = Samples {
            width: 5,
            height: 4,
            channels: 3,
            bit_depth: BitDepth::Eight,
            data: pixels.iter().copied().map(u16::from).collect(),
        };
        for orientation in 1..=8 {
            let mut other =
                DynamicImage::ImageRgb8(RgbImage::from_raw(5, 4, pixels.clone()).unwrap());
            other.apply_orientation(Orientation::from_exif(orientation).unwrap());
            let ours = samples.clone().upright(orientation);
            assert_eq!((ours.width, ours.height), (other.width(), other.height()));
            let expected: Vec<u16> = other.into_bytes().into_iter().map(u16::from).collect();
            assert_eq!(ours.data, expected, "{orientation}");
        }
        assert_eq!(samples.clone().upright(0), samples);
    }

    #[test]
    fn exif_blocks_are_read_in_both_byte_orders() {
        let big = b"MM\0*\0\0\0\x08\0\x02\
            \x01\0\0\x03\0\0\0\x01\0\x09\0\0\
            \x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0";
        assert_eq!(of_exif(big), Some(6));
        assert_eq!(of_exif(little), Some(8));
        for length in 0..big.len() - 2 {
            assert_eq!(of_exif(&big[..length]), None, "{length}");
        }
        let wild = b"MM\0*\xFF\xFF\xFF\xFF\0\x01";
        assert_eq!(of_exif(wild), None);
        assert_eq!(Orientation::from_exif_chunk(big), Some(Orientation::Rotate90));
    }
}
