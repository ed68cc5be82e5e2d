//! PNG files written a few rows at a time, so that an image need not be in memory as a whole.

use std::io::{self, Write};
use std::path::Path;

use super::{BitDepth, ImageInfo};
use crate::atomic_file::{WriteError, write_atomically};

/// The number of values converted to samples at a time.
const RUN: usize = 1 << 16;

/// Receives the next values of an image: row by row, with the channels of a pixel interleaved.
pub(crate) type Rows<'a> = dyn FnMut(&[f32]) -> io::Result<()> + 'a;

/// Writes an image of `info`'s size, channels and bit depth, atomically. `draw` passes its values
/// on \[-1, 1\], in any portions. They are rounded to the nearest sample, values beyond the range
/// are clamped and NaN becomes 0 (black).
///
/// # Errors
/// Returns the error of the system or of `draw`, or an error if there are too few or too many
/// values, with the path.
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
