//! A picture of 8 bits as the bytes of a PNG file.

use std::io;

/// Encodes a picture of `width` x `height` pixels, gray or RGB by the number of its `samples`, row
/// by row with the channels of a pixel side by side.
///
/// # Errors
/// Returns [`io::ErrorKind::InvalidInput`] if `samples` are not 1 or 3 for each pixel, or the error
/// of the encoder.
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
    fn samples_come_back() {
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
