//! Decodes PNG and JPEG files to upright samples.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::samples::Samples;
use super::{BitDepth, WHOLE, jpeg, orientation, png_chunks};
use crate::catch_panic::decode_caught;
use crate::signal::error::SignalError;

/// The largest number of bytes of decoded pixels.
const MAX_BYTES: usize = 1 << 30;

/// The warning for files without their end marker.
const NO_END: &str = "it ends without its end marker; every pixel was found";

/// The first bytes of image files, and the name of the format.
const BEGINNINGS: [(&[u8], &str); 20] = [
    (PNG, "Png"),
    (JPEG, "Jpeg"),
    (b"GIF87a", "Gif"),
    (b"GIF89a", "Gif"),
    (b"MM\0*", "Tiff"),
    (b"II*\0", "Tiff"),
    (b"DDS ", "Dds"),
    (b"BM", "Bmp"),
    (b"\0\0\x01\0", "Ico"),
    (b"#?RADIANCE", "Hdr"),
    (b"\x76\x2F\x31\x01", "OpenExr"),
    (b"qoif", "Qoi"),
    (b"farbfeld", "Farbfeld"),
    (b"P1", "Pnm"),
    (b"P2", "Pnm"),
    (b"P3", "Pnm"),
    (b"P4", "Pnm"),
    (b"P5", "Pnm"),
    (b"P6", "Pnm"),
    (b"P7", "Pnm"),
];
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
const JPEG: &[u8] = b"\xFF\xD8\xFF";

/// Why a file cannot be decoded.
enum Problem {
    /// The error of the decoder.
    Damaged(String),
    /// The size, and the limit that it exceeds.
    Size(u32, u32, String),
}

/// The pixels of a file, upright, with as few bytes per sample as they need.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decoded {
    Eight(Samples<u8>),
    Sixteen(Samples<u16>),
}

/// The pixels of a file, upright, and warnings about the file.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<(Decoded, Vec<String>), SignalError> {
    let (format, result) = match recognize(bytes) {
        Ok("Png") => ("PNG", decode_png(bytes)),
        Ok("Jpeg") => ("JPEG", decode_jpeg(bytes)),
        Ok(other) => {
            let seen = format!("its content looks like {other}");
            return Err(SignalError::NotAnImage { path: path.to_owned(), seen });
        }
        Err(seen) => return Err(SignalError::NotAnImage { path: path.to_owned(), seen }),
    };
    let path = path.to_owned();
    result.map_err(|problem| match problem {
        Problem::Damaged(reason) => SignalError::Damaged { path, format, reason },
        Problem::Size(width, height, reason) => {
            SignalError::FileSize { path, width, height, reason }
        }
    })
}

/// The format of the content, or a description of what it is instead.
fn recognize(bytes: &[u8]) -> Result<&'static str, String> {
    let begins = |(beginning, _): &&(&[u8], &str)| bytes.starts_with(beginning);
    match BEGINNINGS.iter().find(begins) {
        Some((_, name)) => Ok(name),
        None if bytes.get(8..12) == Some(b"WEBP") && bytes.starts_with(b"RIFF") => Ok("WebP"),
        None if bytes.get(4..12) == Some(b"ftypavif") => Ok("Avif"),
        None if bytes.is_empty() => Err("it is empty (0 bytes)".into()),
        None if std::str::from_utf8(bytes).is_ok() => Err("it contains text".into()),
        None => Err("its content is not recognized".into()),
    }
}

/// Refuses an image whose size or whose number of `bytes` in memory exceeds a limit.
fn require_size(width: u32, height: u32, bytes: Option<usize>) -> Result<(), Problem> {
    let is_too_long = bytes.is_none_or(|bytes| bytes > MAX_BYTES);
    let too_long = is_too_long.then(|| format!("decoded they take more than {MAX_BYTES} bytes"));
    match WHOLE.problem(width, height).or(too_long) {
        Some(reason) => Err(Problem::Size(width, height, reason)),
        None => Ok(()),
    }
}

