//! PNG files written a few rows at a time, so that a picture need not exist as a whole.

use std::io::{self, Write};
use std::path::Path;

use super::{BitDepth, ImageInfo};
use crate::atomic_file::{WriteError, write_atomically};

/// Values turned into samples at a time.
const RUN: usize = 1 << 16;

/// Takes the next values of a picture: row by row, the channels of a pixel side by side.
pub(crate) type Rows<'a> = dyn FnMut(&[f32]) -> io::Result<()> + 'a;

/// Writes a picture of `info`'s size, channels and bit depth, atomically. `draw` hands over its values
/// on \[-1, 1\], in any portions; they are rounded to the nearest sample, those beyond are clamped and NaN
/// becomes 0 (black).
///
/// # Errors
/// Whatever the system or `draw` reports, or values that are too few or too many, with the path.
pub(crate) fn write_png(
    path: &Path,
    info: ImageInfo,
    draw: impl FnOnce(&mut Rows<'_>) -> io::Result<()>,
) -> Result<(), WriteError> {
    write_atomically(path, |file| {
        let mut encoder = png::Encoder::new(file, info.width, info.height);
        encoder.set_color(match info.channels {
            1 => png::ColorType::Grayscale,
            _ => png::ColorType::Rgb,
        });
        encoder.set_depth(match info.bit_depth {
            BitDepth::Eight => png::BitDepth::Eight,
            BitDepth::Sixteen => png::BitDepth::Sixteen,
        });
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Adaptive);
        let mut writer = encoder.write_header()?;
        let mut stream = writer.stream_writer()?;
        let mut bytes = Vec::new();
        draw(&mut |values| {
            for values in values.chunks(RUN) {
                bytes.clear();
                for value in values {
                    let sample = info.bit_depth.sample(*value);
                    match info.bit_depth {
                        BitDepth::Eight => bytes.push(sample as u8),
                        BitDepth::Sixteen => bytes.extend(sample.to_be_bytes()),
                    }
                }
                stream.write_all(&bytes)?;
            }
            Ok(())
        })?;
        stream.finish()?;
        writer.finish()?;
        Ok(())
    })
}
