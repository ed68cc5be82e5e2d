//! Encoding 8-bit images as PNG.

use std::io;

/// Encodes an image of `width` x `height` pixels as PNG. `samples` has shape (height, width, 1) for
/// grayscale or (height, width, 3) for RGB.
///
/// # Errors
/// Returns [`io::ErrorKind::InvalidInput`] if there are not 1 or 3 `samples` per pixel, and the
/// encoder's error if encoding fails.
pub fn encode_png(width: u32, height: u32, samples: &[u8]) -> io::Result<Vec<u8>> {
    let pixels = width as usize * height as usize;
    let color = match samples.len() {
        count if count == pixels => png::ColorType::Grayscale,
        count if count == 3 * pixels => png::ColorType::Rgb,
        count => {
            let seen = format!("{count} samples for {width}x{height} pixels; expected 1 or 3 each");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, seen));
        }
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_a_round_trip() {
        for samples in [vec![1u8, 2, 3, 4, 5, 6], (0..18).collect()] {
            let bytes = encode_png(3, 2, &samples).unwrap();
            let mut reader = png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
            let mut found = vec![0; samples.len()];
            reader.next_frame(&mut found).unwrap();
            assert_eq!(found, samples);
        }
        assert!(encode_png(3, 2, &[0; 7]).is_err());
    }
}