fn decode_png(bytes: &[u8]) -> Result<(Decoded, Vec<String>), Problem> {
    /// The maximum expansion factor of DEFLATE.
    const MAX_RATIO: u64 = 1032;
    let chunks = png_chunks::chunks(bytes).map_err(Problem::Damaged)?;
    let mut warnings = Vec::new();
    let mut bytes = Cow::Borrowed(bytes);
    if !chunks.has_end && chunks.data > 0 {
        let end = b"\0\0\0\0IEND\xAE\x42\x60\x82";
        bytes = Cow::Owned([&bytes[..chunks.whole], end].concat());
        warnings.push(NO_END.into());
    }
    let limits = png::Limits { bytes: MAX_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(&*bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    // Palettes become RGB, samples of fewer than 8 bits become 8 bits, marked colors become
    // transparent.
    decoder.set_transformations(png::Transformations::EXPAND);
    let (width, height) = decode_caught(|| decoder.read_header_info().map(|info| info.size()))
        .map_err(Problem::Damaged)?;
    require_size(width, height, Some(0))?;
    let mut reader = decode_caught(|| decoder.read_info()).map_err(Problem::Damaged)?;
    let length = reader.output_buffer_size();
    require_size(width, height, length)?;
    let row = reader.info().raw_row_length_from_width(width) as u64 - 1;
    if row * u64::from(height) > MAX_RATIO * chunks.data + MAX_RATIO {
        return Err(Problem::Damaged(format!(
            "its {} bytes of compressed data cannot hold {width}x{height} pixels",
            chunks.data
        )));
    }
    let mut content = vec![0; length.unwrap_or_default()];
    let (color, depth) = reader.output_color_type();
    // Damaged EXIF data does not make the image unreadable.
    let exif = chunks.exif.and_then(orientation::of_exif);
    decode_caught(|| reader.next_frame(&mut content)).map_err(Problem::Damaged)?;
    let (channels, exif) = (color.samples(), exif.unwrap_or(1));
    let decoded = match depth {
        png::BitDepth::Sixteen => {
            let data = content.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            let bit_depth = BitDepth::Sixteen;
            let samples = Samples { width, height, channels, bit_depth, data };
            Decoded::Sixteen(samples.upright(exif))
        }
        _ => {
            let (bit_depth, data) = (BitDepth::Eight, content);
            let samples = Samples { width, height, channels, bit_depth, data };
            Decoded::Eight(samples.upright(exif))
        }
    };
    Ok((decoded, warnings))
}

fn decode_jpeg(bytes: &[u8]) -> Result<(Decoded, Vec<String>), Problem> {
    let extent = jpeg::extent(bytes).map_err(Problem::Damaged)?;
    let mut warnings = Vec::new();
    let mut bytes = Cow::Borrowed(bytes);
    if !extent.has_end {
        bytes = Cow::Owned([&*bytes, b"\xFF\xD9"].concat());
        warnings.push(NO_END.into());
    }
    let bytes = &*bytes;
    let options = DecoderOptions::default()
        // If the blocks were not counted, the decoder must not invent any.
        .set_strict_mode(!extent.is_complete)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut header = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decode_caught(|| header.decode_headers()).map_err(Problem::Damaged)?;
    let (width, height) = header.dimensions().unwrap_or_default();
    // The format has 16 bits for each.
    let (width, height) = (width as u32, height as u32);
    let (color, channels) = match header.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, 1),
        // Other color spaces, such as CMYK, become RGB.
        _ => (ColorSpace::RGB, 3),
    };
    // Each block of 8x8 pixels takes at least one bit.
    let blocks = u64::from(width.div_ceil(8)) * u64::from(height.div_ceil(8));
    if blocks > 8 * bytes.len() as u64 {
        let seen = bytes.len();
        let reason = format!("its {seen} bytes cannot hold {width}x{height} pixels");
        return Err(Problem::Damaged(reason));
    }
    let length = u64::from(width) * u64::from(height) * channels as u64;
    require_size(width, height, usize::try_from(length).ok())?;
    let exif = header.exif().and_then(|block| orientation::of_exif(block));
    let options = options.jpeg_set_out_colorspace(color);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let data = decode_caught(|| decoder.decode()).map_err(Problem::Damaged)?;
    if data.len() as u64 != length {
        let seen = data.len();
        return Err(Problem::Damaged(format!("it holds {seen} samples; expected {length}")));
    }
    let samples = Samples { width, height, channels, bit_depth: BitDepth::Eight, data };
    Ok((Decoded::Eight(samples.upright(exif.unwrap_or(1))), warnings))
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ExtendedColorType, ImageEncoder};

    use super::*;

    /// The pixels of a file, as decoded by the `image` crate.
    fn others(bytes: &[u8]) -> Samples<u16> {
        let image = image::load_from_memory(bytes).unwrap();
        let (width, height) = (image.width(), image.height());
        let channels = usize::from(image.color().channel_count());
        let (bit_depth, data) = match image {
            DynamicImage::ImageLuma16(image) => (BitDepth::Sixteen, image.into_raw()),
            DynamicImage::ImageLumaA16(image) => (BitDepth::Sixteen, image.into_raw()),
            DynamicImage::ImageRgb16(image) => (BitDepth::Sixteen, image.into_raw()),
            DynamicImage::ImageRgba16(image) => (BitDepth::Sixteen, image.into_raw()),
            other => (BitDepth::Eight, widen(&other.into_bytes())),
        };
        Samples { width, height, channels, bit_depth, data }
    }

    fn widen(content: &[u8]) -> Vec<u16> {
        content.iter().copied().map(u16::from).collect()
    }

    fn ours(bytes: &[u8]) -> Samples<u16> {
        match decode(Path::new("a file"), bytes).unwrap().0 {
            Decoded::Sixteen(samples) => samples,
            Decoded::Eight(Samples { width, height, channels, bit_depth, data }) => {
                Samples { width, height, channels, bit_depth, data: widen(&data) }
            }
        }
    }

    #[test]
    fn files_give_the_samples_of_the_image_crate() {
        use ExtendedColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};

        let noise: Vec<u8> = (0..8 * 37 * 21u32)
            .map(|i| ((i.wrapping_mul(i).wrapping_mul(2_654_435)) >> 8) as u8)
            .collect();
        for color in [L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16] {
            let length = 37 * 21 * usize::from(color.bits_per_pixel() / 8);
            let mut bytes = Vec::new();
            let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
            encoder.write_image(&noise[..length], 37, 21, color).unwrap();
            assert_eq!(ours(&bytes), others(&bytes), "{color:?}");
        }
        for (color, quality) in [(L8, 90), (Rgb8, 30), (Rgb8, 95)] {
            let length = 37 * 21 * usize::from(color.bits_per_pixel() / 8);
            let mut bytes = Vec::new();
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
            encoder.write_image(&noise[..length], 37, 21, color).unwrap();
            assert_eq!(ours(&bytes), others(&bytes), "{color:?} {quality}");
        }
    }

    #[test]
    fn few_bits_palettes_and_marked_colors_are_expanded() {
        use png::{BitDepth as Bits, ColorType};

        for (color, bits, palette, marked) in [
            (ColorType::Grayscale, Bits::One, false, false),
            (ColorType::Grayscale, Bits::Four, false, true),
            (ColorType::Grayscale, Bits::Eight, false, true),
            (ColorType::Rgb, Bits::Sixteen, false, true),
            (ColorType::Indexed, Bits::Two, true, false),
            (ColorType::Indexed, Bits::Eight, true, true),
        ] {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 8, 4);
            encoder.set_color(color);
            encoder.set_depth(bits);
            if palette {
                encoder.set_palette((0..12).map(|i| 20 * i).collect::<Vec<u8>>());
            }
            if marked {
                let entry = if color == ColorType::Rgb { 6 } else { 2 };
                encoder.set_trns(vec![0; entry]);
            }
            let length = 4 * (8 * color.samples() * bits as usize).div_ceil(8);
            let index = |i: usize| if palette { (i % 4) as u8 } else { (i * 37) as u8 };
            let content: Vec<u8> = (0..length).map(index).collect();
            encoder.write_header().unwrap().write_image_data(&content).unwrap();
            assert_eq!(ours(&bytes), others(&bytes), "{color:?} {bits:?}");
        }
    }

    #[test]
    fn images_give_the_samples_of_the_image_crate() {
        for name in ["hills.png", "tiles.png", "leaves.png"] {
            let bytes = std::fs::read(vi3nr_test_data::image(name)).unwrap();
            assert_eq!(ours(&bytes), others(&bytes), "{name}");
            let mut jpeg = Vec::new();
            let pixels = image::load_from_memory(&bytes).unwrap().into_rgb8();
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 85);
            pixels.write_with_encoder(encoder).unwrap();
            assert_eq!(ours(&jpeg), others(&jpeg), "{name}");
        }
    }
}
